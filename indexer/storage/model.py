"""What the index holds, as plain values: the language that storage speaks with everyone else.

What there is one of for every log is a structure of msgspec, which costs a fraction of a dataclass to make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from qballot.core.provenance import BoxArguments
from qballot.core.records import Record
from qballot.core.types import Address, BlockNumber, ChainId, Hash32, UnixSeconds


@dataclass(frozen=True, slots=True)
class Block:
    """A block by its height, hash and timestamp (the chain's clock)."""

    number: BlockNumber
    hash: Hash32
    timestamp: UnixSeconds


class Source(msgspec.Struct, frozen=True, gc=False):
    """The log that something was read from."""

    block_number: BlockNumber
    block_hash: Hash32
    log_index: int
    transaction_hash: Hash32


@dataclass(frozen=True, slots=True)
class ChainCursor:
    """What one database serves, and how far it has read.

    block: the last block whose logs are all in the index; None before the first range.
    """

    chain_id: ChainId
    factory: Address
    block: Block | None


@dataclass(frozen=True, slots=True)
class HeadCheck:
    """A box's head by what the chain says, beside what the records gave at the same block.

    block: the block that was asked about.
    recomputed_head: from the records up to that block.
    chain_head: what was proved, or what `head()` answered where no endpoint proves it; None when neither was to be had.
    failure: why there is none, why it was not proved, or why records that contradict it were not put right.
    is_proven: whether it follows from the block's hash.
    """

    block: Block
    recomputed_head: Hash32
    chain_head: Hash32 | None
    failure: str | None = None
    is_proven: bool = False

    @property
    def agrees(self) -> bool:
        """Whether the chain holds the head that the records give."""
        return self.chain_head == self.recomputed_head


@dataclass(frozen=True, slots=True)
class Election:
    """One ballot box with its rules and the state of its hash chain at the cursor.

    number: order of creation in this index, from 1.
    definition: the bytes in the creation event; their hash is `arguments.definition_hash`.
    arguments: what stands in the box's own code.
    head: recomputed from all batches. batches, records: how many there are.
    invalid_reason: why the election is never counted; None for a valid one.
    unknown_version: its definition's version where this program does not know it. Then it is not invalid, and
    `invalid_reason` says why it is not counted here.
    cancelled_at_block: where it was cancelled; None for one that is not, or that an index knew as cancelled before it
    kept this.
    voters_cast, weight_cast: how many have voted, and the weight of the ballots that count. Storage keeps both up, and
    does not look at what an election to be written says of them.
    """

    number: int
    box: Address
    salt: Hash32
    source: Source
    arguments: BoxArguments
    definition: bytes
    head: Hash32
    batches: int
    records: int
    cancelled: bool
    invalid_reason: str | None
    head_check: HeadCheck | None = None
    cancelled_at_block: BlockNumber | None = None
    voters_cast: int = 0
    weight_cast: int = 0
    unknown_version: int | None = None

    @property
    def opens_at(self) -> UnixSeconds:
        """The first second in which ballots are taken."""
        return self.arguments.opens_at

    @property
    def closes_at(self) -> UnixSeconds:
        """The first second in which ballots are no longer taken."""
        return self.arguments.closes_at


@dataclass(frozen=True, slots=True)
class Listing:
    """An election as in a list: what costs little to load. Fields as of `Election` and its arguments."""

    number: int
    box: Address
    definition_hash: Hash32
    opens_at: UnixSeconds
    closes_at: UnixSeconds
    voters: int
    records: int
    cancelled: bool
    invalid_reason: str | None
    unknown_version: int | None = None


class Batch(msgspec.Struct, frozen=True, gc=False):
    """One `BallotsCast` event: one link of a box's hash chain.

    sequence: place among the box's batches, from 0. first_position: place of its first record among the box's records.
    head: after this batch.
    """

    sequence: int
    source: Source
    first_position: int
    records: int
    head: Hash32


@dataclass(frozen=True, slots=True)
class Ballot:
    """One record as kept: its place in the box's order, its batch, and itself."""

    position: int
    batch: Batch
    record: Record


class NewBatch(msgspec.Struct, frozen=True, gc=False):
    """A batch to be written. packed: its records as in the log, known to be whole (`count_records`)."""

    box: Address
    batch: Batch
    packed: bytes


@dataclass(frozen=True, slots=True)
class RangeChange:
    """All that one range of blocks adds to the index; written in one transaction.

    until: the range's last block, which becomes the cursor's.
    created: new elections in the order of the chain, each as it stands after the range.
    updated: elections known before, each as it stands after the range, by box.
    batches: new batches in the order of the chain; each election's follow one another without a gap.
    blocks: the range's blocks that are not final yet, ascending. `until` is kept even where it is not among them.
    finalized: the latest block that the endpoint calls final, which may lie after the range; None where it names none.

    Storage gives elections their `number`, and finds those known before by their box: what stands in `number` here is
    not looked at.
    """

    until: Block
    created: Sequence[Election] = ()
    updated: Mapping[Address, Election] = field(default_factory=dict)
    batches: Sequence[NewBatch] = ()
    blocks: Sequence[Block] = ()
    finalized: Block | None = None


@dataclass(frozen=True, slots=True)
class Reorg:
    """A reorganisation of the chain that the index went along with.

    number: from 1, in the order in which they were seen. observed_at_unix: when, by the indexer's machine.
    fork_number, fork_hash: the last block that was kept. old_number, old_hash: the cursor before.
    """

    number: int
    observed_at_unix: float
    fork_number: BlockNumber
    fork_hash: Hash32
    old_number: BlockNumber
    old_hash: Hash32

    @property
    def depth(self) -> int:
        """How many indexed blocks the chain no longer contains."""
        return self.old_number - self.fork_number


@dataclass(frozen=True, slots=True)
class Rewound:
    """What a reorganisation took away: elections created, batches and records of all elections. All are kept apart."""

    reorg: Reorg
    elections: int
    batches: int
    records: int


@dataclass(frozen=True, slots=True)
class Contents:
    """How much an index holds, and how many reorganisations it has seen."""

    elections: int
    batches: int
    records: int
    reorgs: int


@dataclass(frozen=True, slots=True)
class ChainObservation:
    """What the indexer last saw of the chain, by its own clock: for health checks, not part of the index.

    head: the endpoint's latest block. observed_at_unix: when, by the indexer's machine.
    """

    head: Block
    observed_at_unix: float
