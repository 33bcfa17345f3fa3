"""Instant-runoff voting: ties for elimination, against a search through every order, and the count log's words."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.election import Contest, Method, Option, TieRule
from qballot.core.tally.irv import RULES, find_reach
from qballot.core.tally.outcome import Outcome, TiedFor
from qballot.core.tally.ranks import find_first
from qballot.core.tally.rules import count_ballots
from qballot.core.tally.ties import Ties
from qballot.core.types import Hash32

pytestmark = pytest.mark.unit


def _contest(options: int) -> Contest:
    titles = tuple(Option(chr(97 + index), chr(65 + index)) for index in range(options))
    return Contest("c", "C", "", Method.IRV, titles, limits={"max_ranks": options})


def _marks(order: tuple[int, ...], options: int) -> tuple[int, ...]:
    return tuple(order.index(option) + 1 if option in order else 0 for option in range(options))


def _count(options: int, *ballots: tuple[tuple[int, ...], int]) -> Outcome:
    contest = _contest(options)
    ballots_of_marks = [(_marks(order, options), weight) for order, weight in ballots]
    return count_ballots(RULES, contest, ballots_of_marks, Ties(contest))


def _winners_of_every_order(ballots: list[tuple[tuple[int, ...], int]], standing: frozenset[int]) -> set[int]:
    """The rule without any short cut: one option at a time, every tied option tried, until one is left."""
    votes = Counter(dict.fromkeys(standing, 0))
    for order, weight in ballots:
        for option in order:
            if option in standing:
                votes[option] += weight
                break
    leader, most = votes.most_common(1)[0]
    if 2 * most > sum(votes.values()) or len(standing) == 1:
        return {leader}
    fewest = min(votes.values())
    winners: set[int] = set()
    for option in standing:
        if votes[option] == fewest:
            winners |= _winners_of_every_order(ballots, standing - {option})
    return winners


_orders = st.permutations(range(4)).flatmap(lambda order: st.integers(1, 4).map(lambda depth: tuple(order[:depth])))


_ballots = st.lists(st.tuples(_orders, st.integers(0, 3)), min_size=1, max_size=9)


@given(_ballots)
def test_irv__any_winner__wins_in_every_order(ballots: list[tuple[tuple[int, ...], int]]) -> None:
    outcome = _count(4, *ballots)
    possible = _winners_of_every_order(ballots, frozenset(range(4)))
    if outcome.winners:
        assert set(outcome.winners) == possible
    else:
        assert len(outcome.tied) >= 2


@given(_ballots)
def test_irv__any_tie_for_the_seat__is_between_those_who_can_win(ballots: list[tuple[tuple[int, ...], int]]) -> None:
    outcome = _count(4, *ballots)
    assert (outcome.tied_for is None) == (outcome.tied == ())
    if outcome.tied_for is TiedFor.SEAT:
        assert set(outcome.tied) == _winners_of_every_order(ballots, frozenset(range(4)))


@given(_ballots)
def test_irv__any_tie_for_elimination__is_of_the_lowest_of_the_last_round(
    ballots: list[tuple[tuple[int, ...], int]],
) -> None:
    outcome = _count(4, *ballots)
    if outcome.tied_for is TiedFor.ELIMINATION:
        last = [entry.to_json() for entry in outcome.log if entry.kind == "round"][-1]["votes"]
        assert isinstance(last, dict)
        votes = {option: int(str(text)) for option, text in last.items()}
        lowest = [ord(option) - 97 for option, number in votes.items() if number == min(votes.values())]
        assert list(outcome.tied) == lowest
        assert len(votes) > 2


@pytest.mark.parametrize(
    ("marks", "options", "first"),
    [
        ((0, 0, 0), (0, 1, 2), -1),
        ((3, 1, 2), (0, 1, 2), 1),
        ((0, 9, 4), (2, 1), 2),
        ((3, 1, 2), (0, 2), 2),
        ((1,), (), -1),
    ],
)
def test_find_first__ranks_with_gaps__only_order(marks: tuple[int, ...], options: tuple[int, ...], first: int) -> None:
    assert find_first(marks, options) == first


def test_irv__tie_that_cannot_matter__goes_on_and_says_so() -> None:
    outcome = _count(4, ((0,), 5), ((1,), 4), ((2, 1), 1), ((3, 1), 1))
    assert [entry.kind for entry in outcome.log] == ["round", "elimination", "round", "outcome"]
    assert outcome.log[1].text == (
        "C and D have together fewer votes, 2, than any other option, and are eliminated. "
        "Votes pass to B 2; exhausted 0."
    )
    assert outcome.winners == (1,)


def test_irv__tied_options_and_those_just_above__go_out_together() -> None:
    outcome = _count(5, ((0,), 20), ((1,), 18), ((2, 1), 3), ((3, 1), 2), ((4, 1), 2))
    assert outcome.log[1].to_json()["options"] == ["c", "d", "e"]
    assert outcome.winners == (1,)


def test_irv__leader_whom_nobody_can_reach__wins_despite_the_tie() -> None:
    outcome = _count(4, ((0,), 5), ((1, 0), 2), ((2, 0), 2), ((3,), 3))
    assert [entry.to_json() for entry in outcome.log[1:]] == [
        {
            "kind": "tie_without_effect",
            "text": (
                "Round 1: B and C tie for the fewest votes, 2 each. Their order does not matter: "
                "A has 5, more than any other can get while A stands (D 3, B 2, C 2)."
            ),
            "round": 1,
            "options": ["b", "c"],
            "leading": ["a"],
            "reach": {"b": "2", "c": "2", "d": "3"},
        },
        {
            "kind": "outcome",
            "text": "A wins in whichever order tied options are eliminated.",
            "winners": ["a"],
            "tied": [],
        },
    ]
    assert (outcome.winners, outcome.tied, outcome.tied_for) == ((0,), (), None)


def test_irv__many_small_equal_options__do_not_hide_who_wins() -> None:
    small = [((option, 0), 2) for option in range(2, 11)]
    assert _count(11, ((0,), 10), ((1,), 9), *small).winners == (0,)


def test_irv__tie_for_elimination__stops_the_count_and_says_what_is_open() -> None:
    outcome = _count(3, ((0,), 4), ((1, 2), 3), ((2, 1), 3))
    assert [entry.to_json() for entry in outcome.log[1:]] == [
        {
            "kind": "tie_for_elimination",
            "text": (
                "Round 1: B and C tie for the fewest votes, 3 each, and their order may decide who wins. "
                "The count stops here; A leads with 4."
            ),
            "round": 1,
            "options": ["b", "c"],
            "leading": ["a"],
        },
        {
            "kind": "outcome",
            "text": "Undecided: B and C tie for elimination in round 1. No winner.",
            "winners": [],
            "tied": ["b", "c"],
            "tied_for": "elimination",
        },
    ]
    assert (outcome.winners, outcome.tied, outcome.tied_for) == ((), (1, 2), TiedFor.ELIMINATION)


def test_irv__two_leaders_above_a_tie__are_both_named() -> None:
    outcome = _count(4, ((0,), 4), ((1,), 4), ((2,), 3), ((3,), 3))
    assert outcome.log[-2].text.endswith("The count stops here; A and B lead with 4 each.")
    assert outcome.tied == (2, 3)


def test_irv__two_equal_options_left__tie_for_the_seat() -> None:
    outcome = _count(3, ((0,), 3), ((1,), 2), ((2, 1), 1))
    assert (
        outcome.log[-1].text == "Round 2: A and B tie for the fewest votes, 3 each, and nobody else stands: no winner."
    )
    assert outcome.log[-1].to_json()["tied_for"] == "seat"
    assert (outcome.tied, outcome.tied_for) == ((0, 1), TiedFor.SEAT)


def test_irv__largest_contest_all_equal__ends_at_once() -> None:
    outcome = _count(127, *(((option, *range(option), *range(option + 1, 127)), 1) for option in range(127)))
    assert (len(outcome.tied), outcome.tied_for) == (127, TiedFor.ELIMINATION)
    assert outcome.log[-2].text.endswith("The count stops here; nobody leads.")


@pytest.mark.parametrize("options", [1, 2, 3, 127])
def test_irv__ballots_without_weight__never_raise(options: int) -> None:
    outcome = _count(options, *(((option,), 0) for option in range(options)))
    assert outcome.totals == (0,) * options


def test_find_reach__ballots_before_and_behind_the_leader__counts_those_before() -> None:
    ballots = [((1, 0, 2), 5), ((2, 3, 1), 3), ((0, 1), 7), ((3, 2, 0), 1)]
    marked = [(_marks(order, 4), weight) for order, weight in ballots]
    assert find_reach(marked, frozenset({0, 1, 2}), 0) == {1: 8, 2: 4}


def test_irv__votes_without_a_next_choice__are_exhausted_in_the_log() -> None:
    outcome = _count(3, ((0,), 4), ((1,), 3), ((2,), 2))
    assert [entry.text for entry in outcome.log] == [
        "Round 1: A 4, B 3, C 2; exhausted 0.",
        "C has the fewest votes, 2, and is eliminated. No votes pass on; exhausted 2.",
        "Round 2: A 4, B 3; exhausted 2.",
        "A wins with 4 of 7 continuing votes, more than half.",
    ]
    assert outcome.totals == (4, 3, 2)


def _count_by_lot(ballots: list[tuple[tuple[int, ...], int]]) -> Outcome:
    contest = replace(_contest(4), tie=TieRule.LOT)
    marked = [(_marks(order, 4), weight) for order, weight in ballots]
    return count_ballots(RULES, contest, marked, Ties(contest, Hash32(bytes(32))))


@given(_ballots, _orders)
def test_irv__later_choices__never_harm_an_earlier_one(
    ballots: list[tuple[tuple[int, ...], int]], order: tuple[int, ...]
) -> None:
    for length in range(1, len(order)):
        (before,) = _count_by_lot([*ballots, (order[:length], 1)]).winners
        (after,) = _count_by_lot([*ballots, (order, 1)]).winners
        if before in order[:length]:
            assert after == before


@given(_ballots)
def test_irv__losing_clone__changes_no_winner(ballots: list[tuple[tuple[int, ...], int]]) -> None:
    outcome = _count(4, *ballots)
    for option in set(range(4)) - {*outcome.winners}:
        if outcome.winners and sum(weight for _, weight in ballots):
            # The clone stands right behind its original on every ballot.
            cloned = [
                (tuple(one for other in order for one in ((other, 4) if other == option else (other,))), weight)
                for order, weight in ballots
            ]
            with_clone = _count(5, *cloned)
            assert with_clone.winners in {outcome.winners, ()}


def test_irv__more_support__may_make_the_winner_lose() -> None:
    """Ten voters who move the winner up make it lose: the example of Wikipedia's article on monotonicity."""
    assert _count(3, ((0, 1, 2), 39), ((1, 2, 0), 35), ((2, 0, 1), 26)).winners == (0,)
    assert _count(3, ((0, 1, 2), 49), ((1, 2, 0), 25), ((2, 0, 1), 26)).winners == (2,)


def test_irv__option_that_beats_every_other__may_lose() -> None:
    outcome = _count(3, ((0, 1, 2), 4), ((1, 0, 2), 1), ((1, 2, 0), 1), ((2, 1, 0), 3))
    assert outcome.winners == (0,)
