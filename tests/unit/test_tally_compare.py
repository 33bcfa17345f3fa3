"""The same ballots under other methods: textbook elections, how ballots are read anew, and where they cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranked_ballots import any_orders, ballots_of, contest_of, read_marks

from qballot.core.ballot import Group, Marks, encode_ballot, group_ballots
from qballot.core.election import Contest, Definition, Method, TieRule
from qballot.core.tally import METHODS, SpoilReason, count_election, judge_marks
from qballot.core.tally.compare import Comparison, ContestComparison, compare_methods
from qballot.core.tally.compare_text import render_comparisons
from qballot.core.tally.reread import Reading, find_reading
from qballot.core.types import Hash32

pytestmark = pytest.mark.unit

NO = -128
RANKED = [method for method in Method if METHODS[method].words.verb == "rank"]
TENNESSEE = [("A>B>C>D", 42), ("B>C>D>A", 26), ("C>D>B>A", 15), ("D>C>B>A", 17)]
"""Memphis A, Nashville B, Chattanooga C, Knoxville D: electowiki's and Wikipedia's standing example."""


def _definition(*contests: Contest) -> Definition:
    return Definition("T", "", "", "en", contests)


def _compare(contest: Contest, ballots: list[tuple[Marks, int]], *methods: Method) -> ContestComparison:
    groups = group_ballots((encode_ballot(marks), weight) for marks, weight in ballots)
    (compared,) = compare_methods(_definition(contest), groups, methods)
    return compared


def _winners(compared: ContestComparison) -> dict[str, str]:
    """The winners' titles by method; of what is not comparable nothing."""
    return {
        one.method.value: "".join(compared.contest.options[option].title for option in one.result.outcome.winners)
        for one in compared.comparisons
        if one.result
    }


def _read(contest: Contest, method: Method, marks: Marks) -> Marks:
    reading = find_reading(contest, method)
    assert isinstance(reading, Reading)
    assert reading.contest.method is method
    assert reading.rewrite is not None
    rewritten = reading.rewrite(contest, marks)
    judge_marks(reading.contest, rewritten)
    return rewritten


def test_compare__tennessee__has_the_published_winners_of_each_method() -> None:
    ballots = [(read_marks(order, 4), weight) for order, weight in TENNESSEE]
    compared = _compare(contest_of(Method.IRV, 4), ballots, *Method)
    assert _winners(compared) == {
        "irv": "D",
        "plurality": "A",
        "stv": "D",
        "borda": "B",
        "copeland": "B",
        "schulze": "B",
        "ranked_pairs": "B",
        "minimax": "B",
    }
    assert compared.comparisons[0].method is Method.IRV
    assert {one.method for one in compared.comparisons} == set(Method)
    borda = next(one.result for one in compared.comparisons if one.method is Method.BORDA)
    assert borda is not None
    assert borda.outcome.totals == (126, 194, 173, 107)


def test_compare__tennessee_by_scores__ranks_higher_scores_better() -> None:
    scores = [((5, 2, 1, 0), 42), ((0, 5, 2, 1), 26), ((0, 3, 5, 4), 15), ((0, 2, 4, 5), 17)]
    compared = _compare(contest_of(Method.STAR, 4), scores, *Method)
    assert _winners(compared) == {
        "star": "B",
        "score": "B",
        "plurality": "A",
        "irv": "D",
        "stv": "D",
        "borda": "B",
        "copeland": "B",
        "schulze": "B",
        "ranked_pairs": "B",
        "minimax": "B",
        "majority_judgment": "B",
    }


@pytest.mark.parametrize(
    ("contest", "marks", "method", "expected"),
    [
        (contest_of(Method.STAR, 5), (5, 3, 5, NO, 0), Method.SCHULZE, (1, 2, 1, 0, 0)),
        (contest_of(Method.STAR, 3, min_score=-2, max_score=2), (-2, NO, -1), Method.IRV, (0, 1, 2)),
        (contest_of(Method.STAR, 3, min_score=1, max_score=5), (1, NO, 2), Method.IRV, (2, 0, 1)),
        (contest_of(Method.SCORE, 3, min_score=-2, max_score=2), (-2, NO, -1), Method.IRV, (0, 1, 2)),
        (
            contest_of(Method.SCORE, 3, min_score=-2, max_score=2, by="mean", no_answer="no-opinion"),
            (-2, NO, -1), Method.IRV, (0, 0, 1),
        ),
        (
            contest_of(Method.SCORE, 3, min_score=-2, max_score=2, by="sum", no_answer="no-opinion"),
            (-2, NO, -1), Method.IRV, (0, 1, 2),
        ),
        (contest_of(Method.MAJORITY_JUDGMENT, 4), (5, 0, NO, 3), Method.BORDA, (1, 0, 0, 2)),
        (contest_of(Method.CUMULATIVE, 4, votes=9), (4, 0, 1, 4), Method.MINIMAX, (1, 0, 2, 1)),
        (contest_of(Method.QUADRATIC, 3, against="allowed"), (3, 0, -1), Method.COPELAND, (1, 2, 3)),
        (contest_of(Method.QUADRATIC, 3, against="allowed"), (0, 0, -10), Method.COPELAND, (1, 1, 0)),
        (contest_of(Method.QUADRATIC, 3, against="refused"), (3, 0, 1), Method.COPELAND, (1, 0, 2)),
        (contest_of(Method.IRV, 4), (0, 3, 2, 4), Method.PLURALITY, (0, 0, 1, 0)),
        (contest_of(Method.SCHULZE, 3), (0, 2, 2), Method.PLURALITY, (0, 1, 1)),
        (contest_of(Method.STAR, 3), (4, 4, 1), Method.PLURALITY, (1, 1, 0)),
        (contest_of(Method.STAR, 3), (0, 0, NO), Method.PLURALITY, (0, 0, 0)),
        (contest_of(Method.STAR, 3), (5, 0, NO), Method.MAJORITY_JUDGMENT, (5, 0, 0)),
        (contest_of(Method.STAR, 3, min_score=-2, max_score=2), (2, -2, NO), Method.MAJORITY_JUDGMENT, (4, 0, 2)),
        (contest_of(Method.STAR, 3, min_score=1, max_score=5), (5, 1, NO), Method.MAJORITY_JUDGMENT, (4, 0, 0)),
        (
            contest_of(Method.SCORE, 3, min_score=-2, max_score=2, by="mean", no_answer="no-opinion"),
            (2, -2, NO), Method.MAJORITY_JUDGMENT, (4, 0, NO),
        ),
        (contest_of(Method.MAJORITY_JUDGMENT, 3, grades=4), (3, 0, NO), Method.STAR, (3, 0, NO)),
    ],
)  # fmt: skip
def test_find_reading__numbers__become_what_the_method_asks(
    contest: Contest, marks: Marks, method: Method, expected: Marks
) -> None:
    assert _read(contest, method, marks) == expected


@pytest.mark.parametrize(
    ("contest", "method", "why"),
    [
        (contest_of(Method.PLURALITY, 3), Method.IRV, "a mark does not say how a voter ranks or rates options"),
        (contest_of(Method.APPROVAL, 3), Method.PLURALITY, "a mark does not say"),
        (contest_of(Method.IRV, 3), Method.APPROVAL, "ranks do not say which options a voter would mark"),
        (contest_of(Method.STAR, 3), Method.APPROVAL, "numbers do not say which options a voter would mark"),
        (contest_of(Method.IRV, 3), Method.SCORE, "ranks do not say how much better"),
        (contest_of(Method.IRV, 3), Method.CUMULATIVE, "ranks do not say how much better"),
        (contest_of(Method.SCORE, 3), Method.QUADRATIC, "votes are dealt out of a budget"),
        (contest_of(Method.CUMULATIVE, 3), Method.QUADRATIC, "votes are dealt out of a budget"),
        (contest_of(Method.QUADRATIC, 3), Method.SCORE, "votes are dealt out of a budget"),
        (contest_of(Method.SCORE, 3, max_score=10), Method.MAJORITY_JUDGMENT, "there are 2 to 7 grades, and 11 scores"),
        (contest_of(Method.STV, 4, seats=2), Method.IRV, "irv elects 1, and 2 win here"),
        (contest_of(Method.STV, 4, seats=2), Method.PLURALITY, "plurality elects 1, and 2 win here"),
        (contest_of(Method.SCORE, 1), Method.SCHULZE, "schulze needs 2 options"),
    ],
)
def test_find_reading__no_plain_rule__says_why(contest: Contest, method: Method, why: str) -> None:
    found = find_reading(contest, method)
    assert isinstance(found, str)
    assert found.startswith(why)
    comparison = _compare(contest, [((0,) * len(contest.options), 1)], method).comparisons[1]
    assert comparison.to_json() == {"method": method.value, "comparable": False, "why": found}


def test_find_reading__settings__are_kept_where_methods_share_them() -> None:
    contest = contest_of(Method.MINIMAX, 4, seats=2, tie=TieRule.LOT, max_ranks=3, strength="margins")
    reading = find_reading(contest, Method.SCHULZE)
    assert isinstance(reading, Reading)
    assert reading.contest == replace(contest, method=Method.SCHULZE)
    borda = find_reading(contest, Method.BORDA)
    assert isinstance(borda, Reading)
    assert borda.contest.limits == {"max_ranks": 3}
    # Ballots that may have equal ranks are not spoiled for them.
    assert borda.contest.variants["equal_ranks"] == "averaged"
    strict = find_reading(contest_of(Method.IRV, 4), Method.BORDA)
    assert isinstance(strict, Reading)
    assert strict.contest.variants["equal_ranks"] == "spoiled"
    stv = find_reading(contest_of(Method.STV, 4, seats=1, rules="weighted-inclusive-gregory"), Method.IRV)
    assert isinstance(stv, Reading)
    assert stv.contest.variants == {}


def test_compare__spoiled_and_blank_ballots__stay_what_they_are_where_rewritten() -> None:
    contest = contest_of(Method.STAR, 3)
    ballots = [((9, 0, 0), 2), ((NO, NO, NO), 3), ((5, 5, 0), 4), ((5, 0, 1), 5), ((0, 0, 0), 6)]
    groups = group_ballots((encode_ballot(marks), weight) for marks, weight in ballots) | {b"\x01": Group(1, 7)}
    (compared,) = compare_methods(_definition(contest), groups, [Method.IRV, Method.SCORE])
    irv = compared.comparisons[1].result
    assert irv is not None
    assert (irv.cast, irv.counted, irv.blank) == (Group(6, 27), Group(1, 5), Group(2, 9))
    assert irv.spoiled == {
        SpoilReason.WRONG_LENGTH: Group(1, 7),
        SpoilReason.OUT_OF_RANGE: Group(1, 2),
        SpoilReason.EQUAL_RANKS: Group(1, 4),
    }
    score = compared.comparisons[2].result
    assert score is not None
    assert score.spoiled == {SpoilReason.WRONG_LENGTH: Group(1, 7), SpoilReason.OUT_OF_RANGE: Group(1, 2)}


def test_compare__rankings__are_judged_by_the_other_methods_own_rules() -> None:
    equal = [(read_marks("A=B>C", 3), 2), (read_marks("C>B>A", 3), 1)]
    compared = _compare(contest_of(Method.IRV, 3), equal, Method.SCHULZE)
    assert _winners(compared) == {"irv": "C", "schulze": "B"}
    assert [one.result.counted.ballots for one in compared.comparisons if one.result] == [1, 2]


def test_compare__several_contests__each_has_its_own_part() -> None:
    contests = replace(contest_of(Method.IRV, 2), id="x"), replace(contest_of(Method.SCORE, 3), id="y")
    groups = {encode_ballot((1, 2, 0, 5, 1)): Group(1, 1), encode_ballot((0, 1, 0, 5, 2)): Group(2, 2)}
    first, second = compare_methods(_definition(*contests), groups, [Method.SCHULZE])
    assert (_winners(first), _winners(second)) == ({"irv": "B", "schulze": "B"}, {"score": "B", "schulze": "B"})


def test_compare__tie_by_lot__is_drawn_by_the_lot_given() -> None:
    contest = contest_of(Method.SCHULZE, 2, tie=TieRule.LOT)
    groups = {encode_ballot((1, 2)): Group(1, 1), encode_ballot((2, 1)): Group(1, 1)}
    methods = [Method.COPELAND]
    (waiting,) = compare_methods(_definition(contest), groups, methods)
    (drawn,) = compare_methods(_definition(contest), groups, methods, Hash32(b"\x07" * 32))
    results = [one.result for compared in (waiting, drawn) for one in compared.comparisons]
    assert [result is not None and result.outcome.waits_for_lot for result in results] == [True, True, False, False]
    assert len({result.winners for result in results[2:] if result}) == 1


@pytest.mark.parametrize("own", [Method.IRV, Method.SCHULZE, Method.BORDA])
@given(ballots_of(any_orders(4)), st.sampled_from(RANKED))
def test_compare__ranked_methods__count_as_if_the_contest_had_been_theirs(
    own: Method, orders: list[tuple[str, int]], method: Method
) -> None:
    contest = contest_of(own, 4)
    ballots = [(read_marks(order, 4), weight) for order, weight in orders if order]
    compared = _compare(contest, ballots, method)
    asked = find_reading(contest, method)
    assert isinstance(asked, Reading)
    groups = group_ballots((encode_ballot(marks), weight) for marks, weight in ballots)
    (expected,) = count_election(_definition(asked.contest), groups).contests
    assert compared.comparisons[-1].result == expected
    assert compared.comparisons[0].result == count_election(_definition(contest), groups).contests[0]


@given(
    st.lists(st.tuples(st.tuples(*[st.sampled_from([NO, *range(6)])] * 4), st.integers(1, 9)), min_size=1, max_size=9)
)
def test_compare__scores_by_pairs__prefer_whom_the_scores_prefer(ballots: list[tuple[Marks, int]]) -> None:
    contest = contest_of(Method.STAR, 4)
    result = _compare(contest, ballots, Method.SCHULZE).comparisons[1].result
    assert result is not None
    if result.counted.ballots:
        votes = next(entry.data["votes"] for entry in result.outcome.log if entry.kind == "pairwise")
        for one in range(4):
            for other in range(4):
                if one != other:
                    preferred = sum(weight for marks, weight in ballots if max(marks[one], 0) > max(marks[other], 0))
                    assert isinstance(votes, dict)
                    row = votes[f"o{one}"]
                    assert isinstance(row, dict)
                    assert row[f"o{other}"] == str(preferred)


def test_render_comparisons__table__has_a_row_for_every_method() -> None:
    ballots = [(read_marks(order, 4), weight) for order, weight in TENNESSEE]
    methods = (Method.BORDA, Method.SCORE)
    irv = replace(contest_of(Method.SCHULZE, 4, strength="margins"), title="Capital")
    lines = render_comparisons([_compare(irv, ballots, *methods)]).splitlines()
    assert lines[-6:] == [
        "Capital (schulze, 1 seat)",
        "-------------------------",
        "  method                        outcome         counted  blank  spoiled  how the ballots are read",
        "  schulze (strength margins)    B                     4      0        0  as they are",
        "  borda (equal_ranks averaged)  B                     4      0        0  as they are",
        "  score                         not comparable                           "
        "ranks do not say how much better one option is than the next",
    ]


def test_render_comparisons__tie__is_said() -> None:
    compared = _compare(contest_of(Method.SCHULZE, 2), [((1, 2), 1), ((2, 1), 1)], Method.COPELAND)
    assert "copeland  No winner: a tie between A and B" in render_comparisons([compared])


def test_comparison__json__has_settings_and_numbers() -> None:
    ballots = [(read_marks(order, 4), weight) for order, weight in TENNESSEE]
    written = _compare(contest_of(Method.IRV, 4), ballots, Method.PLURALITY).to_json()
    assert (written["id"], written["method"], written["seats"]) == ("c", "irv", 1)
    compared = written["compared"]
    assert isinstance(compared, list)
    assert compared[1] == {
        "method": "plurality",
        "comparable": True,
        "reading": "the first choice has the vote",
        "limits": {},
        "variants": {},
        "winners": ["o0"],
        "tied": [],
        "tied_for": None,
        "open_seats": 0,
        "waits_for_lot": False,
        "totals": {"o0": "42", "o1": "26", "o2": "15", "o3": "17"},
        "ballots": 4,
        "counted": 4,
        "blank": 0,
        "spoiled": {},
        "counted_weight": "100",
    }
    assert Comparison(Method.IRV, None, "why").to_json()["why"] == "why"
