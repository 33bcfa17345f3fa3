"""Writing many rows at once: the driver's own bulk path, since this is where an index spends its time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Table

from indexer.storage.tables import BALLOTS, LEDGER_CENSUS_VOTERS

BallotValues = tuple[int, int, int, int, int, str, bytes]
"""election_id, position, batch_sequence, voter, cast_at, weight, ballot: the columns of `ballots` in their order."""

CensusVoterValues = tuple[int, int, bytes, str]
"""census_id, voter, address, weight: the columns of `ledger_census_voters` in their order."""

_ROWS_AT_ONCE = 100_000


def insert_ballots(connection: Connection, rows: Iterable[BallotValues]) -> None:
    """Append ballots within the connection's transaction."""
    _insert(connection, BALLOTS, rows)


def insert_census_voters(connection: Connection, rows: Iterable[CensusVoterValues]) -> None:
    """Append voters of an imported census within the connection's transaction."""
    _insert(connection, LEDGER_CENSUS_VOTERS, rows)


def _insert(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Append rows: COPY on PostgreSQL, one prepared statement on SQLite."""
    names = [column.name for column in table.columns]
    columns = ", ".join(names)
    if connection.dialect.name == "postgresql":
        driver = cast("psycopg.Connection[object]", connection.connection.driver_connection)
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" for _ in names)
    rest = iter(rows)
    while values := list(islice(rest, _ROWS_AT_ONCE)):
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", values)  # noqa: S608
