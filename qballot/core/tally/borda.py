"""Borda: each place on a ballot is worth a number of points, and the option with the most points wins.

    1. A ballot's ranked options take the places 1, 2, … in the order of their ranks; gaps between ranks mean nothing.
    2. `points` says what a place is worth. With n options
           standard    place 1 is worth n - 1, place 2 n - 2, …, place n nothing
           dowdall     place p is worth 1/p
    3. `equal_ranks` says what becomes of a ballot that gives options the same rank
           spoiled     it is spoiled
           averaged    these options take as many places together, and each gets the mean of what these are worth
    4. `unranked` says what becomes of a ballot that does not rank all options
           no-points   options without a rank get nothing, the others what their places are worth
           averaged    options without a rank take the places left together, and each gets the mean of their worth
           modified    in place of `standard`, on full ballots too: of m ranked options the first gets m points, the
                       next m - 1, … the last 1, and those without a rank nothing
           spoiled     a ballot that ranks fewer options than it may (`max_ranks`) is spoiled
    5. An option's total is the sum of its points, each times the weight of the ballot. The greatest totals win.

All is exact: means are fractions. The log tells how many votes gave an option how many points.

Sources: J.-C. de Borda, "Mémoire sur les élections au scrutin", Histoire de l'Académie royale des sciences (1781).
Dowdall: Electoral Act 1965 (Nauru), section 26A; Nauru spoils ballots without a full order. Several seats: the same,
section 26B. Means: D. Black, "The Theory of Committees and Elections" (1958). Modified: P. Emerson, "The original Borda
count and partial voting", Social Choice and Welfare 40 (2013), 353-358.
"""

from __future__ import annotations

from qballot.core.ballot import Marks
from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.equal_ranks import explain_equal_ranks, find_rank_fault
from qballot.core.tally.greatest import elect_greatest
from qballot.core.tally.outcome import LogEntry, Outcome, Total, format_total
from qballot.core.tally.points import (
    AVERAGED,
    EQUAL_RANKS,
    POINTS,
    SPOILED,
    UNRANKED,
    find_points_fault,
    value_ranks,
)
from qballot.core.tally.ranks import MAX_RANKS, explain_ranks, find_order_fault
from qballot.core.tally.rules import MAX_SEATS, MethodRules, SpoilReason
from qballot.core.tally.ties import Ties
from qballot.core.tally.words import RANK

MAX_REMEMBERED = 4_096
"""Most lists of ranks whose points are kept at hand; orders without equal ranks have as many lists as options."""


def find_fault(contest: Contest, marks: Marks) -> SpoilReason | None:
    """Spoil ranks out of range, then too many, then what the contest's variants spoil: equal ranks, too few ranks."""
    allows_equals = EQUAL_RANKS.of(contest) == AVERAGED
    fault = (find_rank_fault if allows_equals else find_order_fault)(contest, marks)
    if fault or UNRANKED.of(contest) != SPOILED:
        return fault
    ranked = len(marks) - marks.count(0)
    return SpoilReason.TOO_FEW_RANKS if ranked < contest.limits[MAX_RANKS.name] else None


class _PointSums:
    """The weight behind each number of points of each option."""

    def __init__(self, contest: Contest) -> None:
        self._contest = contest
        self._words = POINTS.of(contest), UNRANKED.of(contest)
        # Points are named by their place in a list, since looking up a fraction takes longer than all the rest.
        self._worths: list[Total] = []
        self._names: dict[Total, int] = {}
        self._read: dict[Marks, dict[int, int]] = {}
        self._weights: list[dict[int, int]] = [{} for _ in contest.options]

    def add(self, marks: Marks, weight: int) -> None:
        ranks = tuple(sorted(marks))
        names = self._read.get(ranks) or self._read_ranks(ranks)
        for mark, weights in zip(marks, self._weights, strict=True):
            name = names[mark]
            weights[name] = weights.get(name, 0) + weight

    def _read_ranks(self, ranks: Marks) -> dict[int, int]:
        if len(self._read) == MAX_REMEMBERED:
            self._read.clear()
        names = self._read[ranks] = {
            rank: self._name(worth) for rank, worth in value_ranks(ranks, *self._words).items()
        }
        return names

    def _name(self, worth: Total) -> int:
        name = self._names.setdefault(worth, len(self._worths))
        if name == len(self._worths):
            self._worths.append(worth)
        return name

    def count(self, ties: Ties) -> Outcome:
        given = [
            sorted(((self._worths[name], weight) for name, weight in weights.items() if weight), reverse=True)
            for weights in self._weights
        ]
        totals = [sum((worth * weight for worth, weight in rows), 0) for rows in given]
        return elect_greatest(self._contest, totals, "points", ties, [_log_given(self._contest, given)])


def _log_given(contest: Contest, given: list[list[tuple[Total, int]]]) -> LogEntry:
    """Tell how many votes gave each option how many points, the most points first."""
    lines: list[str] = []
    data: dict[str, JsonTree] = {}
    for option, rows in zip(contest.options, given, strict=True):
        listed = ", ".join(f"{weight} x {format_total(worth)}" for worth, weight in rows if worth)
        lines.append(f"{option.title} {listed or 'none'}")
        data[option.id] = [{"points": format_total(worth), "votes": format_total(weight)} for worth, weight in rows]
    return LogEntry("points", f"Votes x points: {'; '.join(lines)}.", {"given": data})


def explain_marks(contest: Contest) -> str:
    """Tell how to rank and what spoils a ballot."""
    allows_equals = EQUAL_RANKS.of(contest) == AVERAGED
    text = (explain_equal_ranks if allows_equals else explain_ranks)(contest)
    if UNRANKED.of(contest) != SPOILED:
        return text
    most = contest.limits[MAX_RANKS.name]
    number = "all options" if most == len(contest.options) else f"{most} options"
    return f"{text} A ballot that does not rank {number} is spoiled in this contest."


RULES = MethodRules(
    min_options=2,
    max_seats=MAX_SEATS,
    limits=(MAX_RANKS,),
    variants=(POINTS, UNRANKED, EQUAL_RANKS),
    words=RANK,
    explain_marks=explain_marks,
    counting="Each place on a ballot is worth a number of points, and the option with the most points wins.",
    blank_mark=0,
    find_fault=find_fault,
    open=_PointSums,
    totals_are_votes=False,
    find_variants_fault=find_points_fault,
)
