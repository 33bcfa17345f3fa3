"""Which blocks deserve a second look, by the filter in their headers."""

from __future__ import annotations

import pytest

from indexer.sync.blooms import compute_logs_bloom, may_hide_logs
from qballot.chain.answers import Log
from qballot.chain.contracts import BALLOT_BOX_CANCELLED, BALLOT_BOX_CREATED, BALLOTS_CAST
from qballot.core.bloom import compute_bloom
from qballot.core.keccak import keccak
from qballot.core.types import Address, BlockNumber, Hash32

pytestmark = pytest.mark.unit

FACTORY = Address(b"\xfa" * 20)
BOXES = [Address(bytes([number]) * 20) for number in range(1, 6)]
FOREIGN = Address(b"\x77" * 20)
NO_BLOOM = bytes(256)


def hides(bloom: bytes, *given: Address, factory: Address | None = FACTORY) -> bool:
    return may_hide_logs(bloom, given, factory=factory, boxes=BOXES)


def test_bloom__without_anything_of_ours__hides_nothing() -> None:
    assert not hides(NO_BLOOM)
    assert not hides(b"")
    assert not hides(compute_bloom([FOREIGN, BALLOTS_CAST]))
    assert not hides(compute_bloom([BOXES[0], FACTORY, keccak(b"Transfer(address,address,uint256)")]))


@pytest.mark.parametrize("topic", [BALLOTS_CAST, BALLOT_BOX_CANCELLED])
def test_bloom__with_a_box_and_a_topic__hides_a_log_unless_the_box_gave_one(topic: Hash32) -> None:
    bloom = compute_bloom([BOXES[2], topic])
    assert hides(bloom)
    assert hides(bloom, BOXES[1], FACTORY)
    assert not hides(bloom, BOXES[2])


def test_bloom__with_the_factory__hides_a_creation_unless_one_was_given_or_none_was_asked_for() -> None:
    bloom = compute_bloom([FACTORY, BALLOT_BOX_CREATED])
    assert hides(bloom)
    assert not hides(bloom, FACTORY)
    assert not hides(bloom, factory=None)


def test_bloom__of_two_boxes_and_logs_of_one__hides_the_others() -> None:
    assert hides(compute_bloom([BOXES[0], BOXES[1], BALLOTS_CAST]), BOXES[0])


def test_logs_bloom__of_some_logs__is_that_of_their_addresses_and_topics() -> None:
    def make_log(address: Address, *topics: Hash32) -> Log:
        return Log(address, topics, b"data", BlockNumber(1), keccak(b"1"), keccak(b"tx"), 0)

    logs = [make_log(BOXES[0], BALLOTS_CAST), make_log(FOREIGN), make_log(FACTORY, BALLOT_BOX_CREATED, keccak(b"box"))]
    items = [BOXES[0], BALLOTS_CAST, FOREIGN, FACTORY, BALLOT_BOX_CREATED, keccak(b"box")]
    assert compute_logs_bloom(logs) == compute_bloom(items)
    assert compute_logs_bloom([]) == NO_BLOOM
