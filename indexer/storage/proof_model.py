"""What is kept of proofs, as plain values: a box's head at a block, and who names that block's hash."""

from __future__ import annotations

from dataclasses import dataclass, field

from indexer.storage.model import Block
from qballot.core.proof import HeadProof
from qballot.core.provenance import BoxArguments
from qballot.core.types import Address, BlockNumber, Hash32

SPACING = 32
"""Blocks between proofs that wait to become final: an epoch, by which Ethereum's finality moves."""


@dataclass(frozen=True, slots=True)
class KeptProof:
    """What proves a box's head at a block to whoever believes the block's hash. It was verified when it was kept.

    header: encoded, of the block. lot: encoded headers that lead from the block that lots are drawn from to this one,
    as `Evidence.lot` has them; empty where the block is too early for a lot. operator: who gave the proof.
    """

    box: Address
    block: Block
    head: Hash32
    header: bytes = field(repr=False)
    proof: HeadProof = field(repr=False)
    operator: str
    lot: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ProofMark:
    """A kept proof without what proves it. has_lot: whether it shows the block that lots are drawn from."""

    box: Address
    block: Block
    head: Hash32
    operator: str
    has_lot: bool


@dataclass(frozen=True, slots=True)
class DueBox:
    """A box whose head is to be proved, or read, with the head that its records give.

    number: of the election. salt, arguments: what the box was made with. newest: its newest proof; None without one.
    """

    number: int
    box: Address
    head: Hash32
    salt: Hash32
    arguments: BoxArguments
    newest: ProofMark | None


@dataclass(frozen=True, slots=True)
class UnknownHeader:
    """The first block that was met whose header has a form that this version does not know.

    fields: of the header, that are unknown; empty where one is missing. problem: in words, with the endpoint's.
    """

    block: Block
    fields: tuple[str, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class Naming:
    """What an operator's endpoint said of the block at the height of a proof's.

    block: number and hash of the proof's block. named_hash: what the operator calls the block of that height; another
    one than the proof's contradicts it. is_final: whether the operator calls it finalized. named_at_unix: when, by the
    indexer's machine.
    """

    block_number: BlockNumber
    block_hash: Hash32
    operator: str
    named_hash: Hash32
    is_final: bool
    named_at_unix: float

    @property
    def agrees(self) -> bool:
        """Whether the operator names the proof's own block."""
        return self.named_hash == self.block_hash


@dataclass(frozen=True, slots=True)
class Repair:
    """A box's batches that contradicted its proven head, and were replaced by those that end in it.

    number: from 1. observed_at_unix: when, by the indexer's machine. block_number: that the head was proven at.
    first_sequence: of the first batch that was wrong or missing. removed_batches, removed_records, added_batches,
    added_records: from there on. source: where the right ones come from, for people.
    """

    number: int
    box: Address
    observed_at_unix: float
    block_number: BlockNumber
    first_sequence: int
    removed_batches: int
    removed_records: int
    added_batches: int
    added_records: int
    source: str
