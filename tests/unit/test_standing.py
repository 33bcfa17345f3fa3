"""Why a voter's ballot counts or does not: the same rule as the count's, and in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.effective import EffectiveBallots
from qballot.core.records import DIRECT_BIT, Record
from qballot.core.standing import Reason, Standing, judge_records
from qballot.core.types import VoterIndex, Weight

pytestmark = pytest.mark.unit


def _record(cast_at: int, ballot: bytes = b"\x01") -> Record:
    return Record(VoterIndex(3), cast_at, Weight(1), ballot)


RECORDS = st.lists(
    st.builds(
        _record,
        st.sampled_from([1, 2, 3, 1 | DIRECT_BIT, 2 | DIRECT_BIT]),
        st.sampled_from([b"", b"\x00", b"\x01"]),
    ),
    max_size=12,
)


@given(RECORDS)
def test_judge_records__any_records__one_counts_and_it_is_the_counts(records: list[Record]) -> None:
    effective = EffectiveBallots()
    for record in records:
        effective.apply(record)
    standings = judge_records(records)
    counting = [record for record, standing in zip(records, standings, strict=True) if standing.counts]
    assert counting == ([effective.record_of(3)] if records else [])


@given(RECORDS)
def test_judge_records__those_that_do_not_count__name_the_one_to_blame(records: list[Record]) -> None:
    standings = judge_records(records)
    for place, standing in enumerate(standings):
        if standing.by is None:
            continue
        blamed = records[standing.by]
        if standing.reason is Reason.REPEAT:
            assert blamed == records[place]
            assert standing.by < place
        else:
            assert standings[standing.by].counts
            assert blamed.cast_at >= records[place].cast_at


def test_judge_records__each_reason__is_told() -> None:
    direct = _record(5 | DIRECT_BIT)
    assert judge_records([]) == []
    assert judge_records([direct]) == [Standing(Reason.ONLY)]
    assert judge_records([direct, direct]) == [Standing(Reason.LATEST), Standing(Reason.REPEAT, 0)]
    assert judge_records([direct, _record(9)]) == [Standing(Reason.LATEST), Standing(Reason.OUTRANKED, 0)]
    assert judge_records([_record(9), _record(8)]) == [Standing(Reason.LATEST), Standing(Reason.EARLIER, 0)]
    tie = [_record(9, b"\x01"), _record(9, b"\x02"), _record(9, b"\x01")]
    assert judge_records(tie) == [
        Standing(Reason.OVERTAKEN, 1),
        Standing(Reason.LATEST),
        Standing(Reason.REPEAT, 0),
    ]
