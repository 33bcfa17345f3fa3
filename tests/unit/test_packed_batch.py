"""Packed batches: the one form of any signed ballots, and that nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, DrawFn
from properties import examples

from qballot.core.packed_batch import (
    BASE_BYTES,
    MAX_NUMBER_BYTES,
    BatchBase,
    bound_ballot,
    pack_batch,
    pack_number,
    unpack_batch,
)
from qballot.core.records import MAX_RECORD_BALLOT_BYTES, Record, SignedRecord
from qballot.core.types import VoterIndex, Weight
from qballot.errors import BatchFormError, DecodeError, InputError

pytestmark = pytest.mark.unit

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "batches.json").read_text())

NOON = 1_800_000_000
R, VS = b"r" * 32, b"v" * 32

# Values of which many are the base's, and that lie on both sides of where a number or `later` gets longer.
gaps = st.sampled_from([0, 0, 0, 1, 31, 32, 4095, 4096, 65_535]) | st.integers(0, 2**20)
weights = st.sampled_from([1, 1, 1, 0, 127, 128, 2**96 - 1]) | st.integers(0, 2**96 - 1)
ballots = st.sampled_from([b"", b"\0" * 4, b"\1" * 4, b"\2" * 4, bytes(127), bytes(128)]) | st.binary(max_size=70)
halves = st.sampled_from([R, VS, bytes(32)]) | st.binary(min_size=32, max_size=32)
laters = st.sampled_from([0, 0, 0, 1, 255, 256, 2**16, 2**24, 2**32]) | st.integers(0, 2**34)


@st.composite
def batches(draw: DrawFn, most: int = 6) -> list[SignedRecord]:
    """Signed ballots with ascending voters, of all kinds."""
    voter = draw(st.sampled_from([0, 7, 2**31]) | st.integers(0, 2**31))
    earliest = draw(st.sampled_from([0, NOON]) | st.integers(0, 2**39))
    found = []
    for _ in range(draw(st.integers(1, most))):
        record = Record(VoterIndex(voter), earliest + draw(laters), Weight(draw(weights)), draw(ballots))
        found.append(SignedRecord(record, draw(halves), draw(halves)))
        voter += 1 + draw(gaps)
    return found


def ballot(voter: int, cast_at: int = NOON, weight: int = 1, content: bytes = bytes(4)) -> SignedRecord:
    return SignedRecord(Record(VoterIndex(voter), cast_at, Weight(weight), content), R, VS)


def ballot_of(vector: dict[str, Any]) -> SignedRecord:
    content, r, vs = (bytes.fromhex(vector[name][2:]) for name in ("ballot", "r", "vs"))
    return SignedRecord(
        Record(VoterIndex(vector["voter"]), vector["cast_at"], Weight(int(vector["weight"])), content), r, vs
    )


def check_refused_or_in_its_one_form(data: bytes) -> list[SignedRecord] | None:
    """Whatever is taken must be what packing gives; whatever is refused must say where, within the bytes."""
    refused: DecodeError | None = None
    try:
        found = unpack_batch(data)
    except DecodeError as error:
        refused = error
    if isinstance(refused, BatchFormError):
        assert refused.offset == 0 or BASE_BYTES <= refused.offset < len(data)
        assert refused.length in {None, len(data)}
    if refused is not None:
        return None
    assert pack_batch(found) == data
    return found


@pytest.mark.parametrize("vector", VECTORS["batches"], ids=lambda vector: vector["name"])
def test_batch__vector__is_packed_and_read_so(vector: dict[str, Any]) -> None:
    signed, packed = [ballot_of(record) for record in vector["records"]], bytes.fromhex(vector["packed"][2:])
    assert pack_batch(signed) == packed
    assert unpack_batch(packed) == signed


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["name"])
def test_unpack_batch__vector_of_another_form__is_refused_with_its_offset(vector: dict[str, Any]) -> None:
    with pytest.raises(BatchFormError) as caught:
        unpack_batch(bytes.fromhex(vector["batch"][2:]))
    assert (caught.value.offset, caught.value.length) == (vector["offset"], vector["length"])


@given(batches())
def test_unpack_batch__any_packed_ballots__come_back(signed: list[SignedRecord]) -> None:
    assert unpack_batch(pack_batch(signed)) == signed


@given(batches(), st.integers(0, 16))
def test_bound_ballot__any_ballots_of_a_sheet__is_never_less_than_they_take(
    signed: list[SignedRecord], sheet_bits: int
) -> None:
    first = signed[0].record.voter >> sheet_bits
    of_sheet = [each for each in signed if each.record.voter >> sheet_bits == first]
    assert len(pack_batch(of_sheet)) <= BASE_BYTES + sum(bound_ballot(each.record, sheet_bits) for each in of_sheet)


@given(st.binary(max_size=300))
def test_unpack_batch__any_bytes__are_refused_or_in_their_one_form(data: bytes) -> None:
    check_refused_or_in_its_one_form(data)


# Bytes with meaning at the places where they have one: bases of zeros, short steps, short numbers.
meaningful = st.lists(st.sampled_from([0, 0, 0, 0, 1, 2, 3, 4, 0x7F, 0x80, 0x81, 0xFF]), max_size=260).map(bytes)


@given(meaningful)
def test_unpack_batch__bytes_that_are_nearly_a_batch__are_refused_or_in_their_one_form(data: bytes) -> None:
    check_refused_or_in_its_one_form(bytes(BASE_BYTES) + data)


@given(batches(), st.data())
def test_unpack_batch__one_bit_flipped__is_refused_or_another_batch(
    signed: list[SignedRecord], data: DataObject
) -> None:
    packed = pack_batch(signed)
    bit = data.draw(st.integers(0, 8 * len(packed) - 1))
    flipped = bytearray(packed)
    flipped[bit // 8] ^= 1 << bit % 8
    assert check_refused_or_in_its_one_form(bytes(flipped)) != signed


@given(batches(3), st.data())
def test_unpack_batch__bytes_put_in_or_taken_out__is_refused_or_another_batch(
    signed: list[SignedRecord], data: DataObject
) -> None:
    packed = pack_batch(signed)
    start, end = sorted(data.draw(st.integers(0, len(packed))) for _ in range(2))
    more = data.draw(st.binary(max_size=20) | st.sampled_from([b"\0", b"\x80", packed[start:end]]))
    end = data.draw(st.sampled_from([start, start + 1, end]))
    mutated = packed[:start] + more + packed[end:]
    found = check_refused_or_in_its_one_form(mutated)
    assert found != signed or mutated == packed


@examples(40)
@given(batches(3))
def test_unpack_batch__cut_anywhere__names_the_ballot_that_does_not_end(signed: list[SignedRecord]) -> None:
    whole = pack_batch(signed)
    starts = [_start_of(whole, count, signed) for count in range(len(signed))]
    for cut in range(1, len(whole)):
        if cut == BASE_BYTES:
            with pytest.raises(DecodeError, match="at least one ballot; found none in 24 bytes"):
                unpack_batch(whole[:cut])
        elif cut in starts:
            # Whole ballots, whose base is their own only if none of the missing ones had a say in it.
            check_refused_or_in_its_one_form(whole[:cut])
        else:
            with pytest.raises(BatchFormError) as caught:
                unpack_batch(whole[:cut])
            expected = max((start for start in starts if start < cut), default=0)
            assert (caught.value.offset, caught.value.length) == (expected, cut)


def _start_of(packed: bytes, place: int, signed: list[SignedRecord]) -> int:
    """Where the ballot at this place begins: the rest of the bytes is what it and those behind it take."""
    base = BatchBase.unpack(packed)
    size = 0
    for before, each in zip(signed[place - 1 : -1] if place else [None, *signed[:-1]], signed[place:], strict=True):
        skipped = each.record.voter - before.record.voter - 1 if before else 0
        own_weight, own_length = each.record.weight != base.weight, len(each.record.ballot) != base.length
        size += len(pack_number(4 * skipped)) + base.width + len(each.record.ballot) + 64
        size += len(pack_number(each.record.weight)) if own_weight else 0
        size += len(pack_number(len(each.record.ballot))) if own_length else 0
    return len(packed) - size


def test_pack_batch__ballots_alike__take_a_step_their_bytes_and_a_signature_each() -> None:
    packed = pack_batch([ballot(7), ballot(8)])
    assert packed == (
        bytes.fromhex("00000007 006b49d200 000000000000000000000001 0004 00") + (b"\0" + bytes(4) + R + VS) * 2
    )


def test_pack_batch__gaps_and_own_values__are_numbers() -> None:
    packed = pack_batch([ballot(7, NOON + 2), ballot(40, NOON, 300), ballot(41, NOON + 1, content=b"\x09")])
    assert packed == b"".join(
        (
            bytes.fromhex("00000007 006b49d200 000000000000000000000001 0004 01"),
            b"\0\x02" + bytes(4) + R + VS,
            # 4 · 32 + 1 and 300, seven bits a byte.
            b"\x81\x01\0\xac\x02" + bytes(4) + R + VS,
            b"\x02\x01\x01\x09" + R + VS,
        )
    )


@pytest.mark.parametrize(
    ("signed", "message"),
    [
        ([], "a batch needs at least one ballot; found none"),
        ([ballot(4), ballot(4)], "found voter 4 after voter 4, expected ascending voters"),
        ([ballot(4), ballot(9), ballot(5)], "found voter 5 after voter 9, expected ascending voters"),
        ([ballot(2**32)], "^voter must"),
        ([ballot(-1)], "^voter must"),
        ([ballot(1), ballot(2, cast_at=2**40)], "^cast_at must"),
        ([ballot(1, cast_at=-1)], "^cast_at must"),
        ([ballot(1, weight=2**96)], "^weight must"),
        ([ballot(1), ballot(2, weight=-1)], "^weight must"),
        ([ballot(1, content=bytes(MAX_RECORD_BALLOT_BYTES + 1))], "a ballot has at most 65535 bytes; found 65536"),
        ([replace(ballot(1), r=bytes(31))], "^r must have 32 bytes"),
        ([ballot(1), replace(ballot(2), vs=bytes(33))], "^vs must have 32 bytes"),
    ],
)
def test_pack_batch__what_no_batch_holds__is_refused(signed: list[SignedRecord], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pack_batch(signed)


@pytest.mark.parametrize("size", [0, BASE_BYTES])
def test_unpack_batch__no_ballot__is_refused(size: int) -> None:
    with pytest.raises(DecodeError, match=f"at least one ballot; found none in {size} bytes"):
        unpack_batch(bytes(size))


@pytest.mark.parametrize(
    ("base", "body", "message"),
    [
        # The second voter, time and length do not fit in their fields, however canonical they are.
        (BatchBase(VoterIndex(2**32 - 1), NOON, Weight(1), 0, 0), b"\0" + R + VS + b"\0" + R + VS, "voter must"),
        (
            BatchBase(VoterIndex(0), 2**40 - 1, Weight(1), 0, 1),
            b"\0\0" + R + VS + b"\0\x01" + R + VS,
            "cast_at must",
        ),
        (
            BatchBase(VoterIndex(0), NOON, Weight(1), 0, 0),
            b"\0" + R + VS + b"\x02" + pack_number(2**16) + bytes(2**16) + R + VS,
            "at most 65535 bytes; found 65536",
        ),
    ],
)
def test_unpack_batch__value_beyond_its_field__is_refused(base: BatchBase, body: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message) as caught:
        unpack_batch(base.pack() + body)
    assert not isinstance(caught.value, BatchFormError)


def test_error__of_base_and_ballot__says_which_and_what() -> None:
    assert str(BatchFormError(0)) == "the base at byte 0 of the batch is not in its one form"
    assert str(BatchFormError(24, 30)) == "the ballot at byte 24 of the batch does not end within the batch's 30 bytes"


@pytest.mark.parametrize(
    ("value", "packed"),
    [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**14 - 1, "ff7f"), (2**14, "808001")],
)
def test_pack_number__edges__take_the_fewest_bytes(value: int, packed: str) -> None:
    assert pack_number(value).hex() == packed


@given(st.integers(0, 2**98 - 1))
def test_pack_number__any_of_98_bits__is_read_back_in_14_bytes_at_most(value: int) -> None:
    packed = pack_number(value)
    assert len(packed) <= MAX_NUMBER_BYTES
    assert sum((digit & 0x7F) << 7 * place for place, digit in enumerate(packed)) == value


def test_base__any_of_the_greatest_values__is_read_back() -> None:
    base = BatchBase(VoterIndex(2**32 - 1), 2**40 - 1, Weight(2**96 - 1), 2**16 - 1, 255)
    assert base.pack() == b"\xff" * BASE_BYTES
    assert BatchBase.unpack(base.pack() + b"more") == base
    with pytest.raises(BatchFormError) as caught:
        BatchBase.unpack(bytes(BASE_BYTES - 1))
    assert (caught.value.offset, caught.value.length) == (0, BASE_BYTES - 1)
