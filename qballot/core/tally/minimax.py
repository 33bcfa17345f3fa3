"""Minimax: the option whose worst defeat is the weakest wins.

    1. Every two options are compared (`pairwise.py`).
    2. An option's worst defeat is the strongest of its defeats by another option; `strength` says how that is measured
       (`strength.py`). Who beats it by that much is named in the log. An option that none beats has no defeat: 0.
    3. The options with the weakest worst defeats win the seats.

A total is the worst defeat with a minus, so that the greatest total is the best: 0 for an option that none beats.
Sources: P. B. Simpson, "On defining areas of voter choice", Quarterly Journal of Economics 83 (1969), 478-490;
G. H. Kramer, "A dynamical model of political equilibrium", Journal of Economic Theory 16 (1977), 310-334.
"""

from __future__ import annotations

from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.equal_ranks import explain_unranked_below, find_rank_fault
from qballot.core.tally.option_sets import make_set
from qballot.core.tally.outcome import LogEntry, Outcome, format_total, name_options, option_ids
from qballot.core.tally.pairwise import Pairwise, sum_pairs
from qballot.core.tally.ranks import MAX_RANKS
from qballot.core.tally.rules import MAX_SEATS, MethodRules
from qballot.core.tally.seats_by_order import Order, elect_by_order
from qballot.core.tally.strength import STRENGTH, measure_defeats
from qballot.core.tally.ties import Ties
from qballot.core.tally.words import RANK


def count_minimax(contest: Contest, pairwise: Pairwise, ties: Ties) -> Outcome:
    """Elect who is beaten the least at worst."""
    defeats = measure_defeats(contest, pairwise)
    worst = [max(row[option] for row in defeats) for option in pairwise.options]
    below = [make_set(other for other in pairwise.options if worst[other] > mine) for mine in worst]
    order = Order(below, "by the weakest worst defeat")
    log = [*pairwise.log(contest), _log_worst(contest, defeats, worst)]
    return elect_by_order(contest, order, [-defeat for defeat in worst], ties, log)


def _log_worst(contest: Contest, defeats: list[list[int]], worst: list[int]) -> LogEntry:
    lines: list[str] = []
    data: dict[str, JsonTree] = {}
    for place, option in enumerate(contest.options):
        by = [other for other, row in enumerate(defeats) if row[place] and row[place] == worst[place]]
        lines.append(f"{option.title} {format_total(worst[place])}{f' by {name_options(contest, by)}' if by else ''}")
        data[option.id] = {"strength": format_total(worst[place]), "by": option_ids(contest, by)}
    return LogEntry("worst_defeats", f"Worst defeats: {'; '.join(lines)}.", {"worst": data})


RULES = MethodRules(
    min_options=2,
    max_seats=MAX_SEATS,
    limits=(MAX_RANKS,),
    variants=(STRENGTH,),
    words=RANK,
    explain_marks=explain_unranked_below,
    counting=(
        "Every two options are compared by how many rank the one above the other. The option whose worst defeat is "
        "the weakest wins."
    ),
    blank_mark=0,
    find_fault=find_rank_fault,
    open=sum_pairs(count_minimax),
    totals_are_votes=False,
)
