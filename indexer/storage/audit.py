"""What the database holds, row by row and not believed: for checking it, where every column may be wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select, type_coerce
from sqlalchemy.types import NullType

from indexer.storage.model import Batch, Election
from indexer.storage.repository import Repository, Snapshot
from indexer.storage.rows import read_batch
from indexer.storage.tables import BALLOTS, BATCHES, ELECTIONS
from qballot.core.records import Record
from qballot.core.types import Weight

_STREAMED_ROWS = 5_000


class KeptBallot(NamedTuple):
    """A row of `ballots` as it stands there. SQLite keeps values of any type in any column."""

    position: Any
    batch_sequence: Any
    voter: Any
    cast_at: Any
    weight: Any
    ballot: Any


class Audit(Snapshot):
    """The index at one moment, with what a check needs of it."""

    def load_boxes(self) -> dict[int, Any]:
        """Load what stands where the address of each election's box belongs, by number, as they were created."""
        query = select(ELECTIONS.c.id, type_coerce(ELECTIONS.c.box, NullType())).order_by(ELECTIONS.c.id)
        return dict(tuple(row) for row in self._connection.execute(query))

    def load_ownerless(self) -> dict[str, list[int]]:
        """Load the numbers of elections that rows of batches or ballots name and the index does not have, by table."""
        return {table.name: found for table in (BATCHES, BALLOTS) if (found := self._load_ownerless(table))}

    def stream_batches(self, election: Election) -> Generator[Batch, None, None]:
        """Give an election's batches in the order of their places, some thousands at a time; to be closed."""
        query = select(BATCHES).where(BATCHES.c.election_id == election.number).order_by(BATCHES.c.sequence)
        with self._connection.execution_options(yield_per=_STREAMED_ROWS).execute(query) as streamed:
            for row in streamed.mappings():
                yield read_batch(row)

    def stream_kept_ballots(self, election: Election) -> Generator[KeptBallot, None, None]:
        """Give the rows of an election's ballots in the order of their positions, as the batches; to be closed."""
        # Without their types: a conversion would fail on what does not belong there.
        columns = [type_coerce(BALLOTS.c[name], NullType()) for name in KeptBallot._fields]
        query = select(*columns).where(BALLOTS.c.election_id == election.number).order_by(BALLOTS.c.position)
        with self._connection.execution_options(yield_per=_STREAMED_ROWS).execute(query) as streamed:
            for row in streamed:
                yield KeptBallot._make(row)

    def stream_voters_records(self, election: Election) -> Generator[Record, None, None]:
        """Give an election's records, each voter's together and in the order of the chain; to be closed."""
        columns = (BALLOTS.c.voter, BALLOTS.c.cast_at, BALLOTS.c.weight, BALLOTS.c.ballot)
        query = select(*columns).where(BALLOTS.c.election_id == election.number)
        ordered = query.order_by(BALLOTS.c.voter, BALLOTS.c.position)
        with self._connection.execution_options(yield_per=_STREAMED_ROWS).execute(ordered) as streamed:
            for voter, cast_at, weight, ballot in streamed:
                yield Record(voter, cast_at, Weight(int(weight)), bytes(ballot))

    def _load_ownerless(self, table: Table) -> list[int]:
        known = select(ELECTIONS.c.id).where(ELECTIONS.c.id == table.c.election_id).exists()
        query = select(table.c.election_id).where(~known).distinct().order_by(table.c.election_id)
        return list(self._connection.scalars(query))


@contextmanager
def audit(repository: Repository) -> Iterator[Audit]:
    """Give a view that no write changes, as `Repository.snapshot` does. Raises StorageError."""
    with repository.snapshot() as snapshot, _any_text(snapshot._connection):
        yield Audit(snapshot._connection)


@contextmanager
def _any_text(connection: Connection) -> Iterator[None]:
    """Read text that is not UTF-8 too, which SQLite keeps and its driver else fails on. It is no text that we write."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    usual = driver.text_factory
    driver.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = usual
