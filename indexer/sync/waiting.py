"""How long to wait for the next look at the chain, and what ends the waiting sooner."""

from __future__ import annotations

import threading
import time

from indexer.sync.aside import LOOK_SECONDS

MAX_PAUSE_SECONDS = 60.0
"""Longest pause after failures that may pass."""

RETRY_SECONDS = 0.05
"""Pause after a look that found nothing new although there should be: a node may tell of a block before it gives it."""

RETRIES = 5
"""Such pauses after one alarm."""


class Alarm:
    """A wait that any thread can end."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._retries = 0

    def ring(self) -> None:
        """End the wait that is going on, or the next one."""
        self._rung.set()

    def choose_pause(self, poll_seconds: float, *, is_new: bool) -> float:
        """Choose how long to wait after a look. is_new: whether it found another latest block than the one before."""
        if is_new:
            self._retries = 0
        self._retries -= self._retries > 0
        return min(RETRY_SECONDS, poll_seconds) if self._retries > 0 else poll_seconds

    def wait(self, seconds: float, stop: threading.Event, *, heeds: bool) -> None:
        """Wait so long, until `stop` is set or, where it heeds the alarm, until that rings."""
        deadline = time.monotonic() + seconds
        while not stop.is_set() and (remaining := deadline - time.monotonic()) > 0:
            pause = min(LOOK_SECONDS, remaining)
            if not heeds:
                stop.wait(pause)
            elif self._rung.wait(pause):
                self._rung.clear()
                self._retries = RETRIES
                return


def compute_pause(poll_seconds: float, failures: int) -> float:
    """Compute the seconds to wait after so many failures in a row: doubled by each, up to MAX_PAUSE_SECONDS."""
    # The exponent has a cap of its own: a night of failures must not overflow a float.
    return min(poll_seconds * 2.0 ** min(failures, 16), max(MAX_PAUSE_SECONDS, poll_seconds))
