"""What holds for every election, whatever its ballots."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.ballot import Group, encode_ballot, group_ballots
from qballot.core.election import Contest, Definition, Method, Option
from qballot.core.tally import METHODS, count_election, render_text
from qballot.core.tally.words import Form

pytestmark = pytest.mark.unit

OPTIONS = 4


def _definition(limits: dict[Method, dict[str, int]]) -> Definition:
    """One contest for every method, so that each property is shown of all of them at once."""
    options = tuple(Option(f"o{index}", f"O{index}") for index in range(OPTIONS))
    contests = [
        Contest(
            f"c-{method}", f"By {method}", "", method, options, limits={**_defaults(method), **limits.get(method, {})}
        )
        for method in Method
    ]
    return Definition("T", "", "", "en", tuple(contests))


def _defaults(method: Method) -> dict[str, int]:
    return {limit.name: limit.default(OPTIONS) for limit in METHODS[method].limits}


DEFINITION = _definition({Method.SCORE: {"min_score": -2, "max_score": 3}, Method.APPROVAL: {"max_choices": 3}})

_any_marks = {
    Form.MARK: st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=OPTIONS, max_size=OPTIONS),
    Form.ORDER: st.permutations([1, 2, 3, 4]).flatmap(
        lambda ranks: st.integers(0, 4).map(lambda depth: [rank if rank <= depth else 0 for rank in ranks])
    ),
    Form.NUMBER: st.lists(st.sampled_from([-128, -2, -1, 0, 1, 3]), min_size=OPTIONS, max_size=OPTIONS),
}
_marks = {method: _any_marks[rules.words.form] for method, rules in METHODS.items()}
_valid = st.tuples(*(_marks[method] for method in Method)).map(lambda parts: encode_ballot([*chain(*parts)]))
_ballots = st.lists(st.tuples(_valid | st.binary(max_size=18), st.integers(1, 5)), max_size=12)
_weights = st.just(0) | st.integers(0, 2**96 - 1)


def _count(ballots: list[tuple[bytes, int]], definition: Definition = DEFINITION) -> list[Any]:
    contests: Any = count_election(definition, group_ballots(ballots)).to_json()["contests"]
    return list(contests)


@given(_ballots, st.randoms(use_true_random=False))
def test_count__ballots_in_another_order__same_result(ballots: list[tuple[bytes, int]], random: Any) -> None:
    shuffled = random.sample(ballots, len(ballots))
    assert _count(shuffled) == _count(ballots)


@given(_ballots)
def test_count__weight__is_as_good_as_that_many_ballots(ballots: list[tuple[bytes, int]]) -> None:
    repeated = [(ballot, 1) for ballot, weight in ballots for _ in range(weight)]
    numbers = {"ballots", "counted", "blank", "spoiled"}
    for weighted, counted in zip(_count(ballots), _count(repeated), strict=True):
        assert {key: weighted[key] for key in weighted if key not in numbers} == {
            key: counted[key] for key in counted if key not in numbers
        }


@given(_ballots)
def test_count__ballots__are_each_counted_blank_or_spoiled(ballots: list[tuple[bytes, int]]) -> None:
    for contest in _count(ballots):
        assert contest["ballots"] == len(ballots)
        assert contest["counted"] + contest["blank"] + sum(contest["spoiled"].values()) == len(ballots)
        weights = [contest["counted_weight"], contest["blank_weight"], *contest["spoiled_weight"].values()]
        assert sum(map(int, weights)) == int(contest["ballots_weight"]) == sum(weight for _, weight in ballots)


@given(_ballots)
def test_count__outcome__is_one_winner_or_a_tie_or_nothing_counted(ballots: list[tuple[bytes, int]]) -> None:
    for contest in _count(ballots):
        winners, tied = contest["winners"], contest["tied"]
        if contest["counted"] == 0:
            assert winners == tied == []
        else:
            assert (len(winners), len(tied)) == (1, 0) or (len(winners) == 0 and len(tied) >= 2)


@given(_ballots, st.permutations(range(OPTIONS)))
def test_count__options_in_another_order__same_winners(ballots: list[tuple[bytes, int]], order: list[int]) -> None:
    contests = [replace(c, options=tuple(c.options[index] for index in order)) for c in DEFINITION.contests]
    length = OPTIONS * len(Method)
    places = [OPTIONS * block + index for block in range(len(Method)) for index in order]
    moved = [
        (bytes(ballot[place] for place in places) if len(ballot) == length else ballot, weight)
        for ballot, weight in ballots
    ]
    other = _count(moved, replace(DEFINITION, contests=tuple(contests)))
    for before, after in zip(_count(ballots), other, strict=True):
        for key in ("winners", "tied"):
            assert sorted(before[key]) == sorted(after[key])
        assert before["totals"] == after["totals"]
        assert before["spoiled"] == after["spoiled"]


@given(_ballots)
def test_count__irv_rounds__lose_no_vote(ballots: list[tuple[bytes, int]]) -> None:
    contest = next(found for found in _count(ballots) if found["method"] == "irv")
    rounds = [entry for entry in contest["log"] if entry["kind"] == "round"]
    eliminations = [entry for entry in contest["log"] if entry["kind"] == "elimination"]
    for entry in rounds:
        votes = sum(map(int, entry["votes"].values()))
        assert votes == int(entry["continuing"])
        assert votes + int(entry["exhausted"]) == int(contest["counted_weight"])
    for before, step, after in zip(rounds, eliminations, rounds[1:], strict=False):
        expected = Counter({option: int(votes) for option, votes in before["votes"].items()})
        for option, targets in step["transfers"].items():
            passed = {target: int(votes) for target, votes in targets.items()}
            assert sum(passed.values()) <= expected.pop(option)
            expected.update(passed)
        assert {option: str(votes) for option, votes in expected.items()} == after["votes"]
        assert int(after["exhausted"]) == int(before["exhausted"]) + int(step["exhausted"])


@given(st.lists(st.tuples(_valid | st.binary(max_size=40), _weights), max_size=8))
def test_count__any_bytes_and_weights__are_never_an_error(ballots: list[tuple[bytes, int]]) -> None:
    result = count_election(DEFINITION, group_ballots(ballots))
    assert len(result.contests) == len(Method)
    assert render_text(result)


@given(st.lists(_valid, max_size=8))
def test_count__ballots_without_weight__are_counted_and_add_nothing(ballots: list[bytes]) -> None:
    for contest in _count([(ballot, 0) for ballot in ballots]):
        assert contest["ballots"] == len(ballots)
        assert contest["ballots_weight"] == "0"
        assert set(contest["totals"].values()) == {"0"}
        assert contest["winners"] == []


def test_count__groups_given_directly__equal_those_made_from_ballots() -> None:
    ballot = bytes(OPTIONS * len(Method))
    direct = count_election(DEFINITION, {ballot: Group(3, 7)})
    assert direct == count_election(DEFINITION, group_ballots([(ballot, 1), (ballot, 2), (ballot, 4)]))
