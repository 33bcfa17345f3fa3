"""The filter of a block's logs: what is in it is always found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.bloom import BLOOM_BYTES, compute_bloom, may_contain

pytestmark = pytest.mark.unit

ITEMS = st.one_of(st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32))


def test_bloom__empty__contains_nothing() -> None:
    assert compute_bloom([]) == bytes(BLOOM_BYTES)
    assert not may_contain(bytes(BLOOM_BYTES), b"\x11" * 20)
    assert may_contain(b"\xff" * BLOOM_BYTES, b"\x11" * 20)


@given(st.lists(ITEMS, max_size=20))
def test_bloom__what_was_put_in__is_always_found(items: list[bytes]) -> None:
    bloom = compute_bloom(items)
    assert len(bloom) == BLOOM_BYTES
    assert all(may_contain(bloom, item) for item in items)


@given(st.lists(ITEMS, max_size=10), st.lists(ITEMS, max_size=10))
def test_bloom__of_two_lists__is_one_or_the_other_bit_by_bit(left: list[bytes], right: list[bytes]) -> None:
    both = int.from_bytes(compute_bloom(left)) | int.from_bytes(compute_bloom(right))
    assert compute_bloom(left + right) == compute_bloom(right + left) == both.to_bytes(BLOOM_BYTES)


def test_bloom__few_items__rules_most_others_out() -> None:
    bloom = compute_bloom(bytes([number]) * 20 for number in range(10))
    others = [bytes([number]) * 32 for number in range(10, 250)]
    assert sum(may_contain(bloom, other) for other in others) <= 2
