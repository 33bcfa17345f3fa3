"""RLP: the same values as the package `rlp` reads and writes, and hostile bytes cost nothing."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
import rlp
from hypothesis import example, given
from hypothesis import strategies as st
from properties import examples

from qballot.core.proof.rlp import (
    EMPTY_LIST,
    EMPTY_STRING,
    decode_fixed,
    decode_string,
    decode_uint,
    encode_list,
    encode_string,
    encode_uint,
    split_fields,
    split_list,
)
from qballot.errors import ProofError

pytestmark = pytest.mark.unit

MEGABYTE = 2**20
MOST = 2**20

strings = st.binary(max_size=70) | st.integers(50, 300).map(bytes)
values = st.recursive(strings, lambda inner: st.lists(inner, max_size=8), max_leaves=40)


def encode(value: Any) -> bytes:
    return encode_string(value) if isinstance(value, bytes) else encode_list(map(encode, value))


def decode(data: bytes) -> Any:
    if data[:1] >= EMPTY_LIST:
        return [decode(item) for item in split_list(data, MOST)]
    return decode_string(data)


@given(values)
@examples(150)
def test_rlp__any_value__is_written_and_read_as_the_package_does(value: Any) -> None:
    data = encode(value)
    assert data == rlp.encode(value)
    assert decode(data) == rlp.decode(data) == value


@given(st.integers(0, 2**256 - 1) | st.integers(0, 300))
def test_uint__any_number__is_written_and_read_as_the_package_does(number: int) -> None:
    assert encode_uint(number) == rlp.encode(number)
    assert decode_uint(encode_uint(number), 256) == number


@st.composite
def nearly_rlp(draw: st.DrawFn) -> bytes:
    """Draw bytes that are RLP but for a few changes."""
    data = bytearray(encode(draw(values)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(data)))
        new = draw(st.sampled_from([b"", b"\x00", b"\x80", b"\x81", b"\xb8", b"\xbf", b"\xc0", b"\xf8", b"\xff"]))
        data[place : place + draw(st.integers(0, 2))] = new
    return bytes(data)


@given(nearly_rlp() | st.binary(max_size=40))
@example(b"\x81\x7f")
@example(b"\xb8\x37" + bytes(55))
@example(b"\xb9\x00\x38" + bytes(56))
@example(b"\xf8\x37" + bytes(55))
@example(b"\xc1\x81")
@examples(400)
def test_rlp__any_bytes__are_refused_exactly_when_the_package_refuses_them(data: bytes) -> None:
    try:
        expected = rlp.decode(data, strict=True)
    except (rlp.DecodingError, IndexError):  # it reads past the end of a list that is cut after a prefix
        with pytest.raises(ProofError):
            decode(data)
    else:
        assert decode(data) == expected
        assert encode(expected) == data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "found no bytes"),
        (b"\x83ab", "needs 4 bytes, found 3"),
        (b"\x81\x05", "one byte in a longer form"),
        (b"\xb8\x05hello", "length 5 in a longer form"),
        (b"\xb9\x00\x40" + bytes(64), "length 64 in a longer form"),
        (b"\x82abc", "1 bytes after the RLP's end at byte 3"),
        (b"\xc1\x05", "found an RLP list of 1 bytes, expected a string"),
    ],
)
def test_decode_string__another_form__is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(ProofError, match=words):
        decode_string(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x82ab", "found an RLP string of 2 bytes, expected a list"),
        (b"\xc2\x82a", "item at byte 1 ends at byte 4, after its list's end at byte 3"),
        (b"\xc4\x01\x02\x03\x04", "more than 3 items"),
        (b"\xc1\x01\x02", "1 bytes after"),
        (b"\xc2\x81\x05", "byte 1 writes one byte in a longer form"),
    ],
)
def test_split_list__another_form__is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(ProofError, match=words):
        split_list(data, 3)


def test_decode__another_size__is_refused() -> None:
    with pytest.raises(ProofError, match="list of 1 items, expected 2"):
        split_fields(b"\xc1\x01", 2)
    with pytest.raises(ProofError, match="found 2 bytes, expected 3"):
        decode_fixed(b"\x82ab", 3)
    with pytest.raises(ProofError, match="leading zero"):
        decode_uint(b"\x00", 64)
    with pytest.raises(ProofError, match="below 2\\*\\*63"):
        decode_uint(encode_uint(2**63), 63)
    assert decode_uint(encode_uint(2**63 - 1), 63) == 2**63 - 1


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 9,
        b"\xbf" + b"\xff" * 8,
        b"\xff" + b"\xff" * 8 + bytes(MEGABYTE),
        b"\xc1" * MEGABYTE,
        b"\xfb\xff\xff\xff\xff" * 1000,
        EMPTY_LIST * MEGABYTE,
    ],
)
def test_rlp__hostile_lengths_and_depth__are_refused_at_once(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ProofError):
            split_list(data, MOST)
        with pytest.raises(ProofError):
            decode_string(data)
        assert tracemalloc.get_traced_memory()[1] < MEGABYTE // 8
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("item", [EMPTY_LIST, EMPTY_STRING, b"\x01", b"\x82ab", b"\xc1\xc0"])
def test_split_list__many_items__take_memory_in_proportion(item: bytes) -> None:
    count = 2**16
    data = encode_list([item * count])
    tracemalloc.start()
    try:
        assert len(split_list(data, MOST)) == count
        assert tracemalloc.get_traced_memory()[1] < 64 * count
        with pytest.raises(ProofError, match="more than 17 items"):
            split_list(data, 17)
    finally:
        tracemalloc.stop()


def test_split_list__deep_nesting__is_opened_one_level_at_a_time() -> None:
    data = EMPTY_LIST
    for _ in range(5_000):
        data = encode_list([data])
    assert len(split_list(data, 1)) == 1
