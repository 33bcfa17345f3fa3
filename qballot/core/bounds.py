"""Checks that a value fits in the field that the protocol gives it."""

from __future__ import annotations

from qballot.errors import InputError


def validate_uint(name: str, value: int, bits: int) -> None:
    """Raise InputError, which calls the value `name`, unless it fits in an unsigned integer of so many bits."""
    if not 0 <= value < 1 << bits:
        raise InputError(f"{name} must be 0 … 2**{bits} - 1; found {value}")


def validate_length(name: str, value: bytes, size: int) -> None:
    """Raise InputError, which calls the value `name`, unless it has exactly `size` bytes."""
    if len(value) != size:
        raise InputError(f"{name} must have {size} bytes; found {len(value)}")
