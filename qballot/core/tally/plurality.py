"""Plurality: a voter marks one option with 1, and the option with the most votes wins."""

from __future__ import annotations

from qballot.core.ballot import Marks
from qballot.core.election import Contest
from qballot.core.tally.choices import add_marks, find_choice_fault
from qballot.core.tally.outcome import Outcome, elect_greatest
from qballot.core.tally.rules import MethodRules, SpoilReason, WeightedMarks
from qballot.core.tally.words import CHOOSE


def find_fault(_contest: Contest, marks: Marks) -> SpoilReason | None:
    """Spoil marks other than 0 and 1, then a second mark."""
    return find_choice_fault(marks, max_choices=1)


def count(contest: Contest, ballots: WeightedMarks) -> Outcome:
    """Add up the votes. A tie for the greatest number is reported."""
    return elect_greatest(contest, add_marks(contest, ballots), "votes")


def explain_marks(_contest: Contest) -> str:
    """Tell that there is one mark to give."""
    return "Mark one option: 1 for it, 0 for every other. More than one mark spoils this contest of the ballot."


RULES = MethodRules(
    min_options=2,
    max_seats=1,
    limits=(),
    words=CHOOSE,
    explain_marks=explain_marks,
    counting="The option with the most votes wins.",
    blank_mark=0,
    find_fault=find_fault,
    count=count,
)
