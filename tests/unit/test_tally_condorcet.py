"""Pairs, Schulze, ranked pairs, minimax and Copeland: the log on the vectors, and each step against its definition."""

from __future__ import annotations

import json
import time
from itertools import chain, combinations, pairwise, permutations, product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranked_ballots import any_orders, ballots_of, contest_of, count, data_of, read_marks, winners

from qballot.core.ballot import Group
from qballot.core.definition import parse_definition_document
from qballot.core.election import Method, TieRule
from qballot.core.tally import METHODS, count_election
from qballot.core.tally.locking import PairFate, list_pairs, lock_pairs
from qballot.core.tally.option_sets import list_members, make_set
from qballot.core.tally.outcome import TiedFor
from qballot.core.tally.pairwise import compare
from qballot.core.tally.rules import SpoilReason
from qballot.core.tally.schulze import find_strongest_paths
from qballot.core.tally.seats_by_order import Order, split_by_order
from qballot.core.tally.ties import Ties
from qballot.core.types import Hash32

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
CASES = json.loads((ROOT / "tests" / "vectors" / "tally_condorcet.json").read_text(encoding="utf-8"))["cases"]
CASES += json.loads((ROOT / "tests" / "vectors" / "tally_borda.json").read_text(encoding="utf-8"))["cases"]
PAIR_METHODS = [Method.COPELAND, Method.SCHULZE, Method.RANKED_PAIRS, Method.MINIMAX]
CIRCLE = [("A>B>C", 1), ("B>C>A", 1), ("C>A>B", 1)]
LOT = Hash32(bytes([7]) * 32)


@pytest.mark.parametrize("case", [case for case in CASES if "steps" in case], ids=lambda case: case["name"])
def test_log__vector__holds_the_steps(case: dict[str, Any]) -> None:
    definition, _ = parse_definition_document(json.dumps(case["definition"]))
    groups = {bytes.fromhex(row["ballot"][2:]): Group(row["ballots"], int(row["weight"])) for row in case["groups"]}
    (contest,) = count_election(definition, groups).contests
    log = [entry.to_json() for entry in contest.outcome.log]
    for step in case["steps"]:
        assert step in [{key: entry.get(key) for key in step} for entry in log if entry["kind"] == step["kind"]]


@given(st.lists(st.tuples(any_orders(4), st.integers(-3, 2**96 - 1)), min_size=1, max_size=6))
def test_pairs__any_ballots__are_what_each_ballot_says_of_each_pair(ballots: list[tuple[str, int]]) -> None:
    # Sums may be less than nothing on the way: some weights are taken away here before they are put in.
    ballots = [*ballots, *((order, 3) for order, _ in ballots)]
    votes = [[0] * 4 for _ in range(4)]
    for order, weight in ballots:
        places = [mark or 9 for mark in read_marks(order, 4)]
        for one, other in permutations(range(4), 2):
            votes[one][other] += weight if places[one] < places[other] else 0
    logged = data_of(count(Method.COPELAND, ballots, 4), "pairwise")["votes"]
    assert logged == {
        f"o{one}": {f"o{other}": str(votes[one][other]) for other in range(4) if other != one} for one in range(4)
    }


_matrices = st.integers(2, 5).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, 3), min_size=size, max_size=size), min_size=size, max_size=size)
)


@given(_matrices)
def test_smith_set__any_pairs__is_the_smallest_that_beats_everybody_outside(votes: list[list[int]]) -> None:
    pairs, options = compare(votes), range(len(votes))
    sets = chain.from_iterable(combinations(options, size) for size in range(1, len(votes) + 1))
    smallest = next(
        found for found in sets if all(votes[a][b] > votes[b][a] for a in found for b in options if b not in found)
    )
    assert tuple(pairs.find_smith_set()) == smallest
    winner = pairs.find_condorcet_winner()
    assert (winner is not None) == (len(smallest) == 1)
    assert winner in (None, smallest[0])


def _defeats(votes: list[list[int]]) -> list[list[int]]:
    return [
        [mine if mine > votes[other][one] and one != other else 0 for other, mine in enumerate(row)]
        for one, row in enumerate(votes)
    ]


@given(_matrices)
def test_strongest_paths__any_defeats__are_the_strongest_of_all_chains(votes: list[list[int]]) -> None:
    defeats, options = _defeats(votes), range(len(votes))
    for start in options:
        paths = find_strongest_paths(defeats, start)
        for end in options:
            if end == start:
                continue
            between = [option for option in options if option not in (start, end)]
            chains = (
                (start, *middle, end) for size in range(len(between) + 1) for middle in permutations(between, size)
            )
            best = max(min(defeats[a][b] for a, b in pairwise(one)) for one in chains)
            assert paths.strengths[end] == best
            found = [end]
            while found[-1] != start:
                found.append(paths.before[found[-1]])
            assert min(defeats[a][b] for b, a in pairwise(found)) == best or best == 0


def _lock_in_every_order(defeats: list[list[int]]) -> list[dict[tuple[int, int], bool]]:
    """Whether each defeat is locked, in every order of equal defeats, by walking all of them."""
    pairs = [(a, b) for a, row in enumerate(defeats) for b, strength in enumerate(row) if strength]
    strengths = sorted({defeats[a][b] for a, b in pairs}, reverse=True)
    groups = [list(permutations(pair for pair in pairs if defeats[pair[0]][pair[1]] == one)) for one in strengths]
    results = []
    for order in product(*groups):
        locked: dict[tuple[int, int], bool] = {}
        for winner, loser in chain.from_iterable(order):
            reached, seen = {loser}, set[int]()
            while reached - seen:
                one = (reached - seen).pop()
                seen.add(one)
                reached |= {b for (a, b), kept in locked.items() if kept and a == one}
            locked[winner, loser] = winner not in reached
        results.append(locked)
    return results


@given(st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=4, max_size=4).map(_defeats))
def test_lock_pairs__any_defeats__says_what_every_order_says(defeats: list[list[int]]) -> None:
    every = _lock_in_every_order(defeats)
    for step in lock_pairs(4, list_pairs(defeats)).steps:
        fates = {one[step.pair.winner, step.pair.loser] for one in every}
        assert step.fate is PairFate.OPEN or fates == {step.fate is PairFate.LOCKED}


@given(ballots_of(any_orders(4)))
def test_ranked_pairs__any_lot__is_one_of_the_orders_and_leaves_nothing_open(ballots: list[tuple[str, int]]) -> None:
    outcome = count(Method.RANKED_PAIRS, ballots, 4, lot=LOT, tie=TieRule.LOT)
    reported = count(Method.RANKED_PAIRS, ballots, 4)
    assert len(outcome.winners) == 1
    assert outcome.winners[0] in (*reported.winners, *reported.tied)
    steps = [dict(entry.data) for entry in outcome.log if entry.kind == "pair"]
    if not reported.winners:
        assert all(step["fate"] != "open" for step in steps)


def test_lock_pairs__the_example_of_the_module__is_as_it_says() -> None:
    a, b, c, d = range(4)
    defeats = [[0] * 4 for _ in range(4)]
    for winner, loser, strength in [(a, b, 8), (b, c, 5), (c, a, 5), (d, c, 5), (b, d, 4)]:
        defeats[winner][loser] = strength
    fates = {(step.pair.winner, step.pair.loser): step.fate.value for step in lock_pairs(4, list_pairs(defeats)).steps}
    assert fates == {(a, b): "locked", (b, c): "open", (c, a): "open", (d, c): "locked", (b, d): "open"}


def test_ranked_pairs__open_pairs_that_do_not_matter__are_said_and_a_lot_is_not_waited_for() -> None:
    ballots = [("D>A>B>C", 1), ("D>B>C>A", 1), ("D>C>A>B", 1)]
    outcome = count(Method.RANKED_PAIRS, ballots, 4, tie=TieRule.LOT)
    assert (outcome.winners, outcome.waits_for_lot) == ((3,), False)
    assert [entry.text for entry in outcome.log if entry.kind == "open_pairs"] == [
        "Whether A over B, B over C and C over A are locked depends on the order of equal defeats, which does not "
        "change who wins."
    ]


def test_ranked_pairs__previous_rounds_and_lot_unknown__the_tie_stands() -> None:
    for tie, waits in [(TieRule.PREVIOUS_ROUNDS, False), (TieRule.PREVIOUS_ROUNDS_THEN_LOT, True)]:
        outcome = count(Method.RANKED_PAIRS, CIRCLE, 3, tie=tie)
        assert (outcome.tied, outcome.tied_for, outcome.waits_for_lot) == ((0, 1, 2), TiedFor.SEAT, waits)


def test_split_by_order__options_side_by_side__tie_for_what_is_left() -> None:
    order = Order([make_set([1, 3]), 0, make_set([3]), 0], "by hand")
    assert [split_by_order(order, seats) for seats in (1, 2, 3, 4)] == [
        ([], [0, 2]),
        ([0], [1, 2]),
        ([0, 2], [1, 3]),
        ([0, 1, 2, 3], []),
    ]
    assert list_members(make_set([5, 0, 126])) == [0, 5, 126]


@pytest.mark.parametrize("method", [Method.SCHULZE, Method.RANKED_PAIRS, Method.MINIMAX])
@given(ballots=ballots_of(any_orders(4)), seats=st.integers(1, 4))
def test_seats__any_number__follow_the_order_and_the_lot_fills_all(
    method: Method, ballots: list[tuple[str, int]], seats: int
) -> None:
    outcome = count(method, ballots, 4, seats=seats)
    assert len(outcome.winners) + len(outcome.tied) > seats or len(outcome.winners) == seats
    drawn = count(method, ballots, 4, lot=LOT, seats=seats, tie=TieRule.LOT)
    assert len(drawn.winners) == seats
    assert {*outcome.winners} <= {*drawn.winners} <= {*outcome.winners, *outcome.tied}


def test_schulze__two_seats_by_lot__nobody_is_passed_over_by_somebody_below() -> None:
    # A is above D, B above C; A and B, then B and D or A and C, stand side by side.
    ballots = [("A>B>C>D", 3), ("C>B>D>A", 2), ("D>A>B>C", 2), ("D>B>C>A", 2)]
    for seed in range(16):
        outcome = count(Method.SCHULZE, ballots, 4, lot=Hash32(bytes([seed]) * 32), seats=3, tie=TieRule.LOT)
        assert outcome.winners in [(0, 1, 3), (1, 2, 3)]


def test_log__schulze_and_ranked_pairs__say_every_step_in_words() -> None:
    ballots = [("A>B>C", 4), ("B>C>A", 3), ("C>A>B", 2)]
    assert [entry.text for entry in count(Method.SCHULZE, ballots, 3).log] == [
        "Pair by pair, the votes that rank one above the other: A 6, B 3; A 4, C 5; B 7, C 2.",
        "No option beats every other one, so there is no Condorcet winner. Smith set, the smallest whose members beat "
        "all others: A, B and C.",
        "Strongest paths: A to B 6; A to C 6 through B; B to A 5 through C; B to C 7; C to A 5; C to B 5 through A.",
        "By the strongest paths: A is above B and C; B is above C; C is above nobody.",
        "A wins by the strongest paths.",
    ]
    assert [entry.text for entry in count(Method.RANKED_PAIRS, ballots, 3).log[2:]] == [
        "B over C, 7 to 2: locked.",
        "A over B, 6 to 3: locked.",
        "C over A, 5 to 4: skipped, since A is above C already through B.",
        "By the locked pairs: A is above B and C; B is above C; C is above nobody.",
        "A wins by the locked pairs.",
    ]
    assert [entry.text for entry in count(Method.MINIMAX, ballots, 3).log[2:]] == [
        "Worst defeats: A 5 by C; B 6 by A; C 7 by B.",
        "A wins by the weakest worst defeat.",
    ]
    assert [entry.text for entry in count(Method.COPELAND, CIRCLE, 3).log[2:]] == [
        "Pairs won, lost and tied: A 1, 1 and 0; B 1, 1 and 0; C 1, 1 and 0. A win is a point, a loss a point less.",
        "Points: A 0, B 0, C 0.",
        "A, B and C tie with 0 points each: no winner.",
    ]


@pytest.mark.parametrize("method", PAIR_METHODS)
def test_find_fault__ranks__equal_ones_and_gaps_are_allowed(method: Method) -> None:
    rules, contest = METHODS[method], contest_of(method, 3, max_ranks=2)
    assert rules.find_fault(contest, (1, 1, 0)) is None
    assert rules.find_fault(contest, (3, 0, 1)) is None
    assert rules.find_fault(contest, (1, 2, 3)) is SpoilReason.TOO_MANY_CHOICES
    assert rules.find_fault(contest, (4, 0, 0)) is SpoilReason.OUT_OF_RANGE
    assert rules.find_fault(contest, (-1, 1, 0)) is SpoilReason.OUT_OF_RANGE
    assert "share a rank" in rules.explain_marks(contest)


@pytest.mark.parametrize("strength", ["winning-votes", "margins"])
def test_strength__equal_ranks__can_decide_otherwise(strength: str) -> None:
    # The example of W. D. Smith, rangevoting.org/WinningVotes.html.
    ballots = [("B>C>A", 9), ("A=C>B", 6), ("A>B>C", 5)]
    expected = {"winning-votes": "A", "margins": "B"}[strength]
    for method in (Method.SCHULZE, Method.RANKED_PAIRS, Method.MINIMAX):
        assert winners(method, ballots, 3, strength=strength) == expected


@pytest.mark.parametrize("method", PAIR_METHODS)
def test_count__largest_contest__ends_in_time(method: Method) -> None:
    contest, random = contest_of(method, 127), Random(5)
    sums = METHODS[method].open(contest)
    for _ in range(20):
        sums.add(tuple(random.sample(range(1, 128), 127)), random.randint(1, 2**96 - 1))
    started = time.process_time()
    assert sums.count(Ties(contest)).totals
    assert time.process_time() - started < 20
