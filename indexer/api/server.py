"""Running an application until it is told to stop."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from indexer.stopping import stop_on_signals
from qballot.errors import ToolError

GRACE_SECONDS = 5
"""How long answers under way may take once the server is to stop."""

BACKLOG = 512
"""Connections that may wait to be accepted."""


def listen(host: str, port: int) -> socket.socket:
    """Take an address before anything else is done. port: 0 takes any free one.

    Raises ToolError when the address is taken or not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        problem = error.strerror or str(error)
        raise ToolError(f"cannot listen on {host} port {port}: {problem}; choose another with QBALLOT_PORT") from error
    return listener


def run_server(
    app: ASGIApp,
    listener: socket.socket,
    *,
    stop: threading.Event | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve an application until `stop` is set; without one, until SIGINT or SIGTERM, in the main thread only.

    listener: of `listen`; closed at the end. on_ready: called with the URL once requests are answered.
    """
    with listener, nullcontext(stop) if stop is not None else stop_on_signals() as ended:
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        announce = partial(on_ready or _say_nothing, describe_url(listener))
        _Server(config, ended, announce).run(sockets=[listener])


def describe_url(listener: socket.socket) -> str:
    """Write the URL at which a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if listener.family == socket.AF_INET6 else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn, told to stop by an event rather than by signals."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._stop = stop
        self._on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the process."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        """Look ten times a second whether to stop."""
        return await super().on_tick(counter) or self._stop.is_set()


def _say_nothing(_url: str) -> None:
    pass
