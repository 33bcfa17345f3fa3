"""Writing many rows at once: the driver's own bulk path, since this is where an index spends its time.

SQLite gets one prepared statement, PostgreSQL the binary form of COPY, of which the server makes rows without parsing.
Source: PostgreSQL, "COPY", file formats, binary format.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from struct import Struct
from typing import Any, NamedTuple, cast

import psycopg
from sqlalchemy import Connection, Table

from indexer.storage.ledger_tables import LEDGER_CENSUS_VOTERS
from indexer.storage.tables import BALLOT_GROUPS, BALLOTS, BATCHES
from qballot.core.records import RecordColumns

BatchValues = tuple[int, int, int, bytes, int, bytes, int, int, bytes]
"""The columns of `batches` in their order."""

GroupValues = tuple[int, bytes, bytes, int, str]
"""election_id, key, ballot, ballots, weight: the columns of `ballot_groups` in their order."""

CensusVoterValues = tuple[int, int, bytes, str]
"""census_id, voter, address, weight: the columns of `ledger_census_voters` in their order."""

_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"

# A row of `ballots` up to the weight: how many fields, then each field after its length. The first one comes whole.
_FIRST = Struct(">hiii")
_UP_TO_WEIGHT = "14sqiqiqiq"

_BATCH = Struct(">hiiiqiqi32siqi32siqiii32s")
"""A row of `batches` in the same form."""

_ROWS_AT_ONCE = 256
"""Rows of one SQLite statement, where it takes so many values: a statement for each row costs twice the time.

Between two statements the driver takes Python's lock again, for which it waits whenever another thread decodes.
"""

_COPY_BYTES = 64 * 1024
"""Bytes of rows that are handed to PostgreSQL's driver together."""

_PACKED_AT_ONCE = 128
"""Rows for PostgreSQL that are laid out at once."""


class BallotPart(NamedTuple):
    """Ballots of one election that follow one another. sequences: the place of each one's batch."""

    election_id: int
    first_position: int
    sequences: Sequence[int]
    records: RecordColumns


def insert_batches(connection: Connection, rows: Sequence[BatchValues]) -> None:
    """Append batches within the connection's transaction."""
    if connection.dialect.name == "postgresql":
        _copy_binary(connection, BATCHES, map(_pack_batch, rows))
    else:
        _insert_sqlite(connection, BATCHES, rows)


def insert_groups(connection: Connection, rows: Sequence[GroupValues]) -> None:
    """Add groups of equal ballots within the connection's transaction."""
    if rows:
        _insert(connection, BALLOT_GROUPS, rows)


def insert_census_voters(connection: Connection, rows: Iterable[CensusVoterValues]) -> None:
    """Append voters of an imported census within the connection's transaction."""
    _insert(connection, LEDGER_CENSUS_VOTERS, rows)


def insert_ballots(connection: Connection, parts: Iterable[BallotPart]) -> None:
    """Append ballots within the connection's transaction."""
    if connection.dialect.name == "postgresql":
        _copy_binary(connection, BALLOTS, chain.from_iterable(map(_pack_ballots, parts)))
    else:
        _insert_sqlite(connection, BALLOTS, chain.from_iterable(map(_flatten_ballots, parts)))


def _copy_binary(connection: Connection, table: Table, pieces: Iterable[bytes]) -> None:
    """Append rows in the binary form of COPY, which come in pieces."""
    driver = cast("psycopg.Connection[object]", connection.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(f"COPY {_target(table)} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(_COPY_HEADER)
        waiting: list[bytes] = []
        size = 0
        for piece in pieces:
            waiting.append(piece)
            size += len(piece)
            if size >= _COPY_BYTES:
                copy.write(b"".join(waiting))
                waiting, size = [], 0
        copy.write(b"".join((*waiting, _COPY_END)))


def _flatten_ballots(part: BallotPart) -> Iterator[list[Any]]:
    """Give the values of rows, many rows in a piece. No loop of Python's own goes over them, nor a tuple for each."""
    records = part.records
    # Few weights differ.
    texts = {weight: str(weight) for weight in set(records.weights)}
    weights = list(map(texts.__getitem__, records.weights))
    positions = range(part.first_position, part.first_position + len(records))
    columns = (positions, part.sequences, records.voters, records.cast_ats, weights, records.ballots)
    width = len(columns) + 1
    for start in range(0, len(records), _ROWS_AT_ONCE):
        end = min(start + _ROWS_AT_ONCE, len(records))
        values: list[Any] = [part.election_id] * (width * (end - start))
        for place, column in enumerate(columns, start=1):
            values[place::width] = column[start:end]
        yield values


def _pack_batch(row: BatchValues) -> bytes:
    election, sequence, number, block_hash, index, transaction_hash, position, records, head = row
    source = (8, number, 32, block_hash, 8, index, 32, transaction_hash)
    return _BATCH.pack(9, 4, election, 8, sequence, *source, 8, position, 4, records, 32, head)


def _pack_ballots(part: BallotPart) -> Iterator[bytes]:
    """Lay out rows as the binary form of COPY has them, many in a piece. No loop of Python's own goes over them."""
    records = part.records
    # Few weights and ballots differ.
    weight_fields = {weight: _pack_field(b"%d" % weight) for weight in set(records.weights)}
    ballot_fields = {ballot: _pack_field(ballot) for ballot in set(records.ballots)}
    weights = list(map(weight_fields.__getitem__, records.weights))
    ballots = list(map(ballot_fields.__getitem__, records.ballots))
    positions = range(part.first_position, part.first_position + len(records))
    columns = (positions, part.sequences, records.voters, records.cast_ats)
    first = _FIRST.pack(7, 4, part.election_id, 8)
    for start in range(0, len(records), _PACKED_AT_ONCE):
        end = min(start + _PACKED_AT_ONCE, len(records))
        values: list[Any] = [first, 0, 8, 0, 8, 0, 8, 0] * (end - start)
        for place, column in enumerate(columns):
            values[2 * place + 1 :: 8] = column[start:end]
        pieces = [b"", b"", b""] * (end - start)
        pieces[0::3] = _cutter_of(end - start).unpack(_layout_of(end - start).pack(*values))
        pieces[1::3] = weights[start:end]
        pieces[2::3] = ballots[start:end]
        yield b"".join(pieces)


@lru_cache(maxsize=_PACKED_AT_ONCE)
def _layout_of(rows: int) -> Struct:
    return Struct(">" + _UP_TO_WEIGHT * rows)


@lru_cache(maxsize=_PACKED_AT_ONCE)
def _cutter_of(rows: int) -> Struct:
    return Struct(f"{_layout_of(1).size}s" * rows)


def _pack_field(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


def _insert(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Append rows: COPY on PostgreSQL, one prepared statement on SQLite."""
    if connection.dialect.name != "postgresql":
        _insert_sqlite(connection, table, rows)
        return
    driver = cast("psycopg.Connection[object]", connection.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(f"COPY {_target(table)} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _insert_sqlite(connection: Connection, table: Table, pieces: Iterable[Sequence[Any]]) -> None:
    """Append rows. Each piece has the values of whole rows, one row's after another's."""
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    width = len(table.columns)
    at_once = min(_ROWS_AT_ONCE, driver.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // width)
    full = width * at_once
    insert = f"INSERT INTO {_target(table)} VALUES "  # noqa: S608
    row = f"({', '.join('?' * width)})"
    waiting: list[Any] = []

    def full_statements() -> Iterator[Sequence[Any]]:
        for piece in pieces:
            if len(piece) == full:
                yield piece
                continue
            waiting.extend(piece)
            while len(waiting) >= full:
                yield waiting[:full]
                del waiting[:full]

    driver.executemany(insert + ", ".join([row] * at_once), full_statements())
    driver.executemany(insert + row, (waiting[at : at + width] for at in range(0, len(waiting), width)))


def _target(table: Table) -> str:
    return f"{table.name} ({', '.join(column.name for column in table.columns)})"
