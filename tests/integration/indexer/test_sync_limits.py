"""What one election, one endpoint or one bad moment of the database can do to all others: nothing much."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scenes import SOUP, create_raw, follow, hold_election, lying_endpoint
from sqlalchemy import Engine, text

from indexer.storage.engine import open_database
from indexer.storage.repository import Repository
from indexer.sync import Follower, fetch, follow_beside, proofs
from indexer.sync.evidence import Evidence
from qballot.chain import transport
from qballot.chain.artifacts import default_factory
from qballot.chain.contracts import BALLOT_BOX_CREATED
from qballot.chain.devnet import Devnet
from qballot.core.types import Address
from qballot.errors import DecodeError, EndpointError, StorageError
from qballot.testing import ElectionOnDevnet, make_election

pytestmark = pytest.mark.integration


class Asked:
    """An honest endpoint that notes what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[Any]]] = []

    def __call__(self, method: str, params: list[Any], result: Any) -> Any:
        self.calls.append((method, params))
        return result

    def take(self, wanted: str) -> list[list[Any]]:
        """Return the parameters of the calls of a method since the last time."""
        found = [params for method, params in self.calls if method == wanted]
        self.calls.clear()
        return found

    def take_boxes(self) -> list[str]:
        """Return the boxes whose heads were asked for since the last time."""
        return [params[0] for params in self.take("eth_getProof") if params[1]]


def load_check_block(engine: Engine, box: Address) -> int | None:
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
    assert election is not None
    return None if election.head_check is None else election.head_check.block.number


@pytest.fixture
def unchecked_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no range be compared with the chain's state, so that heads are asked for only when they are to be kept."""
    monkeypatch.setattr(Evidence, "asks_state", lambda *_: False)


@pytest.mark.usefixtures("unchecked_ranges")
def test_heads__quiet_and_invalid_boxes__are_not_asked_at_each_block(
    devnet: Devnet, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "WATCHED", 1)
    scenes = [make_election(devnet, salt=salt) for salt in range(4)]
    create_raw(devnet, b"{}")
    asked = Asked()
    with lying_endpoint(devnet, asked) as rpc:
        follower = Follower(rpc, sqlite_engine)
        follower.sync_once()
        assert len(asked.take_boxes()) == 4
        devnet.mine()
        follower.sync_once()
        assert asked.take_boxes() == []
        devnet.warp(max(scene.deployment.arguments.opens_at for scene in scenes))
        devnet.mine()
        follower.sync_once()
        assert len(asked.take_boxes()) == 4
        turns = []
        for _ in range(4):
            devnet.mine()
            follower.sync_once()
            turns += asked.take_boxes()
        assert sorted(turns) == sorted(f"0x{scene.deployment.box.hex()}" for scene in scenes)
        scenes[2].cast_signed([(0, SOUP)])
        follower.sync_once()
        assert f"0x{scenes[2].deployment.box.hex()}" in asked.take_boxes()
        assert load_check_block(sqlite_engine, scenes[2].deployment.box) == devnet.rpc.block("latest").number


@pytest.mark.usefixtures("unchecked_ranges")
def test_heads__many__are_asked_in_few_requests_and_end_when_told(
    devnet: Devnet, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "BOXES_AT_ONCE", 2)
    boxes = [make_election(devnet, salt=salt).deployment.box for salt in range(5)]
    stop = threading.Event()

    def stop_at_the_first(method: str, _params: list[Any], result: Any) -> Any:
        if method == "eth_getProof":
            stop.set()
        return result

    with lying_endpoint(devnet, stop_at_the_first) as rpc:
        Follower(rpc, sqlite_engine).sync_once(stop=stop)
    kept = [load_check_block(sqlite_engine, box) is not None for box in boxes]
    # The first two were asked for together; whether their answer came before the word to end is not said.
    assert kept[0] == kept[1]
    assert not any(kept[2:])
    follow(devnet, sqlite_engine).sync_once()
    assert all(load_check_block(sqlite_engine, box) is not None for box in boxes)


def test_heads__endpoint_fails__keeps_why_and_goes_on_at_the_next_block(
    devnet: Devnet, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "BOXES_AT_ONCE", 1)
    boxes = [make_election(devnet, salt=salt).deployment.box for salt in range(2)]
    with lying_endpoint(devnet, lambda method, _params, result: 5 if method == "eth_getProof" else result) as rpc:
        Follower(rpc, sqlite_engine).sync_once()
    with Repository(sqlite_engine).snapshot() as snapshot:
        checks = [found.head_check for box in boxes if (found := snapshot.load_election(box)) is not None]
    assert checks[0] is not None
    assert (checks[0].chain_head, bool(checks[0].failure)) == (None, True)
    assert checks[1] is None
    devnet.mine()
    follow(devnet, sqlite_engine).sync_once()
    assert {load_check_block(sqlite_engine, box) for box in boxes} == {devnet.rpc.block("latest").number}


def test_logs__closed_boxes__are_no_longer_asked_for(devnet: Devnet, sqlite_engine: Engine) -> None:
    closed = hold_election(devnet)
    closed.close()
    going_on = make_election(devnet, salt=1)
    asked = Asked()
    with lying_endpoint(devnet, asked) as rpc:
        follower = Follower(rpc, sqlite_engine)
        follower.sync_once()
        asked.calls.clear()
        devnet.mine()
        follower.sync_once()
        queries = [params[0]["address"] for params in asked.take("eth_getLogs")]
    asked_for = {default_factory(), going_on.deployment.box}
    assert [set(addresses) for addresses in queries] == [{f"0x{address.hex()}" for address in asked_for}]


def fill_blocks(devnet: Devnet, blocks: int, size: int) -> ElectionOnDevnet:
    """Cast one ballot of so many bytes in each of so many blocks."""
    scene = make_election(devnet, max_ballot_bytes=size)
    scene.open()
    for _ in range(blocks):
        scene.cast(0, bytes(size))
    return scene


@pytest.mark.parametrize(("module", "name"), [(transport, "MAX_RESPONSE_BYTES"), (fetch, "MAX_RANGE_BYTES")])
def test_range__that_holds_too_much__is_read_in_parts(
    devnet: Devnet, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    scene = fill_blocks(devnet, 9, 20_000)
    monkeypatch.setattr(module, name, 60_000)
    asked = Asked()
    with lying_endpoint(devnet, asked) as rpc:
        follower = Follower(rpc, sqlite_engine)
        follower.sync_once()
        devnet.mine(500)
        asked.calls.clear()
        for _ in range(3):
            follower.sync_once()
    sizes = [int(call[0]["toBlock"], 16) - int(call[0]["fromBlock"], 16) + 1 for call in asked.take("eth_getLogs")]
    assert max(sizes) > 20, "it asks for more again where there is less"
    with Repository(sqlite_engine).snapshot() as snapshot:
        election = snapshot.load_election(scene.deployment.box)
    assert election is not None
    assert (election.records, election.head) == (9, scene.box.head("latest"))


def test_range__one_block_that_holds_too_much__ends_it_clearly(
    devnet: Devnet, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_blocks(devnet, 1, 5_000)
    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", 5_000)
    with pytest.raises(EndpointError, match="found an answer of more than 5000 bytes"):
        follow(devnet, sqlite_engine, poll_seconds=0.01).follow(threading.Event())


@pytest.mark.parametrize(
    ("method", "name", "value"),
    [
        ("eth_chainId", None, hex(2**64)),
        ("eth_getBlockByNumber", "timestamp", hex(2**63)),
        ("eth_getBlockByNumber", "number", hex(2**63)),
    ],
)
def test_endpoint__with_numbers_beyond_any_chain__is_an_error_that_says_so(
    devnet: Devnet, sqlite_engine: Engine, method: str, name: str | None, value: str
) -> None:
    def exaggerate(asked: str, _params: list[Any], result: Any) -> Any:
        if asked != method:
            return result
        return value if name is None else {**result, name: value}

    with (
        lying_endpoint(devnet, exaggerate) as rpc,
        pytest.raises(EndpointError, match=r"expected a number below 2\*\*63"),
    ):
        Follower(rpc, sqlite_engine).sync_once()


def test_creation__topic_that_is_no_address__halts_it(devnet: Devnet, sqlite_engine: Engine) -> None:
    make_election(devnet)

    def dirty(method: str, _params: list[Any], result: Any) -> Any:
        for log in result if method == "eth_getLogs" else ():
            if log["topics"][0] == f"0x{BALLOT_BOX_CREATED.hex()}":
                log["topics"][1] = "0x01" + log["topics"][1][4:]
        return result

    with lying_endpoint(devnet, dirty) as rpc, pytest.raises(DecodeError, match="expected an address after 12 zeros"):
        Follower(rpc, sqlite_engine).sync_once()


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def impatient_engine(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A database that waits for no lock."""
    monkeypatch.setattr("indexer.storage.engine.SQLITE_BUSY_SECONDS", 0.02)
    separator = "&" if "?" in database_url else "?"
    impatient = f"{separator}options=-c%20lock_timeout%3D20ms" if database_url.startswith("postgresql") else ""
    engine = open_database(database_url + impatient)
    yield engine
    engine.dispose()


def test_follow__database_busy_for_a_moment__is_waited_out(devnet: Devnet, impatient_engine: Engine) -> None:
    engine = impatient_engine
    scene = hold_election(devnet)
    lock = "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else "LOCK TABLE chain_cursor"
    follower = follow(devnet, engine, poll_seconds=0.05)
    stop = threading.Event()
    with engine.connect() as holder:
        if engine.dialect.name == "sqlite":
            holder.exec_driver_sql("ROLLBACK")
        holder.exec_driver_sql(lock)
        with pytest.raises(StorageError) as caught:
            follower.sync_once()
        assert caught.value.retryable
        with follow_beside(follower, stop):
            time.sleep(0.3)
            assert not stop.is_set()
            holder.exec_driver_sql("ROLLBACK")
            wait_until(lambda: _records(engine, scene.deployment.box) == 6)


def test_follow__database_without_its_tables__ends_it(devnet: Devnet, engine: Engine) -> None:
    hold_election(devnet)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE chain_observations"))
    with pytest.raises(StorageError, match="chain_observations") as caught:
        follow(devnet, engine, poll_seconds=0.01).follow(threading.Event())
    assert not caught.value.retryable


def test_follow_beside__following_fails__stops_what_goes_on_beside_and_says_why(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    with sqlite_engine.begin() as connection:
        connection.execute(text("DROP TABLE chain_observations"))
    stop = threading.Event()
    with (
        pytest.raises(StorageError, match="chain_observations"),
        follow_beside(follow(devnet, sqlite_engine, poll_seconds=0.01), stop),
    ):
        assert stop.wait(timeout=10)


def _records(engine: Engine, box: Address) -> int | None:
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
    return None if election is None else election.records
