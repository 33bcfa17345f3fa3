"""JSON of any form: all that is sensible is read, and what is nested for its own sake is not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.chain.plain_json import MAX_DEPTH, NestedTooDeeplyError, decode_plain

pytestmark = pytest.mark.unit

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.fixture
def _lifted_limit() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    yield
    sys.setrecursionlimit(before)


@given(VALUES)
def test_decode__any_value__is_as_it_was(value: object) -> None:
    assert decode_plain(json.dumps(value).encode()) == value
    assert decode_plain(msgspec.Raw(json.dumps([value] * 300).encode())) == [value] * 300


@pytest.mark.usefixtures("_lifted_limit")
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000, 99_000, 1_000_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ("[1,[2],", "]"), ("[", "")])
def test_decode__nested_deeply__is_refused(depth: int, opening: str, closing: str) -> None:
    with pytest.raises(NestedTooDeeplyError, match="more than 200 deep"):
        decode_plain((opening * depth + "1" + closing * depth).encode())


def test_decode__as_deep_as_may_be_or_with_brackets_in_strings__is_read() -> None:
    value: object = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert decode_plain(json.dumps(value).encode()) == value
    strings = ["[}" * 10_000, "]{", '"[[[' * 200, "\\"] * 100
    assert decode_plain(json.dumps(strings).encode()) == strings


@pytest.mark.parametrize("text", [b"", b"[", b"]", b"]" * 1_000 + b"[" * 1_000, b"\xff", b'"\xff"', b"{1}"])
def test_decode__no_json__is_an_error(text: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode_plain(text)
