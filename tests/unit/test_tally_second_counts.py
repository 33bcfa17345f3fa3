"""Every method whose winners follow from a few lines, counted a second time by those lines, on elections full of ties.

Each second count goes through single votes, one voter after another, and shares nothing with the first but the ballots.
`make oracles` tries more elections. The second counts of STAR, STV and instant runoffs, which are longer, stand beside
the other tests of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from properties import EXAMPLES
from ranked_ballots import contest_of

from qballot.core.ballot import NO_ANSWER, Marks
from qballot.core.election import Contest, Method
from qballot.core.tally import METHODS
from qballot.core.tally.outcome import Outcome
from qballot.core.tally.rules import count_ballots
from qballot.core.tally.ties import Ties

pytestmark = pytest.mark.unit

OPTIONS = 4
MOST_SEATS = 3
Ballots = Sequence[tuple[Marks, int]]
MANY = settings(max_examples=max(300, EXAMPLES))


def _elections(*marks: int) -> st.SearchStrategy[list[tuple[Marks, int]]]:
    row = st.tuples(*[st.sampled_from(marks)] * OPTIONS)
    return st.lists(st.tuples(row, st.integers(0, 3)), min_size=1, max_size=7)


def _count(contest: Contest, ballots: Ballots) -> tuple[Outcome, list[Marks]]:
    """Count the ballots that are valid and not blank. Returns one of these for every single vote, too."""
    rules = METHODS[contest.method]
    valid = [
        (marks, weight)
        for marks, weight in ballots
        if set(marks) != {rules.blank_mark} and rules.find_fault(contest, marks) is None
    ]
    votes = [marks for marks, weight in valid for _ in range(weight)]
    return count_ballots(rules, contest, valid or [((1, *[0] * (OPTIONS - 1)), 0)], Ties(contest)), votes


def _is_possible(outcome: Outcome, seats: int, beats: Callable[[int, int], bool]) -> None:
    """Check winners and tied by a comparison of two options: from each set of winners that it allows.

    A set of as many options as seats is possible where nobody outside beats anybody inside. Who is in all possible
    sets wins; who is in some ties.
    """
    possible = [
        set(elected)
        for elected in combinations(range(OPTIONS), seats)
        if not any(beats(other, one) for one in elected for other in set(range(OPTIONS)) - set(elected))
    ]
    certain = set.intersection(*possible)
    assert set(outcome.winners) == certain
    assert set(outcome.tied) == set.union(*possible) - certain


@MANY
@given(_elections(0, 0, 0, 1))
def test_plurality__any_marks__most_votes_win(ballots: Ballots) -> None:
    outcome, votes = _count(contest_of(Method.PLURALITY, OPTIONS), ballots)
    chosen = [marks.index(1) for marks in votes]
    _is_possible(outcome, 1, lambda one, other: chosen.count(one) > chosen.count(other))


@MANY
@given(_elections(0, 0, 1), st.integers(1, MOST_SEATS))
def test_block_plurality__any_marks__most_votes_win(ballots: Ballots, seats: int) -> None:
    outcome, votes = _count(contest_of(Method.BLOCK_PLURALITY, OPTIONS, seats=seats), ballots)
    chosen = [option for marks in votes for option, mark in enumerate(marks) if mark == 1]
    assert all(sum(marks) <= seats for marks in votes)
    _is_possible(outcome, seats, lambda one, other: chosen.count(one) > chosen.count(other))


@MANY
@given(_elections(0, 1), st.integers(1, MOST_SEATS), st.integers(1, OPTIONS))
def test_approval__any_marks__most_approvals_win(ballots: Ballots, seats: int, most: int) -> None:
    outcome, votes = _count(contest_of(Method.APPROVAL, OPTIONS, seats=seats, max_choices=most), ballots)
    _is_possible(outcome, seats, lambda one, other: _sum(votes, one) > _sum(votes, other))


def _sum(votes: Iterable[Marks], option: int) -> int:
    return sum(marks[option] for marks in votes)


@MANY
@given(_elections(0, 0, 1, 2, 3), st.integers(1, MOST_SEATS), st.integers(1, 9))
def test_cumulative__any_marks__most_votes_win(ballots: Ballots, seats: int, most: int) -> None:
    outcome, votes = _count(contest_of(Method.CUMULATIVE, OPTIONS, seats=seats, votes=most), ballots)
    given_votes = [option for marks in votes for option, number in enumerate(marks) for _ in range(number)]
    assert all(sum(marks) <= most for marks in votes)
    _is_possible(outcome, seats, lambda one, other: given_votes.count(one) > given_votes.count(other))


@MANY
@given(
    _elections(-3, -1, 0, 0, 1, 2, 4),
    st.integers(1, MOST_SEATS),
    st.sampled_from([1, 5, 17, 100]),
    st.sampled_from(["refused", "allowed"]),
)
def test_quadratic__any_marks__most_votes_that_were_paid_for_win(
    ballots: Ballots, seats: int, credits: int, against: str
) -> None:
    contest = contest_of(Method.QUADRATIC, OPTIONS, seats=seats, credits=credits, against=against)
    outcome, votes = _count(contest, ballots)
    paid = [
        marks
        for marks, weight in ballots
        if any(marks)
        and sum(sum(range(1, 2 * abs(mark), 2)) for mark in marks) <= credits
        and (against == "allowed" or min(marks) >= 0)
        for _ in range(weight)
    ]
    assert votes == paid
    _is_possible(outcome, seats, lambda one, other: _sum(paid, one) > _sum(paid, other))


@MANY
@given(
    _elections(NO_ANSWER, -2, 0, 1, 3),
    st.integers(1, MOST_SEATS),
    st.sampled_from(["sum", "mean"]),
    st.sampled_from(["zero", "no-opinion"]),
)
def test_score__any_scores__greatest_sums_or_means_win(ballots: Ballots, seats: int, by: str, no_answer: str) -> None:
    keys: dict[str, Any] = {"min_score": -2, "max_score": 3, "by": by, "no_answer": no_answer}
    outcome, votes = _count(contest_of(Method.SCORE, OPTIONS, seats=seats, **keys), ballots)

    def total(option: int) -> Fraction:
        scores = [marks[option] for marks in votes]
        if by == "mean" and no_answer == "no-opinion":
            scores = [score for score in scores if score != NO_ANSWER]
        scores = [0 if score == NO_ANSWER else score for score in scores]
        if by == "sum":
            return Fraction(sum(scores))
        return Fraction(sum(scores), len(scores)) if scores else Fraction(-2 if no_answer == "no-opinion" else 0)

    _is_possible(outcome, seats, lambda one, other: total(one) > total(other))


def _take_medians(grades: Iterable[int]) -> list[int]:
    """List an option's grades as they are taken away: each time the lower of the middlemost of those that are left."""
    left, taken = sorted(grades), []
    while left:
        taken.append(left.pop((len(left) - 1) // 2))
    return taken


@MANY
@given(_elections(NO_ANSWER, 0, 1, 1, 2, 5))
def test_majority_judgment__any_grades__winner_has_the_greatest_majority_value(ballots: Ballots) -> None:
    """The majority value of Balinski and Laraki (2007) orders options by these lists, as words in a dictionary.

    It agrees with the majority gauge wherever two gauges differ. Options with equal gauges, which tie by the gauge, may
    differ further down their lists.
    """
    outcome, votes = _count(contest_of(Method.MAJORITY_JUDGMENT, OPTIONS), ballots)
    values = [_take_medians(max(marks[option], 0) for marks in votes) for option in range(OPTIONS)]
    best = {option for option in range(OPTIONS) if values[option] == max(values)}
    if outcome.winners:
        assert best == {*outcome.winners}
    else:
        assert best <= {*outcome.tied}
        assert len({outcome.totals[option] for option in outcome.tied}) == 1


@MANY
@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.data())
def test_majority_judgment__two_options__gauge_and_value_agree(one: list[int], data: st.DataObject) -> None:
    other = data.draw(st.lists(st.integers(0, 5), min_size=len(one), max_size=len(one)))
    contest = contest_of(Method.MAJORITY_JUDGMENT, 2)
    ballots = [(marks, 1) for marks in zip(one, other, strict=True)]
    outcome = count_ballots(METHODS[Method.MAJORITY_JUDGMENT], contest, ballots, Ties(contest))
    if outcome.winners:
        first, second = _take_medians(one), _take_medians(other)
        assert outcome.winners == ((0,) if first > second else (1,))
