"""Indexers of a chain that reorganises, on both databases at once, each killed wherever it may be and started again."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from pathlib import Path

from fork_chain import ForkChain
from indexes import open_url, read_block, read_content, read_fresh
from reorg_script import ReorgScript
from spawning import Running, Spawner
from waiting import wait_until

LONGEST_SECONDS = 0.35
"""How long an indexer may run at most before it is killed; it begins to read after about a third of that."""


class KilledWatch:
    """Plays a history of a chain while indexers follow it and are killed.

    urls: of empty databases, by dialect. kills: how many so far, on each of them.
    """

    def __init__(self, spawner: Spawner, chain: ForkChain, urls: Mapping[str, str], seed: str) -> None:
        self._spawner = spawner
        self._chain = chain
        self._urls = urls
        self._chance = random.Random(f"kills of {seed}")
        self._running: dict[str, Running] = {}
        self.script = ReorgScript(chain, seed, watched=True)
        self.kills = 0

    def run(self, empty: Path) -> None:
        """Play it to its end, let the last indexers catch up, and compare."""
        self._start_all()
        self.script.play(self._kill_all)
        latest = self._chain.devnet.rpc.block("latest")
        fresh = read_fresh(self._chain.devnet.url, empty)
        for dialect, url in self._urls.items():
            indexer = self._running[dialect]
            with open_url(url) as engine:
                wait_until(lambda engine=engine: read_block(engine) == latest.hash, running=indexer)
                indexer.terminate()
                assert indexer.wait() == 0, indexer.said
                assert read_content(engine) == fresh, dialect
            assert "Traceback" not in indexer.said, indexer.said

    def _start_all(self) -> None:
        for dialect, url in self._urls.items():
            self._running[dialect] = self._spawner.start(
                "index", rpc_url=self._chain.devnet.url, database_url=url, poll_seconds="0.02"
            )

    def _kill_all(self) -> None:
        """Let the indexers, which ran while the chain changed, run a little longer; kill them, and start others."""
        for indexer in self._chance.sample(
            sorted(self._running.values(), key=lambda found: found.pid), len(self._urls)
        ):
            time.sleep(self._chance.random() * LONGEST_SECONDS / len(self._urls))
            assert not indexer.has_ended, indexer.said
            indexer.kill()
        self.kills += 1
        self._start_all()
