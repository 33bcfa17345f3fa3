"""Opening a database: the URL, the connection's habits, the schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from indexer.storage.migrate import upgrade_schema
from qballot.errors import StorageError

POSTGRESQL_DRIVER = "postgresql+psycopg"
SQLITE_BUSY_SECONDS = 30

SQLITE_CACHE_KIB = 8 * 1024
"""Memory for pages of a connection that writes. The index on voters is written all over; more does not help."""

SQLITE_LOG_PAGES = 4 * 1024
"""Pages in the write-ahead log from which on they are put where they belong, 16 MiB of them. Ranges that follow one
another write to the same pages of the index on voters, which are then moved, and synced, once instead of each time."""

_PASSING_SQLITE_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_PASSING_SQLSTATES = frozenset({"08", "40", "53", "55", "57", "58"})
"""Classes: connection, rollback, resources, object in use, operator, system. Source: PostgreSQL, Appendix A."""

WRITES = "qballot_writes"
"""Execution option of a connection that will write: SQLite takes its lock at BEGIN rather than fail half-way."""


def open_database(url: str, *, create: bool = True) -> Engine:
    """Connect and bring the schema up to date.

    url: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`. create: whether to make a SQLite file that is not
    there; for what only reads, a missing one is a mistake.
    Raises StorageError when there is no such database, it cannot be reached, or a newer program has changed it.
    """
    parsed = _parse_url(url)
    if not create and parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise StorageError(f"there is no database {parsed.database}: name the right one, or run `qballot index` first")
    engine = create_engine(parsed, hide_parameters=True, **_pool_options(url))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        with storage_errors(f"cannot open the database {describe(engine)}"), begin_write(engine) as connection:
            upgrade_schema(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def describe(engine: Engine) -> str:
    """Name a database for people, without its password."""
    return engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=True)


@contextmanager
def begin_write(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that may write; commit at the end, roll back on any error."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        yield connection


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turn the driver's errors into StorageError: `what` failed, and the driver's first line, without parameters."""
    try:
        yield
    except (SQLAlchemyError, psycopg.Error, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        raise StorageError(f"{what}: {lines[0]}", retryable=_may_pass(error)) from error


def _may_pass(error: Exception) -> bool:
    """Say whether the database may take the same again later: it was away, busy or full, and nothing else is wrong."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.Error):
        # The lower byte is the primary code, the rest says more. Source: sqlite.org/rescode.html
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _PASSING_SQLITE_CODES
    if isinstance(cause, psycopg.Error):
        lost = isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None
        return lost or (cause.sqlstate or "")[:2] in _PASSING_SQLSTATES
    return isinstance(error, PoolTimeoutError)


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StorageError(
            "found a database URL that cannot be read, expected sqlite:///FILE or postgresql://…"
        ) from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise StorageError(f"found the database {parsed.get_backend_name()!r}, expected sqlite or postgresql")
    return parsed.set(drivername=POSTGRESQL_DRIVER) if parsed.drivername == "postgresql" else parsed


def _pool_options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": SQLITE_BUSY_SECONDS}}
    return {"pool_pre_ping": True}


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by itself, and only before some statements; we begin all of them ourselves.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    if writes:
        # Not for those that read, of which a server has many.
        connection.exec_driver_sql(f"PRAGMA cache_size=-{SQLITE_CACHE_KIB}")
        connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint={SQLITE_LOG_PAGES}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
