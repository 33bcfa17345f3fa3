"""Elections by ranks, written as people do: `A>B=C` is A first, B and C second; who is not named has no rank."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import Any

from hypothesis import strategies as st

from qballot.core.ballot import Marks
from qballot.core.election import Contest, Method, Option, TieRule
from qballot.core.tally.methods import METHODS
from qballot.core.tally.outcome import Outcome
from qballot.core.tally.rules import count_ballots
from qballot.core.tally.ties import Ties
from qballot.core.types import Hash32

LETTERS = "ABCDEFGHIJ"
Ballots = Iterable[tuple[str, int]]


def contest_of(
    method: Method, options: int, *, seats: int = 1, tie: TieRule = TieRule.REPORT, **keys: int | str
) -> Contest:
    """A contest of options A, B, … keys: limits and variants."""
    titles = tuple(Option(f"o{place}", LETTERS[place] if options <= 10 else f"O{place}") for place in range(options))
    limits = {limit.name: limit.default(options, seats) for limit in METHODS[method].limits}
    limits |= {name: value for name, value in keys.items() if isinstance(value, int)}
    variants = {name: value for name, value in keys.items() if isinstance(value, str)}
    return Contest("c", "C", "", method, titles, seats, tie, limits, variants)


def read_marks(order: str, options: int) -> Marks:
    """Read one ballot."""
    marks = [0] * options
    for rank, level in enumerate(order.split(">"), start=1):
        for letter in level.split("="):
            marks[LETTERS.index(letter)] = rank
    return tuple(marks)


def count(method: Method, ballots: Ballots, options: int, lot: Hash32 | None = None, **keys: Any) -> Outcome:
    """Count ballots as written. keys: as in `contest_of`."""
    contest = contest_of(method, options, **keys)
    return count_ballots(
        METHODS[method],
        contest,
        [(read_marks(order, options), weight) for order, weight in ballots],
        Ties(contest, lot),
    )


def winners(method: Method, ballots: Ballots, options: int, **keys: Any) -> str:
    """Who wins, or ties for the seat, as letters."""
    outcome = count(method, ballots, options, **keys)
    return "".join(LETTERS[place] for place in sorted((*outcome.winners, *outcome.tied)))


def data_of(outcome: Outcome, kind: str) -> Mapping[str, Any]:
    """The numbers of the one log entry of a kind."""
    (entry,) = [entry for entry in outcome.log if entry.kind == kind]
    return dict(entry.data)


def full_orders(options: int) -> st.SearchStrategy[str]:
    """Every option ranked, no two alike."""
    return st.sampled_from([">".join(order) for order in permutations(LETTERS[:options])])


def ballots_of(orders: st.SearchStrategy[str]) -> st.SearchStrategy[list[tuple[str, int]]]:
    """A few ballots with small weights."""
    return st.lists(st.tuples(orders, st.integers(1, 4)), min_size=1, max_size=7)


def any_orders(options: int) -> st.SearchStrategy[str]:
    """Any ranks, equal and missing ones too, at least one."""

    def write(marks: list[int]) -> str:
        levels = [
            [LETTERS[place] for place, mark in enumerate(marks) if mark == rank] for rank in sorted({*marks} - {0})
        ]
        return ">".join("=".join(level) for level in levels)

    return st.lists(st.integers(0, options), min_size=options, max_size=options).filter(any).map(write)
