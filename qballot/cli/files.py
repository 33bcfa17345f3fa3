"""Reading the files that a command is given: every failure is an InputError that names the file."""

from __future__ import annotations

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
