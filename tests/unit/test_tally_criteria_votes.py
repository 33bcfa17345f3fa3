"""Which criteria the methods of marks, votes and transfers meet, and one election for each well-known one they fail.

Those of methods by ranks that compare or add up stand in `test_tally_criteria.py`, those of scores and grades in
`test_tally_cardinal.py` and `test_tally_cardinal_examples.py`, those of instant runoffs in `test_tally_irv.py`.
Sources: D. R. Woodall, "Properties of preferential election rules", Voting matters 3 (1994), 8-15; S. J. Brams, P. C.
Fishburn, "Some logical defects of the single transferable vote" (1984). The elections were found by search.
"""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranked_ballots import contest_of, winners

from qballot.core.ballot import Marks, group_ballots
from qballot.core.ballot_csv import effective_rows, parse_ballot_csv
from qballot.core.definition import parse_definition_document
from qballot.core.election import Method, TieRule
from qballot.core.tally import METHODS, count_election
from qballot.core.tally.outcome import Outcome
from qballot.core.tally.rules import count_ballots
from qballot.core.tally.ties import Ties
from qballot.core.types import Hash32

pytestmark = pytest.mark.unit

MIX = Hash32(bytes(range(32)))
BURLINGTON = Path(__file__).parents[3] / "shared" / "elections" / "burlington-2009-irv.csv"
Ballots = list[tuple[Marks, int]]
SPREAD = {"votes": 4, "credits": 16}
"""What a voter may give away where a method says so."""


def _count(method: Method, ballots: Ballots, seats: int = 1, tie: TieRule = TieRule.REPORT, **keys: Any) -> Outcome:
    rules = METHODS[method]
    own = keys | {limit.name: SPREAD[limit.name] for limit in rules.limits if limit.name in SPREAD}
    contest = contest_of(method, len(ballots[0][0]), seats=seats, tie=tie, **own)
    assert all(rules.find_fault(contest, marks) is None for marks, _ in ballots)
    return count_ballots(rules, contest, ballots, Ties(contest, MIX if tie is TieRule.LOT else None))


def _leaders(method: Method, ballots: Ballots) -> set[int]:
    outcome = _count(method, ballots)
    return {*outcome.winners, *outcome.tied}


def _ballots(*marks: Marks) -> st.SearchStrategy[Ballots]:
    return st.lists(st.tuples(st.sampled_from(marks), st.integers(1, 4)), min_size=1, max_size=6)


ONE_MARK = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
MARKS = [*ONE_MARK, (1, 1, 0), (1, 0, 1), (0, 1, 1)]
SPREADS = [(4, 0, 0), (0, 4, 0), (0, 0, 4), (2, 2, 0), (0, 1, 3), (1, 2, 1), (1, 0, 0)]
SCORES = [(5, 0, 0), (0, 5, 1), (2, 3, 5), (0, 1, 4), (5, 5, 2), (1, 0, 3)]
VOTES = {
    Method.PLURALITY: ONE_MARK,
    Method.BLOCK_PLURALITY: ONE_MARK,
    Method.APPROVAL: MARKS,
    Method.CUMULATIVE: SPREADS,
    Method.QUADRATIC: SPREADS,
    Method.SCORE: SCORES,
}
"""Methods that add up each option's marks, with valid ballots of three options."""


@pytest.mark.parametrize("method", VOTES)
@given(data=st.data())
def test_monotonicity__one_more_ballot_for_the_winner__still_wins(method: Method, data: st.DataObject) -> None:
    ballots = data.draw(_ballots(*VOTES[method]))
    for winner in _leaders(method, ballots):
        alone = tuple(int(option == winner) for option in range(3))
        assert _leaders(method, [*ballots, (alone, 1)]) == {winner}


@pytest.mark.parametrize("method", VOTES)
@given(data=st.data())
def test_participation__those_who_come__never_make_one_win_whom_they_like_less(
    method: Method, data: st.DataObject
) -> None:
    ballots = data.draw(_ballots(*VOTES[method]))
    marks, weight = data.draw(st.tuples(st.sampled_from(VOTES[method]), st.integers(1, 9)))
    before, after = _leaders(method, ballots), _leaders(method, [*ballots, (marks, weight)])
    for winner in before:
        assert all(marks[other] >= marks[winner] for other in after - before)


@pytest.mark.parametrize("method", [Method.APPROVAL, Method.SCORE, Method.MAJORITY_JUDGMENT])
@given(data=st.data())
def test_clones__one_more_with_the_marks_of_a_loser__changes_nothing(method: Method, data: st.DataObject) -> None:
    ballots = data.draw(_ballots(*(MARKS if method is Method.APPROVAL else SCORES)))
    before = _leaders(method, ballots)
    for loser in {0, 1, 2} - before:
        assert _leaders(method, [((*marks, marks[loser]), weight) for marks, weight in ballots]) == before


ORDERS = st.permutations(range(4)).flatmap(lambda order: st.integers(1, 4).map(lambda depth: tuple(order[:depth])))


def _rank(order: tuple[int, ...]) -> Marks:
    return tuple(order.index(option) + 1 if option in order else 0 for option in range(4))


@given(st.lists(st.tuples(ORDERS.map(_rank), st.integers(1, 4)), min_size=1, max_size=7), ORDERS, st.integers(1, 3))
def test_stv__later_choices__never_harm_an_earlier_one(ballots: Ballots, order: tuple[int, ...], seats: int) -> None:
    for length in range(1, len(order)):
        before = _count(Method.STV, [*ballots, (_rank(order[:length]), 1)], seats, TieRule.LOT).winners
        after = _count(Method.STV, [*ballots, (_rank(order), 1)], seats, TieRule.LOT).winners
        assert set(before) & set(order[:length]) <= set(after)


@given(st.lists(st.tuples(st.permutations(range(4)), st.integers(1, 4)), min_size=1, max_size=7), st.integers(1, 3))
def test_stv__quotas_of_voters_for_one_set__elect_as_many_of_it(
    ballots: list[tuple[list[int], int]], seats: int
) -> None:
    """Droop's criterion: as many of a set as it has quotas of voters who put all of it before all others."""
    ranked = [(_rank(tuple(order)), weight) for order, weight in ballots]
    outcome = _count(Method.STV, ranked, seats, TieRule.LOT, rules="weighted-inclusive-gregory")
    quota = sum(weight for _, weight in ballots) // (seats + 1) + 1
    for size in range(1, 5):
        for members in {frozenset(order[:size]) for order in permutations(range(4))}:
            solid = sum(weight for order, weight in ballots if frozenset(order[:size]) == members)
            assert len(members & set(outcome.winners)) >= min(solid // quota, size)


def test_plurality__clone_of_the_winner__splits_its_votes() -> None:
    assert _leaders(Method.PLURALITY, [((1, 0, 0), 3), ((0, 1, 0), 2)]) == {0}
    assert _leaders(Method.PLURALITY, [((1, 0, 0), 1), ((0, 0, 1), 2), ((0, 1, 0), 2)]) == {1, 2}


def test_clones__star__clone_of_the_first_finalist_keeps_the_second_out_of_the_runoff() -> None:
    """L. Hastings, starvote 2.1.6: B wins the runoff against A, until a clone of A, D, takes B's place in it."""
    with_clone: Ballots = [((5, 2, 1, 5), 2), ((4, 2, 1, 3), 2), ((4, 2, 1, 5), 2), ((0, 1, 1, 0), 11)]
    assert all((marks[0] > other) == (marks[3] > other) for marks, _ in with_clone for other in marks[1:3])
    assert _leaders(Method.STAR, [(marks[:3], weight) for marks, weight in with_clone]) == {1}
    assert _leaders(Method.STAR, with_clone) == {3}


def test_condorcet__plurality__may_elect_who_loses_every_pair() -> None:
    """Tennessee's capital: Memphis has the most first choices, and a majority puts it last."""
    ranked = [("A>B>C>D", 42), ("B>C>D>A", 26), ("C>D>B>A", 15), ("D>C>B>A", 17)]
    assert winners(Method.SCHULZE, ranked, 4) == winners(Method.COPELAND, ranked, 4) == "B"
    first = [(tuple(int(letter == order[0]) for letter in "ABCD"), weight) for order, weight in ranked]
    assert _leaders(Method.PLURALITY, first) == {0}


@pytest.mark.parametrize(
    ("method", "others", "alone", "with_another"),
    [
        (Method.APPROVAL, [((1, 1), 1), ((0, 1), 1)], (1, 0), (1, 1)),
        (Method.SCORE, [((3, 2), 1), ((0, 5), 1)], (5, 0), (5, 4)),
        (Method.MAJORITY_JUDGMENT, [((3, 2), 1), ((0, 5), 2)], (5, 0), (5, 4)),
    ],
)
def test_later_no_harm__second_choice_as_well__can_cost_the_first_the_seat(
    method: Method, others: Ballots, alone: Marks, with_another: Marks
) -> None:
    assert _leaders(method, [*others, (alone, 2)]) == {0}
    assert _leaders(method, [*others, (with_another, 2)]) == {1}


def test_later_no_harm__block_plurality__a_second_mark_can_cost_the_first_the_seat() -> None:
    others: Ballots = [((0, 1, 1), 2), ((1, 0, 1), 1), ((0, 0, 1), 1)]
    assert _count(Method.BLOCK_PLURALITY, [*others, ((1, 0, 0), 2)], 2).winners == (0, 2)
    assert _count(Method.BLOCK_PLURALITY, [*others, ((1, 1, 0), 2)], 2).winners == (1, 2)


def test_participation__instant_runoff__may_turn_against_those_who_come() -> None:
    ballots = [("A>B>C", 4), ("B>A>C", 3), ("C>B>A", 2)]
    assert winners(Method.IRV, ballots, 3) == "B"
    assert winners(Method.IRV, [*ballots, ("C>B>A", 2)], 3) == "A"


def test_monotonicity__stv__more_support_may_make_the_winner_lose() -> None:
    ballots = [("A>B>C", 39), ("B>C>A", 35), ("C>A>B", 26)]
    assert winners(Method.STV, ballots, 3) == "A"
    assert winners(Method.STV, [("A>B>C", 49), ("B>C>A", 25), ("C>A>B", 26)], 3) == "C"


@pytest.mark.skipif(not BURLINGTON.exists(), reason="the real elections are not part of the project")
def test_condorcet__instant_runoff_of_burlington_2009__passes_over_the_option_that_beats_all() -> None:
    text = BURLINGTON.read_text(encoding="utf-8")
    options = [{"id": f"o{place}", "title": title} for place, title in enumerate(text.split("\n")[0].split(","))]
    title = {option["id"]: option["title"] for option in options}
    found: dict[str, str] = {}
    for method in ("irv", "copeland", "schulze", "ranked_pairs", "minimax"):
        contest = {"id": "c", "title": "C", "method": method, "options": options}
        definition, _ = parse_definition_document(json.dumps({"qballot": 1, "title": "B", "contests": [contest]}))
        groups = group_ballots((row.ballot, row.weight) for row in effective_rows(parse_ballot_csv(text, definition)))
        result: Any = count_election(definition, groups).to_json()["contests"]
        (winner,) = result[0]["winners"]
        found[method] = title[winner]
    assert found.pop("irv") == "Bob Kiss"
    assert set(found.values()) == {"Andy Montroll"}
