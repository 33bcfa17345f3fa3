"""The running count: whatever was added and taken away, its result is that of the ballots that are there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.ballot import Group, encode_ballot, group_ballots
from qballot.core.election import Contest, Definition, Method, Option, TieRule
from qballot.core.tally import METHODS, RunningCount, count_election
from qballot.core.tally.words import Form
from qballot.core.types import Hash32

pytestmark = pytest.mark.unit

OPTIONS = 5
MIX = Hash32(b"\x07" * 32)


def _definition(tie: TieRule) -> Definition:
    """One contest for every method, with seats where it has them."""
    options = tuple(Option(f"o{index}", f"O{index}") for index in range(OPTIONS))
    contests = []
    for method, rules in METHODS.items():
        seats = min(2, rules.max_seats)
        limits = {limit.name: limit.default(OPTIONS, seats) for limit in rules.limits}
        contests.append(Contest(f"c-{method}", f"By {method}", "", method, options, seats, tie, limits))
    return Definition("T", "", "", "en", tuple(contests))


_ranks = st.permutations([1, 2, 3, 4, 5]).flatmap(
    lambda ranks: st.integers(0, OPTIONS).map(lambda depth: [rank if rank <= depth else 0 for rank in ranks])
)
_marks = {
    Form.MARK: st.lists(st.sampled_from([0, 0, 1]), min_size=OPTIONS, max_size=OPTIONS),
    Form.ORDER: _ranks,
    Form.NUMBER: st.lists(st.sampled_from([-128, 0, 1, 3, 5]), min_size=OPTIONS, max_size=OPTIONS),
}
_ballots = st.tuples(*(_marks[rules.words.form] for rules in METHODS.values())).map(
    lambda parts: encode_ballot([mark for part in parts for mark in part])
)
_steps = st.lists(st.tuples(_ballots | st.binary(max_size=3), st.integers(0, 3), st.booleans()), max_size=14)


@given(_steps, st.sampled_from(list(TieRule)), st.integers(0, 6))
def test_running__ballots_come_and_go__the_result_is_that_of_those_there(
    steps: list[tuple[bytes, int, bool]], tie: TieRule, gone: int
) -> None:
    definition = _definition(tie)
    running = RunningCount(definition)
    there: list[tuple[bytes, int]] = []
    for ballot, weight, asks in steps:
        running.add(ballot, 1, weight)
        there.append((ballot, weight))
        if asks:
            assert running.result(MIX) == count_election(definition, group_ballots(there), MIX)
    for ballot, weight in there[:gone]:
        running.add(ballot, -1, -weight)
    assert running.result(MIX) == count_election(definition, group_ballots(there[gone:]), MIX)
    assert running.result() == count_election(definition, group_ballots(there[gone:]))


def test_running__elimination_that_turns_out_otherwise__passes_ballots_on_anew() -> None:
    options = tuple(Option(name, name.upper()) for name in "abc")
    contest = Contest("c", "C", "", Method.IRV, options, limits={"max_ranks": 3})
    definition = Definition("T", "", "", "en", (contest,))
    running = RunningCount(definition)
    running.add_groups({b"\1\0\2": Group(5, 5), b"\0\1\2": Group(4, 4), b"\2\0\1": Group(3, 3)})
    assert running.result().contests[0].winners == ("a",)
    running.add(b"\0\0\1", 3, 3)
    assert running.result().contests[0].winners == ("c",)
    running.add(b"\0\0\1", -3, -3)
    assert running.result().contests[0].winners == ("a",)


@pytest.mark.parametrize("weights", [[1, 1, 1], [2**96 - 1, 1, 5], []])
def test_group_ballots__any_weights__are_added_up_exactly(weights: list[int]) -> None:
    ballots = [(b"a", weight) for weight in weights] + [(b"b", weight) for weight in weights[:1]]
    expected = {b"a": Group(len(weights), sum(weights)), b"b": Group(1, weights[0])} if weights else {}
    assert group_ballots(iter(ballots)) == expected
