"""Hear of new blocks the moment a node has them, over its websocket, where it has one.

What comes is a reason to look and nothing more: the block itself is read and checked like any other. So nothing is lost
where there is no websocket, where it breaks, or where it says nothing: then new blocks are found by asking for them.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.sync.connection import Connection

from qballot.endpoint_list import WEBSOCKET_SCHEMES, compute_endpoint_name

OPEN_SECONDS = 10.0
"""How long a connection and the subscription over it may take."""

PING_SECONDS = 20.0
"""How often a connection is pinged, and how long its answer may take."""

QUIET_SECONDS = 180.0
"""A subscription that says nothing for so long is made anew: some are dropped without a word."""

FIRST_PAUSE_SECONDS = 1.0
"""Pause after no endpoint could be listened to; it doubles each time."""

MAX_PAUSE_SECONDS = 60.0

WAKE_SECONDS = 1.0
"""Shortest time between two alarms: one endpoint's flood of notices must not become a flood of questions to all."""

MAX_MESSAGE_BYTES = 1024 * 1024
"""More than a block's header."""

_SUBSCRIBE = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})

# The library's own log tells whole URLs, which may hold a key.
_SILENT = logging.Logger("qballot.websocket", logging.CRITICAL + 1)


class _Notice(msgspec.Struct):
    """What a subscription sends, as far as it matters. The block itself is left alone."""

    subscription: str


class _Message(msgspec.Struct):
    """What comes over the connection: the answer to our one request, or a notice of a subscription."""

    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw()
    method: str | None = None
    params: _Notice | None = None


_MESSAGE = msgspec.json.Decoder(_Message)


class _NoSubscriptionError(Exception):
    """The endpoint does not tell of new blocks. Never leaves this module."""


class HeadWatcher:
    """Calls `wake` whenever an endpoint tells of a new block; never raises, and tries again for ever.

    urls: http(s) and ws(s), in order of preference; those of ws(s) are listened to before the others. wake: called from
    a thread of its own. Start it, or use it as a context manager.
    """

    def __init__(self, urls: Sequence[str], wake: Callable[[], object]) -> None:
        self._urls = compute_websocket_urls(urls)
        self._wake = wake
        self._stopped = threading.Event()
        self._connection: Connection | None = None
        self._endpoint: str | None = None
        self._thread = threading.Thread(target=self._watch, name="new heads", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def connected(self) -> bool:
        """Whether an endpoint has agreed to tell of new blocks, and the connection to it stands."""
        return self._endpoint is not None

    @property
    def endpoint(self) -> str | None:
        """The masked name of the endpoint that is listened to; None when there is none."""
        return self._endpoint

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """End it. A connection that is only being made ends by itself, later."""
        self._stopped.set()
        connection = self._connection
        if connection is not None:
            connection.close()
        if self._thread.is_alive():
            self._thread.join(timeout=1)

    def _watch(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopped.is_set():
            for url in self._urls:
                if self._listen(url):
                    pause = FIRST_PAUSE_SECONDS
                    break
            self._stopped.wait(pause * random.uniform(0.5, 1))  # noqa: S311 # jitter only
            pause = min(2 * pause, MAX_PAUSE_SECONDS)

    def _listen(self, url: str) -> bool:
        """Listen to one endpoint until that ends. Returns whether it ever told of a block."""
        told = False
        try:
            with _open(url) as connection:
                self._connection = connection
                subscription = _subscribe(connection)
                self._endpoint = compute_endpoint_name(url)
                # A block that came just before is found by looking now.
                self._wake()
                woken = time.monotonic()
                while not self._stopped.is_set():
                    _await_notice(connection, subscription)
                    told = True
                    _pass_over_notices(connection, woken + WAKE_SECONDS)
                    self._wake()
                    woken = time.monotonic()
        except (WebSocketException, OSError, EOFError, ValueError, RecursionError, _NoSubscriptionError):
            pass  # whatever ended it, new blocks are looked for otherwise, and this is tried again
        finally:
            self._connection = None
            self._endpoint = None
        return told


def compute_websocket_urls(urls: Sequence[str]) -> list[str]:
    """Return where endpoints tell of new blocks: those of ws(s) first, then what the others' websockets should be.

    Source of Infura's path: https://docs.metamask.io/services/how-to/subscribe-to-events.
    """
    explicit = [url for url in urls if urlsplit(url).scheme in WEBSOCKET_SCHEMES]
    derived = [_derive(url) for url in urls if urlsplit(url).scheme not in WEBSOCKET_SCHEMES]
    return list(dict.fromkeys([*explicit, *derived]))


def _derive(url: str) -> str:
    parts = urlsplit(url)
    path = parts.path
    if str(parts.hostname).endswith(".infura.io") and path.startswith("/v3/"):
        path = f"/ws{path}"
    return parts._replace(scheme={"http": "ws", "https": "wss"}[parts.scheme], path=path).geturl()


def _open(url: str) -> ClientConnection:
    return connect(
        url,
        open_timeout=OPEN_SECONDS,
        ping_interval=PING_SECONDS,
        ping_timeout=PING_SECONDS,
        close_timeout=1,
        max_size=MAX_MESSAGE_BYTES,
        proxy=None,
        logger=_SILENT,
    )


def _subscribe(connection: Connection) -> str:
    """Ask to be told of new blocks; return the subscription's id."""
    connection.send(_SUBSCRIBE, text=True)
    answer = _MESSAGE.decode(connection.recv(timeout=OPEN_SECONDS))
    if answer.id != 1 or not memoryview(answer.result).nbytes:
        raise _NoSubscriptionError
    return msgspec.json.decode(answer.result, type=str)


def _await_notice(connection: Connection, subscription: str) -> None:
    """Wait until the subscription tells of a block."""
    while True:
        message = _MESSAGE.decode(connection.recv(timeout=QUIET_SECONDS))
        if message.params is not None and message.params.subscription == subscription:
            return


def _pass_over_notices(connection: Connection, until: float) -> None:
    """Read whatever comes until a moment, by `time.monotonic`: one alarm then stands for all of it."""
    while (remaining := until - time.monotonic()) > 0:
        try:
            connection.recv(timeout=remaining)
        except TimeoutError:
            return
