"""Who names the blocks that heads are proven at: two operators, one with two endpoints, ones that lag, lie or hang."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from scenes import SOUP, Refusal, Tamper, hold_election, lying_endpoint
from sqlalchemy import Engine

from indexer.metrics import Metrics
from indexer.storage.proof_model import Naming
from indexer.storage.repository import Repository
from indexer.sync import Follower, witnesses
from qballot.chain.devnet import Devnet
from qballot.chain.endpoints import Endpoints
from qballot.core.types import Address
from qballot.testing import make_election

pytestmark = pytest.mark.integration

OTHER_HASH = "0x" + "0f" * 32


def be_honest(_method: str, _params: list[Any], result: Any) -> Any:
    return result


@contextmanager
def endpoints_of(devnet: Devnet, *operators: tuple[str, Tamper]) -> Iterator[Endpoints]:
    """Run an endpoint of each operator, in this order."""
    with ExitStack() as stack:
        rpcs = [stack.enter_context(lying_endpoint(devnet, tamper)) for _, tamper in operators]
        yield stack.enter_context(Endpoints(rpcs, operators=[operator for operator, _ in operators]))


def load_namings(engine: Engine, box: Address) -> list[Naming]:
    """Load what is said of the block of a box's newest proof."""
    with Repository(engine).snapshot() as snapshot:
        newest, *_ = snapshot.proofs.load_marks(box)
        return snapshot.proofs.load_namings([newest.block.hash])


def say_of(engine: Engine, box: Address) -> dict[str, tuple[bool, bool]]:
    """Say by operator whether it agrees, and whether it calls the block final."""
    return {naming.operator: (naming.agrees, naming.is_final) for naming in load_namings(engine, box)}


def lag(devnet: Devnet, blocks: int) -> Tamper:
    """Be some blocks behind."""

    def tamper(method: str, params: list[Any], result: Any) -> Any:
        if method != "eth_getBlockByNumber":
            return result
        last = devnet.rpc.block("latest").number - blocks
        if params[0] == "latest":
            return devnet.rpc.call(method, [hex(last), False])
        return result if result is not None and int(result["number"], 16) <= last else None

    return tamper


def rename(number: Callable[[], int]) -> Tamper:
    """Give the block of this height another hash."""

    def tamper(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getBlockByNumber" and params[0] == hex(number()):
            return result | {"hash": OTHER_HASH}
        return result

    return tamper


def test_witnesses__two_operators__both_name_the_block(devnet: Devnet, engine: Engine) -> None:
    box = hold_election(devnet).deployment.box
    with endpoints_of(devnet, ("a", be_honest), ("b", be_honest)) as endpoints:
        cursor = Follower(endpoints, engine).sync_once()
    assert say_of(engine, box) == {"a": (True, False), "b": (True, False)}
    assert cursor is not None
    with Repository(engine).snapshot() as snapshot:
        assert snapshot.proofs.load_witnessed(2) == cursor.number
        assert snapshot.proofs.load_witnessed(3) is None


def test_witnesses__two_endpoints_of_one_operator__are_one(devnet: Devnet, engine: Engine) -> None:
    box = hold_election(devnet).deployment.box
    with endpoints_of(devnet, ("a", be_honest), ("a", be_honest)) as endpoints:
        Follower(endpoints, engine).sync_once()
    assert say_of(engine, box) == {"a": (True, False)}
    with Repository(engine).snapshot() as snapshot:
        assert snapshot.proofs.load_witnessed(2) is None


def test_witnesses__operators_first_endpoint_fails__its_second_is_asked(devnet: Devnet, sqlite_engine: Engine) -> None:
    def fail(_method: str, _params: list[Any], _result: Any) -> Any:
        raise Refusal(-32000, "out of order")

    box = hold_election(devnet).deployment.box
    with endpoints_of(devnet, ("a", be_honest), ("b", fail), ("b", be_honest)) as endpoints:
        Follower(endpoints, sqlite_engine).sync_once()
    assert say_of(sqlite_engine, box) == {"a": (True, False), "b": (True, False)}


def test_witnesses__one_that_lags__names_nothing_until_it_has_the_block(devnet: Devnet, sqlite_engine: Engine) -> None:
    box = hold_election(devnet).deployment.box
    with endpoints_of(devnet, ("a", be_honest), ("b", lag(devnet, 2))) as endpoints:
        follower = Follower(endpoints, sqlite_engine)
        follower.sync_once()
        assert say_of(sqlite_engine, box) == {"a": (True, False)}
        devnet.mine(2)
        follower.sync_once()
    assert say_of(sqlite_engine, box) == {"a": (True, False), "b": (True, False)}


def test_witnesses__finalized_moves_on__is_noted(devnet: Devnet, engine: Engine) -> None:
    scene = make_election(devnet)
    with endpoints_of(devnet, ("a", be_honest), ("b", be_honest)) as endpoints:
        follower = Follower(endpoints, engine)
        follower.sync_once()
        proven = load_namings(engine, scene.deployment.box)[0].block_number
        finalized = devnet.rpc.block("finalized").number
        devnet.mine(64 + proven - finalized)
        follower.sync_once()
        assert devnet.rpc.block("finalized").number >= proven
    assert say_of(engine, scene.deployment.box) == {"a": (True, True), "b": (True, True)}
    with Repository(engine).snapshot() as snapshot:
        assert snapshot.proofs.load_waiting(2, limit=10) == []


def no_finality(method: str, params: list[Any], result: Any) -> Any:
    if method == "eth_getBlockByNumber" and params[0] == "finalized":
        raise Refusal(-32602, "invalid argument 0: hex string without 0x prefix")
    return result


def test_witnesses__one_that_knows_no_finality__names_the_block_all_the_same(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    box = make_election(devnet).deployment.box
    with endpoints_of(devnet, ("a", be_honest), ("b", no_finality)) as endpoints:
        follower = Follower(endpoints, sqlite_engine)
        follower.sync_once()
        devnet.mine(80)
        follower.sync_once()
    assert say_of(sqlite_engine, box) == {"a": (True, True), "b": (True, False)}


def test_witnesses__disagreement__is_kept_counted_and_logged_once(
    devnet: Devnet, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    box = hold_election(devnet).deployment.box
    number = devnet.rpc.block("latest").number
    registry = CollectorRegistry()
    metrics = Metrics(registry, clock=time.time)
    with endpoints_of(devnet, ("a", be_honest), ("b", rename(lambda: number))) as endpoints:
        follower = Follower(endpoints, engine, observer=metrics)
        follower.sync_once()
        # Another newest block contradicts nothing yet: of two either may win.
        assert say_of(engine, box) == {"a": (True, False)}
        devnet.mine(witnesses.SETTLED_DEPTH)
        for _ in range(2):
            follower.sync_once()
            assert say_of(engine, box) == {"a": (True, False), "b": (False, False)}
            assert registry.get_sample_value("qballot_disagreements") == 1
        told = [text for text in map(str, caplog.messages) if "ENDPOINTS DISAGREE" in text]
        assert len(told) == 1
        assert OTHER_HASH in told[0]
        # It is asked again, and nothing is left of it once it agrees.
        number = 10**6
        follower.sync_once()
    assert say_of(engine, box) == {"a": (True, False), "b": (True, False)}
    assert registry.get_sample_value("qballot_disagreements") == 0
    assert registry.get_sample_value("qballot_unproven_elections") == 0
    assert registry.get_sample_value("qballot_witnessed_block") == load_namings(engine, box)[0].block_number


def test_witnesses__nobody_names_the_block_any_more__its_proofs_are_dropped(devnet: Devnet, engine: Engine) -> None:
    box = hold_election(devnet).deployment.box
    number = devnet.rpc.block("latest").number
    with endpoints_of(devnet, ("a", be_honest), ("b", be_honest)) as endpoints:
        Follower(endpoints, engine).sync_once()
    devnet.mine(witnesses.SETTLED_DEPTH)
    # As after a reset onto another chain: the index's own blocks are those of today.
    both = rename(lambda: number)
    with Repository(engine).snapshot() as snapshot:
        (mark,) = [mark for mark in snapshot.proofs.load_marks(box) if mark.block.number == number]
    with endpoints_of(devnet, ("a", both), ("b", both)) as endpoints:
        Follower(endpoints, engine).sync_once()
    with Repository(engine).snapshot() as snapshot:
        marks = snapshot.proofs.load_marks(box)
        assert mark.block not in [other.block for other in marks]
        assert snapshot.proofs.load_namings([mark.block.hash]) == []


class Hanging:
    """An endpoint that takes a question about blocks and keeps it until it is let go."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked = threading.Event()

    def __call__(self, method: str, _params: list[Any], result: Any) -> Any:
        if method == "eth_getBlockByNumber":
            self.asked.set()
            self.released.wait(30)
        return result


def test_witnesses__dead_second_operator__slows_nothing_and_its_late_word_counts(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    scene = make_election(devnet)
    scene.open()
    hanging = Hanging()
    with endpoints_of(devnet, ("a", be_honest), ("b", hanging)) as endpoints:
        follower = Follower(endpoints, sqlite_engine, poll_seconds=0.05)
        stop = threading.Event()
        thread = threading.Thread(target=follower.follow, args=(stop,))
        thread.start()
        try:
            assert hanging.asked.wait(20)
            # The second operator holds its answer back all the while, and ballots are indexed and proven.
            for voter in range(3):
                scene.cast_signed([(voter, SOUP)])
                latest = devnet.rpc.block("latest").number
                wait_until(lambda number=latest: is_proven_at(sqlite_engine, scene.deployment.box, number))
            assert not hanging.released.is_set()
            assert set(say_of(sqlite_engine, scene.deployment.box)) == {"a"}
            hanging.released.set()
            wait_until(lambda: set(say_of(sqlite_engine, scene.deployment.box)) == {"a", "b"})
        finally:
            hanging.released.set()
            stop.set()
            thread.join()


def is_proven_at(engine: Engine, box: Address, number: int) -> bool:
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
    check = None if election is None else election.head_check
    return check is not None and check.is_proven and check.agrees and check.block.number >= number


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_witnesses__unfinished_after_one_look__is_written_no_more(
    devnet: Devnet, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnesses, "WAIT_SECONDS", 0.2)
    box = hold_election(devnet).deployment.box
    hanging = Hanging()
    with endpoints_of(devnet, ("a", be_honest), ("b", hanging)) as endpoints:
        Follower(endpoints, sqlite_engine).sync_once()
        assert set(say_of(sqlite_engine, box)) == {"a"}
        hanging.released.set()
        # Once it answers again, its earlier answer has come too.
        endpoints.ask(endpoints.members[1], lambda rpc: rpc.chain_id())
        assert set(say_of(sqlite_engine, box)) == {"a"}
