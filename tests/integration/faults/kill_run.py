"""An indexer that is killed again and again, and an honest one beside it that says what must be in the database."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from fault_proxy import FaultProxy
from indexes import fill, open_copy, read_content, read_cursor
from spawning import Spawner
from sqlalchemy import Engine
from waiting import wait_until

from indexer.storage.engine import open_database

REQUESTS_BETWEEN = 60
"""Most requests that an indexer makes before it is killed, where the endpoint's requests are what is counted."""

STATEMENTS_BETWEEN = 150
"""Most SQL statements that an indexer makes before it is killed, where these are counted."""


class KillRun:
    """Kills indexers of a chain that stays as it is, each at a moment that a seed chooses.

    Half of the moments are so many requests to the endpoint later, and some milliseconds; the others just before an SQL
    statement, most of which are in the middle of a transaction.

    make_database: gives the URL of an empty database, for when a chain was read to its end. done: kills so far.
    whole: how often a chain was read to its end.
    """

    def __init__(
        self, spawner: Spawner, proxy: FaultProxy, honest_url: str, make_database: Callable[[], str], empty: Path
    ) -> None:
        self._spawner = spawner
        self._proxy = proxy
        self._honest_url = honest_url
        self._make_database = make_database
        self._empty = empty
        self.done = 0
        self.whole = 0

    def run(self, kills: int, latest: int, seed: str) -> None:
        """Kill so many indexers; after each, and at the end of all, compare what is in the database."""
        chance = random.Random(seed)
        while self.done < kills:
            url = self._make_database()
            with open_copy(self._empty) as honest:
                reached = -1
                while reached < latest:
                    is_last = self.done >= kills
                    self._interrupt(url, chance) if not is_last else self._finish(url)
                    reached = self._compare(url, honest, reached)
            self.whole += 1

    def _interrupt(self, url: str, chance: random.Random) -> None:
        """Start an indexer and let it be killed somewhere on its way."""
        settings = {"rpc_url": self._proxy.url, "database_url": url, "poll_seconds": "0.02"}
        if chance.random() < 0.5:
            dies_at = chance.randint(1, STATEMENTS_BETWEEN)
            indexer = self._spawner.start("index", dies_at_statement=dies_at, **settings)
            assert indexer.wait() == -signal.SIGKILL, indexer.said
        else:
            enough = self._proxy.requests + chance.randint(1, REQUESTS_BETWEEN)
            indexer = self._spawner.start("index", **settings)
            wait_until(lambda: self._proxy.requests >= enough, running=indexer)
            time.sleep(chance.random() * 0.01)
            indexer.kill()
        self.done += 1

    def _finish(self, url: str) -> None:
        indexer = self._spawner.start("index", "--once", rpc_url=self._proxy.url, database_url=url)
        assert indexer.wait() == 0, indexer.said

    def _compare(self, url: str, honest: Engine, before: int) -> int:
        """Hold the database against an index that never was interrupted; return its last block, -1 for none."""
        engine = open_database(url)
        try:
            cursor = read_cursor(engine)
            assert cursor >= before, "what was written once stays"
            if cursor >= 0:
                fill(honest, self._honest_url, cursor)
                assert read_content(engine) == read_content(honest)
        finally:
            engine.dispose()
        return cursor
