"""The application behind a real server, with a client for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import httpx
from starlette.types import ASGIApp

from indexer.api import listen, run_server


@contextmanager
def serve(app: ASGIApp) -> Iterator[httpx.Client]:
    """Run a server on a free port in a thread and give a client of it."""
    stop = threading.Event()
    ready: Queue[str] = Queue()
    listener = listen("127.0.0.1", 0)
    thread = threading.Thread(target=run_server, args=(app, listener), kwargs={"stop": stop, "on_ready": ready.put})
    thread.start()
    try:
        with httpx.Client(base_url=ready.get(timeout=10)) as client:
            yield client
    finally:
        stop.set()
        thread.join(timeout=10)
    assert not thread.is_alive()
