"""Which ballot counts: shared vectors, and the plain reading of the rule as a reference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.ballot import Group, group_ballots
from qballot.core.effective import EffectiveBallots
from qballot.core.records import DIRECT_BIT, Record
from qballot.core.types import VoterIndex, Weight

pytestmark = pytest.mark.unit

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "effective.json").read_text(encoding="utf-8"))

# Few values of each, so that repeats, equal times and several voters all happen often.
RECORDS = st.lists(
    st.builds(
        lambda voter, cast_at, weight, ballot: Record(VoterIndex(voter), cast_at, Weight(weight), ballot),
        st.integers(0, 2),
        st.sampled_from([1, 2, 3, 1 | DIRECT_BIT, 2 | DIRECT_BIT]),
        st.integers(0, 2),
        st.sampled_from([b"", b"\x00", b"\x01", b"\x02"]),
    ),
    max_size=30,
)


def _apply(records: Sequence[Record]) -> EffectiveBallots:
    effective = EffectiveBallots()
    for record in records:
        effective.apply(record)
    return effective


def _reference(records: Sequence[Record]) -> dict[int, Record]:
    """The rule as it is written, looking at all pairs."""
    first_occurrences = [record for position, record in enumerate(records) if record not in records[:position]]
    chosen: dict[int, Record] = {}
    for voter in {record.voter for record in records}:
        own = [record for record in first_occurrences if record.voter == voter]
        greatest = max(record.cast_at for record in own)
        chosen[voter] = [record for record in own if record.cast_at == greatest][-1]
    return chosen


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_effective__vector__counts_the_right_ballots(case: dict[str, Any]) -> None:
    records = [
        Record(
            VoterIndex(row["voter"]), row["cast_at"], Weight(int(row["weight"])), bytes.fromhex(row["ballot"][2:])
        )
        for row in case["records"]
    ]  # fmt: skip
    effective = _apply(records)
    groups = [
        {"ballot": "0x" + ballot.hex(), "ballots": group.ballots, "weight": str(group.weight)}
        for ballot, group in sorted(effective.groups().items())
    ]
    assert groups == case["groups"]
    assert (effective.voters, str(effective.weight)) == (case["voters"], case["weight"])


@given(RECORDS)
def test_effective__any_records__agree_with_the_rule_as_written(records: list[Record]) -> None:
    effective, chosen = _apply(records), _reference(records)
    assert {voter: effective.record_of(voter) for voter in chosen} == chosen
    assert effective.groups() == group_ballots((record.ballot, record.weight) for record in chosen.values())
    assert effective.voters == len(chosen)
    assert effective.weight == sum(record.weight for record in chosen.values())


@given(RECORDS)
def test_effective__apply__says_whether_the_record_now_counts(records: list[Record]) -> None:
    effective = EffectiveBallots()
    for position, record in enumerate(records):
        before = _reference(records[:position]).get(record.voter)
        assert effective.apply(record) == (_reference(records[: position + 1])[record.voter] != before)


@given(RECORDS)
def test_effective__everything_replayed__changes_nothing(records: list[Record]) -> None:
    effective = _apply(records)
    groups = effective.groups()
    assert not any(effective.apply(record) for record in records)
    assert effective.groups() == groups


def test_effective__nothing_cast__is_empty() -> None:
    effective = EffectiveBallots()
    assert (effective.groups(), effective.voters, effective.weight) == ({}, 0, 0)
    assert effective.record_of(0) is None


def test_effective__groups__belong_to_the_caller() -> None:
    effective = _apply([Record(VoterIndex(0), 1, Weight(1), b"\x01")])
    effective.groups().clear()
    assert effective.groups() == {b"\x01": Group(1, 1)}
