"""Files of ballots that other programs write and read: ABIF, BLT, PrefLib, cast vote records.

    a file ──read──▶ Profile ──rules for overvotes and skips──▶ Profile ──write──▶ a file of another form
                        ▲                                          │
       definition + ballots CSV                       definition + ballots CSV

Start with `profile.py`, the one value that every reader makes and every writer takes; `convert.py` puts them together.
Each format has one module with its reader and its writer. All is text in, text out: no file is opened here.
"""

from __future__ import annotations

from qballot.formats.convert import Conversion, Format, Request, convert, guess_format
from qballot.formats.profile import Alternative, Ballots, Kind, Profile

__all__ = [
    "Alternative",
    "Ballots",
    "Conversion",
    "Format",
    "Kind",
    "Profile",
    "Request",
    "convert",
    "guess_format",
]
