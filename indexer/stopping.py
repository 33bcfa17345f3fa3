"""Ending a process between two steps rather than in the middle of one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from types import FrameType

LOOK_SECONDS = 0.1
"""How often it is looked whether work has ended or should."""


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Give an event that SIGINT (Ctrl-C) and SIGTERM set; a second SIGINT interrupts as usual.

    To be used in the main thread, which alone receives signals. The earlier handlers come back at the end.
    """
    stop = threading.Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    earlier = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def run_until_stopped(work: Callable[[], None], stop: threading.Event, *, grace_seconds: float) -> bool:
    """Do work that looks at `stop` by itself, in a thread, for so many seconds at most once `stop` is set.

    Returns whether the work came to its end; where not, it hangs in something that cannot be interrupted, and the
    process should end around it. Raises what the work raises. To be used in the main thread, so that signals are
    answered while the work waits.
    """
    outcome: Future[None] = Future()

    def do() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    # A daemon: the interpreter does not wait for it.
    threading.Thread(target=do, name="work", daemon=True).start()
    while not outcome.done() and not stop.is_set():
        wait([outcome], LOOK_SECONDS)
    wait([outcome], grace_seconds)
    if not outcome.done():
        return False
    outcome.result()
    return True
