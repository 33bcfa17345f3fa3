"""A question for a range of blocks, and what the answer holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexer.storage.model import Block, Election
from indexer.sync.events import BoxEvent
from qballot.chain.answers import BlockHeader
from qballot.chain.rpc import Rpc
from qballot.core.types import Address, Hash32


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """What is to be read: a closed interval of blocks.

    boxes: those known when it was planned, which may still emit something. with_factory: whether new boxes are looked
    for too. linked: whether all headers are read. known_header: of the only block, with the endpoint that gave it.
    """

    start: int
    end: int
    boxes: frozenset[Address]
    with_factory: bool = True
    linked: bool = True
    known_header: tuple[Rpc, BlockHeader] | None = None

    @property
    def blocks(self) -> int:
        """How many they are."""
        return self.end - self.start + 1


@dataclass(frozen=True, slots=True)
class FetchedRange:
    """What a range holds.

    rpc: who gave it. parent_hash: of its first block. until: its last block. blocks: all of them where all headers were
    read.
    created: new elections, in the order of the chain. events: what boxes emitted, in the order of the chain.
    logs, size: how many logs there were, and the bytes of their data.
    """

    query: RangeQuery
    rpc: Rpc
    parent_hash: Hash32
    until: Block
    blocks: Sequence[Block]
    created: Sequence[Election]
    events: Sequence[BoxEvent]
    logs: int
    size: int

    def merge(self, other: FetchedRange) -> FetchedRange:
        """Add what boxes that were not asked about at first emitted in the same range."""
        events = sorted((*self.events, *other.events), key=lambda event: event.place)
        query = replace(self.query, boxes=self.query.boxes | other.query.boxes)
        return replace(self, query=query, events=events, logs=self.logs + other.logs, size=self.size + other.size)
