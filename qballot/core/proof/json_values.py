"""Values as JSON-RPC writes them: hex with 0x. What is read here is only believed after it was proved.

So this is lenient about the one thing that does not matter, leading zeros of a number, which nodes write differently,
and strict about the rest. Every problem is a ProofError that names the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from qballot.errors import ProofError

_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,64}")

_QUOTED = 80
"""Longest piece of an answer that a message repeats."""


def read_object(value: object, name: str) -> Mapping[str, object]:
    """Read an object; its keys are strings, as JSON's always are."""
    if not isinstance(value, dict):
        raise ProofError(f"{name}: found {_quote(value)}, expected an object")
    return value


def read_list(value: object, name: str, most: int) -> Sequence[object]:
    """Read a list of at most so many items."""
    if not isinstance(value, list):
        raise ProofError(f"{name}: found {_quote(value)}, expected a list")
    if len(value) > most:
        raise ProofError(f"{name}: found {len(value)} items, expected at most {most}")
    return value


def read_uint(value: object, name: str) -> int:
    """Read a number below 2**256."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise ProofError(f"{name}: found {_quote(value)}, expected a number below 2**256 as 0x-hex")
    return int(value, 16)


def read_bytes(value: object, name: str, most: int) -> bytes:
    """Read at most so many bytes."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ProofError(f"{name}: found {_quote(value)}, expected bytes as 0x-hex")
    if len(value) > 2 + 2 * most:
        raise ProofError(f"{name}: found {len(value)} characters, expected at most {most} bytes as 0x-hex")
    try:
        data = bytes.fromhex(value[2:])
    except ValueError:
        raise ProofError(f"{name}: found {_quote(value)}, expected bytes as 0x-hex") from None
    if 2 + 2 * len(data) != len(value):  # bytes.fromhex() passes over blanks
        raise ProofError(f"{name}: found {_quote(value)}, expected bytes as 0x-hex without blanks")
    return data


def read_fixed(value: object, name: str, size: int) -> bytes:
    """Read exactly so many bytes."""
    data = read_bytes(value, name, size)
    if len(data) != size:
        raise ProofError(f"{name}: found {len(data)} bytes, expected {size}")
    return data


def _quote(value: object) -> str:
    """Repeat a piece of an answer in a message, cut; of anything but a string only what it is."""
    return repr(value[:_QUOTED]) if isinstance(value, str) else f"a value of type {type(value).__name__}"
