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

from indexer.storage.model import Block, ChainObservation, Election, HeadCheck
from indexer.storage.repository import Repository, Snapshot
from indexer.storage.writer import IndexWriter
from indexer.sync.creation import build_election, make_printable
from indexer.sync.fetch import FetchedRange, check_continuity, fetch_range, to_block
from indexer.sync.fold import fold_range, read_source
from indexer.sync.journal import get_journal
from qballot.chain.answers import Log
from qballot.chain.artifacts import default_factory
from qballot.chain.contracts import BallotBoxContract, decode_ballot_box_created
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.provenance import compute_implementation_address
from qballot.core.types import Address
from qballot.errors import ChainError, EndpointError, StorageError

MAX_PAUSE_SECONDS = 60.0
"""Longest pause after failures that may pass."""

_log = get_journal("sync")


class Follower:
    """Indexes one factory's elections from one endpoint into one database.

    factory: this version's own when None. chain_id: what the endpoint must serve; anything when None.
    from_block: where an empty database begins. block_range: blocks asked for at once.
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
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._chain_id = chain_id
        self._engine = engine
        self._repository = Repository(engine)
        self._claimed: IndexWriter | None = None

    def follow(self, stop: threading.Event) -> None:
        """Index until `stop` is set. Failures that may pass are waited out, longer each time; others end it.

        Raises what `sync_once` raises, but for ChainErrors that may pass.
        """
        failures = 0
        while not stop.is_set():
            try:
                self.sync_once(stop=stop)
                failures = 0
            except ChainError as error:
                if not error.retryable:
                    raise
                failures += 1
                _log.warning("endpoint failed", problem=str(error), failures=failures)
            stop.wait(compute_pause(self._poll_seconds, failures))

    def sync_once(self, until: int | None = None, *, stop: threading.Event | None = None) -> Block | None:
        """Index up to the latest block, or to `until` if that is lower; then read the heads that are to be checked.

        stop: when set, end after the range at hand. Returns the last indexed block, None if there is none yet.
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
        cursor, boxes = self._load_progress()
        if cursor is not None and latest.number < cursor.number:
            _log.warning("endpoint is behind the index", endpoint_block=latest.number, indexed_block=cursor.number)
            return cursor
        if cursor is not None and latest.number == cursor.number:
            check_continuity(cursor, latest.hash)
        while (start := self._from_block if cursor is None else cursor.number + 1) <= target:
            if stop is not None and stop.is_set():
                return cursor
            cursor = self._sync_range(writer, cursor, start, min(start + self._block_range - 1, target), boxes)
        if cursor is not None:
            self._check_heads(writer, cursor)
        return cursor

    def _load_progress(self) -> tuple[Block | None, list[Address]]:
        with self._repository.snapshot() as snapshot:
            cursor = snapshot.load_cursor()
            return None if cursor is None else cursor.block, snapshot.load_boxes()

    def _sync_range(
        self, writer: IndexWriter, cursor: Block | None, start: int, end: int, boxes: list[Address]
    ) -> Block:
        """Index one range and move the cursor to its end. New boxes are appended to `boxes`."""
        if cursor is not None:
            check_continuity(cursor, self._rpc.block(start).parent_hash)
        fetched = fetch_range(self._rpc, start=start, end=end, factory=self._factory, boxes=boxes)
        created = [self._read_creation(log) for log in fetched.creations]
        with self._repository.snapshot() as snapshot:
            known = _load_known(snapshot, fetched, set(boxes))
        change = fold_range(fetched.until, known=known, created=created, logs=fetched.box_logs)
        writer.apply(change, after=cursor)
        boxes += [election.box for election in created]
        records = sum(len(new.records) for new in change.batches)
        _log.info(
            "indexed",
            from_block=start,
            to_block=end,
            elections=len(created),
            batches=len(change.batches),
            records=records,
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

    def _check_heads(self, writer: IndexWriter, cursor: Block) -> None:
        with self._repository.snapshot() as snapshot:
            elections = snapshot.load_unchecked(cursor)
        checks = {election.number: self._check_head(election, cursor) for election in elections}
        if checks:
            writer.save_head_checks(checks)

    def _check_head(self, election: Election, cursor: Block) -> HeadCheck:
        box = checksum_address(election.box)
        try:
            head = BallotBoxContract(self._rpc, election.box).head(cursor.number)
        except ChainError as error:
            _log.warning("head not read", box=box, block=cursor.number, problem=str(error))
            return HeadCheck(cursor, election.head, None, make_printable(str(error)))
        check = HeadCheck(cursor, election.head, head)
        if not check.agrees:
            _log.error(
                "HEAD MISMATCH: the endpoint's logs and its head() contradict each other",
                box=box,
                block=cursor.number,
                found=f"0x{head.hex()}",
                recomputed=f"0x{election.head.hex()}",
            )
        return check


def compute_pause(poll_seconds: float, failures: int) -> float:
    """Compute the seconds to wait after so many failures in a row: doubled by each, up to MAX_PAUSE_SECONDS."""
    # The exponent has a cap of its own: a night of failures must not overflow a float.
    return min(poll_seconds * 2.0 ** min(failures, 16), max(MAX_PAUSE_SECONDS, poll_seconds))


def _load_known(snapshot: Snapshot, fetched: FetchedRange, boxes: set[Address]) -> dict[Address, Election]:
    """Load the elections of earlier ranges that the fetched logs are about."""
    known: dict[Address, Election] = {}
    for box in dict.fromkeys(log.address for log in fetched.box_logs if log.address in boxes):
        election = snapshot.load_election(box)
        if election is None:
            raise StorageError(f"the index lost the box {checksum_address(box)} while it was being written to")
        known[box] = election
    return known
