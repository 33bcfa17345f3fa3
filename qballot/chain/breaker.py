"""A circuit breaker: an endpoint that fails is left alone for a while, then tried with one question.

closed ──failures in a row──▶ open ──its time is over──▶ half open: one question
   ▲                            ▲                              │        │
   └────────── an answer ───────┼──────────────────────────────┘        │
                                └───── a failure, for twice as long ────┘

Failures are counted for each kind of question: an endpoint that answers one kind and fails another is left alone too,
and asked that other kind ever more rarely.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from qballot.errors import ChainError, QuotaExhaustedError, SlowDownError, WrongChainError

FAILURES_TO_OPEN = 3
"""Failures of one kind of question in a row after which an endpoint is left alone."""

FIRST_PAUSE_SECONDS = 1.0
"""How long an endpoint is left alone at first; it doubles with each further time."""

MAX_PAUSE_SECONDS = 60.0
"""How long an endpoint is left alone at most, whatever it asks for."""

_LASTING = (QuotaExhaustedError, WrongChainError)
"""Errors that do not pass within moments."""


@dataclass(frozen=True, slots=True)
class Health:
    """How one endpoint does.

    name: masked, and distinct among the endpoints. healthy: whether it may be asked now. failures: in a row, of the
    kind of question that has most. retry_in_seconds: how long it is left alone yet, 0 when it is not. last_error: of
    the latest failure, None when every kind of question that failed was answered since.
    """

    name: str
    healthy: bool
    failures: int
    retry_in_seconds: float
    last_error: ChainError | None


class Breaker:
    """What is known of one endpoint's failures. Safe to share between threads.

    clock: in seconds. about: any name for the kind of question that was put.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._failures: Counter[str] = Counter()
        self._pauses = 0
        self._open_until: float | None = None
        self._probing = False
        self._last_error: ChainError | None = None

    @property
    def last_error(self) -> ChainError | None:
        """The latest failure; None when every kind of question that failed was answered since."""
        return self._last_error

    def begin(self) -> bool:
        """Say whether a question may be put now. When half open, only one may, until its outcome is told."""
        with self._lock:
            if self._open_until is None:
                return True
            if self._probing or self._clock() < self._open_until:
                return False
            self._probing = True
            return True

    def succeed(self, about: str = "") -> None:
        """Tell that there was an answer."""
        with self._lock:
            self._open_until = None
            self._probing = False
            del self._failures[about]
            if not self._failures:
                self._pauses = 0
                self._last_error = None

    def doubt(self, error: ChainError | None) -> None:
        """Tell of an outcome that says nothing about the endpoint; error: what it said, to be shown."""
        with self._lock:
            self._probing = False
            self._last_error = error or self._last_error

    def fail(self, error: ChainError, about: str = "") -> None:
        """Tell of a failure. It opens the breaker if it is one of several in a row, or one that will not pass soon."""
        with self._lock:
            self._failures[about] += 1
            self._last_error = error
            half_open, self._probing = self._open_until is not None, False
            at_once = isinstance(error, (SlowDownError, *_LASTING))
            if half_open or at_once or self._failures[about] >= FAILURES_TO_OPEN:
                self._open(error)

    def trip(self, error: ChainError) -> None:
        """Open it at once."""
        with self._lock:
            self._failures[""] += 1
            self._last_error = error
            self._probing = False
            self._open(error)

    def remaining_seconds(self) -> float:
        """Return how long until a question may be put; 0 when one may now."""
        with self._lock:
            return self._remaining()

    def describe(self, name: str) -> Health:
        """Say how the endpoint of this name does."""
        with self._lock:
            remaining = self._remaining()
            failures = max(self._failures.values(), default=0)
            return Health(name, remaining == 0, failures, remaining, self._last_error)

    def _remaining(self) -> float:
        if self._open_until is None:
            return 0.0
        # Another thread's question is under way: its outcome will tell, and is not waited for longer than this.
        return FIRST_PAUSE_SECONDS if self._probing else max(0.0, self._open_until - self._clock())

    def _open(self, error: ChainError) -> None:
        pause = MAX_PAUSE_SECONDS
        if not isinstance(error, _LASTING):
            pause = min(FIRST_PAUSE_SECONDS * 2.0 ** min(self._pauses, 16), MAX_PAUSE_SECONDS)
        pause *= random.uniform(0.5, 1)  # noqa: S311 # jitter only
        asked = error.retry_after_seconds if isinstance(error, SlowDownError) else None
        self._open_until = self._clock() + max(pause, min(asked or 0.0, MAX_PAUSE_SECONDS))
        self._pauses += 1
