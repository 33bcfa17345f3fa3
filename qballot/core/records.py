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

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from struct import Struct
from typing import Any

from qballot.core.bounds import validate_uint
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
_HALVES = "IBIQIH"
_HEADER = Struct(f">{_HALVES}")

_TOGETHER = 32
"""Records that are read at once."""


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
class RecordColumns:
    """The records of one batch, field by field: the form in which many of them cost the least.

    Each column has one value for every record, in their order, as in `Record`. Iterating gives the records.
    """

    voters: Sequence[VoterIndex]
    cast_ats: Sequence[int]
    weights: Sequence[Weight]
    ballots: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.voters)

    def __iter__(self) -> Iterator[Record]:
        return map(Record, self.voters, self.cast_ats, self.weights, self.ballots)

    def at(self, place: int) -> Record:
        """Return the record at a place, from 0."""
        return Record(self.voters[place], self.cast_ats[place], self.weights[place], self.ballots[place])


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """A record with its voter's signature in the compact form of EIP-2098: 32 bytes `r` and 32 bytes `vs`."""

    record: Record
    r: bytes
    vs: bytes


def validate_record(record: Record) -> None:
    """Raise InputError when a value does not fit in its field."""
    validate_uint("voter", record.voter, 32)
    validate_uint("cast_at", record.cast_at, 40)
    validate_uint("weight", record.weight, 96)
    if len(record.ballot) > MAX_RECORD_BALLOT_BYTES:
        raise InputError(f"a ballot has at most {MAX_RECORD_BALLOT_BYTES} bytes; found {len(record.ballot)}")


def pack_record(record: Record) -> bytes:
    """Lay out one record as the box writes it. Raises InputError when a value does not fit in its field."""
    validate_record(record)
    cast_at, weight = record.cast_at, record.weight
    header = _HEADER.pack(
        record.voter, cast_at >> 32, cast_at & 0xFFFFFFFF, weight >> 32, weight & 0xFFFFFFFF, len(record.ballot)
    )
    return header + record.ballot


def pack_records(records: Iterable[Record]) -> bytes:
    """Lay out the records of one batch. Raises InputError when a value does not fit in its field."""
    return b"".join(map(pack_record, records))


def unpack_records(data: bytes) -> list[Record]:
    """Read one batch back into records, in their order; no bytes are no records.

    Raises DecodeError, naming the offset in bytes, when the last record is cut short. Any other bytes are some list of
    records, and packing it gives the same bytes again.
    """
    return list(unpack_columns(data))


def unpack_columns(data: bytes) -> RecordColumns:
    """Read one batch, or several laid end to end, as `unpack_records` does, without an object for every record."""
    data = bytes(data)
    length = _find_even_length(data)
    fields = list(chain.from_iterable(_unpack_walking(data))) if length is None else _unpack_evenly(data, length)
    voters, ballots = fields[0::7], fields[6::7]
    return RecordColumns(voters, _join(fields[1::7], fields[2::7]), _join(fields[3::7], fields[4::7]), ballots)


def join_columns(parts: Iterable[RecordColumns]) -> RecordColumns:
    """Put records together, in their order."""
    voters: list[VoterIndex] = []
    cast_ats: list[int] = []
    weights: list[Weight] = []
    ballots: list[bytes] = []
    for part in parts:
        voters += part.voters
        cast_ats += part.cast_ats
        weights += part.weights
        ballots += part.ballots
    return RecordColumns(voters, cast_ats, weights, ballots)


def count_records(data: bytes) -> int:
    """Count a batch's records. Raises DecodeError where `unpack_records` does."""
    data = bytes(data)
    length = _find_even_length(data)
    return len(_unpack_walking(data)) if length is None else len(data) // (RECORD_HEADER_BYTES + length)


def _find_even_length(data: bytes) -> int | None:
    """Find the length that all ballots of a batch have; None where they differ, or the batch is empty or cut short."""
    if len(data) < RECORD_HEADER_BYTES:
        return None
    high, low = data[RECORD_HEADER_BYTES - 2], data[RECORD_HEADER_BYTES - 1]
    size = RECORD_HEADER_BYTES + (high << 8 | low)
    if size == len(data):
        return high << 8 | low
    number, rest = divmod(len(data), size)
    if rest:
        return None
    # The second record begins here if the first one has this length, the third if the second has, and so on.
    highs, lows = data[RECORD_HEADER_BYTES - 2 :: size], data[RECORD_HEADER_BYTES - 1 :: size]
    return high << 8 | low if highs.count(high) == lows.count(low) == number else None


def _unpack_walking(data: bytes) -> list[tuple[Any, ...]]:
    """Read a batch record by record: headers' fields, then the ballot."""
    end, offset = len(data), 0
    rows: list[tuple[Any, ...]] = []
    while offset < end:
        start = offset + RECORD_HEADER_BYTES
        if start > end:
            raise DecodeError(
                f"records are cut short at byte {offset}: a record's header has {RECORD_HEADER_BYTES} bytes, "
                f"found {end - offset}"
            )
        header = _HEADER.unpack_from(data, offset)
        offset = start + header[5]
        if offset > end:
            raise DecodeError(
                f"records are cut short at byte {start}: the ballot should have {header[5]} bytes, found {end - start}"
            )
        rows.append((*header, data[start:offset]))
    return rows


def _unpack_evenly(data: bytes, length: int) -> list[Any]:
    """Read a batch whose ballots have one length: one record's fields after another's.

    Many records at once, since a tuple for each would cost as much again, and the collector's looking through all.
    """
    size = RECORD_HEADER_BYTES + length
    whole = len(data) - len(data) % (size * _TOGETHER)
    fields: list[Any] = []
    for start in range(0, whole, size * _TOGETHER):
        fields += _struct_of(length, _TOGETHER).unpack_from(data, start)
    for start in range(whole, len(data), size):
        fields += _struct_of(length, 1).unpack_from(data, start)
    return fields


@lru_cache(maxsize=256)
def _struct_of(length: int, records: int) -> Struct:
    return Struct(">" + f"{_HALVES}{length}s" * records)


def _join(highs: Sequence[int], lows: Sequence[int]) -> Sequence[Any]:
    """Put numbers together from their halves; the high ones are mostly 0."""
    if not any(highs):
        return lows
    return [high << 32 | low for high, low in zip(highs, lows, strict=True)]


def advance_head(head: Hash32, records: bytes) -> Hash32:
    """Add one batch to the chain. head: 32 bytes, the one before. records: the batch's bytes as in its event."""
    return keccak(head + keccak(records))


def compute_head(definition_hash: Hash32, batches: Iterable[bytes]) -> Hash32:
    """Compute the head after all batches, in chain order, of an election with this definition."""
    head = definition_hash
    for records in batches:
        head = advance_head(head, records)
    return head
