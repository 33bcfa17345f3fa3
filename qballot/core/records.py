"""Records and the hash chain over them: all that a ballot box ever remembers.

A record is one ballot as it stands in the log, packed big-endian:

    0       4         9            21       23              23 + length
    | voter | cast_at | weight     | length | ballot ...    |
    | u32   | u40     | u96        | u16    |               |

One call of the box is one event is one *batch*: its records laid end to end. The box's only slot holds the head of a
chain over the batches, which starts as the definition's hash:

    head = keccak256(abi.encode(head, keccak256(batch)))

So the boundaries of the batches matter, and the records inside one are found by walking from its start.
Source: contracts/BallotBox.sol; tests/vectors/records.json and heads.json.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct

from qballot.core.bounds import validate_length, validate_uint
from qballot.core.keccak import keccak
from qballot.core.types import Hash32, UnixSeconds, VoterIndex, Weight
from qballot.errors import DecodeError, InputError

RECORD_HEADER_BYTES = 23
"""Bytes of a record before its ballot."""

MAX_RECORD_BALLOT_BYTES = 2**16 - 1
"""Longest ballot that a record can name; an election's own limit is lower or equal."""

DIRECT_BIT = 1 << 39
"""Set in `cast_at` of a voter's own transaction, so that it outranks every signed ballot."""

CANCELLED_HEAD = keccak(b"QBallot: cancelled")
"""What the slot holds after the organizer cancelled the election. No sequence of batches leads there."""

# uint40 and uint96 have no letters of their own: each is read as a high and a low half.
_HEADER = Struct(">IBIQIH")


@dataclass(frozen=True, slots=True)
class Record:
    """One ballot in the log.

    voter: index in the census. cast_at: seconds by the chain's clock, with `DIRECT_BIT` set for a direct cast; uint40.
    weight: votes of this voter as the census has them; uint96. ballot: the bytes that were cast.
    """

    voter: VoterIndex
    cast_at: int
    weight: Weight
    ballot: bytes

    @property
    def is_direct(self) -> bool:
        """Whether the voter sent the ballot in a transaction of their own."""
        return self.cast_at >= DIRECT_BIT

    @property
    def cast_at_unix(self) -> UnixSeconds:
        """When the ballot was cast or signed, without the mark of a direct cast."""
        return UnixSeconds(self.cast_at & (DIRECT_BIT - 1))


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """A record with its voter's signature in the compact form of EIP-2098: 32 bytes `r` and 32 bytes `vs`."""

    record: Record
    r: bytes
    vs: bytes

    def pack(self) -> bytes:
        """Lay out record, `r` and `vs` as `castSigned` reads them. Raises InputError when something does not fit."""
        validate_length("r", self.r, 32)
        validate_length("vs", self.vs, 32)
        return pack_record(self.record) + self.r + self.vs


def pack_record(record: Record) -> bytes:
    """Lay out one record as the box writes it. Raises InputError when a value does not fit in its field."""
    validate_uint("voter", record.voter, 32)
    validate_uint("cast_at", record.cast_at, 40)
    validate_uint("weight", record.weight, 96)
    if len(record.ballot) > MAX_RECORD_BALLOT_BYTES:
        raise InputError(f"a ballot has at most {MAX_RECORD_BALLOT_BYTES} bytes; found {len(record.ballot)}")
    cast_at, weight = record.cast_at, record.weight
    header = _HEADER.pack(
        record.voter, cast_at >> 32, cast_at & 0xFFFFFFFF, weight >> 32, weight & 0xFFFFFFFF, len(record.ballot)
    )
    return header + record.ballot


def pack_records(records: Iterable[Record]) -> bytes:
    """Lay out the records of one batch. Raises InputError when a value does not fit in its field."""
    return b"".join(map(pack_record, records))


def pack_signed_records(records: Iterable[SignedRecord]) -> bytes:
    """Lay out the argument `signedRecords` of `castSigned`. Raises InputError when something does not fit."""
    return b"".join(record.pack() for record in records)


def unpack_records(data: bytes) -> list[Record]:
    """Read one batch back into records, in their order; no bytes are no records.

    Raises DecodeError, naming the offset in bytes, when the last record is cut short. Any other bytes are some list of
    records, and packing it gives the same bytes again.
    """
    data = bytes(data)
    end, offset = len(data), 0
    unpack_from = _HEADER.unpack_from
    records: list[Record] = []
    while offset < end:
        start = offset + RECORD_HEADER_BYTES
        if start > end:
            raise DecodeError(
                f"records are cut short at byte {offset}: a record's header has {RECORD_HEADER_BYTES} bytes, "
                f"found {end - offset}"
            )
        voter, cast_high, cast_low, weight_high, weight_low, length = unpack_from(data, offset)
        offset = start + length
        if offset > end:
            raise DecodeError(
                f"records are cut short at byte {start}: the ballot should have {length} bytes, found {end - start}"
            )
        records.append(
            Record(voter, cast_high << 32 | cast_low, weight_high << 32 | weight_low, data[start:offset]),
        )
    return records


def advance_head(head: Hash32, records: bytes) -> Hash32:
    """Add one batch to the chain. head: 32 bytes, the one before. records: the batch's bytes as in its event."""
    return keccak(head + keccak(records))


def compute_head(definition_hash: Hash32, batches: Iterable[bytes]) -> Hash32:
    """Compute the head after all batches, in chain order, of an election with this definition."""
    head = definition_hash
    for records in batches:
        head = advance_head(head, records)
    return head
