"""Counting an election's records: each is read once while the process lives, and nobody waits long for a count.

    records ──read──▶ ballots that count ──▶ Turnout ──count──▶ Tally
                      (by one thread an election)      (by few threads in all)

Whoever finds another thread at work on an election gets what was finished last, with the view that it was made of, thus
with a block and a head at which it is true. Only where nothing was finished yet does anyone wait, and not for long.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from indexer.results.definitions import require_definition
from indexer.storage.model import Block, ChainCursor, Election
from indexer.storage.repository import Repository, Snapshot
from qballot.core.ballot import Group
from qballot.core.effective import EffectiveBallots
from qballot.core.tally import count_election
from qballot.core.types import Address, Hash32
from qballot.errors import StorageError

KEPT_ELECTIONS = 64
KEPT_BYTES = 512 * 1024 * 1024
"""How many elections' ballots are kept, and roughly how much memory they take; the longest unused go first."""

RECORD_BYTES = 400
"""About what a record takes in memory beside its ballot."""

COUNTS_AT_ONCE = 2
READS_AT_ONCE = 4
WAITING_AT_ONCE = 8
"""Threads that may wait for a first count. The server has some forty in all."""

WAIT_SECONDS = 5.0


class NotCountedError(StorageError):
    """An election's first count has not ended yet: to be asked for again."""

    def __init__(self) -> None:
        super().__init__("the election is still being counted for the first time: ask again soon", retryable=True)


@dataclass(frozen=True, slots=True)
class View:
    """An election as the index has it at one moment. block: the last indexed one."""

    cursor: ChainCursor
    block: Block
    election: Election


@dataclass(frozen=True, slots=True)
class Turnout:
    """Who has cast up to a head. voters: how many. weight: sum over the ballots that count."""

    head: Hash32
    voters: int
    weight: int


@dataclass(frozen=True, slots=True)
class Tally:
    """A count of all records up to the turnout's head. contests: JSON of `qballot.core.tally`."""

    turnout: Turnout
    contests: list[dict[str, Any]]


def load_view(snapshot: Snapshot, box: Address) -> View | None:
    """Load an election and the block that the index holds; None when there is no such election."""
    cursor = snapshot.load_cursor()
    election = snapshot.load_election(box)
    if cursor is None or cursor.block is None or election is None:
        return None
    return View(cursor, cursor.block, election)


class Counts:
    """The counts of the elections that were asked for lately. Safe to share between threads."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._lock = threading.Lock()
        self._counts: OrderedDict[Address, _Count] = OrderedDict()
        self._reads = threading.BoundedSemaphore(READS_AT_ONCE)
        self._tallies = threading.BoundedSemaphore(COUNTS_AT_ONCE)
        self._waiting = threading.BoundedSemaphore(WAITING_AT_ONCE)

    def load_turnout(self, box: Address) -> tuple[View, Turnout | None] | None:
        """Load an election with its turnout, None for an invalid one's; None when there is no such election.

        Counts nothing. Raises NotCountedError.
        """
        view = self._load(box)
        if view is None or view.election.invalid_reason is not None:
            return None if view is None else (view, None)
        count = self._find(box)
        if count.turnout is not None and count.turnout[1].head == view.election.head:
            return view, count.turnout[1]
        with self._work(count.reading, self._reads, needed=count.turnout is None) as mine:
            if mine:
                self._read(count, box)
        if count.turnout is None:
            raise NotCountedError
        return count.turnout

    def load_tally(self, box: Address) -> tuple[View, Tally | None] | None:
        """Load an election with its count; otherwise as `load_turnout`."""
        view = self._load(box)
        if view is None or view.election.invalid_reason is not None:
            return None if view is None else (view, None)
        count = self._find(box)
        if count.tally is not None and count.tally[1].turnout.head == view.election.head:
            return view, count.tally[1]
        with self._work(count.counting, self._tallies, needed=count.tally is None) as mine:
            if mine:
                self._tally(count, box)
        if count.tally is None:
            raise NotCountedError
        return count.tally

    def _load(self, box: Address) -> View | None:
        with self._repository.snapshot() as snapshot:
            return load_view(snapshot, box)

    def _find(self, box: Address) -> _Count:
        with self._lock:
            count = self._counts.setdefault(box, _Count())
            self._counts.move_to_end(box)
            return count

    @contextmanager
    def _work(self, lock: threading.Lock, slots: threading.Semaphore, *, needed: bool) -> Iterator[bool]:
        """Take the work that `lock` guards, as one of those at work; give False when others have it.

        needed: wait for it, unless too many wait already.
        """
        mine = _acquire(lock, slots, 0)
        if not mine and needed and self._waiting.acquire(blocking=False):
            try:
                mine = _acquire(lock, slots, WAIT_SECONDS)
            finally:
                self._waiting.release()
        try:
            yield mine
        finally:
            if mine:
                slots.release()
                lock.release()

    def _read(self, count: _Count, box: Address) -> None:
        """Bring the turnout up to date. The caller holds `reading`."""
        with self._repository.snapshot() as snapshot:
            view = load_view(snapshot, box)
            if view is not None:
                count.read(snapshot, view)
        self._evict(box)

    def _tally(self, count: _Count, box: Address) -> None:
        """Bring turnout and tally up to date. The caller holds `counting`; no connection is held while it counts."""
        with count.reading:
            self._read(count, box)
            if count.turnout is None:
                return
            view, turnout = count.turnout
            if count.tally is not None and count.tally[1].turnout.head == turnout.head:
                count.tally = (view, count.tally[1])
                return
            groups = count.groups()
        result = count_election(require_definition(view.election.definition), groups)
        count.tally = (view, Tally(turnout, [contest.to_json() for contest in result.contests]))

    def _evict(self, box: Address) -> None:
        """Forget the elections unused longest until the rest is within the bounds; never the one that is asked for."""
        with self._lock:
            kept = sum(count.size for count in self._counts.values())
            for other in list(self._counts):
                if kept <= KEPT_BYTES and len(self._counts) <= KEPT_ELECTIONS:
                    break
                if other != box:
                    kept -= self._counts.pop(other).size


class _Count:
    """One election's ballots and what was made of them.

    reading: held by whoever reads records. counting: by whoever counts. size: bytes of memory, roughly.
    turnout, tally: finished last, each with its view, and replaced as a whole.
    """

    def __init__(self) -> None:
        self.reading = threading.Lock()
        self.counting = threading.Lock()
        self.turnout: tuple[View, Turnout] | None = None
        self.tally: tuple[View, Tally] | None = None
        self.size = 0
        self._effective = EffectiveBallots()
        self._records = self._batches = 0
        self._head: Hash32 | None = None

    def groups(self) -> dict[bytes, Group]:
        """Return the ballots that count. The caller holds `reading`."""
        return self._effective.groups()

    def read(self, snapshot: Snapshot, view: View) -> None:
        """Add the records that have come since. The caller holds `reading`."""
        election = view.election
        if self._head != election.head:
            if not self._continues(snapshot, election):
                self._forget()
            # Until all are read, what stands here is of no head.
            self._head = None
            for record in snapshot.stream_records(election, start=self._records):
                self._effective.apply(record)
                self._records += 1
                self.size += RECORD_BYTES + len(record.ballot)
            self._batches, self._head = election.batches, election.head
        self.turnout = (view, Turnout(election.head, self._effective.voters, self._effective.weight))

    def _forget(self) -> None:
        self._effective = EffectiveBallots()
        self._records = self._batches = self.size = 0
        self._head = None

    def _continues(self, snapshot: Snapshot, election: Election) -> bool:
        """Say whether the election's chain still contains what was read: it may be another index by now."""
        if self._head is None or self._batches == 0:
            return False
        last = snapshot.load_batch(election, self._batches - 1)
        return last is not None and last.head == self._head


def _acquire(lock: threading.Lock, slots: threading.Semaphore, seconds: float) -> bool:
    """Acquire both within the time, or neither."""
    until = time.monotonic() + seconds
    if not lock.acquire(timeout=seconds):
        return False
    if slots.acquire(timeout=max(0.0, until - time.monotonic())):
        return True
    lock.release()
    return False
