"""Scores, grades and given votes: against counts made anew from the ballots, and what each method keeps or breaks."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qballot.core.ballot import group_ballots
from qballot.core.ballot_csv import effective_rows, parse_ballot_csv
from qballot.core.definition import parse_definition_document
from qballot.core.election import Contest, Method, Option, TieRule
from qballot.core.tally import METHODS, count_election
from qballot.core.tally.lot import draw_order
from qballot.core.tally.outcome import Outcome, TiedFor, Total
from qballot.core.tally.rules import SpoilReason, count_ballots
from qballot.core.tally.ties import Ties
from qballot.core.types import Hash32

pytestmark = pytest.mark.unit

Ballots = list[tuple[tuple[int, ...], int]]
MIX = Hash32(bytes(range(32)))
LIBERTARIANS = Path(__file__).parents[3] / "shared" / "elections" / "libertarian-2020-star.csv"


def _contest(method: Method, options: int, seats: int = 1, tie: TieRule = TieRule.REPORT, **keys: int | str) -> Contest:
    titles = tuple(Option(chr(97 + index), chr(65 + index)) for index in range(options))
    limits = {limit.name: limit.default(options, seats) for limit in METHODS[method].limits}
    limits |= {key: value for key, value in keys.items() if isinstance(value, int)}
    variants = {key: value for key, value in keys.items() if isinstance(value, str)}
    return Contest("c", "C", "", method, titles, seats, tie, limits, variants)


def _count(contest: Contest, ballots: Ballots, lot: Hash32 | None = None) -> Outcome:
    return count_ballots(METHODS[contest.method], contest, ballots, Ties(contest, lot))


def _ballots(options: int, *scores: int) -> st.SearchStrategy[Ballots]:
    marks = st.tuples(*[st.sampled_from(scores)] * options)
    # A part that says nothing is blank and never counted.
    said = marks.filter(lambda found: set(found) != {-128})
    return st.lists(st.tuples(said, st.integers(1, 3)), min_size=1, max_size=6)


def _scores(ballots: Ballots, option: int) -> list[int]:
    return [marks[option] for marks, weight in ballots for _ in range(weight)]


@given(_ballots(3, -128, -3, 0, 2), st.sampled_from(["sum", "mean"]), st.sampled_from(["zero", "no-opinion"]))
def test_score__any_ballots__totals_are_sums_or_means(ballots: Ballots, by: str, no_answer: str) -> None:
    contest = _contest(Method.SCORE, 3, min_score=-3, by=by, no_answer=no_answer)
    expected: list[Total] = []
    for option in range(3):
        scores = [score for score in _scores(ballots, option) if no_answer == "zero" or score != -128]
        scores = [0 if score == -128 else score for score in scores]
        if by == "sum":
            expected.append(sum(scores))
        else:
            expected.append(Fraction(sum(scores), len(scores)) if scores else -3)
    outcome = _count(contest, ballots)
    assert list(outcome.totals) == expected
    greatest = tuple(option for option in range(3) if expected[option] == max(expected))
    assert (outcome.winners or outcome.tied) == greatest


def _points(ballots: Ballots, option: int) -> int:
    return sum(0 if score == -128 else score for score in _scores(ballots, option))


def _prefer(ballots: Ballots, one: int, other: int) -> int:
    score = {-128: 0}
    return sum(
        weight for marks, weight in ballots if score.get(marks[one], marks[one]) > score.get(marks[other], marks[other])
    )


def _elect_by_star(ballots: Ballots, standing: list[int], favour: tuple[int, ...]) -> int:
    """One seat by the published steps, straight from the ballots, with a draw that is known beforehand."""
    if len(standing) == 1:
        return standing[0]
    tops = {option: _scores(ballots, option).count(5) for option in standing}
    finalists: list[int] = []
    left = list(standing)
    while len(finalists) < 2:
        most = max(_points(ballots, option) for option in left)
        tied = [option for option in left if _points(ballots, option) == most]
        while len(tied) > 2 - len(finalists):
            lost = {x: sum(_prefer(ballots, y, x) > _prefer(ballots, x, y) for y in tied) for x in tied}
            order = [[x for x in tied if lost[x] == number] for number in sorted(set(lost.values()))]
            if len(order) > 1:
                better = [x for group in order[:-1] for x in group]
                advance, tied = ([], better) if len(better) > 2 - len(finalists) else (better, order[-1])
            elif len({tops[x] for x in tied}) > 1:
                first = [x for x in tied if tops[x] == max(tops[y] for y in tied)]
                if len(first) <= 2 - len(finalists):
                    advance, tied = first, [x for x in tied if x not in first]
                else:
                    advance, tied = [], [x for x in tied if tops[x] > min(tops[y] for y in tied)]
            else:
                advance = [min(tied, key=favour.index)]
                tied = [x for x in tied if x not in advance]
            finalists += advance
            if len(finalists) == 2:
                tied = []
        finalists += tied
        left = [option for option in left if _points(ballots, option) < most]
    one, other = finalists
    return max(
        (one, other),
        key=lambda x: (_prefer(ballots, x, one + other - x), _points(ballots, x), tops[x], -favour.index(x)),
    )


@given(_ballots(4, -128, 0, 0, 1, 3, 5), st.integers(1, 3))
def test_star__lot__is_the_published_protocol_seat_by_seat(ballots: Ballots, seats: int) -> None:
    contest = _contest(Method.STAR, 4, seats, TieRule.LOT)
    favour = draw_order(contest, MIX)
    standing = [0, 1, 2, 3]
    for _ in range(seats):
        standing.remove(_elect_by_star(ballots, standing, favour))
    assert set(_count(contest, ballots, MIX).winners) == {0, 1, 2, 3} - {*standing}


@given(_ballots(4, 0, 0, 1, 3, 5), st.integers(1, 3), st.binary(min_size=32, max_size=32))
def test_star__tie__is_between_those_whom_a_lot_can_elect(ballots: Ballots, seats: int, mix: bytes) -> None:
    reported = _count(_contest(Method.STAR, 4, seats), ballots)
    drawn = set(_count(_contest(Method.STAR, 4, seats, TieRule.LOT), ballots, Hash32(mix)).winners)
    assert drawn >= set(reported.winners)
    if not reported.tied:
        assert drawn == set(reported.winners)
    else:
        assert drawn & set(reported.tied)
    if reported.tied_for is TiedFor.SEAT:
        assert drawn <= {*reported.winners, *reported.tied}
        assert len(reported.winners) == seats - 1


@given(_ballots(3, 0, 1, 3, 5), st.data())
def test_star__winner_scored_higher__still_wins(ballots: Ballots, data: st.DataObject) -> None:
    """Where no options have equal points, so that no tie is broken on the way to the runoff."""
    contest = _contest(Method.STAR, 3)
    before = _count(contest, ballots)
    place = data.draw(st.integers(0, len(ballots) - 1))
    assume(len(set(before.totals)) == 3 and before.winners)
    (winner,) = before.winners
    marks, weight = ballots[place]
    raised = tuple(min(5, mark + 2) if option == winner else mark for option, mark in enumerate(marks))
    assert _count(contest, [*ballots[:place], (raised, weight), *ballots[place + 1 :]]).winners == (winner,)


@given(_ballots(4, 0, 1, 3, 5))
def test_star__option_that_loses_to_every_other__never_wins(ballots: Ballots) -> None:
    for option in _count(_contest(Method.STAR, 4), ballots).winners:
        others = [other for other in range(4) if other != option]
        assert any(_prefer(ballots, option, other) >= _prefer(ballots, other, option) for other in others)


@given(_ballots(3, -128, 0, 1, 2, 3, 4, 5), st.sampled_from(["worst", "no-opinion"]))
def test_majority_judgment__any_ballots__total_is_median_and_larger_share(ballots: Ballots, no_answer: str) -> None:
    expected = []
    for option in range(3):
        given_grades = [grade for grade in _scores(ballots, option) if no_answer == "worst" or grade != -128]
        grades = sorted(max(grade, 0) for grade in given_grades)
        if not grades:
            expected.append(Fraction(0))
            continue
        median = grades[(len(grades) - 1) // 2]
        above = Fraction(sum(grade > median for grade in grades), len(grades))
        below = Fraction(sum(grade < median for grade in grades), len(grades))
        expected.append(median + above if above > below else median - below)
    outcome = _count(_contest(Method.MAJORITY_JUDGMENT, 3, no_answer=no_answer), ballots)
    assert list(outcome.totals) == expected


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9), st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_majority_judgment__two_totals__stand_in_the_published_order(one: list[int], other: list[int]) -> None:
    size = len(one) * len(other)
    ballots = [((a, b), 1) for a in one for b in other]
    assert len(ballots) == size

    def gauge(grades: list[int]) -> tuple[Any, ...]:
        grades = sorted(grades)
        median = grades[(len(grades) - 1) // 2]
        above = Fraction(sum(grade > median for grade in grades), len(grades))
        below = Fraction(sum(grade < median for grade in grades), len(grades))
        return (median, 1, above) if above > below else (median, 0, -below)

    outcome = _count(_contest(Method.MAJORITY_JUDGMENT, 2), ballots)
    first, second = gauge(one), gauge(other)
    assert outcome.winners == (() if first == second else (0,) if first > second else (1,))


@pytest.mark.parametrize("method", [Method.SCORE, Method.MAJORITY_JUDGMENT])
@given(ballots=_ballots(3, 0, 1, 3, 5), data=st.data())
def test_scores_and_grades__winner_raised__still_wins(method: Method, ballots: Ballots, data: st.DataObject) -> None:
    contest = _contest(method, 3)
    place = data.draw(st.integers(0, len(ballots) - 1))
    marks, weight = ballots[place]
    for winner in _count(contest, ballots).winners:
        raised = tuple(min(5, mark + 2) if option == winner else mark for option, mark in enumerate(marks))
        assert _count(contest, [*ballots[:place], (raised, weight), *ballots[place + 1 :]]).winners == (winner,)


@pytest.mark.parametrize("method", [Method.SCORE, Method.MAJORITY_JUDGMENT])
@given(ballots=_ballots(3, 0, 1, 3, 5))
def test_scores_and_grades__losing_option_left_out__same_winner(method: Method, ballots: Ballots) -> None:
    outcome = _count(_contest(method, 3), ballots)
    for one, other in combinations(range(3), 2):
        if outcome.winners in {(one,), (other,)}:
            two = [((marks[one], marks[other]), weight) for marks, weight in ballots]
            (winner,) = _count(_contest(method, 2), two).winners
            assert (one, other)[winner] == outcome.winners[0]


@pytest.mark.parametrize("method", [Method.SCORE, Method.MAJORITY_JUDGMENT])
@given(ballots=_ballots(3, 0, 1, 3, 5), favourite=st.integers(0, 2))
def test_scores_and_grades__favourite_given_the_most__wins_or_changes_nothing(
    method: Method, ballots: Ballots, favourite: int
) -> None:
    """So that nobody ever has to put a favourite below another option."""
    (marks, weight), *others = ballots
    raised = tuple(5 if option == favourite else mark for option, mark in enumerate(marks))
    before = _count(_contest(method, 3), ballots)
    after = _count(_contest(method, 3), [(raised, weight), *others])
    possible = {*before.winners, *before.tied, favourite}
    assert {*after.winners, *after.tied} <= possible


SUMMED = [
    _contest(Method.SCORE, 3),
    _contest(Method.CUMULATIVE, 3, votes=9),
    _contest(Method.QUADRATIC, 3, credits=50),
]


@pytest.mark.parametrize("contest", SUMMED, ids=lambda contest: contest.method)
@given(one=_ballots(3, 0, 1, 2, 3), other=_ballots(3, 0, 1, 2, 3))
def test_sums__two_halves_with_the_same_winner__have_it_together(
    contest: Contest, one: Ballots, other: Ballots
) -> None:
    winners = _count(contest, one).winners
    if winners and winners == _count(contest, other).winners:
        assert _count(contest, [*one, *other]).winners == winners


@given(st.lists(st.integers(-128, 127), min_size=2, max_size=4).map(tuple), st.integers(1, 127))
def test_cumulative__any_marks__are_judged_by_their_sum(marks: tuple[int, ...], votes: int) -> None:
    contest = _contest(Method.CUMULATIVE, len(marks), votes=votes)
    fault = METHODS[Method.CUMULATIVE].find_fault(contest, marks)
    if min(marks) < 0:
        assert fault is SpoilReason.OUT_OF_RANGE
    else:
        assert fault is (SpoilReason.TOO_MANY_VOTES if sum(marks) > votes else None)


@given(
    st.lists(st.integers(-128, 127) | st.integers(-4, 4), min_size=2, max_size=4).map(tuple),
    st.integers(1, 127**2),
    st.sampled_from(["refused", "allowed"]),
)
def test_quadratic__any_marks__are_judged_by_their_cost(marks: tuple[int, ...], credits: int, against: str) -> None:
    contest = _contest(Method.QUADRATIC, len(marks), credits=credits, against=against)
    fault = METHODS[Method.QUADRATIC].find_fault(contest, marks)
    if -128 in marks or (against == "refused" and min(marks) < 0):
        assert fault is SpoilReason.OUT_OF_RANGE
    else:
        assert fault is (SpoilReason.TOO_MANY_VOTES if sum(mark**2 for mark in marks) > credits else None)


@pytest.mark.parametrize("contest", SUMMED, ids=lambda contest: contest.method)
@given(ballots=_ballots(3, 0, 1, 2, 3), factor=st.integers(2, 2**90))
def test_sums__weights_times_a_number__are_exact(contest: Contest, ballots: Ballots, factor: int) -> None:
    small = _count(contest, ballots)
    large = _count(contest, [(marks, weight * factor) for marks, weight in ballots])
    assert large.totals == tuple(total * factor for total in small.totals)
    assert (large.winners, large.tied) == (small.winners, small.tied)


@pytest.mark.skipif(not LIBERTARIANS.exists(), reason="the real elections are not part of the project")
def test_count_election__libertarians_2020__gives_the_published_outcome() -> None:
    text = LIBERTARIANS.read_text(encoding="utf-8")
    options = [{"id": title.lower().replace(" ", "-"), "title": title} for title in text.split("\n")[0].split(",")]
    contest = {"id": "nominee", "title": "Nominee", "method": "star", "options": options}
    definition, _ = parse_definition_document(json.dumps({"qballot": 1, "title": "L", "contests": [contest]}))
    groups = group_ballots((row.ballot, row.weight) for row in effective_rows(parse_ballot_csv(text, definition)))
    result: Any = count_election(definition, groups).to_json()["contests"]
    assert (result[0]["winners"], result[0]["ballots"]) == (["vermin-supreme"], 718)
    totals = result[0]["totals"]
    assert (totals["vermin-supreme"], totals["dan-behrman"], totals["jacob-hornberger"]) == ("2865", "708", "703")
    runoff = next(entry for entry in result[0]["log"] if entry["kind"] == "runoff")
    assert runoff["votes"] == {"vermin-supreme": "541", "dan-behrman": "77"}
    assert (runoff["no_preference"], runoff["by"]) == ("100", "votes")
