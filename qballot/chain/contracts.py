"""The two contracts as Python sees them: one method for each function that reads, one `encode_…` for each that writes,
one `decode_…` for each event. The block is always explicit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qballot.chain.abi import decode_values, load_function
from qballot.chain.answers import Log
from qballot.chain.artifacts import BALLOT_BOX, BALLOT_BOX_FACTORY
from qballot.chain.rpc import BlockId, Rpc
from qballot.core.cast_log import CAST_TOPIC, decode_cast_log
from qballot.core.keccak import keccak
from qballot.core.packed_batch import pack_batch
from qballot.core.provenance import BoxArguments, parse_clone_code
from qballot.core.records import SignedRecord
from qballot.core.types import Address, Hash32, UnixSeconds, VoterIndex, Weight
from qballot.errors import ChainError, DecodeError

PARAMS_TYPE = "(uint40,uint40,uint8,uint32,uint16,bool)"
"""ElectionParams: opensAt, closesAt, sheetBits, voters, maxBallotBytes, textBallots."""

BALLOT_BOX_CREATED = keccak(f"BallotBoxCreated(address,address,bytes32,{PARAMS_TYPE},bytes32,bytes)".encode())
BALLOTS_CAST = CAST_TOPIC
BALLOT_BOX_CANCELLED = keccak(b"BallotBoxCancelled()")


@dataclass(frozen=True, slots=True)
class BallotBoxCreated:
    """What the factory says of a new box. It is to be checked: sheet roots and address are not in it.

    opens_at, closes_at: unix seconds. salt: the organizer's choice. definition: the bytes as they were hashed.
    """

    box: Address
    organizer: Address
    definition_hash: Hash32
    opens_at: UnixSeconds
    closes_at: UnixSeconds
    sheet_bits: int
    voters: int
    max_ballot_bytes: int
    text_ballots: bool
    salt: Hash32
    definition: bytes


class _Contract:
    """A contract at an address, read through one endpoint."""

    def __init__(self, rpc: Rpc, address: Address) -> None:
        self.rpc = rpc
        self.address = address

    def _read(self, contract: str, function: str, block: BlockId, *arguments: Any) -> Any:
        signature = load_function(contract, function)
        result = self.rpc.call_contract(self.address, signature.encode(*arguments), block)
        try:
            return signature.decode_result(result)
        except DecodeError as error:
            raise ChainError(f"0x{self.address.hex()} is no {contract}: {function}: {error}") from None


class FactoryContract(_Contract):
    """A BallotBoxFactory."""

    def implementation(self, block: BlockId) -> Address:
        """Return the contract that every box is a clone of."""
        return _address(self._read(BALLOT_BOX_FACTORY, "implementation", block))

    def predict(self, salt: Hash32, arguments: BoxArguments, block: BlockId) -> Address:
        """Return the address of the box that the organizer in `arguments` would create."""
        values = (arguments.organizer, salt, _params(arguments), arguments.sheet_roots, arguments.definition_hash)
        return _address(self._read(BALLOT_BOX_FACTORY, "predict", block, *values))


class BallotBoxContract(_Contract):
    """One election's box."""

    def fetch_arguments(self, block: BlockId) -> BoxArguments:
        """Return the box's immutable arguments, which are its code. Raises ChainError when it has other code.

        Only a box's address proves that its factory made it: see qballot/core/provenance.py.
        """
        try:
            return parse_clone_code(self.rpc.code(self.address, block))[1]
        except DecodeError as error:
            raise ChainError(f"0x{self.address.hex()} is no ballot box: {error}") from None

    def head(self, block: BlockId) -> Hash32:
        """Return the head of the chain over all batches."""
        return Hash32(self._read(BALLOT_BOX, "head", block))

    def definition_hash(self, block: BlockId) -> Hash32:
        """Return keccak256 of the definition's bytes."""
        return Hash32(self._read(BALLOT_BOX, "definitionHash", block))

    def organizer(self, block: BlockId) -> Address:
        """Return who created the box and may cancel it before it opens."""
        return _address(self._read(BALLOT_BOX, "organizer", block))

    def opens_at(self, block: BlockId) -> UnixSeconds:
        """Return the first second in which ballots are taken."""
        return UnixSeconds(self._read(BALLOT_BOX, "opensAt", block))

    def closes_at(self, block: BlockId) -> UnixSeconds:
        """Return the first second in which ballots are no longer taken."""
        return UnixSeconds(self._read(BALLOT_BOX, "closesAt", block))

    def sheet_bits(self, block: BlockId) -> int:
        """Return the binary logarithm of the voters in a full sheet."""
        return int(self._read(BALLOT_BOX, "sheetBits", block))

    def voters(self, block: BlockId) -> int:
        """Return the number of voters in the census."""
        return int(self._read(BALLOT_BOX, "voters", block))

    def max_ballot_bytes(self, block: BlockId) -> int:
        """Return the longest ballot that is taken."""
        return int(self._read(BALLOT_BOX, "maxBallotBytes", block))

    def text_ballots(self, block: BlockId) -> bool:
        """Return whether voters sign their ballots as text."""
        return bool(self._read(BALLOT_BOX, "textBallots", block))

    def sheet_count(self, block: BlockId) -> int:
        """Return the number of sheets."""
        return int(self._read(BALLOT_BOX, "sheetCount", block))

    def sheet_root(self, sheet: int, block: BlockId) -> Hash32:
        """Return the Merkle root of a sheet's part of the census."""
        return Hash32(self._read(BALLOT_BOX, "sheetRoot", block, sheet))

    def hash_ballot(self, voter: VoterIndex, cast_at: int, ballot: bytes, block: BlockId) -> Hash32:
        """Return the digest that a voter signs, as the contract computes it."""
        return Hash32(self._read(BALLOT_BOX, "hashBallot", block, voter, cast_at, ballot))


def encode_create(salt: Hash32, arguments: BoxArguments, definition: bytes) -> bytes:
    """Encode `create`. The organizer will be the sender, the definition's hash that of its bytes."""
    function = load_function(BALLOT_BOX_FACTORY, "create")
    return function.encode(_params(arguments), arguments.sheet_roots, salt, definition)


def encode_cast(voter: VoterIndex, weight: Weight, ballot: bytes, proof: Sequence[Hash32]) -> bytes:
    """Encode `cast`: a voter's own ballot with the proof that the voter, the sender, is in the census."""
    return load_function(BALLOT_BOX, "cast").encode(voter, weight, ballot, proof)


def encode_cast_signed(ballots: Sequence[SignedRecord], proof: Sequence[Hash32]) -> bytes:
    """Encode `castSigned`: the signed ballots of voters of one sheet, ascending, with their multiproof.

    Raises InputError as `pack_batch` does.
    """
    return load_function(BALLOT_BOX, "castSigned").encode(pack_batch(ballots), proof)


def encode_cancel() -> bytes:
    """Encode `cancel`, which the organizer may send before the election opens."""
    return load_function(BALLOT_BOX, "cancel").encode()


def decode_ballot_box_created(log: Log) -> BallotBoxCreated:
    """Decode the factory's event. Raises DecodeError when the log is another."""
    _check_topics(log, BALLOT_BOX_CREATED, 4)
    params, salt, definition = decode_values((PARAMS_TYPE, "bytes32", "bytes"), log.data)
    opens_at, closes_at, sheet_bits, voters, max_ballot_bytes, text_ballots = params
    return BallotBoxCreated(
        box=read_address_topic(log.topics[1]),
        organizer=read_address_topic(log.topics[2]),
        definition_hash=log.topics[3],
        opens_at=UnixSeconds(opens_at),
        closes_at=UnixSeconds(closes_at),
        sheet_bits=sheet_bits,
        voters=voters,
        max_ballot_bytes=max_ballot_bytes,
        text_ballots=text_ballots,
        salt=Hash32(salt),
        definition=definition,
    )


def read_address_topic(topic: Hash32) -> Address:
    """Read an indexed address: 12 zeros and 20 bytes. Raises DecodeError."""
    if any(topic[:12]):
        raise DecodeError(f"found the topic 0x{topic.hex()}, expected an address after 12 zeros")
    return Address(topic[12:])


def decode_ballots_cast(log: Log) -> bytes:
    """Take the packed records of one batch out of a box's event. Raises DecodeError when the log is another."""
    return decode_cast_log(log.topics, log.data)


def _check_topics(log: Log, topic: Hash32, count: int) -> None:
    if len(log.topics) != count or log.topics[0] != topic:
        found = f"0x{log.topics[0].hex()}" if log.topics else "none"
        raise DecodeError(f"found {len(log.topics)} topics, the first {found}; expected {count}, 0x{topic.hex()}")


def _params(arguments: BoxArguments) -> tuple[int, int, int, int, int, bool]:
    return (
        arguments.opens_at,
        arguments.closes_at,
        arguments.sheet_bits,
        arguments.voters,
        arguments.max_ballot_bytes,
        arguments.text_ballots,
    )


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text[2:]))
