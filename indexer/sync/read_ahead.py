"""Ranges of blocks, fetched ahead and handed out in order.

    plan       ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒   history, then recent blocks
    in flight  ├─ taken next ─┼─ ahead ─┼─ ahead ─┤
                     │ refused
                     ├──┼──┤            the same blocks, in parts; what was fetched ahead of them stays

At most a few ranges are in memory, whatever the chain's length. Errors come out at the range that they are about, so
that all before it is written first.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple

from indexer.journal import get_journal
from indexer.sync.aside import run_aside, wait_for
from indexer.sync.range_query import FetchedRange, RangeQuery
from indexer.sync.ranges import RangeSizer
from indexer.sync.refusing import NOT_ABOUT_SIZE, NobodyHasError, is_limit
from qballot.errors import EndpointError, NoEndpointError, RangeTooWideError, SlowDownError

AHEAD = 1
"""Ranges fetched beside the one that is waited for, or folded: a range costs less to fetch than to write."""

RANGES_TO_TRUST = 8
"""Ranges without a complaint before one more is fetched ahead, after an endpoint has asked to slow down."""

LINKED_BLOCKS = 100
"""Most blocks of a range whose headers are all read: those of a longer one would cost more than its logs."""

_log = get_journal("sync")


@dataclass(frozen=True, slots=True)
class Span:
    """Blocks that are to be read, as many at once as will do. is_recent: whether some may still be reorganised."""

    start: int
    end: int
    is_recent: bool


class TimedRange(NamedTuple):
    """A range that was read, and how long that took."""

    fetched: FetchedRange
    seconds: float


@dataclass(frozen=True, slots=True)
class _Flight:
    """A range that is being fetched, or has been."""

    query: RangeQuery
    is_recent: bool
    future: Future[TimedRange]


class Pace:
    """How many ranges are fetched ahead: none for a while after an endpoint has asked to slow down."""

    def __init__(self) -> None:
        self.ahead = AHEAD
        self._taken = 0

    def slow_down(self) -> None:
        """Tell that requests came too fast, or that no endpoint may be asked for a moment."""
        self.ahead = 0
        self._taken = 0

    def take(self) -> None:
        """Tell that a range was read."""
        self._taken += 1
        if self._taken % RANGES_TO_TRUST == 0:
            self.ahead = min(AHEAD, self.ahead + 1)


class ReadAhead:
    """Reads spans of blocks, one after another. Not to be shared between threads.

    fetch: reads one range, in a thread of its own. plan: makes the query for some blocks. sizer, pace: what was learned
    about ranges and requests so far.
    """

    def __init__(
        self,
        fetch: Callable[[RangeQuery], FetchedRange],
        plan: Callable[[int, int, bool], RangeQuery],
        sizer: RangeSizer,
        pace: Pace,
        spans: list[Span],
    ) -> None:
        self._fetch = fetch
        self._plan = plan
        self._sizer = sizer
        self._pace = pace
        self._parts: deque[Span | _Flight] = deque(spans)
        self._ahead = pace.ahead

    def take(self, stop: threading.Event | None) -> TimedRange | None:
        """Return the next range; None after the last one. Raises Stopped, and what `fetch` raises."""
        while self._parts:
            flight = self._take_first()
            self._begin_others()
            try:
                timed = wait_for(flight.future, stop)
            except EndpointError as error:
                self._take_refusal(flight, error)
                continue
            self._pace.take()
            self._ahead = self._pace.ahead
            fetched = timed.fetched
            self._sizer.returned(fetched.query.blocks, logs=fetched.logs, size=fetched.size)
            return timed
        return None

    def _take_first(self) -> _Flight:
        part = self._parts.popleft()
        if isinstance(part, _Flight):
            return part
        flight, rest = self._depart(part)
        if rest is not None:
            self._parts.appendleft(rest)
        return flight

    def _begin_others(self) -> None:
        """Begin to fetch as many ranges as may be in flight beside the first one, in the order of the plan."""
        ahead = self._ahead if self._sizer.knows else 0
        free = ahead - sum(isinstance(part, _Flight) for part in self._parts)
        parts: list[Span | _Flight] = []
        for part in self._parts:
            rest: Span | _Flight | None = part
            while isinstance(rest, Span) and free > 0:
                flight, rest = self._depart(rest)
                parts.append(flight)
                free -= 1
            if rest is not None:
                parts.append(rest)
        self._parts = deque(parts)

    def _depart(self, span: Span) -> tuple[_Flight, Span | None]:
        """Fetch the first blocks of a span. Returns that, and what is left of the span."""
        blocks = self._sizer.next_blocks()
        if span.is_recent:
            blocks = min(blocks, LINKED_BLOCKS)
        end = min(span.end, span.start + blocks - 1)
        query = self._plan(span.start, end, span.is_recent or end - span.start < LINKED_BLOCKS)

        def fetch() -> TimedRange:
            started = time.perf_counter()
            fetched = self._fetch(query)
            return TimedRange(fetched, time.perf_counter() - started)

        flight = _Flight(query, span.is_recent, run_aside(fetch, name=f"fetch-{query.start}"))
        return flight, None if end == span.end else Span(end + 1, span.end, span.is_recent)

    def _take_refusal(self, flight: _Flight, error: EndpointError) -> None:
        """Ask for less, where that may help; raise the error where it does not, or not at once."""
        query = flight.query
        limited = is_limit(error)
        if isinstance(error, SlowDownError | NoEndpointError):
            self._pace.slow_down()
        if isinstance(error, NobodyHasError) and query.blocks > 1:
            self._halve(flight)
            return
        if isinstance(error, NOT_ABOUT_SIZE) or (query.blocks == 1 and not limited):
            raise error
        if limited and query.blocks > 1:
            suggested = error.suggested if isinstance(error, RangeTooWideError) else None
            fits = suggested is not None and suggested[0] == query.start
            self._sizer.refused(query.blocks, suggested=suggested[1] - query.start + 1 if suggested and fits else None)
        else:
            self._sizer.failed(query.blocks)
        # Words about the question may be about its size. Without any, the endpoint may be in trouble: that is waited
        # out, and then less is asked for.
        if query.blocks == 1 or (error.code is None and not limited):
            raise error
        _log.warning("asking for fewer blocks at once", blocks=self._sizer.blocks, problem=str(error))
        self._ahead = 0
        self._parts.appendleft(Span(query.start, query.end, flight.is_recent))

    def _halve(self, flight: _Flight) -> None:
        """Read a range whose end nobody has as far as there is any of it. That tells nothing of its size."""
        query = flight.query
        middle = (query.start + query.end) // 2
        self._ahead = 0
        self._parts.appendleft(Span(middle + 1, query.end, flight.is_recent))
        self._parts.appendleft(Span(query.start, middle, flight.is_recent))
