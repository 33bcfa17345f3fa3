"""Writing many ballots at once: the driver's own bulk path, since this is where an index spends its time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import psycopg
from sqlalchemy import Connection

from indexer.storage.tables import BALLOTS

BallotValues = tuple[int, int, int, int, int, str, bytes]
"""election_id, position, batch_sequence, voter, cast_at, weight, ballot: the columns of `ballots` in their order."""

_COLUMNS = [column.name for column in BALLOTS.columns]


def insert_ballots(connection: Connection, rows: Iterable[BallotValues]) -> None:
    """Append rows within the connection's transaction: COPY on PostgreSQL, one prepared statement on SQLite."""
    columns = ", ".join(_COLUMNS)
    if connection.dialect.name == "postgresql":
        driver = cast("psycopg.Connection[object]", connection.connection.driver_connection)
        with driver.cursor() as cursor, cursor.copy(f"COPY {BALLOTS.name} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    values = list(rows)
    if values:
        marks = ", ".join("?" for _ in _COLUMNS)
        connection.exec_driver_sql(f"INSERT INTO {BALLOTS.name} ({columns}) VALUES ({marks})", values)  # noqa: S608
