"""Headers of every fork since London, and what is refused."""

from __future__ import annotations

from dataclasses import fields, replace
from random import Random

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st
from proof_samples import random_header
from properties import examples

from qballot.core.keccak import keccak
from qballot.core.proof import Header, decode_header, decode_header_answer, encode_header, hash_header
from qballot.core.proof.header import FIELDS, FORKS, Field
from qballot.core.types import Hash32
from qballot.errors import ProofError

pytestmark = pytest.mark.unit

ZERO = Hash32(bytes(32))


def make_header(count: int = 21) -> Header:
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


@pytest.mark.parametrize("count", FORKS)
def test_header__of_each_fork__is_read_and_written_the_same(count: int) -> None:
    header = make_header(count)
    data = encode_header(header)
    assert len(rlp.decode(data)) == count
    assert decode_header(data) == header
    assert hash_header(header) == keccak(data)
    assert decode_header_answer(make_answer(header)) == header
    # Absent and null are the same to nodes.
    assert decode_header_answer({field.name: None for field in FIELDS} | make_answer(header)) == header


@pytest.mark.parametrize("count", [0, 1, 15, 18, 19])
def test_header__of_no_fork__is_refused(count: int) -> None:
    data = rlp.encode(rlp.decode(encode_header(make_header()))[:count])
    with pytest.raises(ProofError, match=f"header of {count} fields, expected 16 since London, 17 since Shanghai, 20"):
        decode_header(data)


@pytest.mark.parametrize("more", [1, 2, 10])
def test_header__with_fields_of_a_later_fork__is_refused_with_advice(more: int) -> None:
    data = rlp.encode([*rlp.decode(encode_header(make_header())), *[bytes(32)] * more])
    with pytest.raises(ProofError, match=f"of {21 + more} fields, .*: it is of a later fork, take a newer QBallot"):
        decode_header(data)


@pytest.mark.parametrize("place", range(21))
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
    with pytest.raises(ProofError, match=r"it also has blockAccessListHash, unknown here: .* a newer QBallot"):
        decode_header_answer(answer | {"hash": "0x" + "00" * 32, "blockAccessListHash": "0x" + "11" * 32})
    assert decode_header_answer(answer | {"totalDifficulty": "0x0", "note": "not hashed"})


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
        (["withdrawalsRoot"], "withdrawalsRoot"),
        (["baseFeePerGas"], "baseFeePerGas"),
        (["parentHash"], "parentHash"),
    ],
)
def test_answer__fields_that_no_fork_has_together__names_the_missing_one(without: list[str], named: str) -> None:
    answer = {key: value for key, value in make_answer(make_header()).items() if key not in without}
    with pytest.raises(ProofError, match=f"header field ({named}) is missing"):
        decode_header_answer(answer)


@pytest.mark.parametrize("answer", [None, [], "0x", 5, {}])
def test_answer__no_block__is_refused(answer: object) -> None:
    with pytest.raises(ProofError):
        decode_header_answer(answer)


def test_header__a_hash_with_another_nonce__is_another() -> None:
    header = make_header()
    assert hash_header(header) != hash_header(replace(header, nonce=b"\x01" * 8))
