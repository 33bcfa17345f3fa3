"""Opening a database: the URL, the connection's habits, the schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from indexer.storage.migrate import check_schema, upgrade_schema
from qballot.errors import StorageError

POSTGRESQL_DRIVER = "postgresql+psycopg"
SQLITE_BUSY_SECONDS = 30

POSTGRESQL_TCP = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""A server whose machine or network is gone is given up after 25 s; by itself TCP would wait for hours.

In seconds, the last in milliseconds. Source: PostgreSQL, "Database Connection Control Functions". The URL overrides.
"""

LOCK_SECONDS = 60
"""How long a statement waits for what another session has locked, such as a table in a transaction left open."""

STATEMENT_SECONDS = 600
"""How long the server works on one statement, but for a change of schema: a range takes seconds."""

SQLITE_CACHE_KIB = 8 * 1024
"""Memory for pages of a connection that writes. The index on voters is written all over; more hardly helps."""

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
    """Connect and bring the schema up to date, or, for what only reads, connect and change nothing.

    url: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`. create: whether to make what is not there, a SQLite
    file or tables; without it a missing one is a mistake, no lock for writing is taken, and the schema must be this
    program's.
    Raises StorageError when there is no such database, it cannot be reached, or a newer program has changed it.
    """
    parsed = _parse_url(url)
    if not create and parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise StorageError(f"there is no database {parsed.database}: name the right one, or run `qballot index` first")
    engine = create_engine(parsed, hide_parameters=True, **_pool_options(parsed))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite if create else _prepare_sqlite_to_read)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _limit_statements if create else _limit_to_reading)
    try:
        with storage_errors(f"cannot open the database {describe(engine)}"):
            _bring_up_to_date(engine) if create else _check(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def describe(engine: Engine) -> str:
    """Name a database for people, without its password or that of a key, wherever in the URL they stand."""
    url = engine.url.set(drivername=engine.dialect.name)
    secrets = [name for name in url.query if "password" in name.lower()]
    return url.difference_update_query(secrets).render_as_string(hide_password=True)


def _bring_up_to_date(engine: Engine) -> None:
    with begin_write(engine) as connection:
        # It may have to write every row anew.
        lift_statement_limit(connection)
        upgrade_schema(connection)


def _check(engine: Engine) -> None:
    with engine.connect() as connection:
        check_schema(connection, describe(engine))


@contextmanager
def begin_write(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that may write; commit at the end, roll back on any error."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        yield connection


def lift_statement_limit(connection: Connection) -> None:
    """Let statements take as long as they need, until the end of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


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


def _pool_options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": SQLITE_BUSY_SECONDS}}
    given = {name: value for name, value in POSTGRESQL_TCP.items() if name not in url.query}
    return {"pool_pre_ping": True, "connect_args": given}


def _limit_statements(connection: psycopg.Connection[Any], _record: object) -> None:
    _set_where_unset(connection, {"lock_timeout": f"{LOCK_SECONDS}s", "statement_timeout": f"{STATEMENT_SECONDS}s"})


def _limit_to_reading(connection: psycopg.Connection[Any], _record: object) -> None:
    # To sort and count a large index takes its time.
    _set_where_unset(connection, {"lock_timeout": f"{LOCK_SECONDS}s", "default_transaction_read_only": "on"})


def _set_where_unset(connection: psycopg.Connection[Any], settings: Mapping[str, str]) -> None:
    """Set a session's settings, but for those that the URL, the account or the server has set already."""
    query = "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = %s AND setting IN ('0', 'off')"
    for name, value in settings.items():
        connection.execute(query, [value, name])
    # Else they would go with the transaction, if that is rolled back.
    connection.commit()


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by itself, and only before some statements; we begin all of them ourselves.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _prepare_sqlite_to_read(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    if writes:
        # Not for those that read, of which a server has many.
        connection.exec_driver_sql(f"PRAGMA cache_size=-{SQLITE_CACHE_KIB}")
        connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint={SQLITE_LOG_PAGES}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
