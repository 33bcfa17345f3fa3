"""The loop that keeps an index up with its chain: range by range, each written with the cursor in one transaction.

             cursor                        latest
───────────────┼──────────┬──────────┬───────┼──────▶ blocks
  in the index │  range   │  range   │ range │
               └ is this block the parent of the next?
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlalchemy import Engine

from indexer.journal import get_journal
from indexer.storage.model import Block, ChainObservation, Election
from indexer.storage.repository import Repository, Snapshot
from indexer.storage.writer import IndexWriter
from indexer.sync.creation import build_election
from indexer.sync.fetch import FetchedRange, check_continuity, fetch_range, to_block
from indexer.sync.fold import fold_range, read_source
from indexer.sync.heads import check_heads
from qballot.chain.answers import Log
from qballot.chain.artifacts import default_factory
from qballot.chain.contracts import decode_ballot_box_created
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.provenance import compute_implementation_address
from qballot.core.types import Address
from qballot.errors import AnswerTooLargeError, ChainError, EndpointError, StorageError

MAX_PAUSE_SECONDS = 60.0
"""Longest pause after failures that may pass."""

_log = get_journal("sync")


class Follower:
    """Indexes one factory's elections from one endpoint into one database.

    factory: this version's own when None. chain_id: what the endpoint must serve; anything when None.
    from_block: where an empty database begins. block_range: blocks asked for at once, fewer where that is too much.
    poll_seconds: pause between two looks at the chain. clock: the machine's, for health checks only.

    Making one asks nothing of anyone: a wrong chain or database is found by the first look at the chain.
    """

    def __init__(
        self,
        rpc: Rpc,
        engine: Engine,
        *,
        factory: Address | None = None,
        chain_id: int | None = None,
        from_block: int = 0,
        block_range: int = 2_000,
        poll_seconds: float = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rpc = rpc
        self._factory = factory or default_factory()
        self._implementation = compute_implementation_address(self._factory)
        self._from_block = from_block
        self._block_range = block_range
        self._range = block_range
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._chain_id = chain_id
        self._engine = engine
        self._repository = Repository(engine)
        self._claimed: IndexWriter | None = None

    def follow(self, stop: threading.Event) -> None:
        """Index until `stop` is set. Failures that may pass are waited out, longer each time; others end it.

        Raises what `sync_once` raises, but for ChainErrors and StorageErrors that may pass.
        """
        failures = 0
        while not stop.is_set():
            try:
                self.sync_once(stop=stop)
                failures = 0
            except (ChainError, StorageError) as error:
                if not error.retryable:
                    raise
                failures += 1
                what = "endpoint failed" if isinstance(error, ChainError) else "database failed"
                _log.warning(what, problem=str(error), failures=failures)
            stop.wait(compute_pause(self._poll_seconds, failures))

    def sync_once(self, until: int | None = None, *, stop: threading.Event | None = None) -> Block | None:
        """Index up to the latest block, or to `until` if that is lower; then read the heads that are to be checked.

        stop: when set, end after the range or the request for heads at hand. Returns the last indexed block, None if
        there is none yet.
        Raises WrongChainError, ReorgError and other ChainErrors, DecodeError for logs that the contracts cannot have
        emitted, StorageError also when the database serves another chain or factory.
        """
        if self._claimed is None:
            chain_id = self._rpc.check_chain(self._chain_id)
            self._claimed = IndexWriter(self._engine, chain_id=chain_id, factory=self._factory)
        return self._advance(self._claimed, until, stop)

    def _advance(self, writer: IndexWriter, until: int | None, stop: threading.Event | None) -> Block | None:
        latest = to_block(self._rpc.block("latest"))
        writer.save_observation(ChainObservation(latest, self._clock()))
        target = latest.number if until is None else min(until, latest.number)
        cursor = self._load_cursor()
        if cursor is not None and latest.number < cursor.number:
            _log.warning("endpoint is behind the index", endpoint_block=latest.number, indexed_block=cursor.number)
            return cursor
        if cursor is not None and latest.number == cursor.number:
            check_continuity(cursor, latest.hash)
        while (start := self._from_block if cursor is None else cursor.number + 1) <= target:
            if stop is not None and stop.is_set():
                return cursor
            cursor = self._sync_next(writer, cursor, start, target)
        if cursor is not None:
            check_heads(self._rpc, self._repository, writer, cursor, stop)
        return cursor

    def _load_cursor(self) -> Block | None:
        with self._repository.snapshot() as snapshot:
            cursor = snapshot.load_cursor()
        return None if cursor is None else cursor.block

    def _sync_next(self, writer: IndexWriter, cursor: Block | None, start: int, target: int) -> Block:
        """Index as many blocks from `start` as the endpoint gives at once, up to `target`."""
        while True:
            end = min(start + self._range - 1, target)
            try:
                reached = self._sync_range(writer, cursor, start, end)
            except EndpointError as error:
                if start == end or not _asks_for_less(error):
                    raise
                self._range = (end - start + 1) // 2
                _log.warning("asking for fewer blocks at once", blocks=self._range, problem=str(error))
            else:
                # By an eighth: the range that was too much is not far.
                self._range = min(self._range + (self._range + 7) // 8, self._block_range)
                return reached

    def _sync_range(self, writer: IndexWriter, cursor: Block | None, start: int, end: int) -> Block:
        """Index one range and move the cursor to its end."""
        if cursor is not None:
            check_continuity(cursor, self._rpc.block(start).parent_hash)
        with self._repository.snapshot() as snapshot:
            boxes = snapshot.load_open_boxes()
        fetched = fetch_range(self._rpc, start=start, end=end, factory=self._factory, boxes=boxes)
        created = [self._read_creation(log) for log in fetched.creations]
        with self._repository.snapshot() as snapshot:
            known = _load_known(snapshot, fetched, set(boxes))
        change = fold_range(fetched.until, known=known, created=created, logs=fetched.box_logs)
        writer.apply(change, after=cursor)
        _log.info(
            "indexed",
            from_block=start,
            to_block=end,
            elections=len(created),
            batches=len(change.batches),
            records=sum(len(new.records) for new in change.batches),
        )
        return fetched.until

    def _read_creation(self, log: Log) -> Election:
        event = decode_ballot_box_created(log)
        # Code never changes, so the latest block will do, which every node can answer for.
        code = self._rpc.code(event.box, "latest")
        if not code:
            raise EndpointError(
                self._rpc.endpoint, f"has no code at {checksum_address(event.box)}, whose creation it reported"
            )
        election = build_election(
            event, read_source(log), code, factory=self._factory, implementation=self._implementation
        )
        if election.invalid_reason is not None:
            _log.error("invalid election", box=checksum_address(event.box), reason=election.invalid_reason)
        return election


def compute_pause(poll_seconds: float, failures: int) -> float:
    """Compute the seconds to wait after so many failures in a row: doubled by each, up to MAX_PAUSE_SECONDS."""
    # The exponent has a cap of its own: a night of failures must not overflow a float.
    return min(poll_seconds * 2.0 ** min(failures, 16), max(MAX_PAUSE_SECONDS, poll_seconds))


def _asks_for_less(error: EndpointError) -> bool:
    """Say whether fewer blocks at once may help: too large an answer, or a refusal, in whatever words and codes."""
    return isinstance(error, AnswerTooLargeError) or error.code is not None


def _load_known(snapshot: Snapshot, fetched: FetchedRange, boxes: set[Address]) -> dict[Address, Election]:
    """Load the elections of earlier ranges that the fetched logs are about."""
    known: dict[Address, Election] = {}
    for box in dict.fromkeys(log.address for log in fetched.box_logs if log.address in boxes):
        election = snapshot.load_election(box)
        if election is None:
            raise StorageError(f"the index lost the box {checksum_address(box)} while it was being written to")
        known[box] = election
    return known
