from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.keccak import keccak
from qballot.core.records import (
    CANCELLED_HEAD,
    DIRECT_BIT,
    MAX_RECORD_BALLOT_BYTES,
    Record,
    advance_head,
    compute_head,
    count_records,
    pack_record,
    pack_records,
    unpack_columns,
    unpack_records,
    validate_record,
)
from qballot.core.types import Hash32, VoterIndex, Weight
from qballot.errors import DecodeError, InputError

pytestmark = pytest.mark.unit

VECTORS = Path(__file__).parents[1] / "vectors"
RECORDS = json.loads((VECTORS / "records.json").read_text())
HEADS = json.loads((VECTORS / "heads.json").read_text())

records = st.builds(
    Record,
    voter=st.integers(0, 2**32 - 1).map(VoterIndex),
    cast_at=st.integers(0, 2**40 - 1),
    weight=st.integers(0, 2**96 - 1).map(Weight),
    ballot=st.binary(max_size=80),
)


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def record_of(vector: dict[str, object]) -> Record:
    return Record(
        VoterIndex(int(str(vector["voter"]))),
        int(str(vector["cast_at"])),
        Weight(int(str(vector["weight"]))),
        unhex(str(vector["ballot"])),
    )


@pytest.mark.parametrize("vector", RECORDS["records"], ids=lambda vector: vector["packed"][:20])
def test_pack_record__vector__is_what_solidity_packs(vector: dict[str, object]) -> None:
    assert pack_record(record_of(vector)) == unhex(str(vector["packed"]))


def test_unpack_records__all_vectors_end_to_end__come_back_in_order() -> None:
    data = b"".join(unhex(vector["packed"]) for vector in RECORDS["records"])
    assert unpack_records(data) == [record_of(vector) for vector in RECORDS["records"]]


@pytest.mark.parametrize("vector", RECORDS["malformed"], ids=lambda vector: vector["case"])
def test_unpack_records__malformed_vector__names_the_offset(vector: dict[str, object]) -> None:
    with pytest.raises(DecodeError, match=rf"at byte {vector['offset']}:"):
        unpack_records(unhex(str(vector["data"])))


@given(st.lists(records, max_size=6))
def test_unpack_records__packed_records__come_back(batch: list[Record]) -> None:
    assert unpack_records(pack_records(batch)) == batch


# Weights and times whose high halves are 0, or not; lengths that are alike, or not.
alike = st.builds(
    Record,
    voter=st.integers(0, 2**32 - 1).map(VoterIndex),
    cast_at=st.sampled_from([0, 7, DIRECT_BIT | 7]),
    weight=st.sampled_from([1, 2**32, 2**96 - 1]).map(Weight),
    ballot=st.sampled_from([b"", b"\0", b"\1", bytes(24)]),
)


@given(st.lists(alike, max_size=8))
def test_unpack_columns__packed_records__are_the_same_field_by_field(batch: list[Record]) -> None:
    columns = unpack_columns(pack_records(batch))
    assert (list(columns), len(columns)) == (batch, len(batch))
    assert list(columns.voters) == [record.voter for record in batch]
    assert list(columns.cast_ats) == [record.cast_at for record in batch]
    assert list(columns.weights) == [record.weight for record in batch]
    assert list(columns.ballots) == [record.ballot for record in batch]
    assert [columns.at(place) for place in range(len(batch))] == batch
    assert count_records(pack_records(batch)) == len(batch)


@given(st.binary(max_size=200))
def test_unpack_records__any_bytes__are_refused_or_pack_to_themselves(data: bytes) -> None:
    try:
        found = unpack_records(data)
    except DecodeError as error:
        with pytest.raises(DecodeError, match=re.escape(str(error))):
            count_records(data)
        return
    assert pack_records(found) == data
    assert count_records(data) == len(found)


@given(st.lists(records, min_size=1, max_size=4), st.data())
def test_unpack_records__cut_anywhere__is_refused_except_between_records(
    batch: list[Record], data: st.DataObject
) -> None:
    whole = pack_records(batch)
    cut = data.draw(st.integers(0, len(whole) - 1))
    boundaries = [len(pack_records(batch[:count])) for count in range(len(batch))]
    if cut in boundaries:
        assert unpack_records(whole[:cut]) == batch[: boundaries.index(cut)]
    else:
        with pytest.raises(DecodeError):
            unpack_records(whole[:cut])


def test_unpack_records__memory_that_changes_later__was_copied() -> None:
    buffer = bytearray(pack_record(Record(VoterIndex(1), 2, Weight(3), b"\x04")))
    found = unpack_records(buffer)  # type: ignore[arg-type]
    buffer[-1] = 9
    assert found[0].ballot == b"\x04"


@pytest.mark.parametrize(
    ("voter", "cast_at", "weight", "size", "name"),
    [
        (-1, 0, 1, 0, "voter"),
        (2**32, 0, 1, 0, "voter"),
        (0, -1, 1, 0, "cast_at"),
        (0, 2**40, 1, 0, "cast_at"),
        (0, 0, -1, 0, "weight"),
        (0, 0, 2**96, 0, "weight"),
        (0, 0, 1, MAX_RECORD_BALLOT_BYTES + 1, "ballot"),
    ],
)
def test_pack_record__value_out_of_range__is_refused_by_name(
    voter: int, cast_at: int, weight: int, size: int, name: str
) -> None:
    record = Record(VoterIndex(voter), cast_at, Weight(weight), bytes(size))
    with pytest.raises(InputError, match=name):
        pack_record(record)
    with pytest.raises(InputError, match=name):
        validate_record(record)


def test_pack_record__longest_ballot__fits() -> None:
    record = Record(VoterIndex(0), 0, Weight(1), bytes(MAX_RECORD_BALLOT_BYTES))
    assert unpack_records(pack_record(record)) == [record]


def test_record__direct_cast__is_told_from_a_signed_one() -> None:
    direct = Record(VoterIndex(1), DIRECT_BIT | 1_800_000_000, Weight(1), b"")
    signed = Record(VoterIndex(1), 1_900_000_000, Weight(1), b"")
    assert (direct.is_direct, signed.is_direct) == (True, False)
    assert (direct.cast_at_unix, signed.cast_at_unix) == (1_800_000_000, 1_900_000_000)
    assert direct.cast_at > signed.cast_at


@pytest.mark.parametrize("chain", HEADS["chains"], ids=lambda chain: chain["case"])
def test_compute_head__vector__follows_solidity_step_by_step(chain: dict[str, object]) -> None:
    start = Hash32(unhex(str(chain["definition_hash"])))
    head, batches = start, []
    for batch in chain["batches"]:  # type: ignore[attr-defined]
        batches.append(unhex(batch["records"]))
        head = advance_head(head, batches[-1])
        assert head == unhex(batch["head"])
    assert compute_head(start, batches) == head


def test_cancelled_head__vector__is_the_published_constant() -> None:
    assert unhex(HEADS["cancelled_head"]) == CANCELLED_HEAD


def test_compute_head__same_records_in_other_batches__differ() -> None:
    one, two = (pack_record(Record(VoterIndex(voter), 1, Weight(1), b"")) for voter in (1, 2))
    start = keccak(b"definition")
    heads = {compute_head(start, batches) for batches in ([one + two], [one, two], [two, one], [one, two, b""])}
    assert len(heads) == 4


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4), st.data())
def test_compute_head__one_bit_flipped__differs(batches: list[bytes], data: st.DataObject) -> None:
    start = keccak(b"definition")
    place = data.draw(st.integers(0, len(batches) - 1))
    bit = data.draw(st.integers(0, 8 * len(batches[place]) - 1))
    flipped = bytearray(batches[place])
    flipped[bit // 8] ^= 1 << bit % 8
    tampered = [*batches[:place], bytes(flipped), *batches[place + 1 :]]
    assert compute_head(start, tampered) != compute_head(start, batches)


def test_header__layout__is_packed_big_endian() -> None:
    packed = pack_record(Record(VoterIndex(0x01020304), 0x0506070809, Weight(0x0A0B0C0D0E0F101112131415), b"\x16"))
    assert packed == bytes(range(1, 0x16)) + struct.pack(">H", 1) + b"\x16"
