"""The QR code of a certificate."""

from __future__ import annotations

import segno

from qballot.errors import InputError

MAX_CODE_BYTES = 400
"""Longest text that a code of this size on paper is still read from."""

QUIET = 4
"""Modules of white around a code. Source: ISO/IEC 18004, quiet zone."""


def make_code(text: str) -> list[list[bool]]:
    """Make the code of a text: rows of modules, True for dark, with the white around it.

    Raises InputError for a text that is too long to be read from paper.
    """
    if len(text.encode()) > MAX_CODE_BYTES:
        raise InputError(
            f"the evidence's address is too long for a code on paper: found {len(text.encode())} bytes with the "
            f"digest, expected at most {MAX_CODE_BYTES}"
        )
    code = segno.make_qr(text, error="m")
    return [[bool(module) for module in row] for row in code.matrix_iter(border=QUIET)]
