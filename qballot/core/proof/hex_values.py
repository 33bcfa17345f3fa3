"""Bytes in the one form that our files give them: 0x and lower-case hex digits."""

from __future__ import annotations

from collections.abc import Sequence

from qballot.errors import DecodeError

_QUOTED = 80
"""Longest piece of a file that a message repeats."""


def encode_hex(data: bytes) -> str:
    """Write bytes."""
    return "0x" + data.hex()


def read_hex(text: str, name: str, most: int) -> bytes:
    """Read at most so many bytes. Raises DecodeError, which calls them `name`, for any other form."""
    if len(text) > 2 + 2 * most:
        raise DecodeError(f"{name}: found {len(text)} characters, expected at most {most} bytes as 0x-hex")
    try:
        data = bytes.fromhex(text[2:])
    except ValueError:
        data = None
    if data is None or "0x" + data.hex() != text:
        raise DecodeError(f"{name}: found {text[:_QUOTED]!r}, expected bytes as 0x and lower-case hex digits")
    return data


def read_fixed_hex(text: str, name: str, size: int) -> bytes:
    """Read exactly so many bytes. Raises DecodeError likewise."""
    data = read_hex(text, name, size)
    if len(data) != size:
        raise DecodeError(f"{name}: found {len(data)} bytes, expected {size}")
    return data


def read_all_hex(texts: Sequence[str], name: str, most: int, first: int = 0) -> list[bytes]:
    """Read a list of at most so many bytes each. first: the number that the first has in a message."""
    return [read_hex(text, f"{name} {place}", most) for place, text in enumerate(texts, start=first)]
