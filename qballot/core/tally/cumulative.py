"""Cumulative voting: a voter has a number of votes and spreads them over the options, all on one if they like.

    1. A ballot gives each option a whole number of votes from 0. More than `votes` together spoil it; fewer are
       allowed.
    2. An option's total is the sum of the votes given to it, each times the weight of its ballot. The greatest totals
       win.

A voter has as many votes as there are seats where the contest does not say otherwise.
Source: Delaware General Corporation Law, section 214: as many votes as shares times directors to be elected, all for
one of them or distributed; a ballot's weight stands for the shares. The same per voter: Illinois Constitution of 1870,
article IV, sections 7 and 8, which let parts of votes be given too; here votes are whole.
"""

from __future__ import annotations

from qballot.core.ballot import MAX_MARK, Marks
from qballot.core.election import Contest
from qballot.core.tally.given_votes import GIVE, GivenVotes
from qballot.core.tally.rules import MAX_SEATS, Limit, MethodRules, SpoilReason, constant, number_of_seats

VOTES = Limit(
    name="votes",
    meaning="how many votes a voter may give in all",
    lowest=constant(1),
    highest=constant(MAX_MARK),
    default=number_of_seats,
)


def find_fault(contest: Contest, marks: Marks) -> SpoilReason | None:
    """Spoil negative numbers of votes, then more votes than the contest's `votes`."""
    if min(marks) < 0:
        return SpoilReason.OUT_OF_RANGE
    return SpoilReason.TOO_MANY_VOTES if sum(marks) > contest.limits[VOTES.name] else None


def explain_marks(contest: Contest) -> str:
    """Tell how many votes there are to give."""
    most = contest.limits[VOTES.name]
    if most == 1:
        return "Give your vote to one option: 1 for it, 0 for every other."
    return f"Spread up to {most} votes over the options as you like; all to one is allowed. More spoil this contest."


RULES = MethodRules(
    min_options=2,
    max_seats=MAX_SEATS,
    limits=(VOTES,),
    words=GIVE,
    explain_marks=explain_marks,
    counting="Voters spread a number of votes over the options. The options with the most votes win.",
    blank_mark=0,
    find_fault=find_fault,
    open=GivenVotes,
    totals_are_votes=False,
)
