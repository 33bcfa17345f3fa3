"""Ranks that options may share: what the methods have in common that compare options or give points for places.

A ballot ranks options 1 (first), 2, …; 0 is not ranked. Ranks only order, so gaps between them mean nothing: 1, 1, 5
says the same as 1, 1, 2. Two options of one rank are equal on the ballot.
"""

from __future__ import annotations

from qballot.core.ballot import Marks
from qballot.core.election import Contest
from qballot.core.tally.ranks import MAX_RANKS
from qballot.core.tally.rules import SpoilReason


def find_rank_fault(contest: Contest, marks: Marks) -> SpoilReason | None:
    """Spoil ranks beyond the number of options, then more ranked options than `max_ranks`."""
    number = len(marks)
    if min(marks) < 0 or max(marks) > number:
        return SpoilReason.OUT_OF_RANGE
    return SpoilReason.TOO_MANY_CHOICES if number - marks.count(0) > contest.limits[MAX_RANKS.name] else None


def explain_equal_ranks(contest: Contest) -> str:
    """Tell how many options may be ranked, and that they may share a rank."""
    most = contest.limits[MAX_RANKS.name]
    number = "as many as you like" if most == len(contest.options) else f"at most {most}"
    return (
        f"Rank the options, {number}: 1 for your first choice, 2 for the next; 0 for an option that you do not rank. "
        "Options may share a rank."
    )


def explain_unranked_below(contest: Contest) -> str:
    """Tell how to rank where options without a rank count as below all that have one."""
    return f"{explain_equal_ranks(contest)} An option without a rank is below every option with one."
