"""From the cursor to a block: ranges are fetched ahead, folded in order, and written one after another.

endpoints ──fetch──▶ FetchedRange ──fold──▶ RangeChange ──write──▶ database
          (threads, a few ahead)  (this thread)       (a thread, one at a time)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from functools import partial

from indexer.journal import get_journal
from indexer.storage.model import Block, ChainObservation, RangeChange
from indexer.storage.repository import Repository
from indexer.storage.writer import IndexWriter
from indexer.sync.aside import Stopped, run_aside, wait_for
from indexer.sync.asking import RangeAsker
from indexer.sync.collecting import collect_seldom
from indexer.sync.fetch import RangeFetcher, to_block
from indexer.sync.fold import fold_range
from indexer.sync.known import KnownElections
from indexer.sync.leading import Lead
from indexer.sync.observer import Observer
from indexer.sync.range_query import FetchedRange, RangeQuery
from indexer.sync.ranges import RangeSizer
from indexer.sync.read_ahead import Pace, ReadAhead, Span, TimedRange
from indexer.sync.tip import Tip
from indexer.sync.writing import WritesAside
from qballot.chain.endpoints import Endpoints
from qballot.core.address import checksum_address
from qballot.core.types import Address
from qballot.errors import (
    DecodeError,
    ReorgError,
)

RECENT_BLOCKS = 256
"""Blocks that may still be reorganised, where no endpoint says what is final."""

MANY_BLOCKS = 16
"""Blocks from which on catching up is worth to tune the process for."""

_log = get_journal("sync")


class CatchUp:
    """Brings an index up to a block, again and again. Not to be shared between threads.

    lead: is asked before each write whether it still stands. sizer: keeps what was learned about ranges.
    """

    def __init__(
        self,
        *,
        endpoints: Endpoints,
        repository: Repository,
        writer: IndexWriter,
        lead: Lead,
        fetcher: RangeFetcher,
        observer: Observer,
    ) -> None:
        self._writer = writer
        self._lead = lead
        self._asker = RangeAsker(endpoints, fetcher)
        self._observer = observer
        self._sizer = RangeSizer()
        self._pace = Pace()
        self._known = KnownElections(repository)
        self._writes = WritesAside()

    def run(
        self,
        tip: Tip,
        cursor: Block | None,
        *,
        start: int,
        target: int,
        open_boxes: list[Address],
        observation: ChainObservation | None,
        stop: threading.Event | None,
    ) -> Block | None:
        """Index the blocks from `start` to `target`, and keep the observation. Returns the last block indexed.

        Raises Stopped once `stop` is set, ReorgError when the blocks do not follow the cursor, other ChainErrors,
        DecodeError and StorageError; what was folded before is written then.
        """
        self._known.start(open_boxes)
        try:
            if observation is not None:
                self._writes.submit(lambda: self._writer.save_observation(observation))
            with collect_seldom() if target - start >= MANY_BLOCKS else nullcontext():
                cursor = self._run(tip, cursor, start, target, stop)
                self._writes.finish()
        except Stopped:
            self._writes.finish_soon()
            raise
        except BaseException:
            self._writes.finish()
            raise
        return cursor

    def _run(
        self, tip: Tip, cursor: Block | None, start: int, target: int, stop: threading.Event | None
    ) -> Block | None:
        if start > target:
            return cursor
        reader = ReadAhead(self._asker.fetch, self._plan(tip), self._sizer, self._pace, _part_spans(tip, start, target))
        while (timed := reader.take(stop)) is not None:
            self._check_chain(timed.fetched, cursor, stop)
            timed = self._complete(timed, stop)
            timed, change = self._fold_or_read_again(timed, cursor, tip, stop)
            self._known.take(change)
            self._writes.submit(self._write(change, cursor, timed))
            cursor = change.until
        return cursor

    def _plan(self, tip: Tip) -> Callable[[int, int, bool], RangeQuery]:
        def plan(start: int, end: int, linked: bool) -> RangeQuery:
            is_tip = start == end == tip.latest.number
            known = (tip.rpc, tip.latest) if is_tip else None
            return RangeQuery(start, end, self._known.open_boxes, linked=linked, known_header=known)

        return plan

    def _check_chain(self, fetched: FetchedRange, cursor: Block | None, stop: threading.Event | None) -> None:
        """Check that a range follows the cursor; who contradicts itself there is left alone. Raises ReorgError."""
        try:
            self._check_follows(fetched, cursor)
        except ReorgError as error:
            wait_for(run_aside(partial(self._asker.blame_broken_link, fetched, error), name="link"), stop)
            raise

    def _check_follows(self, fetched: FetchedRange, cursor: Block | None) -> None:
        follows = cursor is None or fetched.query.start != cursor.number + 1 or fetched.parent_hash == cursor.hash
        if cursor is not None and not follows:
            raise ReorgError(number=cursor.number, found=fetched.parent_hash, expected=cursor.hash)

    def _complete(self, timed: TimedRange, stop: threading.Event | None) -> TimedRange:
        """Read what boxes emitted in a range that were found after the range was asked for."""
        fetched, seconds = timed
        late = self._known.open_boxes - fetched.query.boxes
        if not late:
            return timed
        query = replace(fetched.query, boxes=late, with_factory=False, known_header=None)
        started = time.perf_counter()
        parts = wait_for(run_aside(lambda: self._asker.fetch_parts(query), name="fetch-late"), stop)
        until = parts[-1].until
        if until != fetched.until:
            raise ReorgError(number=fetched.until.number, found=until.hash, expected=fetched.until.hash)
        for part in parts:
            fetched = fetched.merge(part)
        return TimedRange(fetched, seconds + time.perf_counter() - started)

    def _fold_or_read_again(
        self, timed: TimedRange, cursor: Block | None, tip: Tip, stop: threading.Event | None
    ) -> tuple[TimedRange, RangeChange]:
        """Fold a range; where it holds what no contract can have emitted, as the next endpoint tells it that does not.

        Raises DecodeError where none does.
        """
        try:
            return timed, self._fold(timed.fetched, tip)
        except DecodeError as error:
            _log.error("an endpoint tells of what cannot have been; asking all", problem=str(error))
            query = replace(timed.fetched.query, known_header=None)
            for fetched in wait_for(run_aside(lambda: self._asker.fetch_from_each(query), name="fetch-again"), stop):
                with suppress(DecodeError, ReorgError):
                    self._check_follows(fetched, cursor)
                    return TimedRange(fetched, timed.seconds), self._fold(fetched, tip)
            raise

    def _fold(self, fetched: FetchedRange, tip: Tip) -> RangeChange:
        for election in fetched.created:
            if election.unknown_version is not None:
                _log.warning("election not counted", box=checksum_address(election.box), reason=election.invalid_reason)
            elif election.invalid_reason is not None:
                _log.error("invalid election", box=checksum_address(election.box), reason=election.invalid_reason)
        created = {election.box for election in fetched.created}
        known = self._known.load(dict.fromkeys(event.box for event in fetched.events if event.box not in created))
        finalized = None if tip.finalized is None else to_block(tip.finalized)
        recent = [block for block in fetched.blocks if finalized is None or block.number >= finalized.number]
        return fold_range(
            fetched.until,
            known=known,
            created=fetched.created,
            events=fetched.events,
            blocks=recent,
            finalized=finalized,
        )

    def _write(self, change: RangeChange, after: Block | None, timed: TimedRange) -> Callable[[], None]:
        query, logs = timed.fetched.query, timed.fetched.logs
        ballots = sum(new.batch.records for new in change.batches)
        range_blocks = self._sizer.blocks

        def write() -> None:
            self._lead.check()
            started = time.perf_counter()
            self._writer.apply(change, after=after)
            seconds = time.perf_counter() - started
            self._observer.range_indexed(
                query.start,
                query.end,
                timestamp=change.until.timestamp,
                logs=logs,
                ballots=ballots,
                fetch_seconds=timed.seconds,
                write_seconds=seconds,
                range_blocks=range_blocks,
            )
            _log.info(
                "indexed",
                from_block=query.start,
                to_block=query.end,
                elections=len(change.created),
                batches=len(change.batches),
                records=ballots,
            )

        return write


def _part_spans(tip: Tip, start: int, target: int) -> list[Span]:
    """Part blocks into those that are final, which are read in long ranges, and the others."""
    latest = tip.latest.number
    last = max(0, latest - RECENT_BLOCKS) if tip.finalized is None else tip.finalized.number
    spans = []
    if start <= min(last, target):
        spans.append(Span(start, min(last, target), is_recent=False))
    if max(start, last + 1) <= target:
        spans.append(Span(max(start, last + 1), target, is_recent=True))
    return spans
