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
from functools import cached_property
from typing import Any

from indexer.results.definitions import find_definition, require_definition
from indexer.results.not_ready import NotReadyError
from indexer.results.proven import Proofs, load_proofs
from indexer.results.verdict import Verdict, judge
from indexer.storage.model import Block, ChainCursor, Election
from indexer.storage.proof_model import KeptProof
from indexer.storage.repository import Repository, Snapshot
from qballot.core.election import Definition
from qballot.core.proof import find_lot_block
from qballot.core.tally import count_election
from qballot.core.tally.leading import find_leading, show_leading
from qballot.core.tally.requirements import Electorate
from qballot.core.tally.result import ElectionResult
from qballot.core.types import Address, Hash32
from qballot.endpoint_list import NEEDED_OPERATORS
from qballot.errors import ProofError, StorageError

KEPT_ELECTIONS = 256
"""How many elections' counts are kept; those unused longest go first."""

COUNTS_AT_ONCE = 2
WAITING_AT_ONCE = 8
"""Threads that may wait for a first count. The server has some forty in all."""

WAIT_SECONDS = 5.0


class NotCountedError(NotReadyError):
    """An election's first count has not ended yet: to be asked for again."""

    def __init__(self) -> None:
        super().__init__("the election is still being counted for the first time: ask again soon")


@dataclass(frozen=True, slots=True)
class View:
    """An election as the index has it at one moment. block: the last indexed one. proofs: what is proven of its head.

    definition: None for an invalid election's.
    """

    cursor: ChainCursor
    block: Block
    election: Election
    proofs: Proofs
    definition: Definition | None

    @property
    def verdict(self) -> Verdict:
        """What a result of it is worth."""
        return judge(self.election, self.block, self.proofs, draws_lots=draws_lots(self.definition))


class Tally:
    """A count of all records up to a head. lot: that ties were decided by, None where it is not known, or not needed.

    The contests are JSON of `qballot.core.tally`, each with who leads while voting goes on in `leading`.
    """

    def __init__(self, head: Hash32, lot: Hash32 | None, result: ElectionResult) -> None:
        self.head = head
        self.lot = lot
        self._result = result

    @cached_property
    def complete(self) -> list[dict[str, Any]]:
        """The contests of an election that is over."""
        return [{**contest.to_json(), "leading": []} for contest in self._result.contests]

    @cached_property
    def partial(self) -> list[dict[str, Any]]:
        """The contests of an election that goes on: no winner, but who leads."""
        shown = [contest.to_json() for contest in show_leading(self._result).contests]
        leading = [
            [contest.contest.options[place].id for place in find_leading(contest)] for contest in self._result.contests
        ]
        return [{**contest, "leading": ids} for contest, ids in zip(shown, leading, strict=True)]


def draws_lots(definition: Definition | None) -> bool:
    """Say whether ties of an election may be decided by lot."""
    return definition is not None and any(contest.tie.draws_lots for contest in definition.contests)


def load_view(snapshot: Snapshot, box: Address, needed: int = NEEDED_OPERATORS) -> View | None:
    """Load an election and the block that the index holds; None when there is no such election.

    needed: how many different operators must name a block's hash for it to be witnessed.
    """
    cursor = snapshot.load_cursor()
    election = snapshot.load_election(box)
    if cursor is None or cursor.block is None or election is None:
        return None
    definition = None if election.invalid_reason is not None else find_definition(election.definition)
    return View(cursor, cursor.block, election, load_proofs(snapshot.proofs, box, needed), definition)


def load_proof(snapshot: Snapshot, view: View) -> KeptProof | None:
    """Load the proof that an election's result rests on; None where it rests on none."""
    proven = view.verdict.proven
    return None if proven is None else snapshot.proofs.load_proof(view.election.box, proven.mark.block.hash)


def load_lot(snapshot: Snapshot, view: View) -> Hash32 | None:
    """Load the lot that ties are decided by; None where it is not proven yet, or nothing is drawn by lot.

    It is of the very proof that the result rests on.
    """
    proven = view.verdict.proven
    if proven is None or not proven.mark.has_lot or not draws_lots(view.definition):
        return None
    kept = load_proof(snapshot, view)
    if kept is None:
        return None
    try:
        return find_lot_block(kept.lot, kept.header, view.election.closes_at).mix_hash
    except ProofError as error:
        raise StorageError(f"the lot that is kept does not follow from its block: {error}") from error


class Counts:
    """The counts of the elections that were asked for lately. Safe to share between threads."""

    def __init__(self, repository: Repository, *, needed: int = NEEDED_OPERATORS) -> None:
        self._repository = repository
        self._needed = needed
        self._lock = threading.Lock()
        self._counts: OrderedDict[Address, _Count] = OrderedDict()
        self._tallies = threading.BoundedSemaphore(COUNTS_AT_ONCE)
        self._waiting = threading.BoundedSemaphore(WAITING_AT_ONCE)

    def load_tally(self, box: Address) -> tuple[View, Tally | None] | None:
        """Load an election with its count, None for an invalid one's; None when there is no such election.

        Raises NotCountedError.
        """
        with self._repository.snapshot() as snapshot:
            view = load_view(snapshot, box, self._needed)
            lot = None if view is None else load_lot(snapshot, view)
        if view is None or view.election.invalid_reason is not None:
            return None if view is None else (view, None)
        count = self._find(box)
        finished = count.finished
        if finished is not None and (finished[1].head, finished[1].lot) == (view.election.head, lot):
            return view, finished[1]
        with self._work(count.counting, needed=finished is None) as mine:
            if mine:
                self._tally(count, box)
        if count.finished is None:
            raise NotCountedError
        return count.finished

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
            view = load_view(snapshot, box, self._needed)
            if view is None:
                return
            head, lot = view.election.head, load_lot(snapshot, view)
            if count.finished is not None and (count.finished[1].head, count.finished[1].lot) == (head, lot):
                count.finished = (view, count.finished[1])
                return
            groups = snapshot.load_groups(view.election)
        # How many voters the box admits is in its code; the weight of them all would take the census.
        electorate = Electorate(view.election.arguments.voters)
        result = count_election(require_definition(view.election.definition), groups, lot, electorate)
        count.finished = (view, Tally(head, lot, result))


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
