"""Small elections with many ties, and our count of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product

from hypothesis import strategies as st

from qballot.core.election import Contest, Method, Option, TieRule
from qballot.core.tally.methods import METHODS
from qballot.core.tally.outcome import Outcome
from qballot.core.tally.rules import count_ballots
from qballot.core.tally.ties import Ties

Marks = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Election:
    """Ballots by their marks, one mark an option, with how many there are of each."""

    options: int
    ballots: tuple[tuple[Marks, int], ...]

    @property
    def marks(self) -> list[Marks]:
        return [marks for marks, _ in self.ballots]

    @property
    def numbers(self) -> list[int]:
        return [number for _, number in self.ballots]


def elections(marks: st.SearchStrategy[Marks], options: int) -> st.SearchStrategy[Election]:
    """Build elections of one to seven ballots, a few of each, so that ties abound."""
    ballots = st.lists(st.tuples(marks, st.integers(1, 3)), min_size=1, max_size=7)
    return ballots.map(lambda found: Election(options, tuple(found)))


def full_orders(options: int) -> st.SearchStrategy[Marks]:
    """Every option ranked, no two alike."""
    return st.sampled_from(list(permutations(range(1, options + 1))))


def short_orders(options: int) -> st.SearchStrategy[Marks]:
    """The first few choices, at least one, no two alike."""
    orders = permutations(range(1, options + 1))
    cut = {tuple(rank if rank <= last else 0 for rank in order) for order in orders for last in range(1, options + 1)}
    return st.sampled_from(sorted(cut))


def weak_orders(options: int) -> st.SearchStrategy[Marks]:
    """Any ranks, equal and missing ones too; at least one."""
    return st.sampled_from([marks for marks in product(range(options + 1), repeat=options) if any(marks)])


def count(
    method: Method, election: Election, variants: dict[str, str] | None = None, limits: dict[str, int] | None = None
) -> Outcome:
    """Count an election of one seat by one of our methods; a tie is reported as a tie."""
    rules = METHODS[method]
    defaults = {limit.name: limit.default(election.options) for limit in rules.limits}
    options = tuple(Option(f"o{place}", f"O{place}") for place in range(election.options))
    contest = Contest(
        "c",
        "C",
        "",
        method,
        options,
        tie=TieRule.REPORT,
        limits={**defaults, **(limits or {})},
        variants=variants or {},
    )
    for marks in election.marks:
        assert rules.find_fault(contest, marks) is None
    return count_ballots(rules, contest, election.ballots, Ties(contest))


def leaders(outcome: Outcome) -> list[int]:
    """List who wins, or who ties for the seat."""
    return sorted((*outcome.winners, *outcome.tied))


def best(totals: Sequence[object]) -> list[int]:
    """List the places of the greatest of some totals that compare with one another."""
    top = max(totals)  # type: ignore[type-var]
    return [place for place, total in enumerate(totals) if total == top]
