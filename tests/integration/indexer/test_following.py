"""Following a chain: ranges one after another, boxes found on the way, company, leaders, and an end when told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from databases import PostgresServer
from index_rows import read_rows
from scenes import SALAD, SOUP, Tamper, create_raw, follow, hold_election, lying_endpoint
from sqlalchemy import Engine

from indexer.storage.engine import open_database
from indexer.storage.leadership import Leadership
from indexer.storage.model import Block, RangeChange
from indexer.storage.repository import Repository
from indexer.storage.writer import IndexWriter
from indexer.sync import Follower, fetch, ranges, read_ahead
from indexer.sync.fetch import to_block
from indexer.sync.leading import Lead
from indexer.sync.observer import NoObserver
from indexer.sync.range_query import FetchedRange, RangeQuery
from indexer.sync.rewinding import Rewinder
from qballot.chain.artifacts import default_factory
from qballot.chain.devnet import Devnet
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.core.keccak import keccak
from qballot.core.types import Address
from qballot.errors import EndpointError, FinalityError, StorageError
from qballot.testing import make_election

pytestmark = pytest.mark.integration

SECONDS = 10
BOXES = 4
STOP_SECONDS = 2.0


class Listener:
    """Notes what it hears."""

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []
        self.logs = 0
        self.ballots = 0
        self.seen: list[tuple[int, int | None, int | None]] = []
        self.depths: list[int] = []
        self.leads: list[bool] = []
        self.failures: list[str] = []
        self.unproven: list[int] = []

    def chain_seen(self, latest: Block, indexed: Block | None, finalized: Block | None) -> None:
        numbers = (None if block is None else block.number for block in (indexed, finalized))
        self.seen.append((latest.number, *numbers))

    def range_indexed(self, start: int, end: int, **facts: Any) -> None:
        assert facts["fetch_seconds"] > 0
        assert facts["write_seconds"] > 0
        assert facts["range_blocks"] >= 1
        self.ranges.append((start, end))
        self.logs += facts["logs"]
        self.ballots += facts["ballots"]

    def reorged(self, depth: int) -> None:
        self.depths.append(depth)

    def heads_proven(self, at: Block, unproven: int) -> None:
        self.unproven.append(unproven)

    def headers_known(self, unknown_since: int | None) -> None:
        assert unknown_since is None

    def blocks_witnessed(self, newest: int | None, contradicted: int) -> None:
        assert not contradicted

    def repaired(self, records: int) -> None:
        raise AssertionError(f"found {records} records put right on an honest node's chain")

    def leading(self, leads: bool) -> None:
        self.leads.append(leads)

    def failed(self, what: str) -> None:
        self.failures.append(what)


def wait_until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@contextmanager
def running(follower: Follower) -> Iterator[threading.Event]:
    """Follow in a thread, which must end soon after the `with` is left."""
    stop = threading.Event()
    thread = threading.Thread(target=follower.follow, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(STOP_SECONDS)
    assert not thread.is_alive()


def read_cursor(engine: Engine) -> int | None:
    with Repository(engine).snapshot() as snapshot:
        cursor = snapshot.load_cursor()
    return None if cursor is None or cursor.block is None else cursor.block.number


def hold_several(devnet: Devnet) -> None:
    """Create boxes one after another, and cast in each of them soon after; then mine a while."""
    opens = 0
    scenes = []
    for salt in range(BOXES):
        scenes.append(make_election(devnet, salt=salt))
        opens = max(opens, scenes[-1].deployment.arguments.opens_at)
    devnet.warp(opens)
    for scene in scenes:
        scene.cast_signed([(0, SOUP), (1, SALAD)])
    devnet.mine(3)


@pytest.mark.parametrize("final", [True, False], ids=["final", "recent"])
@pytest.mark.parametrize("addresses", [500, 1], ids=["by_address", "by_topic"])
def test_ranges__with_boxes_found_in_the_one_before__are_complete(
    devnet: Devnet, new_sqlite: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch, addresses: int, final: bool
) -> None:
    hold_several(devnet)
    if final:
        devnet.mine(70)
    whole = new_sqlite()
    follow(devnet, whole).sync_once()
    assert len(read_rows(whole)["ballots"]) == 2 * BOXES
    for size in (2, 5) if final else (1, 2, 5):
        monkeypatch.setattr(ranges, "MAX_BLOCKS", size)
        monkeypatch.setattr(read_ahead, "LINKED_BLOCKS", size - 1 if final else 100)
        monkeypatch.setattr(fetch, "MAX_ADDRESSES", addresses)
        engine = new_sqlite()
        follow(devnet, engine).sync_once()
        assert read_rows(engine) == read_rows(whole)


def test_logs__of_strangers_with_our_topics__are_dropped(
    devnet: Devnet, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "MAX_ADDRESSES", 0)
    scene = hold_election(devnet)

    def add_strangers(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getLogs" and "address" not in params[0]:
            strangers = [
                {**log, "address": "0x" + "66" * 20, "logIndex": hex(1_000 + at)} for at, log in enumerate(result)
            ]
            return [*result, *strangers]
        return result

    with lying_endpoint(devnet, add_strangers) as rpc:
        follower = Follower(rpc, sqlite_engine)
        follower.sync_once(scene.deployment.block_number + 1)
        follower.sync_once()
    rows = read_rows(sqlite_engine)
    assert (len(rows["elections"]), len(rows["ballots"])) == (1, 6)


def test_error__in_a_later_range__comes_after_all_before_is_written(
    devnet: Devnet, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "MAX_BLOCKS", 2)
    hold_election(devnet)
    last = devnet.rpc.block("latest").number

    def fail_at_the_end(method: str, params: list[Any], result: Any) -> Any:
        return 7 if method == "eth_getLogs" and int(params[0]["toBlock"], 16) == last else result

    with lying_endpoint(devnet, fail_at_the_end) as rpc, pytest.raises(EndpointError):
        Follower(rpc, sqlite_engine).sync_once()
    assert read_cursor(sqlite_engine) in {last - 1, last - 2}


def test_observer__hears_of_all_that_happens(devnet: Devnet, sqlite_engine: Engine) -> None:
    listener = Listener()
    follower = follow(devnet, sqlite_engine, observer=listener)
    hold_election(devnet)
    snapshot = devnet.snapshot()
    hold_election(devnet, salt=1)
    last = devnet.rpc.block("latest").number
    follower.sync_once()
    assert listener.seen == [(last, None, 0)]
    assert listener.ranges[0][0] == 0
    assert listener.ranges[-1][1] == last
    assert (listener.logs, listener.ballots) == (8, 12)
    devnet.revert(snapshot)
    fork = devnet.rpc.block("latest").number
    devnet.warp(devnet.rpc.block("latest").timestamp + 77)
    devnet.mine(last - fork)
    follower.sync_once()
    assert listener.depths == [last - fork]
    assert listener.seen[-1] == (last + 1, fork, 0)
    assert listener.leads == [True, False, True, False]


def test_follow__endpoint_hangs__stops_at_once_when_told(devnet: Devnet, sqlite_engine: Engine) -> None:
    hold_election(devnet)
    asked, released = threading.Event(), threading.Event()

    def hang(method: str, _params: list[Any], result: Any) -> Any:
        if method == "eth_getLogs":
            asked.set()
            released.wait(SECONDS)
        return result

    with lying_endpoint(devnet, hang) as rpc:
        try:
            with running(Follower(rpc, sqlite_engine)):
                assert asked.wait(SECONDS)
        finally:
            released.set()


def test_follow__endpoint_fails__says_so_and_waits(devnet: Devnet, sqlite_engine: Engine) -> None:
    hold_election(devnet)
    failures, listener = count(), Listener()

    def fail_twice(method: str, _params: list[Any], result: Any) -> Any:
        return 7 if method == "eth_getLogs" and next(failures) < 2 else result

    with (
        lying_endpoint(devnet, fail_twice) as rpc,
        running(Follower(rpc, sqlite_engine, poll_seconds=0.05, observer=listener)),
    ):
        wait_until(lambda: read_cursor(sqlite_engine) == devnet.rpc.block("latest").number)
    assert set(listener.failures) == {"endpoint failed"}


def test_follow__woken__looks_at_once(devnet: Devnet, sqlite_engine: Engine) -> None:
    follower = follow(devnet, sqlite_engine, poll_seconds=600)
    with running(follower):
        wait_until(lambda: read_cursor(sqlite_engine) is not None)
        for _ in range(3):
            devnet.mine()
            follower.wake()
            wait_until(lambda: read_cursor(sqlite_engine) == devnet.rpc.block("latest").number)


def test_follow__two_at_one_database__one_leads_and_the_other_takes_over(devnet: Devnet, database_url: str) -> None:
    scene = make_election(devnet)
    scene.open()
    first, second = open_database(database_url), open_database(database_url)
    listener = Listener()
    standby = follow(devnet, second, poll_seconds=0.05, observer=listener)
    with running(follow(devnet, first, poll_seconds=0.05)):
        wait_until(lambda: read_cursor(first) == devnet.rpc.block("latest").number)
        if first.dialect.name == "sqlite":
            for turned_away in (lambda: standby.follow(threading.Event()), standby.sync_once):
                with pytest.raises(StorageError, match="another indexer writes to the database") as caught:
                    turned_away()
                assert not caught.value.retryable
        else:
            with pytest.raises(StorageError, match="another indexer leads"):
                standby.sync_once()
            waiting = threading.Event()
            thread = threading.Thread(target=standby.follow, args=(waiting,))
            thread.start()
            scene.cast_signed([(0, SOUP)])
            wait_until(lambda: read_cursor(first) == devnet.rpc.block("latest").number)
            assert listener.leads == [False]
    if first.dialect.name == "sqlite":
        standby.sync_once()
    else:
        wait_until(lambda: listener.leads == [False, True])
        scene.cast_signed([(1, SOUP)])
        wait_until(lambda: read_cursor(second) == devnet.rpc.block("latest").number)
        waiting.set()
        thread.join(STOP_SECONDS)
    for engine in (first, second):
        engine.dispose()


def as_another_chain(method: str, _params: list[Any], result: Any) -> Any:
    """Serve a chain of the same heights whose every block is another one."""
    if method != "eth_getBlockByNumber":
        return result
    other = {name: "0x" + keccak(bytes.fromhex(result[name][2:])).hex() for name in ("hash", "parentHash")}
    return {**result, **other}


@contextmanager
def two_endpoints(devnet: Devnet, tamper: Tamper) -> Iterator[Endpoints]:
    """A preferred endpoint that tampers, and an honest one."""
    with lying_endpoint(devnet, tamper) as liar, Rpc(devnet.url) as honest:
        yield Endpoints([liar, honest])


def test_reorg__told_by_one_of_two_endpoints_past_the_final_block__is_not_followed(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    hold_election(devnet)
    devnet.mine(70)
    follow(devnet, sqlite_engine).sync_once()
    before = read_rows(sqlite_engine)
    with two_endpoints(devnet, as_another_chain) as endpoints:
        cursor = Follower(endpoints, sqlite_engine).sync_once()
        assert read_rows(sqlite_engine) == before
        devnet.mine()
        assert Follower(endpoints, sqlite_engine).sync_once() != cursor
    with lying_endpoint(devnet, as_another_chain) as rpc, pytest.raises(FinalityError, match="no longer contains"):
        Follower(rpc, sqlite_engine).sync_once()


def fork_without_links(first: int) -> Tamper:
    """Serve other hashes from a block on, that the next blocks do not follow."""

    def tamper(method: str, _params: list[Any], result: Any) -> Any:
        if method == "eth_getBlockByNumber" and int(result["number"], 16) >= first:
            return {**result, "hash": "0x" + keccak(bytes.fromhex(result["hash"][2:])).hex()}
        return result

    return tamper


def test_reorg__told_by_an_endpoint_that_contradicts_itself__takes_nothing_back(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    hold_election(devnet)
    follow(devnet, sqlite_engine).sync_once()
    before = read_rows(sqlite_engine)
    with (
        lying_endpoint(devnet, fork_without_links(devnet.rpc.block("latest").number - 2)) as rpc,
        pytest.raises(EndpointError, match="of two different chains"),
    ):
        Follower(rpc, sqlite_engine).sync_once()
    assert read_rows(sqlite_engine) == before
    with Repository(sqlite_engine).snapshot() as snapshot:
        assert snapshot.load_reorgs(1) == []


def test_reorg__further_back_than_the_index_begins__begins_it_again(devnet: Devnet, new_sqlite: Any) -> None:
    snapshot = devnet.snapshot()
    hold_election(devnet)
    begin = devnet.rpc.block("latest").number - 1
    engine = new_sqlite()
    follower = follow(devnet, engine, from_block=begin)
    follower.sync_once()
    devnet.revert(snapshot)
    devnet.warp(devnet.rpc.block("latest").timestamp + 77)
    devnet.mine(10)
    box = create_raw(devnet, b"{}")
    follower.sync_once()
    fresh = new_sqlite()
    follow(devnet, fresh, from_block=begin).sync_once()
    assert read_rows(engine) == read_rows(fresh)
    assert [Address(bytes(row[1])) for row in read_rows(engine)["elections"]] == [box]


def without_finality(method: str, params: list[Any], result: Any) -> Any:
    return None if method == "eth_getBlockByNumber" and params[0] == "finalized" else result


def test_chain__without_finality__is_indexed_and_its_reorgs_are_followed(devnet: Devnet, new_sqlite: Any) -> None:
    hold_election(devnet)
    snapshot = devnet.snapshot()
    hold_election(devnet, salt=1)
    engine, listener = new_sqlite(), Listener()
    with lying_endpoint(devnet, without_finality) as rpc:
        follower = Follower(rpc, engine, observer=listener)
        read = follower.sync_once()
        assert read is not None
        devnet.revert(snapshot)
        devnet.warp(devnet.rpc.block("latest").timestamp + 77)
        devnet.mine(read.number)
        follower.sync_once()
    fresh = new_sqlite()
    follow(devnet, fresh).sync_once()
    assert read_rows(engine) == read_rows(fresh)
    assert len(listener.depths) == 1
    assert {finalized for _, _, finalized in listener.seen} == {None}


def test_from_block__above_where_the_index_is__is_ignored(devnet: Devnet, new_sqlite: Callable[[], Engine]) -> None:
    first = devnet.rpc.block("latest").number
    hold_several(devnet)
    whole, engine = new_sqlite(), new_sqlite()
    follow(devnet, whole).sync_once()
    follow(devnet, engine).sync_once(first)
    follow(devnet, engine, from_block=devnet.rpc.block("latest").number - 1).sync_once()
    assert read_rows(engine) == read_rows(whole)


def test_reorg__met_by_an_indexer_that_no_longer_leads__takes_nothing_back(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    hold_election(devnet)
    snapshot = devnet.snapshot()
    devnet.mine(3)
    last = follow(devnet, sqlite_engine).sync_once()
    devnet.revert(snapshot)
    devnet.warp(devnet.rpc.block("latest").timestamp + 77)
    devnet.mine(5)
    before = read_rows(sqlite_engine)
    lead = Lead(sqlite_engine, NoObserver())
    writer = IndexWriter(sqlite_engine, chain_id=devnet.rpc.chain_id(), factory=default_factory())
    rewinder = Rewinder(
        Endpoints([devnet.rpc]),
        Repository(sqlite_engine),
        writer,
        lead=lead,
        observer=NoObserver(),
        clock=time.time,
    )
    with pytest.raises(StorageError, match="another indexer may lead now") as caught:
        rewinder.rewind(None)
    assert caught.value.retryable
    assert read_rows(sqlite_engine) == before
    assert lead.ask()
    rewinder.rewind(None)
    lead.resign()
    assert last is not None
    assert read_cursor(sqlite_engine) == last.number - 3


def test_follow__standing_by_while_the_database_refuses__asks_again_soon(
    devnet: Devnet, postgres: PostgresServer
) -> None:
    """Its pauses are those of whoever is to take over, not those between two blocks."""
    url = postgres.create_database()
    first, second = open_database(url), open_database(url)
    listener, leader = Listener(), Leadership(first)
    assert leader.try_acquire()
    with running(follow(devnet, second, poll_seconds=600, observer=listener)):
        wait_until(lambda: listener.leads == [False])
        second.dispose()
        with postgres.refusing(url):
            wait_until(lambda: len(listener.failures) >= 1)
        leader.release()
        wait_until(lambda: listener.leads == [False, True])
    for engine in (first, second):
        engine.dispose()


def test_follow__another_writes_meanwhile__goes_on_from_there(
    devnet: Devnet, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a claim to the database was lost between the question and the write."""
    hold_election(devnet)
    last = devnet.rpc.block("latest").number
    chain_id, read = devnet.rpc.chain_id(), fetch.RangeFetcher.fetch
    raced = []

    def read_slowly(fetcher: fetch.RangeFetcher, rpc: Rpc, query: RangeQuery) -> FetchedRange:
        fetched = read(fetcher, rpc, query)
        if not raced:
            raced.append(query)
            other = IndexWriter(sqlite_engine, chain_id=chain_id, factory=default_factory())
            other.apply(RangeChange(to_block(rpc.block(0))), after=None)
        return fetched

    monkeypatch.setattr(fetch.RangeFetcher, "fetch", read_slowly)
    listener = Listener()
    with running(follow(devnet, sqlite_engine, poll_seconds=0.05, observer=listener)):
        wait_until(lambda: read_cursor(sqlite_engine) == last)
    assert listener.failures == ["database failed"]
    assert len(read_rows(sqlite_engine)["ballots"]) == 6
