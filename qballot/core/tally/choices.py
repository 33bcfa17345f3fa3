"""Marks that are 0 or 1: what plurality, block plurality and approval share."""

from __future__ import annotations

from collections.abc import Callable

from qballot.core.ballot import Marks
from qballot.core.election import Contest
from qballot.core.tally.greatest import elect_greatest
from qballot.core.tally.outcome import Outcome
from qballot.core.tally.rules import SpoilReason, Sums
from qballot.core.tally.ties import Ties


def find_choice_fault(marks: Marks, max_choices: int) -> SpoilReason | None:
    """Spoil marks other than 0 and 1, then more than `max_choices` marks of 1."""
    if min(marks) < 0 or max(marks) > 1:
        return SpoilReason.OUT_OF_RANGE
    return SpoilReason.TOO_MANY_CHOICES if sum(marks) > max_choices else None


def sum_marks(unit: str) -> Callable[[Contest], Sums]:
    """Make `open` of a method that elects the options with the most marks. unit: what a mark is, with -s."""
    return lambda contest: _MarkSums(contest, unit)


class _MarkSums:
    """The weight behind each option, in whole votes."""

    def __init__(self, contest: Contest, unit: str) -> None:
        self._contest = contest
        self._unit = unit
        self._totals = [0] * len(contest.options)

    def add(self, marks: Marks, weight: int) -> None:
        for option, mark in enumerate(marks):
            if mark:
                self._totals[option] += weight

    def count(self, ties: Ties) -> Outcome:
        return elect_greatest(self._contest, self._totals, self._unit, ties)
