"""Plurality: a voter marks one option with 1, and the option with the most votes wins.

Source: Representation of the People Act 1983 (United Kingdom), schedule 1, rule 18 (the most votes) and 49 (equal
votes go by lot there, and here by the contest's tie rule).
"""

from __future__ import annotations

from qballot.core.ballot import Marks
from qballot.core.election import Contest
from qballot.core.tally.choices import find_choice_fault, sum_marks
from qballot.core.tally.rules import MethodRules, SpoilReason
from qballot.core.tally.words import CHOOSE


def find_fault(_contest: Contest, marks: Marks) -> SpoilReason | None:
    """Spoil marks other than 0 and 1, then a second mark."""
    return find_choice_fault(marks, max_choices=1)


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
    open=sum_marks("votes"),
    totals_are_votes=True,
)
