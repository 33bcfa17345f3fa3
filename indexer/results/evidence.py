"""An election's evidence out of the index: the file from which the result follows for whoever believes one block hash.

kept proof ── header, trie nodes, lot ─┐
index ─────── definition, batches ─────┼─▶ lines of the file      in one snapshot, a few thousand records at a time
ledger ────── voters ──────────────────┘
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import overload

from indexer.results.count import View, load_proof, load_view
from indexer.results.not_ready import NotReadyError
from indexer.storage.ledger import KeptCensus, Ledger
from indexer.storage.proof_model import KeptProof
from indexer.storage.repository import Repository, Snapshot
from qballot.chain.pins import default_pins
from qballot.core.proof import BoxOrigin, Evidence, Voters, prove_head, write_evidence
from qballot.core.proof.evidence_lines import VERSION
from qballot.core.provenance import clone_runtime_code, compute_implementation_address
from qballot.core.records import advance_head
from qballot.core.types import Address, Hash32, Weight
from qballot.endpoint_list import NEEDED_OPERATORS
from qballot.errors import DecodeError, InputError, ProofError, StorageError

ADDRESS_BYTES = 20


@dataclass(frozen=True, slots=True)
class EvidenceName:
    """All that a file of evidence depends on, so that equal names are equal bytes.

    block_hash: of the block that it is proved at. has_lot: whether it shows the lot's block. census: hash of the census
    file that is in it, or is named where `is_census_apart`; None where the ledger has none.
    """

    box: Address
    chain_id: int
    factory: Address
    block_hash: Hash32
    head: Hash32
    has_lot: bool
    census: Hash32 | None
    is_census_apart: bool

    @property
    def digest(self) -> str:
        """The name in 32 hexadecimal digits."""
        parts = (self.box, self.factory, self.block_hash, self.head, self.census or b"")
        flags = (VERSION, self.chain_id, self.has_lot, self.census is None, self.is_census_apart)
        return sha256(b"".join(parts) + repr(flags).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Unproven:
    """Why there is no evidence of an election that the index has."""

    reason: str


class Absent(Enum):
    """The index does not have the election."""

    ELECTION = "this index holds no election at this address"


class EvidenceSource:
    """Evidence of the elections of one database. needed: as of `Results`."""

    def __init__(self, repository: Repository, ledger: Ledger, *, needed: int = NEEDED_OPERATORS) -> None:
        self._repository = repository
        self._ledger = ledger
        self._needed = needed

    def find_name(self, box: Address, *, is_census_apart: bool) -> EvidenceName | Unproven | Absent:
        """Find what the newest evidence of an election depends on, or why there is none. Raises StorageError."""
        with self._repository.snapshot() as snapshot:
            view = load_view(snapshot, box, self._needed)
        if view is None:
            return Absent.ELECTION
        return self._name(view, self._ledger.load_census(box), is_census_apart)

    def write_lines(self, name: EvidenceName) -> Generator[bytes, None, None]:
        """Write the file with this name, line by line; to be thrown away unless it comes to its end.

        The proof, and the chain over the batches, are checked on the way: what they do not hold for is never given out.
        Raises NotReadyError when the election has changed since it was named, StorageError when it does not hold.
        """
        census = self._ledger.load_census(name.box)
        with self._repository.snapshot() as snapshot:
            view = load_view(snapshot, name.box, self._needed)
            kept = None if view is None else load_proof(snapshot, view)
            if view is None or kept is None or self._name(view, census, name.is_census_apart) != name:
                raise NotReadyError("the election has changed while its evidence was written: ask again")
            yield from self._write(snapshot, view, kept, census, name)

    def _write(
        self, snapshot: Snapshot, view: View, kept: KeptProof, census: KeptCensus | None, name: EvidenceName
    ) -> Iterator[bytes]:
        chain = _Chain(snapshot, view)
        evidence = Evidence(
            origin=_find_origin(view),
            definition=view.election.definition,
            header=kept.header,
            proof=kept.proof,
            batches=chain,
            voters=None if census is None or name.is_census_apart else self._load_voters(census),
            census_hash=name.census if name.is_census_apart else None,
            lot=kept.lot,
        )
        try:
            proven = prove_head(
                evidence.origin, kept.header, kept.proof, kept.block.hash, default_pins(view.cursor.factory)
            )
        except (ProofError, DecodeError) as error:
            raise StorageError(f"the proof that is kept does not hold: {error}") from error
        try:
            yield from write_evidence(evidence)
        except (InputError, DecodeError) as error:
            raise StorageError(f"the index holds what no box has in its log: {error}") from error
        if chain.head != proven.head and not (proven.is_cancelled and not chain.batches):
            raise StorageError(
                f"the ballots in the index end in 0x{chain.head.hex()}, expected the proven head "
                f"0x{proven.head.hex()}: `qballot index check` says where they differ"
            )

    def _name(
        self,
        view: View,
        census: KeptCensus | None,
        is_census_apart: bool,
    ) -> EvidenceName | Unproven:
        verdict, election = view.verdict, view.election
        if verdict.proven is None:
            return Unproven(f"there is no evidence, since the result is not proven. {verdict.next_level_text}")
        return EvidenceName(
            box=election.box,
            chain_id=view.cursor.chain_id,
            factory=view.cursor.factory,
            block_hash=verdict.proven.mark.block.hash,
            head=election.head,
            has_lot=verdict.proven.mark.has_lot,
            census=None if census is None else census.census_hash,
            is_census_apart=is_census_apart,
        )

    def _load_voters(self, census: KeptCensus) -> Voters:
        joined = bytearray()
        weights: list[Weight] = []
        for address, weight in self._ledger.stream_voters(census):
            joined += address
            weights.append(weight)
        return Voters(_Addresses(bytes(joined)), weights)


class _Chain:
    """An election's batches, and the head that they give; as many passes as are asked for."""

    def __init__(self, snapshot: Snapshot, view: View) -> None:
        self._snapshot = snapshot
        self._view = view
        self.head = view.election.arguments.definition_hash
        self.batches = 0

    def __iter__(self) -> Iterator[bytes]:
        election = self._view.election
        self.head, self.batches = election.arguments.definition_hash, 0
        for packed in self._snapshot.stream_packed(election):
            self.head = advance_head(self.head, packed)
            self.batches += 1
            yield packed


class _Addresses(Sequence[Address]):
    """Addresses end to end: a fraction of what a million objects take."""

    def __init__(self, joined: bytes) -> None:
        self._joined = joined

    def __len__(self) -> int:
        return len(self._joined) // ADDRESS_BYTES

    def __iter__(self) -> Iterator[Address]:
        for start in range(0, len(self._joined), ADDRESS_BYTES):
            yield Address(self._joined[start : start + ADDRESS_BYTES])

    @overload
    def __getitem__(self, place: int) -> Address: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Address]: ...

    def __getitem__(self, place: int | slice) -> Address | Sequence[Address]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        start = range(len(self))[place] * ADDRESS_BYTES
        return Address(self._joined[start : start + ADDRESS_BYTES])


def _find_origin(view: View) -> BoxOrigin:
    election, factory = view.election, view.cursor.factory
    code = clone_runtime_code(compute_implementation_address(factory), election.arguments)
    return BoxOrigin(view.cursor.chain_id, factory, election.box, election.salt, code)
