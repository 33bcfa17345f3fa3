"""Every way of filling a database with a whole chain, each time in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec
import psycopg
from chains import KEPT, Chain, serve
from databases import PostgresServer
from measured import Figures, Task
from rich.console import Console

MEASURED = Path(__file__).parent / "measured.py"
REPEATS = 3
DATABASES = ("SQLite", "PostgreSQL")


@dataclass(frozen=True)
class Backfill:
    """One way of filling one kind of database from one chain; figures are medians over the repeats.

    parts: CPU seconds of each, of a run of its own, for ours.
    """

    chain: Chain
    database: str
    way: str
    cpu_s: float
    wall_s: float
    rss_mb: float
    parts: dict[str, float]
    parts_cpu_s: float


def measure(chain: Chain, postgres: PostgresServer, console: Console, *, with_orm: bool) -> list[Backfill]:
    """Measure ours and the bare loop, in turns, on both databases; with_orm: also web3.py and ORM, once, on SQLite."""
    backfills = []
    with serve(chain) as devnet, tempfile.TemporaryDirectory(dir=KEPT) as folder:

        def run(way: str, database: str, **options: object) -> Figures:
            console.print(f"chain {chain.name}, {database}: {way}", style="dim")
            file = Path(folder) / "bench.sqlite3"
            url = f"sqlite:///{file}" if database == "SQLite" else postgres.create_database()
            figures = _run(Task(way, devnet.url, chain.box, url, **options))
            _drop(url, Path(folder))
            if figures.ballots != chain.ballots:
                raise AssertionError(f"{way}, {database}: found {figures.ballots} ballots, expected {chain.ballots}")
            return figures

        for database in DATABASES:
            explained = run("ours", database, with_parts=True)
            ours, bare = [], []
            for _ in range(REPEATS):
                ours.append(run("ours", database))
                bare.append(run("bare", database, ranges=explained.ranges))
            backfills.append(_summarise(chain, database, "ours", ours, explained))
            backfills.append(_summarise(chain, database, "bare loop", bare))
            if with_orm and database == "SQLite":
                orm = run("orm", database, ranges=explained.ranges)
                backfills.append(_summarise(chain, database, "web3.py + ORM", [orm]))
    return backfills


def _drop(database_url: str, folder: Path) -> None:
    """Leave nothing behind that a server would look after during the next measurement."""
    for path in folder.iterdir():
        path.unlink()
    if database_url.startswith("postgresql"):
        with psycopg.connect(database_url) as connection:
            connection.execute("DROP SCHEMA public CASCADE")


def _run(task: Task) -> Figures:
    command = [sys.executable, str(MEASURED), msgspec.json.encode(task).decode()]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=Figures)


def _summarise(
    chain: Chain, database: str, way: str, runs: list[Figures], explained: Figures | None = None
) -> Backfill:
    def of(figure: Callable[[Figures], float]) -> float:
        return median(map(figure, runs))

    return Backfill(
        chain,
        database,
        way,
        cpu_s=of(lambda run: run.cpu_s),
        wall_s=of(lambda run: run.wall_s),
        rss_mb=of(lambda run: run.rss_mb),
        parts=explained.parts if explained else {},
        parts_cpu_s=explained.cpu_s if explained else 0.0,
    )
