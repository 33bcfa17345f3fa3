"""What the places of a ballot are worth: points for a Borda count, exact.

4 options, ranks A 1, B 2, C 2            standard, means:  A 3   B and C (2 + 1) / 2 = 3/2   D 0
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import groupby

from qballot.core.tally.outcome import Total
from qballot.core.tally.rules import Variant

STANDARD = "standard"
DOWDALL = "dowdall"
POINTS = Variant(
    name="points",
    meaning="what a place on a ballot is worth",
    words={
        STANDARD: "the last of all places is worth nothing, and each place above it one point more",
        DOWDALL: "the first place is worth 1 point, the second 1/2, the third 1/3, and so on",
    },
    default=STANDARD,
)

NO_POINTS = "no-points"
AVERAGED = "averaged"
MODIFIED = "modified"
SPOILED = "spoiled"
UNRANKED = Variant(
    name="unranked",
    meaning="what becomes of a ballot that does not rank all options",
    words={
        NO_POINTS: "options without a rank get nothing, the others what their places are worth",
        AVERAGED: "options without a rank share equally what the places left are worth",
        MODIFIED: "the last ranked option gets 1 point, each above it one more, and options without a rank nothing",
        SPOILED: "a ballot that ranks fewer options than it may is spoiled",
    },
    default=NO_POINTS,
)

EQUAL_RANKS = Variant(
    name="equal_ranks",
    meaning="what becomes of a ballot that gives two options the same rank",
    words={
        SPOILED: "it is spoiled",
        AVERAGED: "options of one rank share equally what their places are worth together",
    },
    default=SPOILED,
)


def value_ranks(ranks: Sequence[int], points: str, unranked: str) -> dict[int, Total]:
    """Tell how many points each rank of a ballot gives to an option that has it; rank 0 is no rank.

    ranks: of all options, ascending. points, unranked: words of these variants.
    """
    given = [rank for rank in ranks if rank]
    worth = _choose_worth(len(ranks), len(given), points, unranked)
    places = range(len(given) + 1, len(ranks) + 1)
    values: dict[int, Total] = {0: _mean(worth, places) if unranked == AVERAGED and places else 0}
    first = 1
    for rank, equals in groupby(given):
        next_first = first + len(list(equals))
        values[rank] = _mean(worth, range(first, next_first))
        first = next_first
    return values


def find_points_fault(variants: Mapping[str, str]) -> tuple[str, str] | None:
    """Refuse points for the number of ranked options beside Dowdall's, which do not go by a number of options."""
    if variants[POINTS.name] == DOWDALL and variants[UNRANKED.name] == MODIFIED:
        return UNRANKED.name, f"is {MODIFIED}, expected another word, as {POINTS.name} is {DOWDALL}"
    return None


def _choose_worth(options: int, ranked: int, points: str, unranked: str) -> Callable[[int], Total]:
    """Make what a place from 1 is worth on a ballot that ranks so many of the options."""
    if points == DOWDALL:
        return lambda place: Fraction(1, place)
    top = ranked + 1 if unranked == MODIFIED else options
    return lambda place: top - place


def _mean(worth: Callable[[int], Total], places: range) -> Total:
    mean = sum((Fraction(worth(place)) for place in places), Fraction(0)) / len(places)
    return mean.numerator if mean.denominator == 1 else mean
