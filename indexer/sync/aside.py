"""Work in threads that nobody waits for at the end: a process that is told to stop does not wait for an endpoint."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TypeVar

LOOK_SECONDS = 0.1
"""How often it is looked whether to stop, while something else is waited for."""

T = TypeVar("T")


class Stopped(Exception):
    """What was waited for is no longer wanted, since the process is to stop."""


def run_aside(work: Callable[[], T], *, name: str) -> Future[T]:
    """Begin some work in a thread of its own, which ends with the process at the latest."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 # it is raised where the result is waited for
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def wait_for(future: Future[T], stop: threading.Event | None) -> T:
    """Wait for some work and return its result, or raise its error. Raises Stopped once `stop` is set."""
    while True:
        if stop is not None and stop.is_set():
            raise Stopped
        try:
            return future.result(LOOK_SECONDS)
        except FutureTimeoutError:
            if future.done():
                return future.result()
