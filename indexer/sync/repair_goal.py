"""What a repair looks for: the batches that end in the proven head. Pure: events in, a Replacement out.

A head is the hash of all batches before it, so a list that ends in the proven one is the box's, whoever gave it: two
different lists have no common end. What a head does not tell is which block and transaction a batch came with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexer.storage.model import Batch, Block, Election
from indexer.storage.replace import Contradicted, Replacement
from indexer.sync.events import BoxEvent, follow_head
from indexer.sync.fold import fold_range
from qballot.core.records import CANCELLED_HEAD
from qballot.core.types import Hash32


@dataclass(frozen=True, slots=True)
class Goal:
    """An election to be put right at a block: its records are to end in `proven`."""

    wrong: Contradicted
    at: Block

    @property
    def election(self) -> Election:
        """As the index has it."""
        return self.wrong.election

    @property
    def batches(self) -> Sequence[Batch]:
        """All that the index has of the box, in their order."""
        return self.wrong.batches

    def first_block(self, kept: int) -> int:
        """Return the first block to be read anew, where so many of the batches are kept. These end with a block."""
        return self.batches[kept - 1].source.block_number + 1 if kept else self.election.source.block_number

    def is_met(self, kept: int, events: Sequence[BoxEvent]) -> bool:
        """Say whether so many of the batches and these events after them end in the proven head."""
        if self.wrong.proven == CANCELLED_HEAD:
            # The head of a cancelled box tells nothing of what was before; but the contract lets no ballot be cast
            # before the opening, and no election be cancelled after it.
            return not kept and len(events) == 1 and events[0].packed is None
        if any(event.packed is None for event in events):
            return False
        head = self._head(kept)
        for event in events:
            head = follow_head(head, event)
        return head == self.wrong.proven

    def plan(self, kept: int, events: Sequence[BoxEvent], source: str) -> Replacement:
        """Plan what is to be written. The events are those by which the goal is met.

        What the index has right already stays. Raises DecodeError for what the contract cannot have emitted.
        """
        batches, first = self.batches, kept
        grown = self._fold(kept, events)
        for found, old in zip(grown, batches[kept:], strict=False):
            if found != old:
                break
            first += 1
        removed = batches[first:]
        return Replacement(
            number=self.election.number,
            box=self.election.box,
            at=self.at,
            first_sequence=first,
            removed_batches=len(removed),
            removed_records=sum(batch.records for batch in removed),
            change=fold_range(
                self.at, known={self.election.box: self._cut(first)}, created=(), events=events[first - kept :]
            ),
            source=source,
        )

    def _fold(self, kept: int, events: Sequence[BoxEvent]) -> list[Batch]:
        known = {self.election.box: self._cut(kept)}
        return [new.batch for new in fold_range(self.at, known=known, created=(), events=events).batches]

    def _cut(self, kept: int) -> Election:
        """Return the election as it stood after so many of its batches."""
        last = self.batches[kept - 1] if kept else None
        return replace(
            self.election,
            head=self._head(kept),
            batches=kept,
            records=0 if last is None else last.first_position + last.records,
            cancelled=False,
            cancelled_at_block=None,
        )

    def _head(self, kept: int) -> Hash32:
        return self.batches[kept - 1].head if kept else self.election.arguments.definition_hash
