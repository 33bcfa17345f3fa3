"""Ranks that need an order: what the methods share whose ballots pass on from one option to the next.

A ballot ranks options 1 (first), 2, …; 0 is not ranked. Ranks only order, so gaps between them mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from qballot.core.ballot import MAX_MARK, Marks
from qballot.core.election import Contest
from qballot.core.tally.rules import Limit, SpoilReason, constant, number_of_options

MAX_RANKS = Limit(
    name="max_ranks",
    meaning="how many options a voter may rank",
    lowest=constant(1),
    highest=number_of_options,
    default=number_of_options,
)

UNRANKED = -1
"""Stands for an option where a ballot ranks none of those asked for."""


def find_order_fault(contest: Contest, marks: Marks) -> SpoilReason | None:
    """Spoil ranks beyond the number of options, then more ranks than `max_ranks`, then equal ranks."""
    # Which marks there are decides, and not whose they are: few different lists of marks occur in a contest.
    return _find_order_fault(tuple(sorted(marks)), contest.limits[MAX_RANKS.name])


@lru_cache(maxsize=4_096)
def _find_order_fault(marks: Marks, max_ranks: int) -> SpoilReason | None:
    if marks[0] < 0 or marks[-1] > len(marks):
        return SpoilReason.OUT_OF_RANGE
    ranks = [mark for mark in marks if mark]
    if len(ranks) > max_ranks:
        return SpoilReason.TOO_MANY_CHOICES
    return SpoilReason.EQUAL_RANKS if len(set(ranks)) < len(ranks) else None


def find_first(marks: Marks, options: Iterable[int]) -> int:
    """Find the option that a ballot without equal ranks ranks first among some; UNRANKED if it ranks none of them."""
    first, lowest = UNRANKED, MAX_MARK + 1
    for option in options:
        if 0 < marks[option] < lowest:
            first, lowest = option, marks[option]
    return first


def explain_ranks(contest: Contest) -> str:
    """Tell how many options may be ranked."""
    most = contest.limits[MAX_RANKS.name]
    number = "as many as you like" if most == len(contest.options) else f"at most {most}"
    return (
        f"Rank the options, {number}: 1 for your first choice, 2 for the next; 0 for an option that you do not rank. "
        "Two options of the same rank spoil this contest of the ballot."
    )
