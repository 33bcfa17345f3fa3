"""Moments as people write them, and as the chain has them: unix seconds. The clock is the chain's, so none is here."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from qballot.core.types import UnixSeconds
from qballot.errors import InputError

EXPECTED: Final = "unix seconds, or a time with its zone such as 2027-03-01T08:00:00+01:00 or 2027-03-01T07:00Z"

LAST_MOMENT: Final = 253_402_300_799
"""The last second of the year 9999, the last that can be written."""

_UNIX = re.compile(r"[0-9]{1,12}")
# A date, a time to the minute or second, and a zone: what ISO 8601 has beyond that (weeks, ordinal days, fractions,
# no separators) is read differently by different programs.
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_moment(text: str) -> UnixSeconds:
    """Read a moment: unix seconds, or ISO 8601 with a zone. Raises InputError for anything else."""
    if _UNIX.fullmatch(text):
        seconds = int(text)
    elif _ISO.fullmatch(text):
        try:
            seconds = int(datetime.fromisoformat(text.upper()).timestamp())
        except (ValueError, OverflowError):
            raise InputError(f"found {text!r}, which is no moment; expected {EXPECTED}") from None
    else:
        raise InputError(f"found {text!r}, expected {EXPECTED}")
    if not 0 <= seconds <= LAST_MOMENT:
        raise InputError(f"found {text!r}, expected a moment from 1970 to 9999")
    return UnixSeconds(seconds)


def format_moment(seconds: int) -> str:
    """Write a moment for people: `2027-03-01 07:00:00 UTC`. Beyond the year 9999 only the number is left."""
    if not 0 <= seconds <= LAST_MOMENT:
        return f"unix second {seconds}"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
