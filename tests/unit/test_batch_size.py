"""How many requests go into one batch: fewer where an endpoint refuses, and more again later."""

from __future__ import annotations

import pytest

from qballot.chain.batch_size import FIRST_PATIENCE, MAX_PATIENCE, BatchSize

pytestmark = pytest.mark.unit


def ask(size: BatchSize, most: int, batches: int) -> tuple[int, int]:
    """Send so many full batches to an endpoint with a limit. Returns how many it refused, and how many it took."""
    refused = 0
    for _ in range(batches):
        count = size.current
        if count > most:
            refused += 1
            size.refused(count)
        else:
            size.taken(count)
    return refused, batches - refused


def test_batch_size__never_refused__stays_at_the_most() -> None:
    size = BatchSize(100)
    assert ask(size, 100, 500) == (0, 500)
    assert size.current == 100


def test_batch_size__refused_once__grows_back() -> None:
    size = BatchSize(100)
    size.refused(100)
    assert size.current == 50
    ask(size, 100, FIRST_PATIENCE)
    assert size.current == 100


@pytest.mark.parametrize("most", [1, 3, 40])
def test_batch_size__limit_that_stays__is_tried_ever_more_rarely(most: int) -> None:
    size = BatchSize(100)
    refused, _ = ask(size, most, 20_000)
    assert refused < 40
    refused, _ = ask(size, most, MAX_PATIENCE * 4)
    assert refused <= 5
    ask(size, 100, MAX_PATIENCE * 8)
    assert size.current == 100


def test_batch_size__batches_that_are_not_full__tell_nothing() -> None:
    size = BatchSize(100)
    size.refused(100)
    for _ in range(10 * FIRST_PATIENCE):
        size.taken(2)
    assert size.current == 50


def test_batch_size__refused_for_fewer_than_it_is__is_half_of_those() -> None:
    size = BatchSize(100)
    size.refused(10)
    assert size.current == 5
    size.refused(1)
    assert size.current == 1
