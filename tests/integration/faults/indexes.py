"""Indexes of a test's chain: made by the follower, compared row for row."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fault_proxy import SECRET
from sqlalchemy import Engine, Table, select

from indexer.storage.engine import open_database
from indexer.storage.repository import Repository
from indexer.storage.tables import BATCHES, CONTENT_TABLES, ORPHANED_BATCHES
from indexer.sync import Follower
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.errors import ChainError, QballotError

REQUEST_SECONDS = 2.0
"""Deadline of one request; a test that needs it to pass sets a shorter one."""

ROUNDS = 12
"""How often the chain is looked at before a test gives up."""

Rows = dict[str, list[tuple[Any, ...]]]


class Clock:
    """Seconds that pass when a test says so, so that no test waits until a faulty endpoint may be asked again."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Gathered:
    """What came of looking at the chain until it was all there. reached: the last indexed block, None for none."""

    reached: int | None = None
    errors: list[QballotError] = field(default_factory=list)

    @property
    def told(self) -> str:
        return "\n".join(str(error) for error in self.errors[-3:])


def gather(
    urls: Sequence[str],
    engine: Engine,
    latest: int,
    *,
    rounds: int = ROUNDS,
    seconds: float = REQUEST_SECONDS,
    attempts: int = 1,
    clock: Clock | None = None,
) -> Gathered:
    """Index from these endpoints until block `latest` is reached, or waiting is of no use, or was in vain.

    seconds: deadline of one request. attempts: how often it is tried in that time, before the endpoint has failed.
    """
    clock = clock or Clock()
    gathered = Gathered()
    with Endpoints([Rpc(url, seconds, attempts=attempts) for url in urls], clock=clock) as endpoints:
        follower = Follower(endpoints, engine)
        for _ in range(rounds):
            try:
                cursor = follower.sync_once()
            except ChainError as error:
                gathered.errors.append(error)
                if not error.retryable:
                    break
            else:
                gathered.reached = None if cursor is None else cursor.number
                if gathered.reached == latest:
                    break
            clock.now += max(endpoints.wait_seconds() + 0.01, 1.0)
    assert not any(SECRET in str(error) for error in gathered.errors)
    return gathered


def read_content(engine: Engine) -> Rows:
    """Read all that follows from the chain, table by table, in the order of the primary keys."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in CONTENT_TABLES
        }


def is_part_of(rows: Rows, whole: Rows) -> bool:
    """Whether an index holds nothing but what another one holds too, as far as it has come."""
    return all(set(rows[name]) <= set(whole[name]) for name in ("batches", "ballots")) and {
        row[:3] for row in rows["elections"]
    } <= {row[:3] for row in whole["elections"]}


def fill(engine: Engine, url: str, until: int | None = None) -> None:
    """Index up to a block, or to the latest, from an honest node."""
    with Rpc(url) as rpc:
        Follower(rpc, engine).sync_once(until)


def read_cursor(engine: Engine) -> int:
    """Read the last indexed block, -1 for none."""
    with Repository(engine).snapshot() as snapshot:
        cursor = snapshot.load_cursor()
    return -1 if cursor is None or cursor.block is None else cursor.block.number


def read_block(engine: Engine) -> bytes | None:
    """Read the last indexed block's hash."""
    with Repository(engine).snapshot() as snapshot:
        cursor = snapshot.load_cursor()
    return None if cursor is None or cursor.block is None else cursor.block.hash


def read_fresh(url: str, empty: Path, until: int | None = None) -> Rows:
    """Index a chain anew from an honest node, up to a block, and return what that gives.

    empty: an SQLite database with the schema and nothing else.
    """
    with open_copy(empty) as engine:
        fill(engine, url, until)
        return read_content(engine)


@contextmanager
def open_copy(empty: Path) -> Iterator[Engine]:
    """Open a copy of an empty database, which is deleted afterwards."""
    with TemporaryDirectory(prefix="qb") as folder:
        path = Path(folder) / "index.sqlite3"
        shutil.copy(empty, path)
        with open_url(f"sqlite:///{path}") as engine:
            yield engine


@contextmanager
def open_url(url: str) -> Iterator[Engine]:
    """Open a database, which makes its schema where it has none."""
    engine = open_database(url)
    try:
        yield engine
    finally:
        engine.dispose()


class Watcher:
    """An index that follows a chain, and all that it ever held. seen: the batches, by block hash and log index."""

    def __init__(self, engine: Engine, rpc: Rpc) -> None:
        self.engine = engine
        self.follower = Follower(rpc, engine)
        self.seen: set[tuple[bytes, int]] = set()

    def look(self) -> None:
        """Index what there is, and note what that gave."""
        self.follower.sync_once()
        self.seen |= read_places(self.engine, BATCHES)

    def assert_nothing_forgotten(self) -> None:
        """Check that each batch that was ever indexed is there still, or kept among those that a reorg took away."""
        kept = read_places(self.engine, BATCHES) | read_places(self.engine, ORPHANED_BATCHES)
        assert self.seen <= kept


def read_places(engine: Engine, table: Table) -> set[tuple[bytes, int]]:
    """Read which logs the rows of a table were read from."""
    with engine.connect() as connection:
        return {(bytes(row[0]), row[1]) for row in connection.execute(select(table.c.block_hash, table.c.log_index))}
