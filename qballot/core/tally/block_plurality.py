"""Block plurality: a voter marks several options with 1, and the options with the most votes win, as many as seats.

Also called plurality-at-large or the block vote. A voter has as many votes as there are seats where the contest does
not say otherwise (`max_choices`), gives an option no more than one of them, and need not use all.
Source: The Local Elections (Principal Areas) (England and Wales) Rules 2006 (SI 2006/3304), schedule 2: no more marks
than vacancies, and the most votes win; equal votes go by lot there, and here by the contest's tie rule.
"""

from __future__ import annotations

from qballot.core.ballot import Marks
from qballot.core.election import Contest
from qballot.core.tally.choices import find_choice_fault, sum_marks
from qballot.core.tally.rules import (
    MAX_SEATS,
    Limit,
    MethodRules,
    SpoilReason,
    constant,
    number_of_options,
    number_of_seats,
)
from qballot.core.tally.words import CHOOSE

MAX_CHOICES = Limit(
    name="max_choices",
    meaning="how many options a voter may mark",
    lowest=constant(1),
    highest=number_of_options,
    default=number_of_seats,
)


def find_fault(contest: Contest, marks: Marks) -> SpoilReason | None:
    """Spoil marks other than 0 and 1, then more marks than the contest's `max_choices`."""
    return find_choice_fault(marks, contest.limits[MAX_CHOICES.name])


def explain_marks(contest: Contest) -> str:
    """Tell how many options may be marked."""
    most = contest.limits[MAX_CHOICES.name]
    number = "one option" if most == 1 else f"up to {most} options"
    return f"Mark {number}: 1 for each, 0 for every other. More marks spoil this contest of the ballot."


RULES = MethodRules(
    min_options=2,
    max_seats=MAX_SEATS,
    limits=(MAX_CHOICES,),
    words=CHOOSE,
    explain_marks=explain_marks,
    counting="The options with the most votes win, as many as there are seats.",
    blank_mark=0,
    find_fault=find_fault,
    open=sum_marks("votes"),
    totals_are_votes=True,
)
