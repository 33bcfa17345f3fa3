"""Reading and writing the files that a command is given: every failure is an InputError that names the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from qballot.errors import InputError


def read_bytes(path: Path) -> bytes:
    """Read a whole file. Raises InputError when it is missing, a folder or not readable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def read_text(path: Path) -> str:
    """Read a whole UTF-8 file, without its byte order mark. Raises InputError when it cannot be read as that."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: see byte {error.start}") from error


def write_new(path: Path, data: bytes) -> None:
    """Write a file that does not exist yet. Raises InputError when it does, or cannot be written."""
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise InputError(f"{path} exists: choose another name") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def write_same(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write a file, over an equal one too; over a different one only when told so. Raises InputError."""
    try:
        if path.exists() and not overwrite and path.read_bytes() != data:
            raise InputError(f"{path} exists and is another file: choose another name with -o, or add --force")
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def write_pieces(path: Path, pieces: Iterable[bytes], *, overwrite: bool) -> Iterator[bytes]:
    """Write a file piece by piece, giving each on once it is written; when told so in the place of one that is there.

    It gets its name when it is whole. Raises InputError when it exists or cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists: choose another name with -o, or add --force")
    try:
        try:
            with part.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
                    yield piece
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
