"""Packed batches in parts, so that each part can be made wrong: numbers, steps, the base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from qballot.core.packed_batch import BASE_BYTES, MAX_NUMBER_BYTES, MAX_WIDTH, OWN_LENGTH, OWN_WEIGHT, BatchBase
from qballot.core.records import DIRECT_BIT, SignedRecord
from qballot.core.types import VoterIndex, Weight


@dataclass(frozen=True, slots=True)
class LooseBallot:
    """A ballot of a batch. skipped: voters before it. content: its bytes and signature. weight, length: if they follow.

    flags: bits of the step instead of those that say what follows. least: bytes of step, weight and length at the least.
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
    if fault == "needless byte":
        least = [1, 1, 1]
        place = draw(st.integers(0, 2))
        least[place] = draw(st.integers(2, 4) | st.integers(2, MAX_NUMBER_BYTES + 2))
        return replace(ballot, least=(least[0], least[1], least[2]))
    if fault == "own weight again":
        return replace(ballot, weight=base.weight)
    if fault == "own length again":
        return replace(ballot, length=base.length)
    if fault == "weight beyond":
        weight = base.weight if ballot.weight is None else ballot.weight
        return replace(ballot, weight=weight + draw(st.sampled_from([2**96, 2**97, 2**98, 2**128])))
    if fault == "length beyond":
        length = base.length if ballot.length is None else ballot.length
        more = draw(st.sampled_from([1, 2**16, 2**32, 2**64, 2**97, 2**98]))
        # The bytes may be there.
        content = ballot.content + bytes(more if more == 2**16 and draw(st.booleans()) else 0)
        return replace(ballot, length=length + more, content=content)
    if fault == "skip beyond":
        return replace(ballot, skipped=ballot.skipped + draw(st.sampled_from([1, 2**32, 2**64, 2**95, 2**96, 2**254])))
    if fault == "flags":
        return replace(ballot, flags=draw(st.integers(0, 3)))
    return replace(ballot, later=ballot.later + DIRECT_BIT)


def _spoil_base(draw: DrawFn, batch: LooseBatch, fault: str) -> LooseBatch:
    base, ballots = batch.base, batch.ballots
    if fault == "wider":
        return replace(batch, base=replace(base, width=draw(st.integers(base.width, MAX_WIDTH))))
    if fault == "widest":
        return replace(batch, base=replace(base, width=draw(st.sampled_from([6, 7, 8, 31, 32, 33, 255]))))
    if fault == "narrower":
        return replace(batch, base=replace(base, width=max(0, base.width - 1)))
    if fault == "earlier base":
        early = min(draw(st.sampled_from([1, 2, 255, 2**32])), base.cast_at)
        later = tuple(replace(ballot, later=ballot.later + early) for ballot in ballots)
        width = (max(ballot.later for ballot in later).bit_length() + 7) // 8
        return LooseBatch(replace(base, cast_at=base.cast_at - early, width=width), later)
    if fault == "wrapping base":
        # Laters with which 40 bits would come round to the times that were signed.
        latest = max(ballot.later for ballot in ballots) + draw(st.integers(0, 1))
        wrapped = tuple(replace(ballot, later=(ballot.later - latest) % 2**40) for ballot in ballots)
        cast_at = min(base.cast_at + latest, 2**40 - 1)
        return LooseBatch(replace(base, cast_at=cast_at, width=MAX_WIDTH), wrapped)
    if fault == "base field":
        changed = {
            "voter": {"voter": VoterIndex(draw(st.integers(0, 9) | st.integers(0, 2**32 - 1)))},
            "cast_at": {"cast_at": draw(st.integers(0, 2**40 - 1))},
            "weight": {"weight": Weight(draw(st.integers(0, 9) | st.integers(0, 2**96 - 1)))},
            "length": {"length": draw(st.integers(0, 9) | st.integers(0, 2**16 - 1))},
        }
        field = draw(st.sampled_from(sorted(changed)))
        return replace(batch, base=replace(base, **changed[field]))  # type: ignore[arg-type]
    first = draw(
        st.sampled_from(
            [
                replace(ballots[0], skipped=1),
                replace(ballots[0], flags=1),
                replace(ballots[0], weight=base.weight + 1),
                replace(ballots[0], length=base.length),
            ]
        )
    )
    return LooseBatch(base, (first, *ballots[1:]))


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
