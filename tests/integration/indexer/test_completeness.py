"""Long ranges of the past are complete, although only some of their headers are read: the chain's state says so.

An endpoint may lack old states, or old logs, or be wrong about either.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from index_rows import read_rows
from scenes import SALAD, SOUP, Tamper, cancel, follow, hold_election, lying_endpoint
from sqlalchemy import Engine

from indexer.storage.engine import open_database
from indexer.storage.repository import Repository
from indexer.sync import Follower, read_ahead
from qballot.chain.contracts import BALLOT_BOX_CREATED
from qballot.chain.devnet import Devnet
from qballot.errors import EndpointError, MissingBlockError
from qballot.testing import make_election

pytestmark = pytest.mark.integration

FINAL_BELOW = 64
"""Blocks at anvil's end that are not final."""


@pytest.fixture
def history(devnet: Devnet, monkeypatch: pytest.MonkeyPatch) -> Devnet:
    """A chain of which all ballots are final, read in long ranges."""
    monkeypatch.setattr(read_ahead, "LINKED_BLOCKS", 1)
    hold_election(devnet)
    devnet.mine(5)
    late = make_election(devnet, salt=1)
    late.open()
    devnet.mine(5)
    late.cast_signed([(1, SALAD), (2, SOUP)])
    cancel(make_election(devnet, salt=2))
    devnet.mine(FINAL_BELOW)
    return devnet


@pytest.fixture
def honest_rows(history: Devnet, tmp_path: Any) -> Iterator[dict[str, Any]]:
    engine = open_database(f"sqlite:///{tmp_path / 'honest.sqlite3'}")
    follow(history, engine).sync_once()
    rows = read_rows(engine)
    assert (len(rows["elections"]), len(rows["ballots"])) == (3, 8)
    yield rows
    engine.dispose()


def index(history: Devnet, engine: Engine, tamper: Tamper) -> list[str]:
    """Index by a tampering endpoint. Returns the methods that it was asked for."""
    asked: list[str] = []

    def note(method: str, params: list[Any], result: Any) -> Any:
        asked.append(method)
        return tamper(method, params, result)

    with lying_endpoint(history, note) as rpc:
        Follower(rpc, engine).sync_once()
    return asked


def drop(first: int, last: int) -> Tamper:
    """Leave out the logs of these blocks, and their receipts."""

    def tamper(method: str, _params: list[Any], result: Any) -> Any:
        if method == "eth_getLogs":
            return [log for log in result if not first <= int(log["blockNumber"], 16) <= last]
        if method == "eth_getBlockReceipts":
            return [item for item in result if not first <= int(item["blockNumber"], 16) <= last]
        return result

    return tamper


def find_blocks(history: Devnet, topic: bytes | None = None) -> list[int]:
    """Find the blocks with logs, or with logs of this topic."""
    logs = history.rpc.logs(0, history.rpc.block("latest").number, None)
    return sorted({log.block_number for log in logs if topic is None or log.topics[0] == topic})


def test_history__read_in_long_ranges__asks_for_few_headers(
    history: Devnet, sqlite_engine: Engine, honest_rows: dict[str, Any]
) -> None:
    asked = index(history, sqlite_engine, lambda _method, _params, result: result)
    assert read_rows(sqlite_engine) == honest_rows
    assert "eth_getTransactionCount" in asked
    assert "eth_getBlockReceipts" not in asked
    # All those of the blocks that are not final, and of the past those with logs, first and last ones.
    assert asked.count("eth_getBlockByNumber") < 2 * FINAL_BELOW + 2 * len(find_blocks(history)) + 20


def test_history__any_block_with_logs_left_out__is_not_believed(
    history: Devnet, new_sqlite: Any, honest_rows: dict[str, Any]
) -> None:
    for block in find_blocks(history):
        engine = new_sqlite()
        with pytest.raises(EndpointError, match=rf"block {block}\b") as caught:
            index(history, engine, drop(block, block))
        assert caught.value.retryable
        # Ranges that end before it are true and may have been written.
        with Repository(engine).snapshot() as snapshot:
            cursor = snapshot.load_cursor()
        assert cursor is None or cursor.block is None or cursor.block.number < block
        assert set(read_rows(engine)["ballots"]) <= set(honest_rows["ballots"])


def test_history__creation_left_out__is_not_believed(history: Devnet, sqlite_engine: Engine) -> None:
    last = find_blocks(history, BALLOT_BOX_CREATED)[-1]

    def tamper(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getLogs":
            return [log for log in result if log["topics"][0] != f"0x{BALLOT_BOX_CREATED.hex()}"]
        return result

    with pytest.raises(EndpointError, match=r"left out \d logs of block \d+, which its receipts have"):
        index(history, sqlite_engine, tamper)
    assert last
    assert read_rows(sqlite_engine)["elections"] == []


def without_states(tamper: Tamper) -> Tamper:
    """Know nothing of the chain's state but at the end, as a node that keeps no archive."""

    def combined(method: str, params: list[Any], result: Any) -> Any:
        is_state = method in {"eth_call", "eth_getTransactionCount"}
        return "0x" if is_state else tamper(method, params, result)

    return combined


def test_history__from_an_endpoint_without_old_states__is_read_all_the_same(
    history: Devnet, sqlite_engine: Engine, honest_rows: dict[str, Any]
) -> None:
    index(history, sqlite_engine, without_states(lambda _method, _params, result: result))
    assert read_rows(sqlite_engine) == honest_rows


def test_history__from_an_endpoint_without_old_states_and_logs__is_not_believed(
    history: Devnet, sqlite_engine: Engine
) -> None:
    pruned = find_blocks(history)[4]
    with pytest.raises(MissingBlockError, match=r"gives no logs of block \d+, which has some by its header") as caught:
        index(history, sqlite_engine, without_states(drop(0, pruned)))
    assert caught.value.retryable
    assert read_rows(sqlite_engine)["ballots"] == []


def test_history__from_an_endpoint_with_wrong_states__is_read_by_all_headers_once(
    history: Devnet, sqlite_engine: Engine, honest_rows: dict[str, Any]
) -> None:
    def tamper(method: str, params: list[Any], result: Any) -> Any:
        return "0x" + "ab" * 32 if method == "eth_call" and params[1] != hex(latest) else result

    latest = history.rpc.block("latest").number
    asked = index(history, sqlite_engine, tamper)
    assert read_rows(sqlite_engine) == honest_rows
    assert asked.count("eth_getTransactionCount") == 2, "it is not asked again"


def test_history__from_an_endpoint_with_wrong_states_and_no_blooms__is_not_believed(
    history: Devnet, sqlite_engine: Engine
) -> None:
    def tamper(method: str, _params: list[Any], result: Any) -> Any:
        if method == "eth_getBlockByNumber":
            return {**result, "logsBloom": None}
        return "0x" + "ab" * 32 if method == "eth_call" else result

    with pytest.raises(EndpointError, match=r"blocks \d+ to \d+ are not complete: its logs do not lead from the heads"):
        index(history, sqlite_engine, tamper)
