"""Sizes of ranges: by what they returned, by what was refused, and back again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.sync.ranges import FIRST_BLOCKS, FIRST_PATIENCE, MAX_BLOCKS, TARGET_BYTES, TARGET_LOGS, RangeSizer

pytestmark = pytest.mark.unit


def return_empty(sizer: RangeSizer, times: int) -> None:
    for _ in range(times):
        sizer.returned(sizer.next_blocks(), logs=0, size=0)


def test_sizer__empty_chain__grows_to_the_most_in_few_steps() -> None:
    sizer = RangeSizer()
    assert sizer.next_blocks() == FIRST_BLOCKS
    return_empty(sizer, 5)
    assert sizer.next_blocks() == MAX_BLOCKS


@pytest.mark.parametrize(("logs", "size"), [(TARGET_LOGS // 50, 0), (1, TARGET_BYTES // 50), (TARGET_LOGS // 50, 7)])
def test_sizer__even_chain__asks_for_the_target(logs: int, size: int) -> None:
    """Every block has a fiftieth of what a range should have."""
    sizer = RangeSizer()
    for _ in range(3):
        blocks = sizer.next_blocks()
        sizer.returned(blocks, logs=logs * blocks, size=size * blocks)
    assert sizer.next_blocks() == pytest.approx(50, abs=1)


def test_sizer__denser_and_denser__shrinks_to_one_block_and_grows_back() -> None:
    sizer = RangeSizer()
    sizer.returned(FIRST_BLOCKS, logs=100 * TARGET_LOGS, size=0)
    assert sizer.next_blocks() == 1
    sizer.returned(1, logs=100 * TARGET_LOGS, size=0)
    assert sizer.next_blocks() == 1
    return_empty(sizer, 2)
    assert sizer.next_blocks() == 16


def test_sizer__short_range_at_the_chains_end__says_little() -> None:
    sizer = RangeSizer()
    return_empty(sizer, 2)
    before = sizer.blocks
    sizer.returned(1, logs=1, size=100)
    assert sizer.blocks == before
    sizer.returned(1, logs=TARGET_LOGS // 10, size=100)
    assert sizer.blocks == 4


def ask_limited(sizer: RangeSizer, limit: int, times: int, *, hints: bool) -> tuple[int, list[int]]:
    """Ask an endpoint with a limit. Returns how many requests were refused, and the sizes of the others."""
    refused, taken = 0, []
    for _ in range(times):
        blocks = sizer.next_blocks()
        if blocks > limit:
            refused += 1
            sizer.refused(blocks, suggested=limit if hints else None)
        else:
            taken.append(blocks)
            sizer.returned(blocks, logs=0, size=0)
    return refused, taken


def test_sizer__limit_with_a_hint__is_taken_at_once() -> None:
    sizer = RangeSizer()
    refused, taken = ask_limited(sizer, 500, 40, hints=True)
    assert max(taken) == 500
    assert taken.count(500) > 30
    assert refused <= 4


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 77, 500, 2_000, 9_999])
def test_sizer__limit_without_a_hint__is_found_and_seldom_tried_again(limit: int) -> None:
    sizer = RangeSizer()
    ask_limited(sizer, limit, 60, hints=False)
    refused, taken = ask_limited(sizer, limit, 1_000, hints=False)
    assert refused <= 10
    assert min(taken) >= 0.7 * limit


def test_sizer__limit_lifted__asks_for_more_again() -> None:
    sizer = RangeSizer()
    ask_limited(sizer, 500, 40, hints=False)
    _, taken = ask_limited(sizer, MAX_BLOCKS, 40, hints=False)
    assert max(taken) == MAX_BLOCKS


def test_sizer__several_refusals_of_one_size__count_once() -> None:
    """Ranges are fetched ahead, so that a refusal comes for each of them."""
    sizer = RangeSizer()
    return_empty(sizer, 2)
    for _ in range(3):
        sizer.refused(160)
    assert sizer.next_blocks() == 80
    return_empty(sizer, FIRST_PATIENCE + 5)
    tries = [sizer.next_blocks() for _ in range(3)]
    assert len(set(tries)) <= 2
    assert sum(blocks > sizer.blocks for blocks in tries) <= 1


def test_sizer__failure_without_words__is_no_limit() -> None:
    sizer = RangeSizer()
    return_empty(sizer, 5)
    sizer.failed(MAX_BLOCKS)
    assert sizer.next_blocks() == MAX_BLOCKS // 2
    return_empty(sizer, 1)
    assert sizer.next_blocks() == MAX_BLOCKS


Outcome = tuple[str, int, int]


@given(st.lists(st.tuples(st.sampled_from(["returned", "refused", "failed"]), st.integers(0, 10**6), st.integers())))
def test_sizer__whatever_happens__asks_for_a_possible_number_of_blocks(outcomes: list[Outcome]) -> None:
    sizer = RangeSizer()
    for what, amount, salt in outcomes:
        blocks = sizer.next_blocks()
        assert 1 <= blocks <= MAX_BLOCKS
        if what == "returned":
            sizer.returned(blocks, logs=amount, size=abs(salt) % 10**8)
        elif what == "refused":
            suggested = 1 + amount % (blocks - 1) if blocks > 1 and salt % 2 else None
            sizer.refused(blocks, suggested=suggested)
        else:
            sizer.failed(blocks)
    return_empty(sizer, 200)
    assert sizer.blocks > 1
