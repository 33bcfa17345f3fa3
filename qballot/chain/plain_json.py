"""Decoding JSON of any form that somebody else wrote, however it is nested.

A decoder that meets lists within lists calls itself. Python's limit on that is only a guess at how much of the stack is
left, and some libraries lift it a hundredfold: then a small text of nothing but brackets ends the process. So depth is
counted first.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Any

import msgspec

MAX_DEPTH = 200
"""Lists and objects within one another that are read; a block with all its transactions has some five."""

_BRACKETS = b"[]{}"
_OTHERS = bytes(byte for byte in range(256) if byte not in _BRACKETS)
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_STEPS = bytes.maketrans(_BRACKETS, b"\x01\xff\x01\xff")


class NestedTooDeeplyError(ValueError):
    """JSON that no reader should be given. Never leaves this package."""


def decode_plain(text: bytes | msgspec.Raw) -> Any:
    """Decode any JSON value. Raises msgspec.DecodeError and other ValueErrors, such as NestedTooDeeplyError."""
    body = bytes(text)
    # Brackets in strings count for nothing. To leave them out costs more, and is seldom needed.
    if _compute_depth(body) > MAX_DEPTH and _compute_depth(_STRING.sub(b"", body)) > MAX_DEPTH:
        raise NestedTooDeeplyError(f"found JSON nested more than {MAX_DEPTH} deep, expected less")
    return msgspec.json.decode(body)


def _compute_depth(body: bytes) -> int:
    """Count how many brackets are open at once, at most."""
    return max(accumulate(memoryview(body.translate(_STEPS, _OTHERS)).cast("b")), default=0)
