"""The loop that keeps an index up with its chain, whatever endpoints, chain and database do meanwhile.

lead ─▶ look at the chain ─▶ still the same one? ─▶ catch up ─▶ prove heads ─▶ wait for a new block ─┐
 ▲              ▲                   └ no: rewind to the fork                                         │
 └──────────────┴────────────────────────────────────────────────────────────────────────────────────┘
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlalchemy import Engine

from indexer.journal import get_journal
from indexer.storage.model import Block, ChainObservation
from indexer.storage.repository import Repository
from indexer.sync.aside import Stopped, run_aside, wait_for
from indexer.sync.catch_up import CatchUp
from indexer.sync.claiming import Claimed, claim_database
from indexer.sync.fetch import to_block
from indexer.sync.leading import Lead
from indexer.sync.memory import return_large_blocks
from indexer.sync.observer import NoObserver, Observer
from indexer.sync.refusing import NobodyHasError
from indexer.sync.tip import Tip, TipReader
from indexer.sync.waiting import Alarm, compute_pause
from qballot.chain.artifacts import default_factory
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.core.types import Address
from qballot.endpoint_list import NEEDED_OPERATORS
from qballot.errors import ChainError, EndpointError, ReorgError, StorageError

STANDBY_SECONDS = 1.0
"""How often an indexer that stands by looks whether the leader is gone."""

MAX_STANDBY_PAUSE_SECONDS = 3.0
"""Longest pause of an indexer that does not lead after failures of the database: it is to take over soon."""

OBSERVED_EVERY_SECONDS = 1.0
"""How often it is noted that the chain was looked at, where it has no new block."""

MAX_REORGS = 10
"""Reorganisations followed in one look at the chain. With more than that, endpoints contradict each other."""

_log = get_journal("sync")


class Follower:
    """Indexes one factory's elections into one database.

    endpoints: one or several of one chain. factory: this version's own when None. chain_id: what the endpoints must
    serve; when None, what the first one does. from_block: where an empty database begins. poll_seconds: pause between
    two looks at the chain. witnesses: how many operators must name a proof's block. clock: the machine's, which nothing
    follows from. observer: hears what happens.

    Making one asks nothing of anyone: a wrong chain or database is found by the first look at the chain.
    """

    def __init__(
        self,
        endpoints: Endpoints | Rpc,
        engine: Engine,
        *,
        factory: Address | None = None,
        chain_id: int | None = None,
        from_block: int = 0,
        poll_seconds: float = 2.0,
        witnesses: int = NEEDED_OPERATORS,
        clock: Callable[[], float] = time.time,
        observer: Observer | None = None,
    ) -> None:
        self._endpoints = Endpoints([endpoints]) if isinstance(endpoints, Rpc) else endpoints
        self._engine = engine
        self._factory = factory or default_factory()
        self._chain_id = chain_id
        self._from_block = from_block
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._observer = observer or NoObserver()
        self._repository = Repository(engine)
        self._witnesses = witnesses
        self._tips = TipReader(self._endpoints, clock=clock)
        self._alarm = Alarm()
        self._lead = Lead(engine, self._observer)
        self._claimed: Claimed | None = None
        self._latest: Block | None = None
        self._observed_at = 0.0
        self._told_of_begin = False

    def wake(self) -> None:
        """Say that there may be a new block, from any thread: `follow` looks at once instead of at its next time."""
        self._alarm.ring()

    def follow(self, stop: threading.Event) -> None:
        """Index until `stop` is set. Failures that may pass are waited out, longer each time; others end it.

        Where another indexer leads, stand by until it is gone. Raises what `sync_once` raises, but for ChainErrors and
        StorageErrors that may pass.
        """
        failures = 0
        try:
            while not stop.is_set():
                pause = STANDBY_SECONDS
                try:
                    if self._lead.ask():
                        before = self._latest
                        self._sync(None, stop, is_last=False)
                        pause = self._alarm.choose_pause(self._poll_seconds, is_new=self._latest != before)
                    failures = 0
                except (ChainError, StorageError) as error:
                    failures += 1
                    pause = max(self._report(error, failures), self._endpoints.wait_seconds())
                except Stopped:
                    break
                self._alarm.wait(pause, stop, heeds=failures == 0)
        finally:
            if self._claimed is not None:
                self._claimed.proofs.leave()
            self._lead.resign()

    def sync_once(self, until: int | None = None, *, stop: threading.Event | None = None) -> Block | None:
        """Index up to the latest block, or to `until` if that is lower; then prove the heads that are due.

        The operators' answers are waited for, but not for long.
        stop: when set, end with what is being written. Returns the last indexed block, None if there is none yet.
        Raises WrongChainError, FinalityError and other ChainErrors, DecodeError for logs that the contracts cannot have
        emitted, StorageError also when the database serves another chain or factory, or another indexer leads.
        """
        led = self._lead.leads
        if not self._lead.ask():
            raise StorageError("another indexer leads: it keeps this index up")
        try:
            return self._sync(until, stop, is_last=True)
        except Stopped:
            return self._load_cursor()
        finally:
            if not led:
                self._lead.resign()

    def _sync(self, until: int | None, stop: threading.Event | None, *, is_last: bool) -> Block | None:
        catch_up, rewinder, proofs = self._claim(stop)
        for _ in range(MAX_REORGS):
            try:
                cursor = self._advance(catch_up, until, stop)
            except ReorgError as error:
                _log.warning("the chain is no longer the one that was indexed", problem=str(error))
                rewinder.rewind(stop)
                proofs.rewound()
            else:
                if cursor is not None:
                    proofs.look(cursor, stop, is_last=is_last)
                return cursor
        names = ", ".join(health.name for health in self._endpoints.healths())
        raise EndpointError(names, f"shows another chain each time, {MAX_REORGS} times in a row")

    def _advance(self, catch_up: CatchUp, until: int | None, stop: threading.Event | None) -> Block | None:
        """Index what is new. Raises ReorgError when the chain is no longer the index's."""
        with self._repository.snapshot() as snapshot:
            found, boxes, finalized = snapshot.load_cursor(), snapshot.load_open_boxes(), snapshot.load_finalized()
        cursor = None if found is None else found.block
        tip = wait_for(run_aside(lambda: self._tips.read(cursor), name="tip"), stop)
        latest = tip.latest
        if cursor is not None and latest.number < cursor.number:
            _log.warning("endpoint is behind the index", endpoint_block=latest.number, indexed_block=cursor.number)
            return cursor
        self._tell(tip, cursor, finalized)
        if cursor is not None and latest.number == cursor.number and latest.hash != cursor.hash:
            raise ReorgError(number=cursor.number, found=latest.hash, expected=cursor.hash)
        if cursor is not None and cursor.number + 1 < self._from_block and not self._told_of_begin:
            self._told_of_begin = True
            _log.warning(
                "QBALLOT_FROM_BLOCK is where an empty database begins; this one goes on where it is",
                indexed_block=cursor.number,
                from_block=self._from_block,
            )
        try:
            return catch_up.run(
                tip,
                cursor,
                start=self._from_block if cursor is None else cursor.number + 1,
                target=latest.number if until is None else min(until, latest.number),
                open_boxes=boxes,
                observation=self._observe(to_block(latest)),
                stop=stop,
            )
        except NobodyHasError:
            if not self._tips.doubt(tip):
                raise
            return self._advance(catch_up, until, stop)

    def _claim(self, stop: threading.Event | None) -> Claimed:
        """Check chain and database, the first time, and get ready to write."""
        if self._claimed is None:
            return_large_blocks()
            chain_id = wait_for(run_aside(lambda: self._endpoints.check_chain(self._chain_id), name="chain"), stop)
            self._claimed = claim_database(
                self._endpoints,
                self._engine,
                self._repository,
                chain_id=chain_id,
                factory=self._factory,
                witnesses=self._witnesses,
                lead=self._lead,
                observer=self._observer,
                clock=self._clock,
            )
        return self._claimed

    def _tell(self, tip: Tip, cursor: Block | None, finalized: Block | None) -> None:
        named = [] if tip.finalized is None else [to_block(tip.finalized)]
        known = [] if finalized is None else [finalized]
        # An endpoint may name an older final block than another did before it, or than it did itself.
        final = max(named + known, key=lambda block: block.number, default=None)
        self._observer.chain_seen(to_block(tip.latest), cursor, final)

    def _observe(self, latest: Block) -> ChainObservation | None:
        """Return what is to be kept of this look at the chain; None when the last one will do."""
        now = time.monotonic()
        if latest == self._latest and now - self._observed_at < min(OBSERVED_EVERY_SECONDS, self._poll_seconds):
            return None
        self._latest, self._observed_at = latest, now
        return ChainObservation(latest, self._clock())

    def _load_cursor(self) -> Block | None:
        with self._repository.snapshot() as snapshot:
            cursor = snapshot.load_cursor()
        return None if cursor is None else cursor.block

    def _report(self, error: ChainError | StorageError, failures: int) -> float:
        """Log a failure and return how long to wait; raise it when waiting does not help."""
        if not error.retryable:
            raise error
        what = "endpoint failed" if isinstance(error, ChainError) else "database failed"
        _log.warning(what, problem=str(error), failures=failures)
        self._observer.failed(what)
        pause = compute_pause(self._poll_seconds, failures)
        stands_by = isinstance(error, StorageError) and not self._lead.leads
        return min(pause, MAX_STANDBY_PAUSE_SECONDS) if stands_by else pause
