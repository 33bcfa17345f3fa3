"""Reading what a contest requires to pass: turnout, a majority, a least total.

    "requires": {"turnout":  {"of": "voters", "at_least": "1/4"},
                 "majority": {"of": "counted", "more_than": "1/2"},
                 "total":    {"at_least": "100"}}

Every demand has exactly one of `at_least` and `more_than`. A share is a fraction as text from above 0 to 1, a total a
whole number or a fraction as text, since definitions hold no other exact numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from qballot.core.definition.reader import ObjectReader
from qballot.core.election import Base, Demand, Method, Requirement
from qballot.core.tally.methods import METHODS

AT_LEAST = "at_least"
MORE_THAN = "more_than"

BASES: Mapping[Demand, tuple[Base, ...]] = {
    Demand.TURNOUT: (Base.VOTERS, Base.WEIGHT),
    Demand.MAJORITY: (Base.COUNTED, Base.CAST, Base.ELECTORATE),
    Demand.TOTAL: (),
}
"""What each demand may be a share of."""

SHARE_PATTERN = r"^[1-9][0-9]{0,8}/[1-9][0-9]{0,8}$"
TOTAL_PATTERN = r"^(?:0|-?[1-9][0-9]{0,38})(?:/[1-9][0-9]{0,8})?$"

_SHARE = re.compile(SHARE_PATTERN)
_TOTAL = re.compile(TOTAL_PATTERN)


def read_requires(contest: ObjectReader, method: Method | None) -> tuple[Requirement, ...]:
    """Read `requires`, where a contest has it. method: None while it is not known."""
    reader = contest.object("requires")
    if reader is None:
        return ()
    requirements = []
    for demand in Demand:
        one = reader.object(demand)
        if one is not None:
            requirements.append(_read_requirement(one, demand))
    if Demand.MAJORITY in reader and method and not METHODS[method].totals_are_votes:
        reader.refuse(Demand.MAJORITY, f"found a majority, expected a total: what {method} adds up are no votes")
    reader.refuse_unknown(tuple(Demand))
    return tuple(requirements)


def _read_requirement(reader: ObjectReader, demand: Demand) -> Requirement:
    bases = BASES[demand]
    word = reader.choice("of", bases) if bases else None
    given = [key for key in (AT_LEAST, MORE_THAN) if key in reader]
    if len(given) != 1:
        found = "both" if given else "neither"
        reader.problems.add(reader.path, f"has {found} of {AT_LEAST} and {MORE_THAN}, expected one of them")
    bound = [_read_bound(reader, key, demand) for key in given]
    reader.refuse_unknown((*(["of"] if bases else []), AT_LEAST, MORE_THAN))
    return Requirement(demand, Base(word) if word else None, (bound or [Fraction(1)])[0], MORE_THAN in given)


def _read_bound(reader: ObjectReader, key: str, demand: Demand) -> Fraction:
    find_fault = find_total_fault if demand is Demand.TOTAL else find_share_fault
    text = reader.text(key, find_fault)
    return Fraction(text) if find_fault(text) is None else Fraction(1)


def find_share_fault(text: str) -> str | None:
    """Say what keeps a text from being a share, or None."""
    if _SHARE.fullmatch(text) and Fraction(text) <= 1:
        return None
    return 'expected a fraction as text, above 0 and not above 1, such as "2/3"'


def find_total_fault(text: str) -> str | None:
    """Say what keeps a text from being a total, or None."""
    return None if _TOTAL.fullmatch(text) else 'expected a whole number or a fraction as text, such as "100" or "7/2"'
