"""Ballots as bytes: shared vectors, round trips, grouping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.ballot import (
    NO_ANSWER,
    Group,
    decode_marks,
    encode_ballot,
    group_ballots,
    group_columns,
    split_ballot,
)
from qballot.core.election import Contest, Definition, Method, Option
from qballot.errors import InputError

pytestmark = pytest.mark.unit

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ballots.json").read_text(encoding="utf-8"))
MARKS = st.integers(-128, 127)


def _definition(*sizes: int) -> Definition:
    contests = (
        Contest(f"c{index}", f"C{index}", "", Method.SCORE, tuple(Option(f"o{n}", f"O{n}") for n in range(size)))
        for index, size in enumerate(sizes)
    )
    return Definition("T", "", "", "en", tuple(contests))


@pytest.mark.parametrize("case", VECTORS["encodings"], ids=lambda case: case["ballot"])
def test_ballot__vector__encodes_and_decodes(case: dict[str, Any]) -> None:
    ballot = bytes.fromhex(case["ballot"][2:])
    assert encode_ballot(case["marks"]) == ballot
    assert list(decode_marks(ballot)) == case["marks"]


@given(st.binary(max_size=50))
def test_ballot__any_bytes__are_some_marks(ballot: bytes) -> None:
    assert encode_ballot(decode_marks(ballot)) == ballot


@pytest.mark.parametrize("mark", [-129, 128, 10**30])
def test_encode_ballot__mark_beyond_a_byte__is_refused(mark: int) -> None:
    with pytest.raises(InputError, match=f"mark 1 is {mark}, expected a number from -128 to 127"):
        encode_ballot([0, mark])


@given(st.lists(st.lists(MARKS, min_size=1, max_size=5), min_size=1, max_size=4))
def test_split_ballot__right_length__gives_each_contest_its_marks(parts: list[list[int]]) -> None:
    definition = _definition(*map(len, parts))
    ballot = encode_ballot([mark for part in parts for mark in part])
    assert split_ballot(definition, ballot) == tuple(map(tuple, parts))


@pytest.mark.parametrize("length", [0, 2, 4, 65_535])
def test_split_ballot__wrong_length__is_none(length: int) -> None:
    assert split_ballot(_definition(1, 2), bytes(length)) is None


def test_no_answer__is_the_byte_0x80() -> None:
    assert encode_ballot([NO_ANSWER]) == b"\x80"


def test_group_ballots__equal_bytes__are_summed_exactly() -> None:
    heavy = 2**96 - 1
    groups = group_ballots([(b"\x01", heavy), (b"\x02", 1), (b"\x01", heavy)])
    assert groups == {b"\x01": Group(2, 2 * heavy), b"\x02": Group(1, 1)}


@given(st.lists(st.tuples(st.sampled_from([b"", b"a", b"b"]), st.integers(0, 2) | st.just(2**96 - 1)), max_size=6))
def test_group_columns__any_weights__are_grouped_as_pairs_are(pairs: list[tuple[bytes, int]]) -> None:
    for weighted in (pairs, [(ballot, 7) for ballot, _ in pairs]):
        ballots, weights = [ballot for ballot, _ in weighted], [weight for _, weight in weighted]
        assert group_columns(ballots, weights) == group_ballots(weighted)


def test_group_columns__one_weight_too_few__is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        group_columns([b"a", b"b"], [1])
