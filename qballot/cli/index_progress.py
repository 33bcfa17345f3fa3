"""How far the indexer is and how fast it gets on, out of what it tells its observers.

catching up   block 19,234,567 of 19,300,000  65,433 behind  12,345 ballots/s  1,234,567 ballots  3 min left
caught up     block 19,300,000  up to date  final 19,299,936  1,234,567 ballots
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from indexer.storage.model import Block

WINDOW_SECONDS = 20.0
"""How far back the speed looks: long enough to be calm, short enough to follow the endpoint's moods."""

SAMPLE_SECONDS = 0.2
"""What happens within less is one step of the speed."""


class _Sample(NamedTuple):
    at: float
    block: int
    ballots: int


class Reading(NamedTuple):
    """How far the indexer is.

    block: the last indexed one; None before the first. latest: the chain's. final: None where none is known.
    ballots: read since the process began. ballots_per_second, seconds_left: by the speed of late; None left unknown.
    """

    block: int | None
    latest: int
    final: int | None
    ballots: int
    ballots_per_second: float
    seconds_left: float | None

    @property
    def behind(self) -> int:
        """How many blocks are still to be read."""
        return max(0, self.latest - (-1 if self.block is None else self.block))


class Progress:
    """Follows the indexer as its observer, and says how it does. Safe to share between threads.

    clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._samples: deque[_Sample] = deque()
        self._latest: int | None = None
        self._indexed: int | None = None
        self._finalized: int | None = None
        self._ballots = 0
        self._leads = True
        self._trouble: str | None = None

    def chain_seen(self, latest: Block, indexed: Block | None, finalized: Block | None) -> None:
        """Hear how far the chain is, and how far the index."""
        with self._lock:
            self._trouble = None
            self._latest = latest.number
            self._finalized = None if finalized is None else finalized.number
            if indexed is not None:
                self._reach(indexed.number)

    def range_indexed(self, start: int, end: int, *, ballots: int, **_measures: Any) -> None:
        """Hear that a range of blocks was written."""
        with self._lock:
            self._trouble = None
            if not self._samples:
                self._samples.append(_Sample(self._clock(), start - 1, 0))
            self._ballots += ballots
            self._reach(end)

    def reorged(self, depth: int) -> None:  # noqa: ARG002
        """Hear that blocks were taken away: the speed is measured anew."""
        with self._lock:
            self._samples.clear()

    def heads_proven(self, at: Block, unproven: int) -> None:
        """Hear how far heads are proven, which the line does not show."""

    def headers_known(self, unknown_since: int | None) -> None:
        """Hear whether all headers are known, which the line does not show."""

    def blocks_witnessed(self, newest: int | None, contradicted: int) -> None:
        """Hear how far proofs are witnessed, which the line does not show."""

    def repaired(self, records: int) -> None:
        """Hear of an election that was put right, which the follower logs itself."""

    def leading(self, leads: bool) -> None:
        """Hear whether this indexer writes."""
        with self._lock:
            self._leads = leads
            self._trouble = None

    def failed(self, what: str) -> None:
        """Hear of a failure that will be waited out."""
        with self._lock:
            self._trouble = what

    def end(self) -> None:
        """Hear that the indexer has ended, and no longer leads for that alone: the line says how far it came."""
        with self._lock:
            self._leads = True

    def read(self) -> Reading | None:
        """Return how far it is; None before the chain was seen."""
        with self._lock:
            if self._latest is None:
                return None
            ballots_rate, blocks_rate = self._compute_rates()
            reading = Reading(self._indexed, self._latest, self._finalized, self._ballots, ballots_rate, None)
            return reading._replace(seconds_left=reading.behind / blocks_rate if blocks_rate > 0 else None)

    def describe(self) -> str:
        """Write the line."""
        reading = self.read()
        with self._lock:
            leads, trouble = self._leads, self._trouble
        if trouble is None and not leads:
            return "standing by: another indexer leads this database"
        if reading is None:
            return "looking for the chain" if trouble is None else f"{trouble}, trying again"
        place = "no block yet" if reading.block is None else f"block {reading.block:,}"
        if trouble is not None:
            return f"{place}  {trouble}, trying again"
        read = f"{reading.ballots:,} ballots"
        if not reading.behind:
            final = "" if reading.final is None else f"  final {reading.final:,}"
            return f"{place}  up to date{final}  {read}"
        left = "" if reading.seconds_left is None else f"  {format_span(reading.seconds_left)} left"
        speed = f"{reading.ballots_per_second:,.0f} ballots/s"
        return f"{place} of {reading.latest:,}  {reading.behind:,} behind  {speed}  {read}{left}"

    def _reach(self, block: int) -> None:
        self._indexed = block
        sample = _Sample(self._clock(), block, self._ballots)
        if len(self._samples) > 1 and sample.at - self._samples[-2].at < SAMPLE_SECONDS:
            self._samples.pop()
        self._samples.append(sample)
        while len(self._samples) > 2 and sample.at - self._samples[1].at > WINDOW_SECONDS:
            self._samples.popleft()

    def _compute_rates(self) -> tuple[float, float]:
        """Compute ballots and blocks a second over the window; zeros while too little is known."""
        if len(self._samples) < 2:
            return 0.0, 0.0
        first, last = self._samples[0], self._samples[-1]
        seconds = max(self._clock() - first.at, 0.001)
        return (last.ballots - first.ballots) / seconds, (last.block - first.block) / seconds


def format_span(seconds: float) -> str:
    """Write a span of time for people, in its greatest unit: `45 s`, `3 min`, `5 h`, `9 d`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"
