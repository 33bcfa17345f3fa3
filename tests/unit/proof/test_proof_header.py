"""Headers of every fork since London, real ones of Amsterdam among them, and what is refused."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st
from proof_samples import random_header
from properties import examples

from qballot.core.forks import FIELDS, FORKS, Field, Fork, count_fields, find_fork
from qballot.core.keccak import keccak
from qballot.core.proof import Header, decode_header, decode_header_answer, encode_header, hash_header
from qballot.core.proof.header import MAX_HEADER_BYTES
from qballot.core.types import Hash32
from qballot.errors import ProofError, UnknownHeaderError

pytestmark = pytest.mark.unit

ZERO = Hash32(bytes(32))
MOST = len(FIELDS)
COUNTS = sorted({count_fields(fork) for fork in FORKS})
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "headers.json").read_text(encoding="utf-8"))["cases"]


def make_header(count: int = MOST) -> Header:
    return random_header(Random(count), count, ZERO, ZERO)


def make_answer(header: Header) -> dict[str, object]:
    """Write a header as a node answers."""
    answer: dict[str, object] = {
        "hash": "0x" + hash_header(header).hex(),
        "transactions": [],
        "uncles": [],
        "size": "0x1",
    }
    for field, attribute in zip(FIELDS, fields(header), strict=True):
        value = getattr(header, attribute.name)
        if value is not None:
            answer[field.name] = hex(value) if isinstance(value, int) else "0x" + value.hex()
    return answer


def test_forks__their_fields__are_the_header_s_attributes() -> None:
    named = [_to_snake(field.name) for field in FIELDS]
    renamed = {"sha3_uncles": "uncles_hash", "miner": "fee_recipient"}
    assert [renamed.get(name, name) for name in named] == [attribute.name for attribute in fields(Header)]
    for field, attribute in zip(FIELDS, fields(Header), strict=True):
        wanted = ("int", "BlockNumber", "UnixSeconds") if field.bits else ("Hash32", "bytes", "Address")
        assert str(attribute.type).removesuffix(" | None") in wanted, field
        # Only the first fork's are in every header.
        assert str(attribute.type).endswith(" | None") is (field not in FORKS[0].added_fields), field


def _to_snake(name: str) -> str:
    return re.sub(r"([a-z0-9])([A-Z])", lambda found: f"{found[1]}_{found[2].lower()}", name)


def test_forks__looked_for_by_fields__the_latest_is_found() -> None:
    assert [fork.name for fork in FORKS] == ["London", "Shanghai", "Cancun", "Prague", "Osaka", "Amsterdam"]
    found = {count: find_fork(count) for count in range(MOST + 3)}
    assert {count: fork.name for count, fork in found.items() if fork is not None} == {
        16: "London",
        17: "Shanghai",
        20: "Cancun",
        21: "Osaka",
        23: "Amsterdam",
    }


def test_header__of_the_largest_values__is_shorter_than_the_most_that_is_read() -> None:
    largest = [2**field.bits - 1 if field.bits else b"\xff" * field.size for field in FIELDS]
    assert len(encode_header(Header(*largest))) < MAX_HEADER_BYTES  # type: ignore[arg-type]


@pytest.mark.parametrize("case", VECTORS, ids=[case["fork"] for case in VECTORS])
def test_header__of_a_real_client_at_the_fork__has_its_hash(case: dict[str, Any]) -> None:
    header = decode_header_answer(case["answer"])
    assert encode_header(header).hex() == case["rlp"][2:]
    assert hash_header(header).hex() == case["answer"]["hash"][2:]
    fork = find_fork(case["fields"])
    assert fork is not None
    assert fork.name == {"prague": "Osaka", "amsterdam": "Amsterdam"}[case["fork"]]
    if fork.name == "Amsterdam":
        assert header.slot_number == 0xC0
        assert header.block_access_list_hash is not None
        assert header.block_access_list_hash.hex() == case["answer"]["blockAccessListHash"][2:]
    else:
        assert (header.slot_number, header.block_access_list_hash) == (None, None)


def test_header__of_a_real_client_at_the_fork__names_the_one_before() -> None:
    before, after = (decode_header_answer(case["answer"]) for case in VECTORS)
    assert after.parent_hash == hash_header(before)


@pytest.mark.parametrize("fork", FORKS, ids=[fork.name for fork in FORKS])
def test_header__of_each_fork__is_read_and_written_the_same(fork: Fork) -> None:
    count = count_fields(fork)
    header = make_header(count)
    data = encode_header(header)
    assert len(rlp.decode(data)) == count
    assert decode_header(data) == header
    assert hash_header(header) == keccak(data)
    assert decode_header_answer(make_answer(header)) == header
    # Absent and null are the same to nodes.
    nothing = {field.name: None for field in FIELDS} | {"someLaterField": None}
    assert decode_header_answer(nothing | make_answer(header)) == header


@pytest.mark.parametrize("count", sorted({*range(MOST)} - {*COUNTS}))
def test_header__of_no_fork__is_refused(count: int) -> None:
    data = rlp.encode(rlp.decode(encode_header(make_header()))[:count])
    expected = "16 since London, 17 since Shanghai, 20 since Cancun, 21 since Prague, 23 since Amsterdam$"
    with pytest.raises(UnknownHeaderError, match=f"header of {count} fields, expected {expected}"):
        decode_header(data)


@pytest.mark.parametrize("more", [1, 2, 7])
def test_header__with_fields_of_a_later_fork__is_refused_with_advice(more: int) -> None:
    data = rlp.encode([*rlp.decode(encode_header(make_header())), *[bytes(32)] * more])
    with pytest.raises(UnknownHeaderError, match=f"of {MOST + more} fields, .*: it is of a later fork, update to a"):
        decode_header(data)


@pytest.mark.parametrize("place", range(MOST))
def test_header__a_field_of_another_size__is_named(place: int) -> None:
    values = rlp.decode(encode_header(make_header()))
    for value in (bytes(33) if FIELDS[place].bits else bytes(257), [values[place]], bytes(40)):
        changed = [*values[:place], value, *values[place + 1 :]]
        with pytest.raises(ProofError, match=f"header field {FIELDS[place].name}: found"):
            decode_header(rlp.encode(changed))


def test_header__no_list_or_too_long__is_refused() -> None:
    with pytest.raises(ProofError, match="the header is not a list of fields: found no bytes"):
        decode_header(b"")
    with pytest.raises(ProofError, match="1 bytes after"):
        decode_header(encode_header(make_header()) + b"\x00")
    with pytest.raises(ProofError, match="header of 1048576 bytes, expected at most 1024"):
        decode_header(bytes(2**20))


@given(st.binary(max_size=60), st.integers(0, 700), st.integers(0, 60))
@examples(200)
def test_decode_header__any_change__is_refused_or_read_as_other_bytes(new: bytes, place: int, removed: int) -> None:
    data = encode_header(make_header())
    data = data[:place] + new + data[place + removed :]
    try:
        header = decode_header(data)
    except ProofError:
        return
    assert encode_header(header) == data


def test_answer__a_hash_of_other_fields__is_refused_and_unknown_fields_are_named() -> None:
    answer = make_answer(make_header())
    with pytest.raises(ProofError, match=r"fields of block 23000000 hash to 0x\w{64}, but its hash is given as 0x00"):
        decode_header_answer(answer | {"hash": "0x" + "00" * 32})
    assert decode_header_answer(answer | {"totalDifficulty": "0x0", "note": "not hashed"})


def test_answer__fields_of_a_later_fork__are_named() -> None:
    answer = make_answer(make_header()) | {"hash": "0x" + "00" * 32}
    with pytest.raises(
        UnknownHeaderError, match=r"it also has laterRoot, unknown here: .* update to a QBallot"
    ) as found:
        decode_header_answer(answer | {"laterRoot": "0x" + "11" * 32, "withdrawals": [], "empty": None})
    assert found.value.fields == ("laterRoot",)
    hostile = {f"{place}\n<b>{'x' * 100}": "0x" for place in range(20)}
    with pytest.raises(UnknownHeaderError) as found:
        decode_header_answer(answer | hostile)
    assert len(found.value.fields) == 8
    assert all(re.fullmatch(r"[\w?]{40}", name, re.ASCII) for name in found.value.fields)


def test_answer__without_the_fields_of_a_fork_that_are_to_be_together__is_of_an_unknown_form() -> None:
    answer = make_answer(make_header())
    del answer["slotNumber"]
    with pytest.raises(UnknownHeaderError, match="a header of 22 fields") as found:
        decode_header_answer(answer)
    assert found.value.fields == ()
    with pytest.raises(UnknownHeaderError, match=r"a header of 22 fields.*it also has laterRoot") as found:
        decode_header_answer(answer | {"laterRoot": "0x"})
    assert found.value.fields == ("laterRoot",)


def test_answer__longer_extra_data__is_of_an_unknown_form() -> None:
    # As clique has it, whose signers sign there.
    with pytest.raises(UnknownHeaderError, match="extraData: found 97 bytes, expected at most 32") as found:
        decode_header_answer(make_answer(make_header()) | {"extraData": "0x" + "00" * 97})
    assert found.value.fields == ("extraData",)


@pytest.mark.parametrize("field", FIELDS)
def test_answer__any_field_changed_missing_or_malformed__is_refused(field: Field) -> None:
    name = field.name
    answer = make_answer(make_header())
    changed = str(answer[name])
    last = "1" if changed[-1] != "1" else "2"
    for value in (changed[:-1] + last, None, "", "0x", "0xzz", changed[2:], 5, [], {}, "0x" + "1" * 600, "0x1 1"):
        if value == changed:
            continue
        with pytest.raises(ProofError):
            decode_header_answer(answer | {name: value})


@pytest.mark.parametrize(
    ("without", "named"),
    [
        (["requestsHash", "blobGasUsed"], "withdrawalsRoot|blobGasUsed"),
        (["requestsHash"], "requestsHash"),
        (["withdrawalsRoot"], "withdrawalsRoot"),
        (["baseFeePerGas"], "baseFeePerGas"),
        (["parentHash"], "parentHash"),
    ],
)
def test_answer__fields_that_no_fork_has_together__names_the_missing_one(without: list[str], named: str) -> None:
    answer = {key: value for key, value in make_answer(make_header()).items() if key not in without}
    with pytest.raises(UnknownHeaderError, match=f"header field ({named}) is missing"):
        decode_header_answer(answer)


@pytest.mark.parametrize("answer", [None, [], "0x", 5, {}])
def test_answer__no_block__is_refused(answer: object) -> None:
    with pytest.raises(ProofError):
        decode_header_answer(answer)


def test_header__a_hash_with_another_nonce__is_another() -> None:
    header = make_header()
    assert hash_header(header) != hash_header(replace(header, nonce=b"\x01" * 8))
