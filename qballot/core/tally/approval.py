"""Approval: a voter marks every option that they approve of with 1, and the option with the most approvals wins.

With several seats the options with the most approvals win (block approval).
Source: S. J. Brams, P. C. Fishburn, "Approval Voting", American Political Science Review 72 (1978), 831-847.
"""

from __future__ import annotations

from qballot.core.ballot import Marks
from qballot.core.election import Contest
from qballot.core.tally.choices import find_choice_fault, sum_marks
from qballot.core.tally.rules import MAX_SEATS, Limit, MethodRules, SpoilReason, constant, number_of_options
from qballot.core.tally.words import APPROVE

MAX_CHOICES = Limit(
    name="max_choices",
    meaning="how many options a voter may approve of",
    lowest=constant(1),
    highest=number_of_options,
    default=number_of_options,
)


def find_fault(contest: Contest, marks: Marks) -> SpoilReason | None:
    """Spoil marks other than 0 and 1, then more marks than the contest's `max_choices`."""
    return find_choice_fault(marks, contest.limits[MAX_CHOICES.name])


def explain_marks(contest: Contest) -> str:
    """Tell how many options may be marked."""
    most = contest.limits[MAX_CHOICES.name]
    number = "as many as you like" if most == len(contest.options) else f"at most {most}"
    return f"Mark every option that you approve of, {number}: 1 for it, 0 for every other."


RULES = MethodRules(
    min_options=1,
    max_seats=MAX_SEATS,
    limits=(MAX_CHOICES,),
    words=APPROVE,
    explain_marks=explain_marks,
    counting="The option with the most approvals wins.",
    blank_mark=0,
    find_fault=find_fault,
    open=sum_marks("approvals"),
    totals_are_votes=True,
)
