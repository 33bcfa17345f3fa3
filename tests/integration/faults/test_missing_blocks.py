"""Endpoints that lack blocks, the latest or the old ones, and say so, or say that there was nothing in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fault_proxy import Behaviour, Call, Failure, Reply, Result, read_range, run_proxy
from history import History
from indexes import Gathered, Rows, fill, gather, is_part_of, read_content
from misbehaviours import fail_after, fail_at_first, hide_logs, hide_one_log, lag, prune
from sqlalchemy import Engine

pytestmark = pytest.mark.integration

FAR = 30
"""Blocks that a lagging node is behind."""

MISSING = {
    "null": Result(None),
    "unknown_block": Failure(-32000, "unknown block"),
    "header_not_found": Failure(-32000, "header not found"),
    "block_not_found": Failure(-32001, "block not found"),
    "requested_data_not_available": Failure(-32014, "Requested data is not available"),
    "unfinalized": Failure(-32000, "cannot query unfinalized data"),
    "no_backend": Failure(-32011, "no backend is currently healthy to serve traffic"),
    "missing_trie_node": Failure(-32000, "missing trie node 5f8a (path ) state 0x5f8a is not available"),
    "history_pruned": Failure(4444, "pruned history unavailable"),
}
"""What nodes say of a block that they lack."""


def gather_all(urls: list[str], engine: Engine, history: History, honest_rows: Rows) -> Gathered:
    gathered = gather(urls, engine, history.latest)
    assert gathered.reached == history.latest, gathered.told
    assert read_content(engine) == honest_rows
    return gathered


@pytest.mark.parametrize("reply", MISSING.values(), ids=MISSING)
def test_blocks__missing_at_first__are_asked_for_again(
    reply: Reply, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    behaviour = fail_at_first(history.node, reply, times=3, methods=["eth_getBlockByNumber", "eth_getLogs"])
    with run_proxy(behaviour) as proxy:
        gather_all([proxy.url], copied_engine, history, honest_rows)


@pytest.mark.parametrize("reply", MISSING.values(), ids=MISSING)
def test_node__that_lags__is_no_reason_to_go_back_and_catches_up(
    reply: Reply, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    fill(copied_engine, history.url, history.latest - 10)
    before = read_content(copied_engine)
    head = [history.latest - FAR]
    with run_proxy(lag(history.node, lambda: head[0], missing=reply)) as proxy:
        gathered = gather([proxy.url], copied_engine, history.latest, rounds=2)
        assert gathered.reached in {history.latest - 10, None}
        assert read_content(copied_engine) == before
        head[0] = history.latest
        gather_all([proxy.url], copied_engine, history, honest_rows)


@pytest.mark.parametrize("reply", MISSING.values(), ids=MISSING)
def test_node__that_lags_behind_its_own_word__is_waited_for_or_replaced(
    reply: Reply, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    """As behind a balancer: the latest block comes from one machine, all else from another one that is behind."""
    head = [history.latest - FAR]
    slow = lag(history.node, lambda: head[0], missing=reply)

    def behave(call: Call) -> Reply:
        is_latest = call.method == "eth_getBlockByNumber" and call.params[0] == "latest"
        return history.node(call) if is_latest else slow(call)

    with run_proxy(behave) as proxy, run_proxy(history.node) as honest:
        gathered = gather([proxy.url], copied_engine, history.latest, rounds=3)
        assert gathered.reached != history.latest
        assert is_part_of(read_content(copied_engine), honest_rows)
        gather_all([proxy.url, honest.url], copied_engine, history, honest_rows)


def test_logs__not_there_yet_although_the_blocks_are__are_waited_for_or_read_elsewhere(
    history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    """The index of logs is behind: `[]` for blocks that the node has, and that have our logs by their bloom."""
    head = [history.latest - FAR]
    slow = lag(history.node, lambda: head[0])

    def behave(call: Call) -> Reply:
        return slow(call) if call.method in {"eth_getLogs", "eth_getBlockReceipts"} else history.node(call)

    with run_proxy(behave) as proxy, run_proxy(history.node) as honest:
        gathered = gather([proxy.url], copied_engine, history.latest, rounds=3)
        assert gathered.reached != history.latest
        assert gathered.errors, "it says why"
        assert is_part_of(read_content(copied_engine), honest_rows)
        gather_all([proxy.url, honest.url], copied_engine, history, honest_rows)


def test_logs__left_out_of_logs_but_not_of_receipts__are_not_lost(
    history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    behaviour = hide_logs(history.node, history.recent, receipts=False)
    with run_proxy(behaviour) as proxy, run_proxy(history.node) as honest:
        gathered = gather([proxy.url], copied_engine, history.latest, rounds=3)
        assert gathered.reached != history.latest or read_content(copied_engine) == honest_rows
        gather_all([proxy.url, honest.url], copied_engine, history, honest_rows)


@pytest.mark.parametrize("block", ["recent", "latest", "first_busy", "last_busy"])
def test_block__with_our_topic_in_its_bloom_and_no_logs__is_not_believed(
    block: str, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    number = {
        "recent": history.recent,
        "latest": history.latest,
        "first_busy": history.busy[0],
        "last_busy": history.busy[1],
    }[block]
    with run_proxy(hide_logs(history.node, number)) as proxy, run_proxy(history.node) as honest:
        gathered = gather([proxy.url], copied_engine, history.latest, rounds=3)
        assert gathered.reached != history.latest
        assert gathered.errors, "it says why"
        assert is_part_of(read_content(copied_engine), honest_rows)
        gather_all([proxy.url, honest.url], copied_engine, history, honest_rows)


@pytest.mark.parametrize("place", [0, 1], ids=["final", "recent"])
def test_log__left_out_of_a_block_that_has_another_of_the_same_box__is_missed(
    place: int, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    """The block's filter is the same without it: what tells is the box's head, before and after."""
    with run_proxy(hide_one_log(history.node, history.doubles[place])) as proxy, run_proxy(history.node) as honest:
        gathered = gather([proxy.url], copied_engine, history.latest, rounds=3)
        assert gathered.reached != history.latest
        assert "are not complete" in gathered.told
        assert is_part_of(read_content(copied_engine), honest_rows)
        gather_all([proxy.url, honest.url], copied_engine, history, honest_rows)


def test_states__of_other_blocks_than_were_asked_for__are_no_reason_to_stop(
    history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    """A gateway that answers every `eth_call` for its latest block."""

    def behave(call: Call) -> Reply:
        if call.method in {"eth_call", "eth_getTransactionCount"}:
            return history.node(Call(call.method, [call.params[0], hex(history.latest)]))
        return history.node(call)

    with run_proxy(behave) as proxy:
        gather_all([proxy.url], copied_engine, history, honest_rows)


PRUNED: dict[str, Callable[[Behaviour, int], Behaviour]] = {
    "as_if_nothing_had_been": prune,
    "receipts_null": lambda node, below: prune(node, below, receipts=Result(None)),
    "receipts_refused": lambda node, below: prune(node, below, receipts=Failure(4444, "pruned history unavailable")),
    "unknown_block": lambda node, below: prune(node, below, logs=Failure(-32000, "unknown block")),
    "header_not_found": lambda node, below: prune(node, below, logs=Failure(-32000, "header not found")),
    "history_pruned": lambda node, below: prune(node, below, logs=Failure(4444, "pruned history unavailable")),
}


@pytest.mark.parametrize("how", PRUNED.values(), ids=PRUNED)
@pytest.mark.parametrize("part", ["all_but_the_last_blocks", "up_to_the_middle_of_the_ballots"])
def test_node__that_dropped_old_logs__is_not_believed_when_it_says_there_were_none(
    how: Callable[[Behaviour, int], Behaviour], part: str, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    middle = sum(history.busy) // 2
    below = middle if part == "up_to_the_middle_of_the_ballots" else history.latest - 20
    with run_proxy(how(history.node, below)) as proxy, run_proxy(history.node) as honest:
        gathered = gather([proxy.url], copied_engine, history.latest, rounds=3)
        assert gathered.reached != history.latest
        assert gathered.errors, "it says why"
        assert is_part_of(read_content(copied_engine), honest_rows)
        gather_all([proxy.url, honest.url], copied_engine, history, honest_rows)


def test_endpoint__that_lags_and_takes_over__does_not_take_the_head_back(
    history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    fill(copied_engine, history.url, history.latest - 5)
    before = read_content(copied_engine)
    gone = fail_after(history.node, Failure(-32000, "the node is shutting down"), 0)
    lagging = lag(history.node, lambda: history.latest - FAR)
    with run_proxy(gone) as first, run_proxy(lagging) as second:
        gathered = gather([first.url, second.url], copied_engine, history.latest, rounds=3)
        assert gathered.reached in {history.latest - 5, None}
        assert read_content(copied_engine) == before
        first.behaviour = history.node
        gather_all([first.url, second.url], copied_engine, history, honest_rows)


def test_logs__answered_for_half_of_the_range_only__are_not_believed(
    history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    """A node that stops silently in the middle of a wide range."""

    def behave(call: Call) -> Reply:
        if call.method == "eth_getLogs":
            start, end = read_range(call)
            end = start + (end - start) // 2
            return history.node(Call(call.method, [{**call.params[0], "toBlock": hex(end)}]))
        return history.node(call)

    with run_proxy(behave) as proxy, run_proxy(history.node) as honest:
        gathered = gather([proxy.url], copied_engine, history.latest, rounds=3)
        assert gathered.reached != history.latest
        assert is_part_of(read_content(copied_engine), honest_rows)
        gather_all([proxy.url, honest.url], copied_engine, history, honest_rows)
