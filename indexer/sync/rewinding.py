"""Taking back what the chain no longer contains: the fork is found, and the index goes back to it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from indexer.journal import get_journal
from indexer.storage.repository import Repository
from indexer.storage.writer import IndexWriter
from indexer.sync.aside import run_aside, wait_for
from indexer.sync.leading import Lead
from indexer.sync.observer import Observer
from indexer.sync.reorg import find_fork
from qballot.chain.endpoints import Endpoints

_log = get_journal("sync")


class Rewinder:
    """Follows reorganisations. lead: is asked first whether it still stands. clock: the machine's."""

    def __init__(
        self,
        endpoints: Endpoints,
        repository: Repository,
        writer: IndexWriter,
        *,
        lead: Lead,
        observer: Observer,
        clock: Callable[[], float],
    ) -> None:
        self._endpoints = endpoints
        self._repository = repository
        self._writer = writer
        self._lead = lead
        self._observer = observer
        self._clock = clock

    def rewind(self, stop: threading.Event | None) -> None:
        """Take back what the chain no longer contains, which may be nothing.

        Raises FinalityError, EndpointError, Stopped; StorageError also when another indexer has written meanwhile.
        """
        with self._repository.snapshot() as snapshot:
            found, blocks, finalized = snapshot.load_cursor(), snapshot.load_blocks(), snapshot.load_finalized()
        cursor = None if found is None else found.block
        if cursor is None:
            return
        known = blocks or [cursor]
        fork = wait_for(run_aside(lambda: find_fork(self._endpoints, known, finalized), name="fork"), stop)
        if fork == cursor:
            return
        self._lead.check()
        rewound = self._writer.rewind(fork, after=cursor, observed_at_unix=self._clock())
        _log.warning(
            "reorganised",
            fork_block=fork.number,
            old_block=cursor.number,
            depth=rewound.reorg.depth,
            elections=rewound.elections,
            batches=rewound.batches,
            records=rewound.records,
        )
        self._observer.reorged(rewound.reorg.depth)
