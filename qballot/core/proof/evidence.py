"""Evidence: all that is needed to believe a result for whoever believes one block hash.

    trusted hash ── header ─┬─ accounts of box and implementation ── code ── definition, times, electorate's roots
                            └─ slot 0, the head ── batches ── records ── ballots that count ── result
                                                                 └─ voters ── the electorate's roots

Nothing here is checked: `verify.py` does that, `evidence_reader.py` and `evidence_writer.py` say how it is a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from qballot.core.bounds import validate_length
from qballot.core.census import Census
from qballot.core.census_file import load_census
from qballot.core.keccak import keccak
from qballot.core.proof.get_proof import GetProofAnswer
from qballot.core.types import Address, ChainId, Hash32, Weight
from qballot.errors import ProofError

HEAD_SLOT = 0
"""The slot of a box that holds the head of its chain: its only one."""


@dataclass(frozen=True, slots=True)
class BoxOrigin:
    """Where a box is said to stand and to come from.

    chain_id: claimed; nothing in a block proves it but the block's hash, to whoever knows the chain.
    factory, box: addresses, 20 bytes. salt: the organizer's choice, 32 bytes. code: what stands at the box's address.
    """

    chain_id: ChainId
    factory: Address
    box: Address
    salt: Hash32
    code: bytes = field(repr=False)

    def __post_init__(self) -> None:
        validate_length("factory", self.factory, 20)
        validate_length("box", self.box, 20)
        validate_length("salt", self.salt, 32)


@dataclass(frozen=True, slots=True)
class HeadProof:
    """Trie nodes, root first: of the box's account, of the implementation's account, and of the box's slot 0."""

    box: tuple[bytes, ...]
    implementation: tuple[bytes, ...]
    head: tuple[bytes, ...]

    @classmethod
    def of(cls, box: GetProofAnswer, implementation: GetProofAnswer) -> HeadProof:
        """Take the nodes out of two answers to `eth_getProof`. box: asked for with slot 0. Raises ProofError."""
        slots = [slot for slot in box.proof.slots if slot.slot == HEAD_SLOT]
        if not slots:
            raise ProofError(f"found no proof of slot {HEAD_SLOT} in the answer about the box, expected one")
        return cls(box.proof.nodes, implementation.proof.nodes, slots[0].nodes)


@dataclass(frozen=True, slots=True)
class Voters:
    """The electorate, by index: addresses of 20 bytes and weights, as many of each."""

    addresses: Sequence[Address] = field(repr=False)
    weights: Sequence[Weight] = field(repr=False)

    def __len__(self) -> int:
        return len(self.addresses)

    @classmethod
    def of(cls, census: Census) -> Voters:
        """Take the voters of a census."""
        return cls(census.addresses, census.weights)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything about one election at one block.

    definition: its bytes. header: of the block that all is proved at, encoded as it is hashed.
    batches: the packed records of each call of the box, in the chain's order; can be passed over more than once.
    voters: the census; None where it is left out. census_hash: then keccak256 of the census file, if it is known.
    lot: encoded headers that lead from the lot's block to `header`, oldest first: the parent of the lot's block, that
    block, … up to the parent of `header`; where `header` is itself of the lot's block, its parent alone. Empty without.
    """

    origin: BoxOrigin
    definition: bytes = field(repr=False)
    header: bytes = field(repr=False)
    proof: HeadProof = field(repr=False)
    batches: Iterable[bytes] = field(repr=False)
    voters: Voters | None = field(default=None, repr=False)
    census_hash: Hash32 | None = None
    lot: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def block_hash(self) -> Hash32:
        """Hash of the evidence's own header. Trusting it proves nothing about the canonical chain."""
        return keccak(self.header)


def attach_census(evidence: Evidence, census_file: bytes) -> Evidence:
    """Put the voters of a census file into evidence that has none. Whether they are the box's, verifying says.

    Raises InputError for a file that is no census, and ProofError where it is another than the evidence refers to.
    """
    found, expected = keccak(census_file), evidence.census_hash
    if expected is not None and found != expected:
        raise ProofError(
            f"the census file hashes to 0x{found.hex()}; the evidence refers to the one with 0x{expected.hex()}"
        )
    return replace(evidence, voters=Voters.of(load_census(census_file)), census_hash=None)
