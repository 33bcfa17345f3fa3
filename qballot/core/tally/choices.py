"""Marks that are 0 or 1: what plurality and approval share."""

from __future__ import annotations

from qballot.core.ballot import Marks
from qballot.core.election import Contest
from qballot.core.tally.rules import SpoilReason, WeightedMarks


def find_choice_fault(marks: Marks, max_choices: int) -> SpoilReason | None:
    """Spoil marks other than 0 and 1, then more than `max_choices` marks of 1."""
    if any(mark not in (0, 1) for mark in marks):
        return SpoilReason.OUT_OF_RANGE
    return SpoilReason.TOO_MANY_CHOICES if sum(marks) > max_choices else None


def add_marks(contest: Contest, ballots: WeightedMarks) -> list[int]:
    """Sum the weights behind each option, in whole votes."""
    totals = [0] * len(contest.options)
    for marks, weight in ballots:
        for option, mark in enumerate(marks):
            totals[option] += mark * weight
    return totals
