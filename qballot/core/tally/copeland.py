"""Copeland: the option that wins the most pairs, less those that it loses, wins.

    1. Every two options are compared (`pairwise.py`).
    2. An option has one point for each option that it beats, less one for each that beats it. A tied pair counts
       nothing, which comes to the same as half a win for both.
    3. The greatest totals win the seats.

Source: A. H. Copeland, "A 'reasonable' social welfare function", University of Michigan seminar on applications of
mathematics to the social sciences (1951).
"""

from __future__ import annotations

from qballot.core.election import Contest
from qballot.core.tally.equal_ranks import explain_unranked_below, find_rank_fault
from qballot.core.tally.greatest import elect_greatest
from qballot.core.tally.outcome import LogEntry, Outcome, totals_by_id
from qballot.core.tally.pairwise import Pairwise, sum_pairs
from qballot.core.tally.ranks import MAX_RANKS
from qballot.core.tally.rules import MAX_SEATS, MethodRules
from qballot.core.tally.ties import Ties
from qballot.core.tally.words import RANK


def count_copeland(contest: Contest, pairwise: Pairwise, ties: Ties) -> Outcome:
    """Elect who wins the most pairs, less those lost."""
    totals = [pairwise.score(option) for option in pairwise.options]
    log = [*pairwise.log(contest), _log_pairs(contest, pairwise, totals)]
    return elect_greatest(contest, totals, "points", ties, log)


def _log_pairs(contest: Contest, pairwise: Pairwise, totals: list[int]) -> LogEntry:
    wins = {option: beaten.bit_count() for option, beaten in enumerate(pairwise.beats)}
    losses = {option: wins[option] - total for option, total in enumerate(totals)}
    drawn = {option: len(totals) - 1 - wins[option] - losses[option] for option in wins}
    lines = [
        f"{option.title} {wins[place]}, {losses[place]} and {drawn[place]}"
        for place, option in enumerate(contest.options)
    ]
    return LogEntry(
        "pairs_won",
        f"Pairs won, lost and tied: {'; '.join(lines)}. A win is a point, a loss a point less.",
        {
            "won": totals_by_id(contest, wins),
            "lost": totals_by_id(contest, losses),
            "tied": totals_by_id(contest, drawn),
        },
    )


RULES = MethodRules(
    min_options=2,
    max_seats=MAX_SEATS,
    limits=(MAX_RANKS,),
    words=RANK,
    explain_marks=explain_unranked_below,
    counting=(
        "Every two options are compared by how many rank the one above the other. The option that wins the most of "
        "these pairs, less those that it loses, wins."
    ),
    blank_mark=0,
    find_fault=find_rank_fault,
    open=sum_pairs(count_copeland),
    totals_are_votes=False,
)
