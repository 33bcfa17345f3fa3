"""Events in the order of the chain, folded into what they change. Pure: elections and events in, a RangeChange out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from indexer.storage.model import Batch, Block, Election, NewBatch, RangeChange
from indexer.sync.events import BoxEvent, describe_place, follow_head
from qballot.core.types import Address, BlockNumber
from qballot.errors import DecodeError


def fold_range(
    until: Block,
    *,
    known: Mapping[Address, Election],
    created: Sequence[Election],
    events: Iterable[BoxEvent],
    blocks: Sequence[Block] = (),
    finalized: Block | None = None,
) -> RangeChange:
    """Fold the boxes' events of one range.

    known: the elections from earlier ranges that have events in this one. created: this range's own, in order.
    events: in the order of the chain. blocks, finalized: as of `RangeChange`.
    Raises DecodeError, with block and log, for what the contract cannot have emitted.
    """
    growing = {election.box: _Growing(election) for election in (*known.values(), *created)}
    batches = [batch for event in events if (batch := growing[event.box].take(event)) is not None]
    return RangeChange(
        until=until,
        created=[growing[election.box].finish() for election in created],
        updated={box: growing[box].finish() for box in known},
        batches=batches,
        blocks=blocks,
        finalized=finalized,
    )


class _Growing:
    """An election while its events are folded: what they change is held apart, since most change the same."""

    __slots__ = ("_created_at", "_election", "_is_over", "batches", "cancelled_at", "head", "records")

    def __init__(self, election: Election) -> None:
        self._election = election
        self._created_at = (election.source.block_number, election.source.log_index)
        self._is_over = election.cancelled
        self.head = election.head
        self.batches = election.batches
        self.records = election.records
        self.cancelled_at: BlockNumber | None = None

    def take(self, event: BoxEvent) -> NewBatch | None:
        """Take in the next event. Returns the batch that it brought, None for a cancellation."""
        source = event.source
        if self._is_over or (source.block_number, source.log_index) <= self._created_at:
            raise DecodeError(f"{describe_place(event.box, source)}: {self._explain()}")
        if event.packed is None and self.batches:
            # Its head would tell nothing of them.
            raise DecodeError(
                f"{describe_place(event.box, source)}: found a cancellation after {self.batches} batches of ballots, "
                "which the contract takes from the opening on alone, when nobody can cancel any more"
            )
        self.head = head = follow_head(self.head, event)
        if event.packed is None:
            self._is_over = True
            self.cancelled_at = source.block_number
            return None
        batch = Batch(self.batches, source, self.records, event.records, head)
        self.batches += 1
        self.records += event.records
        return NewBatch(event.box, batch, event.packed)

    def finish(self) -> Election:
        """Return the election as it stands after the events."""
        grown = replace(self._election, head=self.head, batches=self.batches, records=self.records)
        if self.cancelled_at is None:
            return grown
        return replace(grown, cancelled=True, cancelled_at_block=self.cancelled_at)

    def _explain(self) -> str:
        """Say why an event cannot be."""
        if self._is_over:
            return "found after the cancellation of its election"
        return f"found before the creation of its box in block {self._created_at[0]}"
