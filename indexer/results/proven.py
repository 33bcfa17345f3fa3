"""Which of a box's kept proofs a result rests on, and who names that proof's block.

kept proofs ── of the index's own head, at a block of the same phase ──▶ the best named, of these the newest
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from indexer.results.phase import compute_phase
from indexer.storage.model import Block, Election
from indexer.storage.proof_model import Naming, ProofMark, Repair, UnknownHeader
from indexer.storage.proof_reader import ProofReader
from qballot.core.types import Address
from qballot.endpoint_list import NEEDED_OPERATORS

SHOWN_REPAIRS = 20


@dataclass(frozen=True, slots=True)
class Proofs:
    """What is kept about a box's head at one moment.

    marks: of the proofs, the newest first. namings: what operators say of their blocks. repairs: the latest first.
    needed: how many different operators must name a block's hash for it to be witnessed. unknown_header: the first
    block whose header has an unknown form; None while all are known.
    """

    marks: tuple[ProofMark, ...] = ()
    namings: tuple[Naming, ...] = ()
    repairs: tuple[Repair, ...] = ()
    needed: int = NEEDED_OPERATORS
    unknown_header: UnknownHeader | None = None


@dataclass(frozen=True, slots=True)
class Proven:
    """The proof that a result rests on. namings: of its block, each operator's own, contradicting ones included."""

    mark: ProofMark
    namings: tuple[Naming, ...]
    needed: int

    @property
    def named_by(self) -> tuple[Naming, ...]:
        """Those who name the proof's own block."""
        return tuple(naming for naming in self.namings if naming.agrees)

    @property
    def final_by(self) -> tuple[Naming, ...]:
        """Those of them who call it finalized."""
        return tuple(naming for naming in self.named_by if naming.is_final)

    @property
    def contradicted_by(self) -> tuple[Naming, ...]:
        """Those who have another block at its height."""
        return tuple(naming for naming in self.namings if not naming.agrees)

    @property
    def is_witnessed(self) -> bool:
        """Whether enough operators name the block, and none contradicts them."""
        return len(self.named_by) >= self.needed and not self.contradicted_by

    @property
    def is_final(self) -> bool:
        """Whether enough of them call it finalized as well."""
        return self.is_witnessed and len(self.final_by) >= self.needed


def load_proofs(reader: ProofReader, box: Address, needed: int) -> Proofs:
    """Load what is kept about a box's head."""
    marks = reader.load_marks(box)
    namings = reader.load_namings([mark.block.hash for mark in marks])
    repairs = reader.load_repairs(box, limit=SHOWN_REPAIRS)
    return Proofs(tuple(marks), tuple(namings), tuple(repairs), needed, reader.load_unknown_header())


def find_usable(election: Election, indexed: Block, proofs: Proofs) -> list[Proven]:
    """Find the proofs of the head that the index has, at blocks of the indexed block's own phase.

    Those of later blocks are left out: an index that is read anew, perhaps of another chain, has not got to them.
    """
    phase = compute_phase(election, indexed.timestamp)
    return [
        Proven(mark, tuple(item for item in proofs.namings if item.block_hash == mark.block.hash), proofs.needed)
        for mark in proofs.marks
        if mark.head == election.head
        and mark.block.number <= indexed.number
        and compute_phase(election, mark.block.timestamp) is phase
    ]


def choose_proven(usable: Iterable[Proven], *, draws_lots: bool) -> Proven | None:
    """Choose what a result rests on: the best named, and of these the newest; None of none.

    draws_lots: whether the election's ties may be decided by lot. Then one that shows the lot goes first, since the
    count depends on it.
    """

    def rank(item: Proven) -> tuple[bool, bool, bool, int]:
        shows_lot = draws_lots and item.mark.has_lot
        return shows_lot, item.is_final, item.is_witnessed, item.mark.block.number

    return max(usable, key=rank, default=None)
