"""Which of one voter's ballots counts, and why not the others: the rule of `qballot.core.effective` in words.

1. An exact repeat of a record is ignored; its first occurrence stands.
2. Of what remains, the voter's record with the greatest `cast_at` counts,
3. and among those the latest in the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from qballot.core.records import Record


class Reason(StrEnum):
    """Why a record counts or does not."""

    ONLY = "only"
    """It counts: the voter's only ballot."""

    LATEST = "latest"
    """It counts: its time is the greatest and, among equal times, it is the last in the chain."""

    REPEAT = "repeat"
    """It does not count: the same record stands in the chain before it."""

    OUTRANKED = "outranked"
    """It does not count: the voter sent another by their own transaction, which outranks every signed ballot."""

    EARLIER = "earlier"
    """It does not count: the voter cast or signed another later."""

    OVERTAKEN = "overtaken"
    """It does not count: another of the same time came into the chain later."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a record is worth. by: the place, in the voter's list, of the record because of which it does not count."""

    reason: Reason
    by: int | None = None

    @property
    def counts(self) -> bool:
        """Whether this is the voter's ballot that counts."""
        return self.by is None


def judge_records(records: Sequence[Record]) -> list[Standing]:
    """Say of each of one voter's records, in the order of the chain, whether it counts and why."""
    first: dict[Record, int] = {}
    for place, record in enumerate(records):
        first.setdefault(record, place)
    if not first:
        return []
    last = max(first.values(), key=lambda place: (records[place].cast_at, place))
    return [_judge(records, place, first[record], last) for place, record in enumerate(records)]


def _judge(records: Sequence[Record], place: int, first: int, last: int) -> Standing:
    if place == last:
        return Standing(Reason.ONLY if len(records) == 1 else Reason.LATEST)
    if place != first:
        return Standing(Reason.REPEAT, first)
    record, winner = records[place], records[last]
    if record.cast_at == winner.cast_at:
        return Standing(Reason.OVERTAKEN, last)
    outranked = winner.is_direct and not record.is_direct
    return Standing(Reason.OUTRANKED if outranked else Reason.EARLIER, last)
