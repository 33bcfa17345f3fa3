"""Ties: the lot's order, earlier rounds, last seats, and that nothing is decided that the rule does not decide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.ballot import Group, encode_ballot
from qballot.core.election import Contest, Definition, Method, Option, TieRule
from qballot.core.keccak import keccak
from qballot.core.tally import count_election, render_text
from qballot.core.tally.greatest import find_greatest
from qballot.core.tally.irv import RULES as IRV
from qballot.core.tally.lot import draw_order
from qballot.core.tally.outcome import Outcome, TiedFor
from qballot.core.tally.rules import count_ballots
from qballot.core.tally.ties import Fate, Ties
from qballot.core.types import Hash32

pytestmark = pytest.mark.unit

MIX = Hash32(bytes(range(32)))
OTHER_MIX = Hash32(bytes(range(1, 33)))
OPTIONS = tuple(Option(name, name.upper()) for name in "abcd")
BLOCK = Contest("c", "C", "", Method.BLOCK_PLURALITY, OPTIONS, seats=2, limits={"max_choices": 2})
RANKED = Contest("c", "C", "", Method.IRV, OPTIONS, limits={"max_ranks": 4})


def _count(contest: Contest, votes: dict[tuple[int, ...], int], lot: Hash32 | None = None) -> Outcome:
    groups = {encode_ballot(marks): Group(number, number) for marks, number in votes.items()}
    return count_election(Definition("T", "", "", "en", (contest,)), groups, lot).contests[0].outcome


def _text(contest: Contest, votes: dict[tuple[int, ...], int], lot: Hash32 | None = None) -> str:
    groups = {encode_ballot(marks): Group(number, number) for marks, number in votes.items()}
    return render_text(count_election(Definition("T", "", "", "en", (contest,)), groups, lot))


def test_draw_order__keys__are_hashes_of_mix_contest_and_option() -> None:
    keys = {
        place: keccak(MIX + keccak(b"c") + keccak(option.id.encode())).hex() for place, option in enumerate(OPTIONS)
    }
    assert list(draw_order(BLOCK, MIX)) == sorted(keys, key=lambda place: keys[place])
    assert draw_order(BLOCK, MIX) != draw_order(BLOCK, OTHER_MIX)
    assert draw_order(BLOCK, MIX) != draw_order(replace(BLOCK, id="d"), MIX)


@given(st.permutations(OPTIONS), st.binary(min_size=32, max_size=32))
def test_draw_order__options_in_another_order__are_drawn_alike(options: list[Option], mix: bytes) -> None:
    moved = replace(BLOCK, options=tuple(options))
    drawn = [OPTIONS[place].id for place in draw_order(BLOCK, Hash32(mix))]
    assert [moved.options[place].id for place in draw_order(moved, Hash32(mix))] == drawn


def test_draw_order__all_mixes__favour_nobody() -> None:
    firsts = [draw_order(BLOCK, keccak(number.to_bytes(2, "big")))[0] for number in range(2_000)]
    assert all(400 < firsts.count(option) < 600 for option in range(4))


@pytest.mark.parametrize(
    ("totals", "seats", "certain", "tied"),
    [
        ([9, 7, 5, 5, 5], 3, (0, 1), (2, 3, 4)),
        ([5, 5, 5], 3, (0, 1, 2), ()),
        ([1, 2, 3], 1, (2,), ()),
        ([0, 0], 1, (), (0, 1)),
        ([-1, -2, -2], 2, (0,), (1, 2)),
        ([4, 4, 1], 2, (0, 1), ()),
    ],
)
def test_find_greatest__last_seats__are_open_between_equal_totals(
    totals: list[int], seats: int, certain: tuple[int, ...], tied: tuple[int, ...]
) -> None:
    assert find_greatest(totals, seats) == (certain, tied)


VOTES = {(1, 1, 0, 0): 3, (1, 0, 1, 0): 3, (0, 0, 0, 1): 1}


def test_block_plurality__tie_for_the_last_seat__keeps_who_is_certain() -> None:
    outcome = _count(BLOCK, VOTES)
    assert (outcome.winners, outcome.tied, outcome.tied_for) == ((0,), (1, 2), TiedFor.SEAT)
    assert outcome.log[-1].text == (
        "A wins with 6 votes. B and C tie for 1 of 2 seats with 3 votes each: these seats are not filled."
    )
    assert "Winner: A; a tie for 1 seat between B and C\n" in _text(BLOCK, VOTES)


def test_block_plurality__lot__waits_and_then_decides() -> None:
    contest = replace(BLOCK, tie=TieRule.LOT)
    waiting = _count(contest, VOTES)
    assert (waiting.winners, waiting.tied, waiting.waits_for_lot) == ((0,), (1, 2), True)
    assert waiting.log[-1].to_json()["waits_for_lot"] is True
    assert "Winner: A; a tie for 1 seat between B and C, waiting for the lot\n" in _text(contest, VOTES)
    drawn = _count(contest, VOTES, MIX)
    favoured = next(option for option in draw_order(contest, MIX) if option in (1, 2))
    assert (drawn.winners, drawn.tied, drawn.waits_for_lot) == ((0, favoured), (), False)
    broken = drawn.log[-2].to_json()
    assert (broken["kind"], broken["by"], broken["mix"]) == ("tie_broken", "lot", "0x" + MIX.hex())
    assert (broken["options"], broken["taken"], broken["fate"]) == (["b", "c"], [OPTIONS[favoured].id], "wins")


def test_plurality__previous_rounds__are_none_and_the_tie_is_reported() -> None:
    contest = Contest("c", "C", "", Method.PLURALITY, OPTIONS, tie=TieRule.PREVIOUS_ROUNDS)
    outcome = _count(contest, {(1, 0, 0, 0): 1, (0, 1, 0, 0): 1})
    assert (outcome.winners, outcome.tied, outcome.waits_for_lot) == ((), (0, 1), False)


def test_approval__everybody_has_a_seat__all_win() -> None:
    contest = Contest("c", "C", "", Method.APPROVAL, OPTIONS, seats=4, limits={"max_choices": 4})
    assert _count(contest, {(1, 0, 0, 0): 1}).winners == (0, 1, 2, 3)


IRV_VOTES = {(1, 0, 0, 0): 6, (0, 1, 2, 0): 3, (0, 2, 1, 0): 4, (0, 1, 0, 2): 1, (0, 0, 0, 1): 4}
"""A 6, B 4, C 4, D 4: three tie for elimination in round 1."""

IRV_LATER = {(1, 0, 0, 0): 7, (0, 1, 0, 0): 4, (0, 2, 1, 0): 3, (0, 0, 2, 1): 1}
"""A 7, B 4, C 3, D 1; then C has 4 as B: in round 1 C had fewer."""


def test_irv__lot__takes_one_of_the_tied_out_and_goes_on() -> None:
    contest = replace(RANKED, tie=TieRule.LOT)
    assert _count(contest, IRV_VOTES).waits_for_lot
    outcome = _count(contest, IRV_VOTES, MIX)
    last = [option for option in draw_order(contest, MIX) if option != 0][-1]
    elimination = next(entry for entry in outcome.log if entry.kind == "elimination")
    assert elimination.to_json()["options"] == [OPTIONS[last].id]
    assert " is eliminated, as the tie was broken. Votes pass" in elimination.text or "No votes" in elimination.text
    assert len(outcome.winners) == 1


def test_irv__previous_rounds__tell_equal_options_apart() -> None:
    stopped = _count(RANKED, IRV_LATER)
    assert (stopped.tied, stopped.tied_for) == ((1, 2), TiedFor.ELIMINATION)
    outcome = _count(replace(RANKED, tie=TieRule.PREVIOUS_ROUNDS), IRV_LATER)
    broken = next(entry for entry in outcome.log if entry.kind == "tie_broken")
    assert broken.text == (
        "Round 2: B and C tie for the fewest votes, 4 each. "
        "Earlier rounds decide: in round 1 C had the fewest, 3; C goes out."
    )
    assert outcome.winners == (0,)
    both = _count(replace(RANKED, tie=TieRule.PREVIOUS_ROUNDS_THEN_LOT), IRV_LATER)
    assert both.log == outcome.log


def test_irv__two_equal_options_left__lot_and_rounds_name_the_winner() -> None:
    votes = {(1, 0, 0, 0): 3, (0, 1, 0, 0): 2, (0, 2, 1, 0): 1}
    rounds = _count(replace(RANKED, tie=TieRule.PREVIOUS_ROUNDS), votes)
    assert (rounds.winners, rounds.log[-1].text) == ((0,), "A wins, as the tie was broken.")
    waiting = _count(replace(RANKED, tie=TieRule.LOT), votes)
    assert waiting.log[-1].text.endswith("and nobody else stands: waiting for the lot.")
    drawn = _count(replace(RANKED, tie=TieRule.LOT), votes, MIX)
    assert drawn.winners == (next(option for option in draw_order(RANKED, MIX) if option in (0, 1)),)


_orders = st.permutations(range(4)).flatmap(lambda order: st.integers(1, 4).map(lambda depth: tuple(order[:depth])))


@given(st.lists(st.tuples(_orders, st.integers(0, 4)), min_size=1, max_size=9))
def test_irv__lot__is_plain_elimination_one_by_one_from_the_lots_end(
    ballots: list[tuple[tuple[int, ...], int]],
) -> None:
    contest = replace(RANKED, tie=TieRule.LOT)
    marked = [(tuple(order.index(o) + 1 if o in order else 0 for o in range(4)), weight) for order, weight in ballots]
    outcome = count_ballots(IRV, contest, marked, Ties(contest, MIX))
    favour = draw_order(contest, MIX)
    standing = set(range(4))
    while len(standing) > 1:
        votes = dict.fromkeys(standing, 0)
        for order, weight in ballots:
            for option in order:
                if option in standing:
                    votes[option] += weight
                    break
        standing.remove(min(standing, key=lambda option: (votes[option], -favour.index(option))))
    assert outcome.winners == tuple(standing)


def test_take__several_of_many__go_by_rounds_one_after_another() -> None:
    contest = replace(RANKED, tie=TieRule.PREVIOUS_ROUNDS_THEN_LOT)
    rounds = [{0: 1, 1: 2, 2: 2, 3: 3}, {0: 5, 1: 5, 2: 5, 3: 5}]
    decision = Ties(contest, MIX).take([0, 1, 2, 3], "All tie", Fate.WINS, 2, rounds)
    favoured = next(option for option in draw_order(contest, MIX) if option in (1, 2))
    assert decision.taken == (3, favoured)
    assert [entry.to_json()["by"] for entry in decision.log] == ["previous-rounds", "lot"]
    assert Ties(contest).take([0, 1, 2, 3], "All tie", Fate.WINS, 2, rounds).waits
    assert Ties(contest, MIX).take([0, 1], "Both tie", Fate.WINS, 1, [{0: 1, 1: 2}, {}]).taken == (1,)
    reported = Ties(replace(contest, tie=TieRule.PREVIOUS_ROUNDS)).take([0, 1, 2], "Tie", Fate.WINS, 2, rounds)
    assert (reported.taken, reported.log, reported.waits) == ((), (), False)
