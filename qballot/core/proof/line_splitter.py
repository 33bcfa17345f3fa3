"""Cutting a stream into lines with a bound on what is kept of it, whatever the stream holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qballot.errors import DecodeError


def split_lines(chunks: Iterable[bytes], most_line: int, most_bytes: int) -> Iterator[bytes]:
    """Give the lines of a stream, each without its end.

    chunks: pieces of any size, in order. most_line: longest line, its end not counted. most_bytes: most of all lines.
    Raises DecodeError for a line that is longer, for more in all, and for a last line without an end.
    """
    pending = bytearray()  # of the line that is not whole yet
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > most_bytes:
            raise DecodeError(f"found more than {most_bytes} bytes in all, expected at most so many")
        start = 0
        while start < len(chunk):
            end = chunk.find(b"\n", start)
            piece = chunk[start:] if end < 0 else chunk[start:end]
            if len(pending) + len(piece) > most_line:
                raise DecodeError(f"found more than {most_line} bytes, expected at most so many")
            if end < 0:
                pending += piece
                break
            yield bytes(pending) + piece
            pending.clear()
            start = end + 1
    if pending:
        raise DecodeError(f"found no end of the line after {len(pending)} bytes: the file is cut short")
