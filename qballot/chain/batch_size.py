"""How many requests go into one batch: fewer where an endpoint refuses so many, and more again later.

A refusal may be about this batch only, or about one moment. So what was refused is tried again, ever more rarely where
it is refused again.
"""

from __future__ import annotations

from threading import Lock

FIRST_PATIENCE = 16
"""Full batches taken before twice as many requests are tried. Doubled by each refusal of such a try."""

MAX_PATIENCE = 1_024


class BatchSize:
    """The size of the next batch, at most and at first `most`. Safe to share between threads."""

    def __init__(self, most: int) -> None:
        self._lock = Lock()
        self._most = self._size = most
        self._taken = 0
        self._patience = FIRST_PATIENCE
        self._is_try = False

    @property
    def current(self) -> int:
        """How many requests go into one batch now."""
        return self._size

    def taken(self, count: int) -> None:
        """Tell that a batch of so many was answered."""
        with self._lock:
            if self._size == self._most or count < self._size:
                return
            self._is_try = False
            self._taken += 1
            if self._taken >= self._patience:
                self._taken = 0
                self._size = min(2 * self._size, self._most)
                self._is_try = True

    def refused(self, count: int) -> None:
        """Tell that a batch of so many was refused."""
        with self._lock:
            if self._is_try:
                self._patience = min(2 * self._patience, MAX_PATIENCE)
            self._is_try = False
            self._taken = 0
            self._size = max(1, min(self._size, count // 2))
