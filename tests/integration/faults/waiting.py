"""Waiting for something to become true, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

from spawning import Running


def wait_until(condition: Callable[[], bool], seconds: float = 20.0, *, running: Running | None = None) -> float:
    """Wait until a condition holds and return the seconds that took. running: must not end meanwhile."""
    started = time.monotonic()
    while not condition():
        said = "" if running is None else running.said
        assert time.monotonic() - started < seconds, f"waited {seconds:g} s in vain\n{said}"
        assert running is None or not running.has_ended, said
        time.sleep(0.01)
    return time.monotonic() - started
