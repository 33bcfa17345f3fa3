"""Counting an election's records, each only once while the process lives."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from indexer.results.definitions import require_definition
from indexer.storage.model import Block, ChainCursor, Election
from indexer.storage.repository import Repository, Snapshot
from qballot.core.effective import EffectiveBallots
from qballot.core.tally import count_election
from qballot.core.types import Address, Hash32

KEPT_ELECTIONS = 32
"""How many elections' ballots are kept in memory; the longest unused goes first."""


@dataclass(frozen=True, slots=True)
class View:
    """An election as the index has it at one moment. block: the last indexed one."""

    cursor: ChainCursor
    block: Block
    election: Election


@dataclass(frozen=True, slots=True)
class Tally:
    """A count of all records up to `head`.

    voters: how many have cast. weight: sum over the ballots that count. contests: JSON of `qballot.core.tally`.
    """

    head: Hash32
    voters: int
    weight: int
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

    def load(self, box: Address) -> tuple[View, Tally | None] | None:
        """Load an election with its count, None for an invalid one's; None when there is no such election."""
        with self._repository.snapshot() as snapshot:
            view = load_view(snapshot, box)
        if view is None or view.election.invalid_reason is not None:
            return None if view is None else (view, None)
        count = self._find(box)
        tally = count.tally
        if tally is not None and tally.head == view.election.head:
            return view, tally
        # A fresh view once the lock is ours: another thread may have counted further than the one that we hold.
        with count.lock, self._repository.snapshot() as snapshot:
            view = load_view(snapshot, box)
            return None if view is None else (view, count.advance(snapshot, view.election))

    def _find(self, box: Address) -> _Count:
        with self._lock:
            count = self._counts.setdefault(box, _Count())
            self._counts.move_to_end(box)
            while len(self._counts) > KEPT_ELECTIONS:
                self._counts.popitem(last=False)
            return count


class _Count:
    """One election's count, which grows with its records."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.tally: Tally | None = None
        self._effective = EffectiveBallots()
        self._records = 0
        self._batches = 0

    def advance(self, snapshot: Snapshot, election: Election) -> Tally:
        """Add what has come since and return the count at the election's head. The caller holds the lock."""
        if self.tally is not None and self.tally.head == election.head:
            return self.tally
        if not self._continues(snapshot, election):
            self._effective, self._records, self._batches = EffectiveBallots(), 0, 0
        self.tally = None
        for record in snapshot.stream_records(election, start=self._records):
            self._effective.apply(record)
            self._records += 1
        self._batches = election.batches
        result = count_election(require_definition(election.definition), self._effective.groups())
        contests = [contest.to_json() for contest in result.contests]
        self.tally = Tally(election.head, self._effective.voters, self._effective.weight, contests)
        return self.tally

    def _continues(self, snapshot: Snapshot, election: Election) -> bool:
        """Say whether the election's chain still contains what was counted: it may be another index by now."""
        if self._batches == 0:
            return self._records == 0
        last = snapshot.load_batch(election, self._batches - 1)
        return self.tally is not None and last is not None and last.head == self.tally.head
