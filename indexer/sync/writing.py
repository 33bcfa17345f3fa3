"""One write after another, each in a thread of its own while the next range is made ready."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

from indexer.journal import get_journal
from indexer.sync.aside import run_aside

FINISH_SECONDS = 3.0
"""How long a process that is to stop waits for the write at hand. What is not committed by then is rolled back."""

_log = get_journal("sync")


class WritesAside:
    """Does writes in order, one at a time. Not to be shared between threads."""

    def __init__(self) -> None:
        self._current: Future[None] | None = None

    def submit(self, write: Callable[[], None]) -> None:
        """Begin a write once the one before is done. Raises the error of that one; this one is not begun then."""
        self.finish()
        self._current = run_aside(write, name="write")

    def finish(self) -> None:
        """Wait until all is written. Raises the last write's error."""
        current, self._current = self._current, None
        if current is not None:
            current.result()

    def finish_soon(self) -> None:
        """Wait for the write at hand, but not for long: the process is to stop. Errors are logged."""
        current, self._current = self._current, None
        if current is None:
            return
        try:
            current.result(FINISH_SECONDS)
        except FutureTimeoutError:
            _log.warning("stopped before a write was done", waited_seconds=FINISH_SECONDS)
        except Exception as error:  # noqa: BLE001 # the process stops: whoever starts it again meets the error anew
            _log.warning("a write failed while stopping", problem=str(error))
