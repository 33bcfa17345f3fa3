"""Counting an election: the ballots that count stand in the index in groups, and nobody waits long for their count.

    groups in the index ──count──▶ Tally
                         (by few threads in all, one an election)

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
from qballot.core.tally import count_election
from qballot.core.types import Address, Hash32
from qballot.errors import StorageError

KEPT_ELECTIONS = 256
"""How many elections' counts are kept; those unused longest go first."""

COUNTS_AT_ONCE = 2
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
class Tally:
    """A count of all records up to a head. contests: JSON of `qballot.core.tally`."""

    head: Hash32
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
        self._tallies = threading.BoundedSemaphore(COUNTS_AT_ONCE)
        self._waiting = threading.BoundedSemaphore(WAITING_AT_ONCE)

    def load_tally(self, box: Address) -> tuple[View, Tally | None] | None:
        """Load an election with its count, None for an invalid one's; None when there is no such election.

        Raises NotCountedError.
        """
        view = self._load(box)
        if view is None or view.election.invalid_reason is not None:
            return None if view is None else (view, None)
        count = self._find(box)
        finished = count.finished
        if finished is not None and finished[1].head == view.election.head:
            return view, finished[1]
        with self._work(count.counting, needed=finished is None) as mine:
            if mine:
                self._tally(count, box)
        if count.finished is None:
            raise NotCountedError
        return count.finished

    def _load(self, box: Address) -> View | None:
        with self._repository.snapshot() as snapshot:
            return load_view(snapshot, box)

    def _find(self, box: Address) -> _Count:
        with self._lock:
            count = self._counts.setdefault(box, _Count())
            self._counts.move_to_end(box)
            while len(self._counts) > KEPT_ELECTIONS:
                self._counts.popitem(last=False)
            return count

    @contextmanager
    def _work(self, lock: threading.Lock, *, needed: bool) -> Iterator[bool]:
        """Take the count that `lock` guards, as one of those at work; give False when others have it.

        needed: wait for it, unless too many wait already.
        """
        mine = _acquire(lock, self._tallies, 0)
        if not mine and needed and self._waiting.acquire(blocking=False):
            try:
                mine = _acquire(lock, self._tallies, WAIT_SECONDS)
            finally:
                self._waiting.release()
        try:
            yield mine
        finally:
            if mine:
                self._tallies.release()
                lock.release()

    def _tally(self, count: _Count, box: Address) -> None:
        """Bring a count up to date. The caller holds `counting`; no connection is held while it counts."""
        with self._repository.snapshot() as snapshot:
            view = load_view(snapshot, box)
            if view is None:
                return
            head = view.election.head
            if count.finished is not None and count.finished[1].head == head:
                count.finished = (view, count.finished[1])
                return
            groups = snapshot.load_groups(view.election)
        result = count_election(require_definition(view.election.definition), groups)
        count.finished = (view, Tally(head, [contest.to_json() for contest in result.contests]))


class _Count:
    """One election's count. counting: held by whoever counts. finished: the last one, with its view."""

    def __init__(self) -> None:
        self.counting = threading.Lock()
        self.finished: tuple[View, Tally] | None = None


def _acquire(lock: threading.Lock, slots: threading.Semaphore, seconds: float) -> bool:
    """Acquire both within the time, or neither."""
    until = time.monotonic() + seconds
    if not lock.acquire(timeout=seconds):
        return False
    if slots.acquire(timeout=max(0.0, until - time.monotonic())):
        return True
    lock.release()
    return False
