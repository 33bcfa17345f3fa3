"""What a chain in this process answers in Python's values is read like a node's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from qballot.chain.ape_bridge import LocalChannel
from qballot.chain.rpc import Rpc
from qballot.core.bloom import BLOOM_BYTES

pytestmark = pytest.mark.unit

FILTER = 5 << 1_000


def answer(method: str, params: Sequence[Any]) -> dict[str, Any]:
    """Answer about a block as eth-tester does: numbers as numbers, the filter of logs too."""
    assert (method, params) == ("eth_getBlockByNumber", ["latest", False])
    block = {"number": 7, "hash": bytes(31) + b"\1", "parentHash": bytes(32), "timestamp": 9, "logsBloom": FILTER}
    return {"result": block}


def test_local_channel__filter_as_a_number__has_its_full_length() -> None:
    block = Rpc.over(LocalChannel("here", answer)).block("latest")
    assert (block.number, block.timestamp, block.logs_bloom) == (7, 9, FILTER.to_bytes(BLOOM_BYTES))
