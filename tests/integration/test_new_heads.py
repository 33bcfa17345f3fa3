"""Hearing of new blocks from a real node, and doing without where there is no websocket."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise

import pytest
from bad_endpoint import answer, run_bad_endpoint
from websockets.sync.server import Server, ServerConnection, serve

from qballot.chain import new_heads
from qballot.chain.devnet import Devnet
from qballot.chain.new_heads import HeadWatcher

pytestmark = pytest.mark.integration


class Bell:
    """Counts how often it was rung."""

    def __init__(self) -> None:
        self.rung = 0

    def __call__(self) -> None:
        self.rung += 1


def wait_until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


@contextmanager
def run_websocket(handle: Callable[[ServerConnection], None], port: int = 0) -> Iterator[int]:
    server: Server = serve(handle, "127.0.0.1", port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()
        thread.join(timeout=10)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_heads, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(new_heads, "MAX_PAUSE_SECONDS", 0.2)


def test_new_heads__real_node__tells_of_every_block_at_once() -> None:
    bell = Bell()
    with Devnet() as devnet, HeadWatcher([devnet.url], bell) as watcher:
        wait_until(lambda: watcher.connected)
        assert watcher.endpoint == devnet.url.replace("http", "ws")
        wait_until(lambda: bell.rung == 1)
        for number in range(2, 7):
            start = time.monotonic()
            devnet.mine(1)
            wait_until(lambda number=number: bell.rung >= number)
            assert time.monotonic() - start < 5
    assert not watcher.connected


def test_new_heads__no_websocket_there__the_next_is_listened_to() -> None:
    bell = Bell()
    with (
        run_bad_endpoint(answer("no", "404 Not Found")) as bad,
        Devnet() as devnet,
        HeadWatcher([bad.url, "http://127.0.0.1:1/SECRET", devnet.url], bell) as watcher,
    ):
        wait_until(lambda: watcher.connected)
        assert watcher.endpoint == devnet.url.replace("http", "ws")


def test_new_heads__none_anywhere__tries_again_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    bell = Bell()
    with run_bad_endpoint(answer("no", "404 Not Found")) as bad, HeadWatcher([bad.url], bell) as watcher:
        wait_until(lambda: len(bad.headers) >= 3)
        assert not watcher.connected
        assert watcher.endpoint is None
    assert bell.rung == 0
    assert capfd.readouterr() == ("", "")


def test_new_heads__nobody_to_listen_to__ends_at_once() -> None:
    with HeadWatcher([], Bell()) as watcher:
        assert not watcher.connected


def test_new_heads__node_that_went_and_came_back__is_listened_to_again() -> None:
    bell = Bell()
    with ExitStack() as stack:
        with Devnet() as devnet:
            port = int(devnet.url.rsplit(":", 1)[1])
            watcher = stack.enter_context(HeadWatcher([devnet.url], bell))
            wait_until(lambda: watcher.connected)
        wait_until(lambda: not watcher.connected)
        rung = bell.rung
        with Devnet(port=port) as devnet:
            wait_until(lambda: watcher.connected)
            devnet.mine(1)
            wait_until(lambda: bell.rung >= rung + 2)


@pytest.mark.parametrize(
    "said",
    [
        "torn {",
        "[]",
        b"\x00\xff",
        '{"id":1,"error":{"code":-32601,"message":"no such method"}}',
        '{"id":2,"result":"0x1"}',
        '{"id":1,"result":null}',
        '{"id":1,"result":' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_new_heads__subscription_refused_or_odd__is_no_connection(said: str | bytes) -> None:
    asked: list[str | bytes] = []

    def handle(connection: ServerConnection) -> None:
        asked.append(connection.recv())
        connection.send(said)

    bell = Bell()
    with run_websocket(handle) as port, HeadWatcher([f"ws://127.0.0.1:{port}/SECRET"], bell) as watcher:
        wait_until(lambda: len(asked) >= 3)
        assert not watcher.connected
    assert bell.rung == 0


def test_new_heads__notice_of_another_subscription__is_passed_over() -> None:
    heard = threading.Event()

    def handle(connection: ServerConnection) -> None:
        connection.recv()
        connection.send('{"jsonrpc":"2.0","id":1,"result":"0xaa"}')
        for subscription in ("0xbb", "0xaa", "0xbb"):
            connection.send(
                '{"method":"eth_subscription","params":{"subscription":"'
                + subscription
                + '","result":{"number":"0x1"}}}'
            )
        heard.wait(20)

    bell = Bell()
    with run_websocket(handle) as port, HeadWatcher([f"ws://127.0.0.1:{port}"], bell) as watcher:
        # Once for the connection, once for the one notice that is ours.
        wait_until(lambda: bell.rung == 2)
        assert watcher.connected
        heard.set()


def test_new_heads__subscription_that_falls_silent__is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_heads, "QUIET_SECONDS", 0.2)
    asked: list[str | bytes] = []

    def handle(connection: ServerConnection) -> None:
        asked.append(connection.recv())
        connection.send('{"jsonrpc":"2.0","id":1,"result":"0xaa"}')
        for _ in connection:
            pass

    with run_websocket(handle) as port, HeadWatcher([f"ws://127.0.0.1:{port}"], Bell()):
        wait_until(lambda: len(asked) >= 3)


def test_new_heads__socket_that_answers_no_ping__is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_heads, "PING_SECONDS", 0.2)
    left = threading.Event()
    asked: list[str | bytes] = []

    def handle(connection: ServerConnection) -> None:
        asked.append(connection.recv())
        connection.send('{"jsonrpc":"2.0","id":1,"result":"0xaa"}')
        # From here on nothing that comes is read, and no ping is answered.
        connection.protocol.receive_data = lambda data: None  # type: ignore[method-assign]
        left.wait(20)

    with run_websocket(handle) as port, HeadWatcher([f"ws://127.0.0.1:{port}"], Bell()):
        wait_until(lambda: len(asked) >= 2)
        left.set()


def test_new_heads__closed_while_listening__ends_soon() -> None:
    with Devnet() as devnet:
        watcher = HeadWatcher([devnet.url], Bell())
        watcher.start()
        wait_until(lambda: watcher.connected)
        start = time.monotonic()
        watcher.close()
        assert time.monotonic() - start < 3
        watcher.close()


NOTICE = '{"method":"eth_subscription","params":{"subscription":"0xaa","result":{"number":"0x1"}}}'


def test_new_heads__notice_that_is_nested_deeply__ends_that_connection_only() -> None:
    asked: list[str | bytes] = []

    def handle(connection: ServerConnection) -> None:
        asked.append(connection.recv())
        connection.send('{"jsonrpc":"2.0","id":1,"result":"0xaa"}')
        connection.send('{"method":"eth_subscription","result":' + "[" * 400_000 + "]" * 400_000 + "}")
        for _ in connection:
            pass

    with run_websocket(handle) as port, HeadWatcher([f"ws://127.0.0.1:{port}"], Bell()):
        wait_until(lambda: len(asked) >= 3)


def test_new_heads__flood_of_notices__rings_now_and_then_and_after_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_heads, "WAKE_SECONDS", 0.5)
    over = threading.Event()
    times: list[float] = []

    def handle(connection: ServerConnection) -> None:
        connection.recv()
        connection.send('{"jsonrpc":"2.0","id":1,"result":"0xaa"}')
        deadline = time.monotonic() + 1.3
        while time.monotonic() < deadline:
            connection.send(NOTICE)
        over.set()
        for _ in connection:
            pass

    def ring() -> None:
        times.append(time.monotonic())

    with run_websocket(handle) as port, HeadWatcher([f"ws://127.0.0.1:{port}"], ring):
        assert over.wait(15)
        ended = time.monotonic()
        wait_until(lambda: times[-1] > ended - 0.4)
    assert 2 <= len(times) <= 4 + (times[-1] - times[0]) / 0.5
    assert all(second - first > 0.45 for first, second in pairwise(times))
