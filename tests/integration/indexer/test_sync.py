"""From a real chain into both databases: everything, once, in order, and nothing that the chain does not say."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from index_rows import read_rows
from scenes import (
    SALAD,
    SOUP,
    cancel,
    create_raw,
    drop_blooms_too,
    drop_one_cast,
    follow,
    hold_election,
    lying_endpoint,
    refuse_proofs,
)
from sqlalchemy import Engine

from indexer.storage.engine import open_database
from indexer.storage.model import Election
from indexer.storage.repository import Repository
from indexer.sync import Follower, fetch, ranges
from qballot.chain.contracts import BALLOTS_CAST, BallotBoxContract
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.core.keccak import keccak
from qballot.core.records import CANCELLED_HEAD, Record
from qballot.core.types import Address
from qballot.errors import ChainError, DecodeError, EndpointError, StorageError, WrongChainError
from qballot.testing import make_election

pytestmark = pytest.mark.integration


def load(engine: Engine, box: Address) -> Election:
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
    assert election is not None
    return election


def load_records(engine: Engine, box: Address) -> list[Record]:
    election = load(engine, box)
    with Repository(engine).snapshot() as snapshot:
        return list(snapshot.stream_records(election))


def test_sync__a_whole_election__is_all_there(devnet: Devnet, engine: Engine) -> None:
    scene = hold_election(devnet)
    scene.close()
    cursor = follow(devnet, engine).sync_once()
    latest = devnet.rpc.block("latest")
    assert cursor is not None
    assert (cursor.number, cursor.hash, cursor.timestamp) == (latest.number, latest.hash, latest.timestamp)
    election = load(engine, scene.deployment.box)
    assert election.arguments == scene.deployment.arguments
    assert election.definition == scene.definition
    assert election.invalid_reason is None
    assert (election.batches, election.records) == (3, 6)
    assert election.head == scene.box.head("latest")
    assert election.head_check is not None
    assert election.head_check.agrees
    assert election.head_check.block == cursor
    records = load_records(engine, election.box)
    assert [(record.voter, record.is_direct) for record in records] == [
        (0, False), (1, False), (2, False), (3, False), (4, False), (0, True),
    ]  # fmt: skip


def test_sync__in_ranges_of_one_block_and_stopped_between__is_as_in_one(
    devnet: Devnet, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_election(devnet)
    hold_election(devnet, salt=1)
    last = devnet.rpc.block("latest").number
    whole, parts = open_database(new_database()), open_database(new_database())
    follow(devnet, whole).sync_once()
    monkeypatch.setattr(ranges, "MAX_BLOCKS", 1)
    for until in (0, last // 2, last // 2, last - 1):
        # A new process each time, which knows what stands in the database and nothing else.
        cursor = follow(devnet, parts).sync_once(until)
        assert cursor is not None
        assert cursor.number == until
    monkeypatch.setattr(ranges, "MAX_BLOCKS", 3)
    follow(devnet, parts).sync_once()
    assert read_rows(parts) == read_rows(whole)
    for engine in (whole, parts):
        engine.dispose()


def test_sync__again_into_an_empty_database__gives_the_same_rows(
    devnet: Devnet, new_database: Callable[[], str]
) -> None:
    cancel(make_election(devnet, salt=5))
    create_raw(devnet, b"{}")
    first, second = open_database(new_database()), open_database(new_database())
    follower = follow(devnet, first)
    follower.sync_once()
    scene = hold_election(devnet)
    follower.sync_once()
    scene.close()
    follower.sync_once()
    follow(devnet, second).sync_once()
    rows = read_rows(first)
    assert len(rows["elections"]) == 3
    assert len(rows["ballots"]) == 6
    assert read_rows(second) == rows
    for engine in (first, second):
        engine.dispose()


def test_sync__nothing_new__writes_nothing(devnet: Devnet, engine: Engine) -> None:
    hold_election(devnet)
    follower = follow(devnet, engine)
    follower.sync_once()
    before = read_rows(engine)
    follower.sync_once()
    assert read_rows(engine) == before


def test_sync__two_elections_at_once__are_kept_apart(devnet: Devnet, engine: Engine) -> None:
    one = make_election(devnet, salt=1)
    two = make_election(devnet, salt=2, voters=3)
    one.open()
    devnet.warp(two.deployment.arguments.opens_at + 1)
    for voter in range(3):
        one.cast(voter, SOUP)
        two.cast(voter, SALAD)
    follow(devnet, engine).sync_once()
    for scene, ballot in ((one, SOUP), (two, SALAD)):
        election = load(engine, scene.deployment.box)
        assert election.head == scene.box.head("latest")
        assert [record.ballot for record in load_records(engine, election.box)] == [ballot] * 3


def test_sync__cancelled_election__has_the_published_head(devnet: Devnet, engine: Engine) -> None:
    scene = make_election(devnet)
    follower = follow(devnet, engine)
    follower.sync_once()
    cancel(scene)
    follower.sync_once()
    election = load(engine, scene.deployment.box)
    assert election.cancelled
    assert election.head == CANCELLED_HEAD
    assert election.head_check is not None
    assert election.head_check.agrees


@pytest.mark.parametrize(
    "definition",
    [b"{}", b"\x00\xff not JSON", b'{"title": "\\u0000\\ud800"}', b"[" * 60_000, b'{"a":' * 5_000],
)
def test_sync__invalid_definition__is_kept_with_the_reason(devnet: Devnet, engine: Engine, definition: bytes) -> None:
    box = create_raw(devnet, definition)
    follow(devnet, engine).sync_once()
    election = load(engine, box)
    assert election.definition == definition
    assert election.invalid_reason is not None
    assert election.invalid_reason.startswith("invalid definition")
    assert "\x00" not in election.invalid_reason


def test_sync__endpoint_of_another_chain__is_refused(devnet: Devnet, engine: Engine) -> None:
    with pytest.raises(WrongChainError, match="serves chain 31337, expected chain 1"):
        follow(devnet, engine, chain_id=1).sync_once()
    follow(devnet, engine, chain_id=31337).sync_once()
    with pytest.raises(StorageError, match="one database serves one factory on one chain"):
        follow(devnet, engine, factory=Address(b"\x11" * 20)).sync_once()


def test_sync__from_a_later_block__starts_there(devnet: Devnet, sqlite_engine: Engine) -> None:
    hold_election(devnet)
    devnet.mine(3)
    latest = devnet.rpc.block("latest").number
    follower = follow(devnet, sqlite_engine, from_block=latest + 2)
    assert follower.sync_once() is None
    devnet.mine(3)
    cursor = follower.sync_once()
    assert cursor is not None
    assert cursor.number == latest + 3
    assert read_rows(sqlite_engine)["elections"] == []


def test_sync__chain_without_blocks_that_were_read__is_followed_once_it_is_as_long(
    devnet: Devnet, engine: Engine, new_database: Callable[[], str]
) -> None:
    kept = hold_election(devnet)
    snapshot = devnet.snapshot()
    lost = hold_election(devnet, salt=1)
    kept.cast_signed([(1, SALAD)])
    follower = follow(devnet, engine)
    read = follower.sync_once()
    assert read is not None
    before = read_rows(engine)
    devnet.revert(snapshot)
    # Behind what was read: a lagging node, no conflict, even where its last block is another one.
    devnet.warp(devnet.rpc.block("latest").timestamp + 77)
    assert follower.sync_once() == read
    assert read_rows(engine) == before
    fork = devnet.rpc.block("latest").number - 1
    devnet.mine(read.number - devnet.rpc.block("latest").number)
    assert follower.sync_once() != read
    fresh = open_database(new_database())
    follow(devnet, fresh).sync_once()
    assert read_rows(engine) == read_rows(fresh)
    assert load(engine, kept.deployment.box).records == 6
    with Repository(engine).snapshot() as opened:
        assert opened.load_election(lost.deployment.box) is None
        (reorg,) = opened.load_reorgs(10)
    assert (reorg.fork_number, reorg.old_number, reorg.old_hash) == (fork, read.number, read.hash)
    fresh.dispose()


def test_sync__endpoint_leaves_a_log_out__is_not_believed(devnet: Devnet, sqlite_engine: Engine) -> None:
    hold_election(devnet)
    with (
        lying_endpoint(devnet, drop_one_cast) as rpc,
        pytest.raises(EndpointError, match=r"left out 1 logs of block \d+, which its receipts have") as caught,
    ):
        Follower(rpc, sqlite_engine).sync_once()
    assert caught.value.retryable
    assert read_rows(sqlite_engine)["elections"] == []


def drop_receipts_too(method: str, params: list[Any], result: Any) -> Any:
    """Leave the last log of a box out, and all logs of all receipts."""
    if method == "eth_getBlockReceipts":
        return [{**receipt, "logs": []} for receipt in result]
    return drop_one_cast(method, params, result)


def test_sync__endpoint_leaves_a_log_out_of_receipts_too__is_not_believed(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    hold_election(devnet)
    with (
        lying_endpoint(devnet, drop_receipts_too) as rpc,
        pytest.raises(EndpointError, match=r"does not give all logs of block \d+"),
    ):
        Follower(rpc, sqlite_engine).sync_once()
    assert read_rows(sqlite_engine)["elections"] == []


def test_sync__endpoint_leaves_a_log_out_and_has_no_blooms__is_not_believed(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    hold_election(devnet)
    with (
        lying_endpoint(devnet, drop_blooms_too) as rpc,
        pytest.raises(EndpointError, match=r"blocks \d+ to \d+ are not complete"),
    ):
        Follower(rpc, sqlite_engine).sync_once()
    assert read_rows(sqlite_engine)["elections"] == []


def drop_states_too(method: str, params: list[Any], result: Any) -> Any:
    """Leave the last log of a box out, the filters that would tell, and what the chain remembers of earlier blocks."""
    return None if method == "eth_getTransactionCount" else drop_blooms_too(method, params, result)


def test_sync__endpoint_leaves_a_log_out_and_all_that_would_tell__head_contradicts_it(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    scene = hold_election(devnet)
    with lying_endpoint(devnet, drop_states_too) as rpc:
        Follower(rpc, sqlite_engine).sync_once()
    election = load(sqlite_engine, scene.deployment.box)
    assert election.records == 5
    assert election.head_check is not None
    assert not election.head_check.agrees
    assert election.head_check.chain_head == scene.box.head("latest")


def forge_code(method: str, _params: list[Any], result: Any) -> Any:
    """Give boxes other arguments than their own."""
    return result[:-2] + "00" if method == "eth_getCode" and result.startswith("0x363d3d373d3d3d363d73") else result


def test_sync__box_whose_address_does_not_follow__is_not_the_factorys_and_no_election(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    """What the factory creates is known: the endpoint is at fault, and a later answer is not spoilt by this one."""
    scene = hold_election(devnet)
    with (
        lying_endpoint(devnet, forge_code) as rpc,
        pytest.raises(EndpointError, match="address does not follow from its arguments") as caught,
    ):
        Follower(rpc, sqlite_engine).sync_once()
    assert caught.value.retryable
    follow(devnet, sqlite_engine).sync_once()
    election = load(sqlite_engine, scene.deployment.box)
    assert (election.invalid_reason, election.records) == (None, 6)


def test_sync__box_of_an_unknown_factory_whose_address_does_not_follow__is_invalid(
    devnet: Devnet, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another factory may announce whatever it likes."""
    monkeypatch.setattr(fetch, "default_factory", lambda: Address(bytes(20)))
    scene = hold_election(devnet)
    with lying_endpoint(devnet, forge_code) as rpc:
        Follower(rpc, sqlite_engine).sync_once()
    election = load(sqlite_engine, scene.deployment.box)
    assert election.invalid_reason is not None
    assert "address does not follow from its arguments" in election.invalid_reason
    assert election.records == 6


def hide_code(method: str, _params: list[Any], result: Any) -> Any:
    return "0x" if method == "eth_getCode" else result


def test_sync__endpoint_without_the_code_yet__is_tried_again(devnet: Devnet, sqlite_engine: Engine) -> None:
    hold_election(devnet)
    with lying_endpoint(devnet, hide_code) as rpc, pytest.raises(EndpointError, match="has no code at") as caught:
        Follower(rpc, sqlite_engine).sync_once()
    assert caught.value.retryable
    assert read_rows(sqlite_engine)["elections"] == []


def cut_records(method: str, _params: list[Any], result: Any) -> Any:
    """Make the first batch's last record one byte shorter than it says."""
    casts = [log for log in result if log["topics"][0] == f"0x{BALLOTS_CAST.hex()}"] if method == "eth_getLogs" else []
    for cast in casts[:1]:
        data = bytearray.fromhex(cast["data"][2:])
        data[63] -= 1
        data[64 + data[63]] = 0
        cast["data"] = f"0x{data.hex()}"
    return result


def test_sync__records_that_the_contract_cannot_have_written__halt_it(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    with (
        lying_endpoint(devnet, cut_records) as rpc,
        pytest.raises(DecodeError, match=r"block \d+, log \d+ of the box 0x\w{40}: records are cut short"),
    ):
        Follower(rpc, sqlite_engine).sync_once()
    assert read_rows(sqlite_engine)["elections"] == []
    assert scene.box.head("latest")


def refuse_head(method: str, params: list[Any], result: Any) -> Any:
    return "0x" if method == "eth_call" else refuse_proofs()(method, params, result)


def test_sync__no_answer_to_head__keeps_the_reason(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    with lying_endpoint(devnet, refuse_head) as rpc:
        Follower(rpc, sqlite_engine).sync_once()
    check = load(sqlite_engine, scene.deployment.box).head_check
    assert check is not None
    assert check.chain_head is None
    assert check.failure
    # A better endpoint, at the next block, makes up for it.
    devnet.mine()
    follow(devnet, sqlite_engine).sync_once()
    check = load(sqlite_engine, scene.deployment.box).head_check
    assert check is not None
    assert check.agrees


def test_sync__chain_changes_while_it_is_read__is_tried_again(devnet: Devnet, sqlite_engine: Engine) -> None:
    hold_election(devnet)
    last = hex(devnet.rpc.block("latest").number)
    asked = count(1)

    def other_block(method: str, params: list[Any], result: Any) -> Any:
        """Serve the last block with another hash when it is asked for the second time."""
        if method == "eth_getBlockByNumber" and params[0] == last and next(asked) == 2:
            return {**result, "hash": "0x" + keccak(b"another").hex()}
        return result

    with lying_endpoint(devnet, other_block) as rpc:
        follower = Follower(rpc, sqlite_engine)
        with pytest.raises(EndpointError, match="changed block") as caught:
            follower.sync_once()
        assert caught.value.retryable
        assert follower.sync_once() is not None


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def test_follow__until_stopped__keeps_up_with_the_chain(devnet: Devnet, engine: Engine) -> None:
    scene = make_election(devnet)
    scene.open()
    stop = threading.Event()
    thread = threading.Thread(target=follow(devnet, engine, poll_seconds=0.05).follow, args=(stop,))
    thread.start()
    try:
        for voter in range(3):
            scene.cast_signed([(voter, SOUP)])
            head = scene.box.head("latest")
            wait_until(lambda head=head: bool(_head(engine, scene.deployment.box) == head))
    finally:
        stop.set()
        thread.join(timeout=10)
    assert not thread.is_alive()


def _head(engine: Engine, box: Address) -> bytes | None:
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
    return None if election is None else election.head


def fail_at_first(method: str, _params: list[Any], result: Any) -> Any:
    if method == "eth_getLogs" and fail_at_first.failures:  # type: ignore[attr-defined]
        fail_at_first.failures -= 1  # type: ignore[attr-defined]
        return "not a list"
    return result


def test_follow__failures_that_pass__are_waited_out(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    fail_at_first.failures = 2  # type: ignore[attr-defined]
    stop = threading.Event()
    with lying_endpoint(devnet, fail_at_first) as rpc:
        thread = threading.Thread(target=Follower(rpc, sqlite_engine, poll_seconds=0.05).follow, args=(stop,))
        thread.start()
        try:
            wait_until(lambda: _head(sqlite_engine, scene.deployment.box) is not None)
        finally:
            stop.set()
            thread.join(timeout=10)
    assert not thread.is_alive()
    assert fail_at_first.failures == 0  # type: ignore[attr-defined]


def test_follow__a_failure_that_stays__ends_it(devnet: Devnet, sqlite_engine: Engine) -> None:
    hold_election(devnet)
    with lying_endpoint(devnet, cut_records) as rpc, pytest.raises(DecodeError):
        Follower(rpc, sqlite_engine, poll_seconds=0.05).follow(threading.Event())


def test_follow__stopped_before_it_begins__does_nothing(devnet: Devnet, sqlite_engine: Engine) -> None:
    hold_election(devnet)
    stop = threading.Event()
    stop.set()
    follower = follow(devnet, sqlite_engine)
    follower.follow(stop)
    assert follower.sync_once(stop=stop) is None


def test_follower__no_endpoint__says_which(sqlite_engine: Engine) -> None:
    with Rpc("http://127.0.0.1:9/v3/SECRET", 2) as rpc, pytest.raises(ChainError) as caught:
        Follower(rpc, sqlite_engine).sync_once()
    assert "SECRET" not in str(caught.value)


def test_sync__head_at_each_range__is_the_contracts(devnet: Devnet, sqlite_engine: Engine) -> None:
    """The chain of hashes agrees with the contract's after every single block."""
    scene = hold_election(devnet)
    box = BallotBoxContract(devnet.rpc, scene.deployment.box)
    follower = follow(devnet, sqlite_engine)
    for block in range(scene.deployment.block_number, devnet.rpc.block("latest").number + 1):
        follower.sync_once(block)
        assert load(sqlite_engine, scene.deployment.box).head == box.head(block)
