"""Let chains reorganise and indexers be killed for as long as one likes, on SQLite and on PostgreSQL.

    python tests/integration/faults/soak_index.py N SEED

N: how many histories of a chain, in rounds of 20, and how many kills on each database. Each history is played while an
index on each database looks at it when the history says so. Until N indexers were killed each is played a second time,
while indexers follow it as processes of their own, each of which is killed (SIGKILL) at a random moment and started
again, several times a history. Every time the indexes must end with the rows of a fresh one, row for row. SEED: which
histories; the same seed gives the same ones.

A file under .build/ says how far a seed has got, and the next run goes on from there. A difference ends it with status
1 and the history that shows it; the same command runs that round again.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parents[1])]

from databases import run_postgres  # noqa: E402
from fork_chain import ForkChain, run_fork_chain  # noqa: E402
from indexes import Watcher, open_url, read_content, read_fresh  # noqa: E402
from killed_watch import KilledWatch  # noqa: E402
from reorg_script import ReorgScript  # noqa: E402
from spawning import Spawner, run_spawner  # noqa: E402

from indexer.journal import configure_logging  # noqa: E402
from indexer.storage.writer import reset_index  # noqa: E402

ROUND = 20
"""Histories in one round."""

PROGRESS = Path(__file__).parents[3] / ".build" / "soak-index"


class Soak:
    """Where the histories are played. urls: of the databases, by dialect. empty: an SQLite file with the schema."""

    def __init__(self, folder: Path, spawner: Spawner, urls: Mapping[str, str], empty: Path) -> None:
        self._folder = folder
        self._spawner = spawner
        self._urls = urls
        self._empty = empty

    def play(self, chain: ForkChain, seed: str) -> None:
        """Play one history, looked at when it says so."""
        with ExitStack() as stack:
            engines = [stack.enter_context(open_url(url)) for url in self._urls.values()]
            watchers = [Watcher(engine, chain.devnet.rpc) for engine in engines]
            ReorgScript(chain, seed).play(lambda: [watcher.look() for watcher in watchers] and None)
            fresh = read_fresh(chain.devnet.url, self._empty)
            for watcher in watchers:
                assert read_content(watcher.engine) == fresh, watcher.engine.dialect.name
                watcher.assert_nothing_forgotten()

    def play_killing(self, chain: ForkChain, seed: str) -> int:
        """Play one history while indexers are killed; return how many were, on each database."""
        watch = KilledWatch(self._spawner, chain, self._urls, seed)
        watch.run(self._empty)
        return watch.kills

    def reset(self) -> None:
        """Empty the databases."""
        for url in self._urls.values():
            with open_url(url) as engine:
                reset_index(engine)
        for log in self._folder.glob("said-*.log"):
            log.unlink()


def main() -> int:
    """Run the rounds that are left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", metavar="N", type=int, nargs="?", default=1_000)
    parser.add_argument("seed", metavar="SEED", type=int, nargs="?", default=1)
    chosen = parser.parse_args()
    configure_logging(level=logging.ERROR)
    # Ended from outside, it still stops what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    path = PROGRESS / f"seed-{chosen.seed}.json"
    done, kills = load_progress(path)
    if done:
        print(f"seed {chosen.seed}: {done} histories were played before", file=sys.stderr)
    with ExitStack() as stack:
        soak = open_soak(stack)
        while done < chosen.count:
            started = time.monotonic()
            kills += run_round(soak, chosen.seed, done, kills_wanted=chosen.count - kills)
            done += ROUND
            save_progress(path, done, kills)
            seconds = (time.monotonic() - started) / ROUND
            print(
                f"seed {chosen.seed}: {done} of {chosen.count} histories, {kills} kills on each database, "
                f"{seconds:.1f} s a history",
                file=sys.stderr,
            )
    print(f"{done:,} histories of seed {chosen.seed}, on each database: as a fresh index each time")
    print(f"{kills:,} indexers killed on each database: nothing lost, doubled or half-written")
    return 0


def open_soak(stack: ExitStack) -> Soak:
    """Make the databases and what starts indexers."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="qb")))
    server = stack.enter_context(run_postgres())
    spawner = stack.enter_context(run_spawner(folder))
    empty = folder / "empty.sqlite3"
    with open_url(f"sqlite:///{empty}"):
        pass
    urls = {"sqlite": f"sqlite:///{folder / 'index.sqlite3'}", "postgresql": server.create_database()}
    return Soak(folder, spawner, urls, empty)


def run_round(soak: Soak, seed: int, first: int, *, kills_wanted: int) -> int:
    """Play a round of histories from the number `first`; return how many indexers were killed on each database."""
    kills = 0
    for number in range(first, first + ROUND):
        name = f"{seed}/{number}"
        plays: list[Callable[[ForkChain, str], int | None]] = [soak.play]
        if kills < kills_wanted:
            plays.append(soak.play_killing)
        for play in plays:
            try:
                with run_fork_chain() as chain:
                    kills += play(chain, name) or 0
            except Exception:
                print(f"history {name} ({play.__name__}) shows a difference or an error", file=sys.stderr)
                raise
            soak.reset()
    return kills


def load_progress(path: Path) -> tuple[int, int]:
    """How many histories were played, and how many indexers killed on each database."""
    if not path.exists():
        return 0, 0
    progress = json.loads(path.read_text())
    return progress["histories"], progress["kills"]


def save_progress(path: Path, histories: int, kills: int) -> None:
    """Write that down, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"histories": histories, "kills": kills}, indent=1))
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main())
