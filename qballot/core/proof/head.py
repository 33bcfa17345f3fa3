"""The head of a box at a block, proved from what made the box and from the block's hash; steps 3 to 9.

code ──▶ implementation, arguments ──CREATE2 with factory and salt──▶ the box's address
block hash ── header ── state root ─┬─ box: code hash, storage root ── slot 0, the head
                                    └─ implementation: code hash
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qballot.core.address import checksum_address
from qballot.core.bounds import validate_length
from qballot.core.census import count_sheets
from qballot.core.keccak import keccak
from qballot.core.proof.account import Account, verify_account, verify_slot
from qballot.core.proof.evidence import HEAD_SLOT, BoxOrigin, HeadProof
from qballot.core.proof.header import Header, decode_header
from qballot.core.provenance import (
    BoxArguments,
    box_address,
    compute_implementation_address,
    parse_clone_code,
)
from qballot.core.records import CANCELLED_HEAD
from qballot.core.types import Address, Hash32
from qballot.errors import ProofError


@dataclass(frozen=True, slots=True)
class Pins:
    """What a version of QBallot takes as given: its contracts.

    factory: its address. implementation_code_hash: keccak256 of the code that every box runs.
    """

    factory: Address
    implementation_code_hash: Hash32

    def __post_init__(self) -> None:
        validate_length("factory", self.factory, 20)
        validate_length("implementation_code_hash", self.implementation_code_hash, 32)

    @property
    def implementation(self) -> Address:
        """Address of the implementation that the factory made."""
        return compute_implementation_address(self.factory)


@dataclass(frozen=True, slots=True)
class ProvenHead:
    """A box's head at a block. arguments: out of its code. block_hash: of the header."""

    arguments: BoxArguments
    header: Header
    block_hash: Hash32
    head: Hash32

    @property
    def is_cancelled(self) -> bool:
        """Whether the organizer cancelled the election."""
        return self.head == CANCELLED_HEAD


def prove_head(origin: BoxOrigin, header: bytes, proof: HeadProof, block_hash: Hash32, pins: Pins) -> ProvenHead:
    """Prove where a box comes from and what its slot holds at the block with this hash, all but the definition.

    header: encoded. Raises ProofError or DecodeError, naming what does not follow.
    """
    implementation, arguments = parse_clone_code(origin.code)
    check_address(origin, implementation, arguments, pins)
    check_implementation(implementation, pins)
    block = check_header(header, block_hash)
    account = prove_box(block, origin, proof.box)
    prove_implementation(block, pins, proof.implementation)
    return ProvenHead(arguments, block, block_hash, read_head(account, proof.head))


def check_definition_hash(arguments: BoxArguments, definition: bytes) -> None:
    """Check that a box was made for these bytes of a definition. Raises ProofError."""
    if (found := keccak(definition)) != arguments.definition_hash:
        raise ProofError(
            f"the definition hashes to 0x{found.hex()}, but the box was made for the one with "
            f"0x{arguments.definition_hash.hex()}"
        )


def check_rules(arguments: BoxArguments) -> None:
    """Check what the factory demands of a box's rules, as far as later steps rely on it. Raises ProofError."""
    if arguments.opens_at >= arguments.closes_at:
        raise ProofError(
            f"the box's code says that it opens at {arguments.opens_at} and closes at {arguments.closes_at}, expected "
            "the opening before the close"
        )
    found, expected = len(arguments.sheet_roots), count_sheets(arguments.voters, arguments.sheet_bits)
    if found != expected:
        raise ProofError(
            f"the box's code has {found} sheet roots, expected {expected} for {arguments.voters} voters in sheets of "
            f"2**{arguments.sheet_bits}"
        )


def check_address(origin: BoxOrigin, implementation: Address, arguments: BoxArguments, pins: Pins) -> None:
    """Check that a box's address follows from the pinned factory, its salt and its code. Raises ProofError."""
    if origin.factory != pins.factory:
        raise ProofError(
            f"the evidence names the factory {checksum_address(origin.factory)}, expected "
            f"{checksum_address(pins.factory)}: the election is of another version, or of nobody's"
        )
    found = box_address(pins.factory, implementation, origin.salt, arguments)
    if found != origin.box:
        raise ProofError(
            f"this factory, salt and code make the box {checksum_address(found)}, but the evidence is of "
            f"{checksum_address(origin.box)}: what stands there was made by somebody else, or for another election"
        )


def check_implementation(implementation: Address, pins: Pins) -> None:
    """Check that the implementation in a box's code is the pinned factory's. Raises ProofError."""
    if implementation != pins.implementation:
        raise ProofError(
            f"the box runs {checksum_address(implementation)}, expected {checksum_address(pins.implementation)}, "
            "which the factory made"
        )


def check_header(header: bytes, block_hash: Hash32) -> Header:
    """Check that an encoded header has this hash, and read it. Raises ProofError."""
    if (found := keccak(header)) != block_hash:
        raise ProofError(f"the header hashes to 0x{found.hex()}, but the trusted block hash is 0x{block_hash.hex()}")
    return decode_header(header)


def prove_box(header: Header, origin: BoxOrigin, nodes: Sequence[bytes]) -> Account:
    """Prove that a box's code stands at its address. Returns its account. Raises ProofError."""
    return _prove_code(header, origin.box, nodes, keccak(origin.code), "the box")


def prove_implementation(header: Header, pins: Pins, nodes: Sequence[bytes]) -> Account:
    """Prove that the implementation has the pinned code. Returns its account. Raises ProofError."""
    return _prove_code(header, pins.implementation, nodes, pins.implementation_code_hash, "the implementation")


def read_head(account: Account, nodes: Sequence[bytes]) -> Hash32:
    """Prove what the box's slot holds. account: the box's, proven. Raises ProofError, also where it is empty."""
    head = Hash32(verify_slot(account.storage_root, HEAD_SLOT, nodes))
    if not any(head):
        raise ProofError("the box's slot is empty: it was never initialized, so it was not created properly")
    return head


def _prove_code(header: Header, address: Address, nodes: Sequence[bytes], code_hash: Hash32, who: str) -> Account:
    account = verify_account(header.state_root, address, nodes)
    if account is None:
        raise ProofError(f"{who}, {checksum_address(address)}, is shown not to exist at block {header.number}")
    if account.code_hash != code_hash:
        raise ProofError(
            f"the code of {who}, {checksum_address(address)}, hashes to 0x{account.code_hash.hex()}, expected "
            f"0x{code_hash.hex()}"
        )
    return account
