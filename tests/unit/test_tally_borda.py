"""Borda: what places are worth, what is spoiled, and exact sums of fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranked_ballots import any_orders, ballots_of, contest_of, count, data_of, full_orders, read_marks

from qballot.core.definition import parse_definition_document
from qballot.core.election import Method
from qballot.core.tally import METHODS, SpoilReason, judge_marks
from qballot.core.tally.borda import MAX_REMEMBERED
from qballot.core.tally.points import value_ranks
from qballot.core.tally.ties import Ties
from qballot.errors import DefinitionError

pytestmark = pytest.mark.unit

RULES = METHODS[Method.BORDA]


@pytest.mark.parametrize(
    ("ranks", "points", "unranked", "values"),
    [
        ([1, 2, 3, 4], "standard", "no-points", {0: 0, 1: 3, 2: 2, 3: 1, 4: 0}),
        ([1, 2, 3, 4], "standard", "averaged", {0: 0, 1: 3, 2: 2, 3: 1, 4: 0}),
        ([1, 2, 3, 4], "standard", "modified", {0: 0, 1: 4, 2: 3, 3: 2, 4: 1}),
        ([0, 0, 2, 4], "standard", "no-points", {0: 0, 2: 3, 4: 2}),
        ([0, 0, 2, 4], "standard", "averaged", {0: Fraction(1, 2), 2: 3, 4: 2}),
        ([0, 0, 2, 4], "standard", "modified", {0: 0, 2: 2, 4: 1}),
        ([0, 1, 1, 2], "standard", "no-points", {0: 0, 1: Fraction(5, 2), 2: 1}),
        ([0, 1, 1, 2], "standard", "modified", {0: 0, 1: Fraction(5, 2), 2: 1}),
        ([0, 0, 1, 1], "standard", "modified", {0: 0, 1: Fraction(3, 2)}),
        ([1, 2, 3], "dowdall", "no-points", {0: 0, 1: 1, 2: Fraction(1, 2), 3: Fraction(1, 3)}),
        ([0, 0, 1, 1], "dowdall", "averaged", {0: Fraction(7, 24), 1: Fraction(3, 4)}),
        ([3, 3, 3], "standard", "spoiled", {0: 0, 3: 1}),
    ],
)
def test_value_ranks__any_rule__gives_what_places_are_worth(
    ranks: list[int], points: str, unranked: str, values: dict[int, int | Fraction]
) -> None:
    assert value_ranks(ranks, points, unranked) == values


@pytest.mark.parametrize(
    ("marks", "keys", "verdict"),
    [
        ((1, 1, 0), {}, SpoilReason.EQUAL_RANKS),
        ((1, 1, 0), {"equal_ranks": "averaged"}, "counted"),
        ((1, 2, 0), {}, "counted"),
        ((1, 2, 0), {"unranked": "spoiled"}, SpoilReason.TOO_FEW_RANKS),
        ((1, 2, 0), {"unranked": "spoiled", "max_ranks": 2}, "counted"),
        ((1, 1, 0), {"unranked": "spoiled"}, SpoilReason.EQUAL_RANKS),
        ((1, 1, 0), {"unranked": "spoiled", "equal_ranks": "averaged"}, SpoilReason.TOO_FEW_RANKS),
        ((1, 2, 3), {"max_ranks": 2, "equal_ranks": "averaged"}, SpoilReason.TOO_MANY_CHOICES),
        ((1, 4, 0), {"equal_ranks": "averaged"}, SpoilReason.OUT_OF_RANGE),
        ((0, 0, 0), {"unranked": "spoiled"}, "blank"),
    ],
)
def test_judge_marks__any_variant__spoils_what_it_says(
    marks: tuple[int, ...], keys: dict[str, int | str], verdict: str
) -> None:
    assert judge_marks(contest_of(Method.BORDA, 3, **keys), marks) == verdict


def test_explain_marks__variants__tell_what_is_spoiled() -> None:
    def explain(**keys: int | str) -> str:
        return RULES.explain_marks(contest_of(Method.BORDA, 3, **keys))

    assert "spoil this contest" in explain()
    assert "share a rank" in explain(equal_ranks="averaged")
    assert explain(unranked="spoiled").endswith("A ballot that does not rank all options is spoiled in this contest.")
    assert "does not rank 2 options" in explain(unranked="spoiled", max_ranks=2)


def test_definition__dowdall_and_modified__is_refused() -> None:
    text = (
        '{"qballot": 1, "title": "T", "contests": [{"id": "c", "title": "C", "method": "borda", "points": "dowdall", '
        '"unranked": "modified", "options": [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}]}]}'
    )
    with pytest.raises(DefinitionError, match="as points is dowdall"):
        parse_definition_document(text)


@given(ballots_of(full_orders(4)))
def test_borda__full_orders__total_is_the_votes_over_all_others(ballots: list[tuple[str, int]]) -> None:
    votes = data_of(count(Method.COPELAND, ballots, 4), "pairwise")["votes"]
    totals = count(Method.BORDA, ballots, 4).totals
    assert list(totals) == [sum(map(int, votes[f"o{option}"].values())) for option in range(4)]


@given(
    ballots_of(any_orders(4)),
    st.sampled_from([("standard", "no-points"), ("standard", "modified"), ("dowdall", "averaged")]),
)
def test_borda__any_ballots__log_adds_up_to_the_totals(ballots: list[tuple[str, int]], words: tuple[str, str]) -> None:
    outcome = count(Method.BORDA, ballots, 4, points=words[0], unranked=words[1], equal_ranks="averaged")
    given_points = data_of(outcome, "points")["given"]
    for option, total in enumerate(outcome.totals):
        rows = given_points[f"o{option}"]
        assert sum(Fraction(row["points"]) * int(row["votes"]) for row in rows) == total
        assert sum(int(row["votes"]) for row in rows) == sum(weight for _, weight in ballots)


def test_borda__log__says_the_sum_in_words() -> None:
    outcome = count(Method.BORDA, [("A>B>C", 2), ("B>C", 3), ("C", 1)], 3, points="dowdall")
    assert [entry.text for entry in outcome.log] == [
        "Votes x points: A 2 x 1; B 3 x 1, 2 x 1/2; C 1 x 1, 3 x 1/2, 2 x 1/3.",
        "Points: B 4, C 19/6, A 2.",
        "B wins with 4 points.",
    ]


def test_sums__more_lists_of_ranks_than_are_kept__count_the_same() -> None:
    contest = contest_of(Method.BORDA, 8, equal_ranks="averaged", unranked="averaged", points="dowdall")
    lists = list(combinations_with_replacement(range(9), 8))[1:]
    assert len(lists) > 3 * MAX_REMEMBERED
    kept, fresh = RULES.open(contest), RULES.open(contest)
    for marks in lists:
        kept.add(marks, 2)
    for marks in reversed(lists):
        fresh.add(marks, 3)
    for marks in lists:
        fresh.add(marks, -1)
    assert kept.count(Ties(contest)) == fresh.count(Ties(contest))


def test_borda__ballots_taken_away__leave_no_trace_in_the_log() -> None:
    contest = contest_of(Method.BORDA, 3)
    sums = RULES.open(contest)
    sums.add(read_marks("A>B>C", 3), 5)
    sums.add(read_marks("B", 3), 7)
    sums.add(read_marks("A>B>C", 3), -5)
    assert sums.count(Ties(contest)) == count(Method.BORDA, [("B", 7)], 3)
