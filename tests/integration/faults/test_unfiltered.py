"""Ranges whose headers do not tell which boxes have logs: what is left out of them is found by the boxes' heads."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Any

import pytest
from fault_proxy import Call, Node, Reply, Result, run_proxy
from fork_chain import Cast, ForkChain, cast, create, make_plan
from history import History
from misbehaviours import hide_logs

from indexer.sync.fetch import RangeFetcher
from indexer.sync.range_query import FetchedRange, RangeQuery
from qballot.chain.artifacts import default_factory, default_implementation
from qballot.chain.rpc import Rpc
from qballot.core.types import Address
from qballot.errors import EndpointError

pytestmark = pytest.mark.integration

BOXES = 104
BOXES_IN_BLOCK = 8


def fetch(rpc: Rpc, start: int, end: int, boxes: set[Address], *, linked: bool) -> FetchedRange:
    fetcher = RangeFetcher(default_factory(), default_implementation())
    return fetcher.fetch(rpc, RangeQuery(start, end, frozenset(boxes), linked=linked))


@pytest.mark.parametrize("bloom", [None, "0x" + "00" * 256], ids=["none", "zero"])
def test_blooms__that_tell_nothing__do_not_make_an_empty_answer_complete(bloom: str | None, history: History) -> None:
    block = history.recent
    found = history.node.ask("eth_getLogs", {"fromBlock": "0x0", "toBlock": hex(block)})
    boxes = {Address(bytes.fromhex(log["address"][2:])) for log in found} - {default_factory()}

    def strip(call: Call) -> Reply:
        reply = history.node(call)
        if call.method == "eth_getBlockByNumber" and isinstance(reply, Result):
            stripped: dict[str, Any] = {**reply.value, "logsBloom": bloom}
            return Result({name: value for name, value in stripped.items() if value is not None})
        return reply

    with run_proxy(strip) as proxy, Rpc(proxy.url) as rpc:
        assert fetch(rpc, block, block + 3, boxes, linked=True).logs > 0
        assert fetch(rpc, block + 1, block + 3, boxes, linked=True).logs == 0
    with (
        run_proxy(hide_logs(strip, block)) as proxy,
        Rpc(proxy.url) as rpc,
        pytest.raises(EndpointError, match=f"blocks {block} to {block + 3} are not complete"),
    ):
        fetch(rpc, block, block + 3, boxes, linked=True)


def test_ballots__left_out_of_one_of_very_many_boxes__are_missed(fork_chain: ForkChain) -> None:
    plans = [make_plan(number, fork_chain.now + 600, fork_chain.now + 10**7) for number in range(BOXES)]
    groups = [plans[start : start + BOXES_IN_BLOCK] for start in range(0, BOXES, BOXES_IN_BLOCK)]
    fork_chain.mine([tuple(map(create, group)) for group in groups])
    fork_chain.mine_empty(60)
    start = fork_chain.height + 1
    fork_chain.mine([tuple(cast(Cast(plan, ((0, b"\1\0\0"),))) for plan in group) for group in groups])
    boxes = {plan.box for plan in plans}
    with ExitStack() as stack:
        node = stack.enter_context(closing(Node(fork_chain.devnet.url, lasting=True)))
        rpc = stack.enter_context(Rpc(fork_chain.devnet.url))
        assert fetch(rpc, start, fork_chain.height, boxes, linked=False).logs == BOXES
        victim = "0x" + plans[BOXES // 2].box.hex()

        def hide(call: Call) -> Reply:
            reply = node(call)
            if call.method == "eth_getLogs" and isinstance(reply, Result):
                return Result([log for log in reply.value if log["address"] != victim])
            return reply

        liar = stack.enter_context(Rpc(stack.enter_context(run_proxy(hide)).url))
        with pytest.raises(EndpointError, match=r"left out|not complete"):
            fetch(liar, start, fork_chain.height, boxes, linked=False)
