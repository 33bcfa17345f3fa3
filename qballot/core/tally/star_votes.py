"""What STAR goes by: every option's points, its top scores, and for every pair how much weight prefers the one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from qballot.core.ballot import MAX_MARK, NO_ANSWER, Marks
from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.outcome import LogEntry, Outcome, option_ids, totals_by_id
from qballot.core.tally.pairwise import Pairwise, sum_pairs
from qballot.core.tally.rules import Sums
from qballot.core.tally.score import MAX_SCORE, MIN_SCORE
from qballot.core.tally.ties import Ties

BYTES = 256
"""How many different bytes there are."""

_RANK_OF_ZERO = 128
_RANKS = [_RANK_OF_ZERO - (mark if mark <= MAX_MARK else mark - BYTES) for mark in range(BYTES)]
_RANKS[NO_ANSWER] = _RANK_OF_ZERO
"""The rank, from 1, that stands for each byte's score, by the byte, from the end where it is negative."""


@dataclass(frozen=True, slots=True)
class StarVotes:
    """A contest's ballots, summed up.

    points: each option's sum of scores. tops: the weight that gives each the highest score of the scale.
    pairwise: every pair, by who is scored higher. counted: the weight of all ballots.
    """

    points: tuple[int, ...]
    tops: tuple[int, ...]
    pairwise: Pairwise
    counted: int

    def count_losses(self, options: Collection[int]) -> dict[int, int]:
        """Count for each option how many of the others given are preferred to it by more votes than the reverse."""
        return {one: sum(self.pairwise.beats[other] >> one & 1 for other in options) for one in options}

    def pick(self, numbers: tuple[int, ...], options: Collection[int]) -> dict[int, int]:
        """Take the numbers of some options."""
        return {option: numbers[option] for option in sorted(options)}


def sum_scores(count: Callable[[Contest, StarVotes, Ties], Outcome]) -> Callable[[Contest], Sums]:
    """Make `open` of a method that goes by `StarVotes`. count: finds the outcome."""
    return lambda contest: _StarSums(contest, count)


class _StarSums:
    """The weight behind each score of each option, and the pairs."""

    def __init__(self, contest: Contest, count: Callable[[Contest, StarVotes, Ties], Outcome]) -> None:
        self._count = count
        self._scores = range(contest.limits[MIN_SCORE.name], contest.limits[MAX_SCORE.name] + 1)
        # A byte is its own index, from the end where it is negative.
        self._weights = [[0] * BYTES for _ in contest.options]
        self._weight = 0
        self._pairs = sum_pairs(self._count_pairs)(contest)

    def add(self, marks: Marks, weight: int) -> None:
        self._weight += weight
        for mark, weights in zip(marks, self._weights, strict=True):
            weights[mark] += weight
        self._pairs.add(tuple([_RANKS[mark] for mark in marks]), weight)

    def count(self, ties: Ties) -> Outcome:
        return self._pairs.count(ties)

    def _count_pairs(self, contest: Contest, pairwise: Pairwise, ties: Ties) -> Outcome:
        points = tuple(sum(score * weights[score] for score in self._scores) for weights in self._weights)
        top = self._scores[-1]
        tops = tuple(weights[top] + (weights[NO_ANSWER] if top == 0 else 0) for weights in self._weights)
        return self._count(contest, StarVotes(points, tops, pairwise, self._weight), ties)


def log_step(
    contest: Contest, kind: str, text: str, seat: int, options: Collection[int], /, **numbers: Mapping[int, int]
) -> LogEntry:
    """Write down a step towards a seat. seat: from 1. options: those concerned. numbers: of options, by name."""
    data: dict[str, JsonTree] = {"seat": seat, "options": option_ids(contest, options)}
    data |= {name: totals_by_id(contest, values) for name, values in numbers.items()}
    return LogEntry(kind, text if contest.seats == 1 else f"Seat {seat}: {text}", data)
