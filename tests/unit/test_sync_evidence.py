"""What is known of endpoints' old states: it holds for as long as it may still be so."""

from __future__ import annotations

import pytest

from indexer.sync.evidence import STATE_SECONDS, Evidence
from qballot.chain.answers import MAX_INDEX
from qballot.chain.rpc import Rpc

pytestmark = pytest.mark.unit

ONE, OTHER = Rpc("http://127.0.0.1:1"), Rpc("http://127.0.0.1:2")


def test_evidence__state_that_is_not_there__is_asked_about_again_later() -> None:
    now = [1_000.0]
    evidence = Evidence(lambda: now[0])
    assert evidence.asks_state(ONE, 0)
    evidence.note_no_state(ONE, 100)
    now[0] += STATE_SECONDS - 1
    assert [evidence.asks_state(ONE, end) for end in (0, 100, 101)] == [False, False, True]
    assert evidence.asks_state(OTHER, 100)
    now[0] += 1
    assert evidence.asks_state(ONE, 100)
    evidence.note_no_state(ONE, 50)
    assert [evidence.asks_state(ONE, end) for end in (50, 51)] == [False, True]


def test_evidence__states_that_are_not_so__are_asked_about_again_later() -> None:
    now = [1_000.0]
    evidence = Evidence(lambda: now[0])
    evidence.distrust_state(ONE)
    evidence.note_no_state(ONE, 100)
    assert not evidence.asks_state(ONE, MAX_INDEX)
    now[0] += STATE_SECONDS
    assert evidence.asks_state(ONE, 0)
