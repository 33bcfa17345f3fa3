"""How strong a defeat is: what the methods go by that weigh one pair's result against another's."""

from __future__ import annotations

from qballot.core.election import Contest
from qballot.core.tally.option_sets import list_members
from qballot.core.tally.pairwise import Pairwise
from qballot.core.tally.rules import Variant

WINNING_VOTES = "winning-votes"
MARGINS = "margins"
STRENGTH = Variant(
    name="strength",
    meaning="what makes one defeat of an option by another stronger than another defeat",
    words={
        WINNING_VOTES: "the votes that rank the winner of the pair above its loser",
        MARGINS: "these votes less those that rank the loser of the pair above its winner",
    },
    default=WINNING_VOTES,
)


def measure_defeats(contest: Contest, pairwise: Pairwise) -> list[list[int]]:
    """Measure every defeat by the contest's variant, always more than 0.

    Returns strengths by the winner and then the loser of a pair; 0 where the first does not beat the second.
    """
    votes, by_margin = pairwise.votes, STRENGTH.of(contest) == MARGINS
    strengths = [[0] * len(votes) for _ in votes]
    for winner in pairwise.options:
        for loser in list_members(pairwise.beats[winner]):
            strengths[winner][loser] = votes[winner][loser] - (votes[loser][winner] if by_margin else 0)
    return strengths
