"""Quadratic voting: votes for an option cost their square, paid from credits that every voter has the same number of.

    1. A ballot gives each option a whole number v of votes, which costs v times v credits. Where `against` is
       `allowed`, v may be negative, which takes votes away and costs the same.
    2. A ballot whose costs exceed `credits` is spoiled. Credits that are left over are lost.
    3. An option's total is the sum of its votes, each times the weight of its ballot. The greatest totals win.

Weight multiplies the votes that a ballot buys, not the credits it may spend: two ballots of weight 1 and one of weight
2 that say the same count the same.

Source: S. P. Lalley, E. G. Weyl, "Quadratic voting: how mechanism design can radicalize democracy", AEA Papers and
Proceedings 108 (2018), 33-37. With credits in place of money, 100 a voter, and votes in favour only: the Democratic
caucus of the Colorado House of Representatives, 2019.
"""

from __future__ import annotations

from qballot.core.ballot import MAX_MARK, MIN_MARK, Marks
from qballot.core.election import Contest
from qballot.core.tally.given_votes import GIVE, GivenVotes
from qballot.core.tally.rules import MAX_SEATS, Limit, MethodRules, SpoilReason, Variant, constant

CREDITS = Limit(
    name="credits",
    meaning="how many credits a voter may spend, a number of votes costing its square",
    lowest=constant(1),
    highest=constant(MAX_MARK * MAX_MARK),
    default=constant(100),
)

REFUSED = "refused"
ALLOWED = "allowed"
AGAINST = Variant(
    name="against",
    meaning="whether votes against an option may be given, as negative numbers",
    words={
        REFUSED: "votes are in favour only, and a negative number spoils the ballot",
        ALLOWED: "a negative number takes votes away, at the same cost",
    },
    default=REFUSED,
)


def find_fault(contest: Contest, marks: Marks) -> SpoilReason | None:
    """Spoil votes against where they are refused, and -128 always; then more votes than `credits` pay for."""
    lowest = min(marks)
    if lowest < 0 and (lowest == MIN_MARK or AGAINST.of(contest) == REFUSED):
        return SpoilReason.OUT_OF_RANGE
    cost = sum(mark * mark for mark in marks)
    return SpoilReason.TOO_MANY_VOTES if cost > contest.limits[CREDITS.name] else None


def explain_marks(contest: Contest) -> str:
    """Tell the credits and what votes cost."""
    text = (
        f"Give options votes: 1 vote costs 1 credit, 2 cost 4, 3 cost 9, and so on. You have "
        f"{contest.limits[CREDITS.name]} credits; spending more spoils this contest."
    )
    return f"{text} Votes against, as negative numbers, cost the same." if AGAINST.of(contest) == ALLOWED else text


RULES = MethodRules(
    min_options=2,
    max_seats=MAX_SEATS,
    limits=(CREDITS,),
    variants=(AGAINST,),
    words=GIVE,
    explain_marks=explain_marks,
    counting="Voters buy votes with credits, v votes costing v x v. The options with the most votes win.",
    blank_mark=0,
    find_fault=find_fault,
    open=GivenVotes,
    totals_are_votes=False,
)
