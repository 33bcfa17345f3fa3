"""Addresses as text: 0x and 40 hex digits, whose upper and lower case is a checksum (EIP-55)."""

from __future__ import annotations

import re

from qballot.core.bounds import validate_length
from qballot.core.keccak import keccak
from qballot.core.types import Address
from qballot.errors import InputError

ZERO_ADDRESS = Address(bytes(20))
"""Nobody's address: a mistake wherever a person names one."""

_SHAPE = re.compile(r"0x[0-9a-fA-F]{40}")

# Between a letter and its capital lies one bit. Each table turns hex digits into bytes that hold this bit where …
_CASE_BIT = 0x20
_IS_LETTER = bytes(_CASE_BIT if chr(code) in "abcdef" else 0 for code in range(256))
_IS_HIGH = bytes(_CASE_BIT if chr(code) in "89abcdef" else 0 for code in range(256))


def checksum_address(address: Address) -> str:
    """Write 20 bytes as 0x and 40 hex digits with the checksum of EIP-55. Raises InputError on another length."""
    validate_length("an address", address, 20)
    digits = address.hex().encode()
    # … the digit is a letter, and the same digit of the hash is 8 or more. All 40 digits change case at once.
    letters = int.from_bytes(digits.translate(_IS_LETTER))
    high = int.from_bytes(keccak(digits)[:20].hex().encode().translate(_IS_HIGH))
    return "0x" + (int.from_bytes(digits) ^ (letters & high)).to_bytes(40).decode()


def parse_address(text: str) -> Address:
    """Read an address that a person gave: mixed case must be the right checksum, one case alone carries none.

    Returns 20 bytes. Raises InputError, with what was found and expected, for another form, a wrong checksum, and the
    zero address.
    """
    address = _decode(text)
    digits = text[2:]
    if text != (expected := checksum_address(address)) and digits not in (digits.lower(), digits.upper()):
        raise InputError(f"the checksum of address {text} is wrong: a digit is mistyped, or this is {expected}")
    return address


def parse_checksum_address(text: str) -> Address:
    """Read an address that a program wrote: as `parse_address`, but only the form of `checksum_address` will do."""
    address = _decode(text)
    if text != (expected := checksum_address(address)):
        raise InputError(f"expected the checksummed form {expected}; found {text}")
    return address


def _decode(text: str) -> Address:
    if not _SHAPE.fullmatch(text):
        raise InputError(f"expected an address, 0x and 40 hex digits; found {_shorten(text)}")
    address = Address(bytes.fromhex(text[2:]))
    if address == ZERO_ADDRESS:
        raise InputError("expected an address; found the zero address")
    return address


def _shorten(text: str) -> str:
    if not text:
        return "nothing"
    return repr(text) if len(text) <= 60 else f"{text[:60]!r}… ({len(text)} characters)"
