"""Objects that are made while the collector looks seldom are not kept for ever."""

from __future__ import annotations

import gc

import pytest

from indexer.sync.collecting import WHOLE_EVERY, collect_seldom

pytestmark = pytest.mark.unit

FEW = 500
"""Too few for the collector to look through them at once."""


def make_cycles(count: int) -> None:
    """Make objects that only the collector takes away."""
    for _ in range(count):
        cycle: list[object] = []
        cycle.append(cycle)


def test_seldom__entered_again_and_again__keeps_no_garbage_for_ever() -> None:
    gc.collect()
    start = len(gc.get_objects())
    for _ in range(4 * WHOLE_EVERY):
        with collect_seldom():
            make_cycles(FEW)
    assert len(gc.get_objects()) < start + 1.5 * WHOLE_EVERY * FEW


def test_seldom__left__is_as_before() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with collect_seldom(), collect_seldom():
        assert gc.get_threshold() != before
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, frozen)
