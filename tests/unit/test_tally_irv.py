"""Instant-runoff voting: ties for elimination, against a search through every order, and the count log's words."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.election import Contest, Method, Option
from qballot.core.tally.irv import MAX_STANDING_SETS, count, find_possible_winners, read_order
from qballot.core.tally.outcome import Outcome

pytestmark = pytest.mark.unit


def _contest(options: int) -> Contest:
    titles = tuple(Option(chr(97 + index), chr(65 + index)) for index in range(options))
    return Contest("c", "C", "", Method.IRV, titles, limits={"max_ranks": options})


def _marks(order: tuple[int, ...], options: int) -> tuple[int, ...]:
    return tuple(order.index(option) + 1 if option in order else 0 for option in range(options))


def _count(options: int, *ballots: tuple[tuple[int, ...], int]) -> Outcome:
    return count(_contest(options), [(_marks(order, options), weight) for order, weight in ballots])


def _winners_of_every_order(ballots: list[tuple[tuple[int, ...], int]], standing: frozenset[int]) -> set[int]:
    """The rule without any short cut: one option at a time, every tied option tried, until one is left."""
    votes = Counter(dict.fromkeys(standing, 0))
    for order, weight in ballots:
        for option in order:
            if option in standing:
                votes[option] += weight
                break
    leader, most = votes.most_common(1)[0]
    if 2 * most > sum(votes.values()):
        return {leader}
    fewest = min(votes.values())
    winners: set[int] = set()
    for option in standing:
        if votes[option] == fewest:
            winners |= _winners_of_every_order(ballots, standing - {option})
    return winners


_orders = st.permutations(range(4)).flatmap(lambda order: st.integers(1, 4).map(lambda depth: tuple(order[:depth])))


@given(st.lists(st.tuples(_orders, st.integers(1, 3)), min_size=1, max_size=9))
def test_irv__any_ballots__elects_who_wins_in_every_order(ballots: list[tuple[tuple[int, ...], int]]) -> None:
    outcome = _count(4, *ballots)
    possible = tuple(sorted(_winners_of_every_order(ballots, frozenset(range(4)))))
    assert (outcome.winners or outcome.tied) == possible
    assert bool(outcome.winners) == (len(possible) == 1)


@pytest.mark.parametrize(
    ("marks", "order"),
    [((0, 0, 0), ()), ((3, 1, 2), (1, 2, 0)), ((0, 9, 4), (2, 1)), ((1, 0, 0), (0,))],
)
def test_read_order__ranks_with_gaps__only_order(marks: tuple[int, ...], order: tuple[int, ...]) -> None:
    assert read_order(marks) == order


def test_irv__tie_that_cannot_matter__goes_on_and_says_so() -> None:
    outcome = _count(4, ((0,), 5), ((1,), 4), ((2, 1), 1), ((3, 1), 1))
    assert [entry.kind for entry in outcome.log] == ["round", "elimination", "round", "outcome"]
    assert outcome.log[1].text == (
        "C and D have the fewest votes, 1 each and together fewer than any other, and are eliminated. "
        "Votes pass to B 2; exhausted 0."
    )
    assert outcome.winners == (1,)


def test_irv__tie_without_effect_on_the_winner__names_the_winner() -> None:
    outcome = _count(4, ((0,), 5), ((1, 0), 2), ((2, 0), 2), ((3,), 3))
    assert [entry.text for entry in outcome.log[1:]] == [
        "Round 1: B and C tie for the fewest votes, 2 each.",
        "A wins in whichever order tied options are eliminated.",
    ]
    assert (outcome.winners, outcome.tied) == ((0,), ())


def test_irv__tie_that_decides__is_between_those_who_can_win() -> None:
    outcome = _count(3, ((0,), 4), ((1, 2), 3), ((2, 1), 3))
    assert outcome.log[-2].to_json() == {
        "kind": "tie",
        "text": "Round 1: B and C tie for the fewest votes, 3 each.",
        "round": 1,
        "options": ["b", "c"],
        "possible_winners": ["b", "c"],
    }
    assert outcome.log[-1].text == "The order of elimination decides between B and C: they are tied, no winner."
    assert (outcome.winners, outcome.tied) == ((), (1, 2))


def test_irv__eight_equal_options__are_all_followed() -> None:
    outcome = _count(8, *(((option,), 1) for option in range(8)))
    assert outcome.log[-2].to_json()["possible_winners"] == list("abcdefgh")
    assert outcome.tied == tuple(range(8))


def test_irv__too_many_orders__ties_all_that_stand_and_says_so() -> None:
    ballots = [((option,), 1) for option in range(9)]
    outcome = _count(9, *ballots)
    assert find_possible_winners(ballots, frozenset(range(9))) is None
    assert 2**8 - 1 <= MAX_STANDING_SETS < 2**9 - 1
    assert outcome.log[-2].to_json()["possible_winners"] is None
    assert outcome.log[-1].text.startswith("Too many orders of elimination to follow: A, B, C, D, E, F, G, H and I are")
    assert outcome.tied == tuple(range(9))


def test_irv__largest_contest_all_tied__ends_quickly() -> None:
    assert len(_count(127, *(((option,), 1) for option in range(127))).tied) == 127


def test_irv__votes_without_a_next_choice__are_exhausted_in_the_log() -> None:
    outcome = _count(3, ((0,), 4), ((1,), 3), ((2,), 2))
    assert [entry.text for entry in outcome.log] == [
        "Round 1: A 4, B 3, C 2; exhausted 0.",
        "C has the fewest votes, 2, and is eliminated. No votes pass on; exhausted 2.",
        "Round 2: A 4, B 3; exhausted 2.",
        "A wins with 4 of 7 continuing votes, more than half.",
    ]
    assert outcome.totals == (4, 3, 2)
