"""The search for the last block that two chains share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.sync.reorg import find_last

pytestmark = pytest.mark.unit


@given(st.integers(0, 10_000), st.integers(-1, 10_000))
def test_find_last__any_fork__is_found_in_few_questions(count: int, fork: int) -> None:
    asked: list[int] = []

    def agrees(number: int) -> bool:
        asked.append(number)
        return number <= fork

    found = find_last(range(count), agrees)
    expected = min(fork, count - 1)
    assert found == (expected if expected >= 0 else None)
    assert len(asked) <= count.bit_length()
    assert len(set(asked)) == len(asked)
