"""Signed ballots in packed calldata: the argument `batch` of `castSigned`, and its strict reader.

    batch   base ‖ ballot ‖ ballot ‖ …
    base    uint32 voter ‖ uint40 castAt ‖ uint96 weight ‖ uint16 length ‖ uint8 width                  24 bytes
    ballot  step ‖ later ‖ [weight] ‖ [length] ‖ ballot's bytes ‖ r ‖ vs

The base holds voter, weight and length of the first ballot, and the earliest `castAt` of all. `later` is a ballot's
`castAt` minus the base's, big-endian, in `width` bytes. `step`, `weight` and `length` are *numbers* (unsigned LEB128):
seven bits in each byte, the lowest first, with the top bit set in all bytes but the last. A step is

    4 · (voters skipped since the ballot before) + 2 · (length follows) + (weight follows)

and zero in the first ballot. A list of signed ballots with ascending voters has exactly one form: a number has no
needless byte, `width` is the least that holds every `later`, a weight or length that follows differs from the base's,
and nothing follows the last signature.
Source: contracts/README.md; contracts/libraries/Batch.sol; tests/vectors/batches.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final

from qballot.core.bounds import validate_length
from qballot.core.records import Record, SignedRecord, validate_record
from qballot.core.signing import COMPACT_SIGNATURE_BYTES
from qballot.core.types import VoterIndex, Weight
from qballot.errors import BatchFormError, DecodeError, InputError

BASE_BYTES: Final = 24
"""Bytes of the base."""

MAX_WIDTH: Final = 5
"""Most bytes of `later`: those of a `castAt`."""

MAX_NUMBER_BYTES: Final = 14
"""Most bytes of a number: the fewest that hold a weight."""

OWN_WEIGHT: Final = 1
"""Bit of a step: the ballot's weight follows."""

OWN_LENGTH: Final = 2
"""Bit of a step: the length of the ballot's bytes follows."""


@dataclass(frozen=True, slots=True)
class BatchBase:
    """What stands once at the beginning of a batch.

    voter, weight, length: of the first ballot. cast_at: the earliest of all, unix seconds. width: bytes of every
    `later`.
    """

    voter: VoterIndex
    cast_at: int
    weight: Weight
    length: int
    width: int

    @classmethod
    def of(cls, records: Sequence[Record]) -> BatchBase:
        """Compute the base of these records, at least one."""
        first, earliest = records[0], min(record.cast_at for record in records)
        laters = reduce(or_, (record.cast_at - earliest for record in records))
        return cls(first.voter, earliest, first.weight, len(first.ballot), (laters.bit_length() + 7) // 8)

    def pack(self) -> bytes:
        """Lay the base out, 24 bytes."""
        fields = ((self.voter, 4), (self.cast_at, 5), (self.weight, 12), (self.length, 2), (self.width, 1))
        return b"".join(value.to_bytes(size) for value, size in fields)

    @classmethod
    def unpack(cls, batch: bytes) -> BatchBase:
        """Read the base at the beginning of a batch, whose fields may have any value. Raises BatchFormError."""
        if len(batch) < BASE_BYTES:
            raise BatchFormError(0, len(batch))
        voter, cast_at, weight, length, width = (
            int.from_bytes(batch[start:end]) for start, end in ((0, 4), (4, 9), (9, 21), (21, 23), (23, 24))
        )
        return cls(VoterIndex(voter), cast_at, Weight(weight), length, width)


def pack_batch(ballots: Sequence[SignedRecord]) -> bytes:
    """Pack signed ballots, at least one and strictly ascending by voter, in the one form that `castSigned` takes.

    Raises InputError when there are none, when the voters have another order, and when a value does not fit in its
    field: a voter in 32 bits, `cast_at` in 40, a weight in 96, a ballot in 65,535 bytes, `r` and `vs` in 32 each.
    """
    if not ballots:
        raise InputError("a batch needs at least one ballot; found none")
    for signed in ballots:
        validate_record(signed.record)
        validate_length("r", signed.r, 32)
        validate_length("vs", signed.vs, 32)
    base = BatchBase.of([signed.record for signed in ballots])
    parts = [base.pack()]
    expected: int = base.voter
    for signed in ballots:
        if signed.record.voter < expected:
            raise InputError(f"found voter {signed.record.voter} after voter {expected - 1}, expected ascending voters")
        parts.append(_pack_ballot(signed, base, expected))
        expected = signed.record.voter + 1
    return b"".join(parts)


def unpack_batch(batch: bytes) -> list[SignedRecord]:
    """Read a packed batch back. Packing what it returns gives the same bytes again.

    Raises BatchFormError, with the offset in bytes of the base or ballot that ends too early or is not in its one form,
    and DecodeError when there is no ballot or a value does not fit in its field.
    """
    if len(batch) in {0, BASE_BYTES}:
        raise DecodeError(f"a batch needs at least one ballot; found none in {len(batch)} bytes")
    base = BatchBase.unpack(batch)
    if base.width > MAX_WIDTH:
        raise BatchFormError(0)
    validate_first_step(batch)
    ballots: list[SignedRecord] = []
    expected, offset = int(base.voter), BASE_BYTES
    while offset < len(batch):
        signed, offset = read_ballot(batch, offset, base, expected)
        try:
            validate_record(signed.record)
        except InputError as error:
            raise DecodeError(f"the batch holds a ballot that no box takes: {error}") from error
        ballots.append(signed)
        expected = signed.record.voter + 1
    validate_base(base, [signed.record for signed in ballots])
    return ballots


def validate_first_step(batch: bytes) -> None:
    """Raise BatchFormError unless the first ballot's step is zero. The batch has a ballot."""
    if batch[BASE_BYTES] != 0:
        raise BatchFormError(BASE_BYTES)


def validate_base(base: BatchBase, records: Sequence[Record]) -> None:
    """Raise BatchFormError unless the base holds the earliest `cast_at` of these records and the least width."""
    if base != BatchBase.of(records):
        raise BatchFormError(0)


def read_ballot(batch: bytes, start: int, base: BatchBase, expected: int) -> tuple[SignedRecord, int]:
    """Read the ballot at `start`, and return it with the offset behind it.

    expected: the voter whose ballot stands here if none is skipped. Voter, `cast_at` and length of what is returned may
    be greater than their fields: the caller compares them. Raises BatchFormError.
    """
    step, offset = _read_number(batch, start, start)
    later_end = offset + base.width
    later = int.from_bytes(batch[offset:later_end])
    if later_end > len(batch):
        raise BatchFormError(start, len(batch))
    weight, offset = _read_number(batch, start, later_end) if step & OWN_WEIGHT else (base.weight, later_end)
    length, offset = _read_number(batch, start, offset) if step & OWN_LENGTH else (base.length, offset)
    end = offset + length + COMPACT_SIGNATURE_BYTES
    if end > len(batch):
        raise BatchFormError(start, len(batch))
    if step & OWN_WEIGHT and (weight == base.weight or weight >= 1 << 96):
        raise BatchFormError(start)
    if step & OWN_LENGTH and length == base.length:
        raise BatchFormError(start)
    ballot, signature = batch[offset : offset + length], batch[offset + length : end]
    record = Record(VoterIndex(expected + (step >> 2)), base.cast_at + later, Weight(weight), ballot)
    return SignedRecord(record, signature[:32], signature[32:]), end


def bound_ballot(record: Record, sheet_bits: int) -> int:
    """Return the most bytes that this ballot takes in a batch of its sheet, whatever else is in it."""
    numbers = (1 << sheet_bits + 2, record.weight, len(record.ballot))
    return sum(len(pack_number(value)) for value in numbers) + MAX_WIDTH + len(record.ballot) + COMPACT_SIGNATURE_BYTES


def _pack_ballot(signed: SignedRecord, base: BatchBase, expected: int) -> bytes:
    record = signed.record
    has_weight, has_length = record.weight != base.weight, len(record.ballot) != base.length
    return b"".join(
        (
            pack_number((record.voter - expected) << 2 | OWN_LENGTH * has_length | OWN_WEIGHT * has_weight),
            (record.cast_at - base.cast_at).to_bytes(base.width),
            pack_number(record.weight) if has_weight else b"",
            pack_number(len(record.ballot)) if has_length else b"",
            record.ballot,
            signed.r,
            signed.vs,
        )
    )


def pack_number(value: int) -> bytes:
    """Write a number of at most 98 bits in the fewest bytes: seven bits in each, the lowest first."""
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def _read_number(batch: bytes, start: int, offset: int) -> tuple[int, int]:
    """Read the number at `offset`, in the ballot at `start`. Returns it with the offset behind it."""
    value = 0
    for place in range(MAX_NUMBER_BYTES):
        if offset + place >= len(batch):
            raise BatchFormError(start, len(batch))
        digit = batch[offset + place]
        value |= (digit & 0x7F) << 7 * place
        if digit < 0x80:
            if digit == 0 and place:
                break
            return value, offset + place + 1
    raise BatchFormError(start)
