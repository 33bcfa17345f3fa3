"""A preferred endpoint that stands still, boasts, contradicts itself or lies, beside a healthy one: nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

import pytest
from fault_proxy import Behaviour, Call, Failure, Node, Raw, Reply, Result, read_range, run_proxy
from fork_chain import Cast, ForkChain, cast, create, make_plan
from history import History
from indexes import Clock, Rows, fill, gather, read_block, read_content, read_cursor
from misbehaviours import fail_at_first, lag
from sqlalchemy import Engine
from waiting import wait_until

from indexer.storage.repository import Repository
from indexer.sync import Follower, tip
from qballot.chain.contracts import BALLOT_BOX_CANCELLED, BALLOTS_CAST
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.errors import EndpointError, FinalityError

pytestmark = pytest.mark.integration

SECONDS = 20.0
FAR = 30
LONG_AFTER = 4e9
"""A time of the machine at which every block of the tests' chains is old."""


@contextmanager
def ask_in_turn(behaviours: Sequence[Behaviour], clock: Clock | None = None) -> Iterator[Endpoints]:
    """Endpoints that behave so, in order of preference. clock: tells when one may be asked again."""
    with run_proxy(behaviours[0]) as first, run_proxy(behaviours[-1]) as last:
        urls = [proxy.url for proxy in (first, last)][: len(behaviours)]
        with Endpoints([Rpc(url, 2.0, attempts=1) for url in urls], clock=clock or time.monotonic) as endpoints:
            yield endpoints


@contextmanager
def following(endpoints: Endpoints, engine: Engine) -> Iterator[threading.Thread]:
    """Follow in a thread until the `with` is left."""
    stop = threading.Event()
    follower = Follower(endpoints, engine, poll_seconds=0.05)
    thread = threading.Thread(target=follower.follow, args=(stop,))
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(SECONDS)


def count_reorgs(engine: Engine) -> int:
    with Repository(engine).snapshot() as snapshot:
        return len(snapshot.load_reorgs(10))


def change_blocks(history: History, change: Any) -> Behaviour:
    """Answer as the node does, but for what `change` does to blocks."""

    def behave(call: Call) -> Reply:
        reply = history.node(call)
        if call.method.startswith("eth_getBlockBy") and isinstance(reply, Result) and reply.value:
            return Result(change(call, reply.value))
        return reply

    return behave


def test_endpoint__stands_still__is_passed_by_and_counted_as_lagging(
    history: History, honest_rows: Rows, copied_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tip, "MAX_STILL_SECONDS", 0.2, raising=False)
    frozen = lag(history.node, lambda: history.latest - FAR)
    with ask_in_turn([frozen, history.node]) as endpoints, following(endpoints, copied_engine):
        wait_until(lambda: read_cursor(copied_engine) == history.latest)
        wait_until(lambda: not endpoints.healths()[0].healthy)
        assert "lags" in str(endpoints.healths()[0].last_error)
    assert read_content(copied_engine) == honest_rows


def test_endpoint__with_an_old_latest_block__is_compared_at_the_first_look(
    history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    head = [history.latest - FAR]
    with ask_in_turn([lag(history.node, lambda: head[0]), history.node]) as endpoints:
        Follower(endpoints, copied_engine, clock=lambda: LONG_AFTER).sync_once()
    assert read_content(copied_engine) == honest_rows


def test_endpoint__that_is_not_preferred__is_not_heard_while_the_preferred_one_moves(
    history: History, copied_engine: Engine
) -> None:
    """Whoever is second may tell of blocks that nobody else has."""
    with run_proxy(lag(history.node, lambda: history.latest - FAR)) as first, run_proxy(history.node) as second:
        gathered = gather([first.url, second.url], copied_engine, history.latest - FAR)
        assert gathered.reached == history.latest - FAR
        assert {call.method for call in second.calls} <= {"eth_chainId", "eth_getProof", "eth_getBlockByNumber"}


def freeze(old: Node, top: int) -> Behaviour:
    """An endpoint that keeps the chain as it is now and hears of nothing more."""
    for number in range(top + 1):
        old(Call("eth_getBlockByNumber", [hex(number), False]))
    return lag(old, lambda: top)


def test_endpoint__frozen_on_an_orphaned_block__takes_nothing_back(
    fork_chain: ForkChain, copied_engine: Engine
) -> None:
    plan = make_plan(1, fork_chain.now + 30, fork_chain.now + 10**7)
    fork_chain.mine([(create(plan),), (), (), (cast(Cast(plan, ((0, b"\1\0\0"),))),), (), ()])
    url = fork_chain.devnet.url
    with ExitStack() as stack:
        old, node = (stack.enter_context(closing(Node(url, lasting=lasting))) for lasting in (True, False))
        frozen = freeze(old, fork_chain.height)
        fork_chain.reorganise([()])
        fill(copied_engine, url)
        indexed = read_block(copied_engine)
        endpoints = stack.enter_context(ask_in_turn([frozen, node]))
        # As far as the other one, then behind it.
        Follower(endpoints, copied_engine).sync_once()
        assert read_block(copied_engine) == indexed
        fork_chain.mine([(cast(Cast(plan, ((voter, b"\0\1\0"),))),) for voter in (1, 2, 3)])
        Follower(endpoints, copied_engine).sync_once()
    assert read_cursor(copied_engine) == fork_chain.height
    assert count_reorgs(copied_engine) == 0


def boast(history: History, more: int) -> Behaviour:
    """Tell of a latest block that is further than any."""

    def change(call: Call, block: Any) -> Any:
        return {**block, "number": hex(history.latest + more)} if call.params[0] == "latest" else block

    return change_blocks(history, change)


@pytest.mark.parametrize("begin", [0, 80])
def test_endpoint__tells_of_blocks_that_nobody_has__does_not_keep_the_others_from_being_read(
    begin: int, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    if begin:
        fill(copied_engine, history.url, history.latest - begin)
    with ask_in_turn([boast(history, 20), history.node]) as endpoints:
        follower = Follower(endpoints, copied_engine)
        follower.sync_once()
        assert read_content(copied_engine) == honest_rows
        follower.sync_once()


def test_endpoint__alone_tells_of_blocks_that_it_lacks__is_read_as_far_as_it_goes(
    history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    with (
        ask_in_turn([boast(history, 20)]) as endpoints,
        pytest.raises(EndpointError, match=r"not known|no endpoint has"),
    ):
        Follower(endpoints, copied_engine).sync_once()
    assert read_content(copied_engine) == honest_rows


def test_endpoint__gives_a_block_that_does_not_follow_its_own__is_left_alone(
    history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    begin = history.latest - 20
    fill(copied_engine, history.url, begin)

    def change(_call: Call, block: Any) -> Any:
        return {**block, "parentHash": "0x" + "11" * 32} if int(block["number"], 16) == begin + 1 else block

    with ask_in_turn([change_blocks(history, change), history.node]) as endpoints:
        Follower(endpoints, copied_engine).sync_once()
        assert "two different chains" in str(endpoints.healths()[0].last_error)
    assert read_content(copied_engine) == honest_rows
    assert count_reorgs(copied_engine) == 0


@pytest.mark.parametrize("code", ["0x60", "0xef0100" + "22" * 20])
def test_code__that_the_factory_never_creates__is_asked_for_again(
    code: str, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    behaviour = fail_at_first(history.node, Result(code), times=2, methods=["eth_getCode"])
    with run_proxy(behaviour) as proxy:
        gathered = gather([proxy.url], copied_engine, history.latest)
    assert gathered.reached == history.latest, gathered.told
    assert read_content(copied_engine) == honest_rows


def forge_cast_after_cancellation(history: History) -> Behaviour:
    """Have no old states, and tell of ballots in an election that was cancelled before."""
    logs = history.node.ask("eth_getLogs", {"fromBlock": "0x0", "toBlock": hex(history.latest)})
    cancelled = next(log for log in logs if log["topics"][0] == "0x" + BALLOT_BOX_CANCELLED.hex())
    ballots = next(log for log in logs if log["topics"][0] == "0x" + BALLOTS_CAST.hex())
    place = {name: cancelled[name] for name in ("address", "blockNumber", "blockHash")}
    forged = {**ballots, **place, "transactionHash": "0x" + "77" * 32, "logIndex": hex(1_000)}

    def behave(call: Call) -> Reply:
        if call.method in {"eth_call", "eth_getTransactionCount"} and call.params[-1] != "latest":
            return Failure(-32000, "missing trie node abc (path ) state is not available")
        reply = history.node(call)
        if call.method == "eth_getLogs" and isinstance(reply, Result):
            start, end = read_range(call)
            if start <= int(forged["blockNumber"], 16) <= end and forged["address"] in call.params[0].get(
                "address", []
            ):
                return Result([*reply.value, forged])
        return reply

    return behave


def test_log__that_no_contract_can_have_emitted_then__is_read_from_another(
    history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    with ask_in_turn([forge_cast_after_cancellation(history), history.node]) as endpoints:
        Follower(endpoints, copied_engine).sync_once()
    assert read_content(copied_engine) == honest_rows


def test_late_question__refused_in_unknown_words__is_asked_in_parts(
    fork_chain: ForkChain, copied_engine: Engine
) -> None:
    fork_chain.mine_empty(20)
    plan = make_plan(1, fork_chain.now + 30, fork_chain.now + 10**7)
    fork_chain.mine([(create(plan),), *[()] * 29])
    fork_chain.mine([(cast(Cast(plan, ((voter % 10, b"\1\0\0"),))),) for voter in range(30)])
    fork_chain.mine_empty(100)

    def behave(call: Call) -> Reply:
        reply = node(call)
        if call.method == "eth_getLogs" and isinstance(reply, Result) and len(reply.value) > 10:
            start, end = read_range(call)
            if start < end:
                return Failure(-32602, "filter yields an amount of entries we do not serve")
        return reply

    with closing(Node(fork_chain.devnet.url, lasting=True)) as node, ask_in_turn([behave]) as endpoints:
        Follower(endpoints, copied_engine).sync_once()
    assert read_cursor(copied_engine) == fork_chain.height
    assert len(read_content(copied_engine)["ballots"]) == 30


def test_reorg__past_a_final_block_while_another_endpoint_is_down__halts_in_the_end(
    fork_chain: ForkChain, copied_engine: Engine
) -> None:
    fork_chain.mine_empty(80)
    fill(copied_engine, fork_chain.devnet.url)
    fork_chain.reorganise([()] * 78)
    fork_chain.mine_empty(2)
    clock, rounds = Clock(), 0
    with (
        closing(Node(fork_chain.devnet.url)) as node,
        ask_in_turn([node, lambda _: Raw(b"", 503)], clock) as endpoints,
    ):
        follower = Follower(endpoints, copied_engine)
        with pytest.raises(FinalityError, match="no longer contains"):  # noqa: PT012
            while rounds < 20:
                rounds += 1
                with suppress(EndpointError):
                    follower.sync_once()
                clock.now += 61.0
    # The other one may only have been away for a moment.
    assert rounds > 2
