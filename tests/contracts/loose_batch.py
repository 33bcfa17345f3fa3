"""Packed batches in parts, so that each part can be made wrong: numbers, steps, the base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from qballot.core.packed_batch import BASE_BYTES, MAX_NUMBER_BYTES, MAX_WIDTH, OWN_LENGTH, OWN_WEIGHT, BatchBase
from qballot.core.records import DIRECT_BIT, SignedRecord


@dataclass(frozen=True, slots=True)
class LooseBallot:
    """A ballot of a batch.

    skipped: voters before it. content: its bytes and signature. weight, length: if they follow. flags: bits of the step
    instead of those that say what follows. least: bytes of step, weight and length at the least.
    """

    skipped: int
    later: int
    content: bytes
    weight: int | None = None
    length: int | None = None
    flags: int | None = None
    least: tuple[int, int, int] = (1, 1, 1)

    def pack(self, width: int) -> bytes:
        flags = OWN_WEIGHT * (self.weight is not None) + OWN_LENGTH * (self.length is not None)
        numbers = (self.skipped << 2 | (flags if self.flags is None else self.flags), self.weight, self.length)
        step, weight, length = (
            b"" if value is None else number(value, least) for value, least in zip(numbers, self.least, strict=True)
        )
        return step + (self.later % 256**width).to_bytes(width) + weight + length + self.content


@dataclass(frozen=True, slots=True)
class LooseBatch:
    """A batch, right or wrong."""

    base: BatchBase
    ballots: tuple[LooseBallot, ...]

    @classmethod
    def of(cls, signed: Sequence[SignedRecord]) -> LooseBatch:
        """As it is packed if the voters ascend. Otherwise the steps are what wraps around to the voters in 32 bits."""
        base = BatchBase.of([each.record for each in signed])
        expected, ballots = int(base.voter), []
        for each in signed:
            record = each.record
            ballots.append(
                LooseBallot(
                    skipped=(record.voter - expected) % 2**32,
                    later=record.cast_at - base.cast_at,
                    content=record.ballot + each.r + each.vs,
                    weight=record.weight if record.weight != base.weight else None,
                    length=len(record.ballot) if len(record.ballot) != base.length else None,
                )
            )
            expected = record.voter + 1
        return cls(base, tuple(ballots))

    def pack(self) -> bytes:
        return self.base.pack() + b"".join(ballot.pack(self.base.width) for ballot in self.ballots)


def number(value: int, least: int = 1) -> bytes:
    """Write a number, in more bytes than needed if `least` says so."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F)
    digits += [0] * (least - len(digits))
    return bytes(digit | 0x80 for digit in digits[:-1]) + bytes(digits[-1:])


BALLOT_FORM_FAULTS = (
    "needless byte", "own weight again", "own length again", "weight beyond", "length beyond", "skip beyond", "flags",
    "bit 39",
)  # fmt: skip
BASE_FAULTS = ("wider", "widest", "narrower", "earlier base", "wrapping base", "base field", "first step")
FORM_FAULTS = (*BALLOT_FORM_FAULTS, *BASE_FAULTS)


def spoil_form(draw: DrawFn, batch: LooseBatch, fault: str) -> LooseBatch:
    """Do this to a batch of at least one ballot; which the contract may take all the same where nothing came of it."""
    if fault in BASE_FAULTS:
        return _spoil_base(draw, batch, fault)
    place = draw(st.integers(0, len(batch.ballots) - 1))
    spoiled = _spoil_ballot(draw, batch.ballots[place], fault, batch.base)
    base = replace(batch.base, width=MAX_WIDTH) if fault == "bit 39" else batch.base
    return LooseBatch(base, (*batch.ballots[:place], spoiled, *batch.ballots[place + 1 :]))


def _spoil_ballot(draw: DrawFn, ballot: LooseBallot, fault: str, base: BatchBase) -> LooseBallot:
    weight = base.weight if ballot.weight is None else ballot.weight
    length = base.length if ballot.length is None else ballot.length
    least = [1, 1, 1]
    least[draw(st.integers(0, 2))] = draw(st.integers(2, 4) | st.integers(2, MAX_NUMBER_BYTES + 2))
    longer = draw(st.sampled_from([1, 2**16, 2**32, 2**64, 2**97, 2**98]))
    # What is too long may be there.
    more_content = bytes(longer if longer == 2**16 and draw(st.booleans()) else 0)
    heavier = draw(st.sampled_from([2**96, 2**97, 2**98, 2**128]))
    further = draw(st.sampled_from([1, 2**32, 2**64, 2**95, 2**96, 2**254]))
    return {
        "needless byte": replace(ballot, least=(least[0], least[1], least[2])),
        "own weight again": replace(ballot, weight=base.weight),
        "own length again": replace(ballot, length=base.length),
        "weight beyond": replace(ballot, weight=weight + heavier),
        "length beyond": replace(ballot, length=length + longer, content=ballot.content + more_content),
        "skip beyond": replace(ballot, skipped=ballot.skipped + further),
        "flags": replace(ballot, flags=draw(st.integers(0, 3))),
        "bit 39": replace(ballot, later=ballot.later + DIRECT_BIT),
    }[fault]


def _spoil_base(draw: DrawFn, batch: LooseBatch, fault: str) -> LooseBatch:
    base, (first, *others) = batch.base, batch.ballots
    field, value = draw(
        st.tuples(st.just("voter"), st.integers(0, 9) | st.integers(0, 2**32 - 1))
        | st.tuples(st.just("cast_at"), st.integers(0, 2**40 - 1))
        | st.tuples(st.just("weight"), st.integers(0, 9) | st.integers(0, 2**96 - 1))
        | st.tuples(st.just("length"), st.integers(0, 9) | st.integers(0, 2**16 - 1))
    )
    changed_first = draw(
        st.sampled_from(
            [
                replace(first, skipped=1),
                replace(first, flags=1),
                replace(first, weight=base.weight + 1),
                replace(first, length=base.length),
            ]
        )
    )
    widest = draw(st.sampled_from([6, 7, 8, 31, 32, 33, 255]))
    return {
        "wider": replace(batch, base=replace(base, width=draw(st.integers(min(base.width, MAX_WIDTH), MAX_WIDTH)))),
        "widest": replace(batch, base=replace(base, width=widest)),
        "narrower": replace(batch, base=replace(base, width=max(0, base.width - 1))),
        "earlier base": _move_base(batch, -min(draw(st.sampled_from([1, 2, 255, 2**32])), base.cast_at)),
        "wrapping base": _move_base(batch, max(each.later for each in batch.ballots) + draw(st.integers(0, 1))),
        "base field": replace(batch, base=replace(base, **{field: value})),  # type: ignore[arg-type]
        "first step": LooseBatch(base, (changed_first, *others)),
    }[fault]


def _move_base(batch: LooseBatch, seconds: int) -> LooseBatch:
    """Let the base have another time, and each `later` be such that the sum, cut to 40 bits, is what was signed."""
    cast_at = min(batch.base.cast_at + seconds, 2**40 - 1)
    moved = cast_at - batch.base.cast_at
    ballots = tuple(replace(each, later=(each.later - moved) % 2**40) for each in batch.ballots)
    width = (max(each.later for each in ballots).bit_length() + 7) // 8
    return LooseBatch(replace(batch.base, cast_at=cast_at, width=width), ballots)


BYTE_FAULTS = ("cut", "more", "flip", "put in", "take out")


def spoil_bytes(draw: DrawFn, packed: bytes, fault: str) -> bytes:
    """Do this to bytes, of which there may be none."""
    if fault == "more":
        return packed + draw(st.sampled_from([b"\0", b"\x80", bytes(65)]) | st.binary(min_size=1, max_size=100))
    if fault == "cut":
        missing = draw(st.sampled_from([1, 64, 65]) | st.integers(1, max(1, len(packed))))
        return packed[: max(0, len(packed) - missing)]
    # In the base, at the first step, or anywhere.
    place = min(draw(st.integers(0, BASE_BYTES) | st.integers(0, max(0, len(packed) - 1))), max(0, len(packed) - 1))
    if fault == "put in":
        return packed[:place] + draw(st.binary(min_size=1, max_size=3)) + packed[place:]
    if fault == "take out":
        return packed[:place] + packed[place + draw(st.integers(1, 70)) :]
    return (
        packed[:place]
        + bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in packed[place : place + 1])
        + (packed[place + 1 :])
    )
