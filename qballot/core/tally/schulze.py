"""Schulze: an option wins that has a stronger chain of defeats to every other option than leads back to it.

    1. Every two options are compared (`pairwise.py`), and each defeat has a strength (`strength.py`).
    2. A *path* from A to B is a chain of defeats: A beats C, C beats D, D beats B. It is as strong as its weakest
       defeat. The strongest path from each option to each other is found; no path is a strength of 0.
    3. A is above B where the strongest path from A to B is stronger than the strongest from B to A. Whoever is above a
       third option that is above a fourth is above the fourth too.
    4. The seats are filled by this order (`seats_by_order.py`): one seat goes to the option above all others; if there
       is none, those that no option is above tie for it.

The log names for every path of more than one defeat the last option before its end. That option's own strongest path
leads on from the beginning: `A to B 28 through C`, `A to C 28 through D`, `A to D 30` is the path A, D, C, B.
The totals are the numbers of options that each is above. They tell who wins where somebody does, not who ties.

This is the rule of Debian's elections but for what that constitution does with its default option before: options that
miss a quorum or do not beat the default option are dropped there. Here the default option is an option like others.
Source: M. Schulze, "A new monotonic, clone-independent, reversal symmetric, and Condorcet-consistent single-winner
election method", Social Choice and Welfare 36 (2011), 267-303, sections 2.2 and 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.equal_ranks import explain_unranked_below, find_rank_fault
from qballot.core.tally.option_sets import make_set
from qballot.core.tally.outcome import LogEntry, Outcome, format_total, totals_by_id
from qballot.core.tally.pairwise import Pairwise, sum_pairs
from qballot.core.tally.ranks import MAX_RANKS
from qballot.core.tally.rules import MAX_SEATS, MethodRules
from qballot.core.tally.seats_by_order import Order, elect_by_order
from qballot.core.tally.strength import STRENGTH, measure_defeats
from qballot.core.tally.ties import Ties
from qballot.core.tally.words import RANK


@dataclass(frozen=True, slots=True)
class Paths:
    """The strongest paths from one option.

    strengths: by where they end; 0 where no path leads. before: the last option before the end, if there is a path.
    """

    strengths: Sequence[int]
    before: Sequence[int]


def find_strongest_paths(defeats: Sequence[Sequence[int]], start: int) -> Paths:
    """Find the strongest paths from one option. defeats: strengths by winner and then loser, 0 for no defeat.

    A direct defeat is preferred to a longer path of its strength.
    """
    strengths = list(defeats[start])
    before = [start] * len(strengths)
    left = [option for option in range(len(strengths)) if option != start]
    # The option whose path is the strongest cannot be reached better through another one; so it is settled, and each
    # of the others is either better reached through it or not.
    while left:
        settled = max(left, key=strengths.__getitem__)
        strongest = strengths[settled]
        left.remove(settled)
        onwards = defeats[settled]
        for option in left:
            strength = min(strongest, onwards[option])
            if strength > strengths[option]:
                strengths[option], before[option] = strength, settled
    return Paths(strengths, before)


def count_schulze(contest: Contest, pairwise: Pairwise, ties: Ties) -> Outcome:
    """Elect by the strongest paths."""
    defeats = measure_defeats(contest, pairwise)
    paths = [find_strongest_paths(defeats, start) for start in pairwise.options]
    below = [
        make_set(end for end in pairwise.options if paths[start].strengths[end] > paths[end].strengths[start])
        for start in pairwise.options
    ]
    order = Order(below, "by the strongest paths")
    log = [*pairwise.log(contest), _log_paths(contest, paths), order.log(contest)]
    return elect_by_order(contest, order, order.count_below(), ties, log)


def _log_paths(contest: Contest, paths: Sequence[Paths]) -> LogEntry:
    lines: list[str] = []
    strengths: dict[str, JsonTree] = {}
    through: dict[str, JsonTree] = {}
    for start, option in enumerate(contest.options):
        found = paths[start]
        ends = [end for end in range(len(paths)) if end != start]
        longer = {end: found.before[end] for end in ends if found.before[end] != start}
        for end in ends:
            how = f" through {contest.options[longer[end]].title}" if end in longer else ""
            lines.append(f"{option.title} to {contest.options[end].title} {format_total(found.strengths[end])}{how}")
        strengths[option.id] = totals_by_id(contest, {end: found.strengths[end] for end in ends})
        through[option.id] = {contest.options[end].id: contest.options[last].id for end, last in longer.items()}
    text = f"Strongest paths: {'; '.join(lines)}."
    return LogEntry("paths", text, {"strengths": strengths, "through": through})


RULES = MethodRules(
    min_options=2,
    max_seats=MAX_SEATS,
    limits=(MAX_RANKS,),
    variants=(STRENGTH,),
    words=RANK,
    explain_marks=explain_unranked_below,
    counting=(
        "Every two options are compared by how many rank the one above the other. An option wins that has a stronger "
        "chain of such defeats to every other option than leads back to it."
    ),
    blank_mark=0,
    find_fault=find_rank_fault,
    open=sum_pairs(count_schulze),
    totals_are_votes=False,
)
