"""Who may write: one indexer for a database. On PostgreSQL another stands by, on SQLite it is turned away.

                PostgreSQL                               SQLite
    the lock    an advisory lock of a session            a lock on FILE.lock
    its end     with the session: at once when the       with the process
                process ends, after LOST_SECONDS
                when its machine is gone

The lock keeps two indexers from doing the same work. What keeps them from spoiling each other's is the cursor, which
every transaction moves from where its writer believes it to be.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from filelock import FileLock, Timeout
from sqlalchemy import Engine, text

from indexer.storage.engine import describe, storage_errors
from qballot.errors import StorageError

LOST_SECONDS = 8
"""How long PostgreSQL keeps the session of a machine that is gone: 2 s of silence and three tries, 2 s each."""

ASKED_SECONDS = 1.0
"""How long a SQLite file may be locked without being another indexer's."""

_KEY = 0x71426C74
"""First half of the advisory lock's key, "qBlt"; the second half is the table's own number in its database."""

_KEEPALIVES = {"tcp_keepalives_idle": 2, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 3}
"""For the server's end of the connection. Source: PostgreSQL, "Connections and Authentication", TCP settings."""

_CLIENT = {"keepalives": 1, "keepalives_idle": 2, "keepalives_interval": 2, "keepalives_count": 3, "connect_timeout": 5}
"""For ours. `tcp_user_timeout` bounds what keepalives do not: data that was sent and is not acknowledged."""


class Leadership:
    """One indexer's claim to write to a database. Safe to share between threads.

    Making one claims nothing.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._guard = threading.Lock()
        self._claim: _SqliteClaim | _PostgresClaim = (
            _SqliteClaim(engine) if engine.dialect.name == "sqlite" else _PostgresClaim(engine)
        )

    def try_acquire(self) -> bool:
        """Claim the database, or keep the claim. Returns False while another indexer has it, on PostgreSQL.

        Raises StorageError when another has it on SQLite, which is not retryable, and when the database is away.
        """
        with self._guard:
            return self._claim.held() or self._claim.acquire()

    def held(self) -> bool:
        """Say whether the claim still stands; on PostgreSQL this asks the server."""
        with self._guard:
            return self._claim.held()

    def release(self) -> None:
        """Give the claim up, where there is one."""
        with self._guard:
            self._claim.release()


def is_led(engine: Engine) -> bool:
    """Say whether any indexer has the claim to a database now. Raises StorageError."""
    if engine.dialect.name == "sqlite":
        return _SqliteClaim(engine).is_taken()
    query = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = :key "
        "AND objid = 'chain_cursor'::regclass::oid "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with storage_errors(f"cannot ask the database {describe(engine)}"), engine.connect() as connection:
        return bool(connection.scalar(query, {"key": _KEY}))


class _SqliteClaim:
    """A lock on a file beside the database's; none for a database in memory, which nobody else can open."""

    def __init__(self, engine: Engine) -> None:
        self._name = describe(engine)
        with storage_errors(f"cannot open the database {self._name}"), engine.connect() as connection:
            # Columns: number, name, path; the path is absolute, with links resolved. Source: sqlite.org/pragma.html
            path = connection.exec_driver_sql("PRAGMA database_list").first()[2]  # type: ignore[index]
        # Any thread may ask or release what one of them has acquired.
        self._lock = FileLock(f"{path}.lock", thread_local=False) if path else None
        self._path = path

    def acquire(self) -> bool:
        if self._lock is None:
            return True
        try:
            # Not at once: whoever asks whether anyone leads has the lock for a moment.
            self._lock.acquire(timeout=ASKED_SECONDS)
        except Timeout:
            raise StorageError(
                f"another indexer writes to the database {self._name}: a SQLite file takes one at a time; stop the "
                "other, or use PostgreSQL, where a second stands by"
            ) from None
        except OSError as error:
            raise StorageError(f"cannot lock the file {self._path}.lock: {error.strerror or error}") from error
        return True

    def is_taken(self) -> bool:
        """Say whether another process has the lock: it is taken for a moment, unless nobody ever did."""
        if self._lock is None or not Path(self._lock.lock_file).exists():
            return False
        try:
            with self._lock.acquire(timeout=0):
                return False
        except Timeout:
            return True

    def held(self) -> bool:
        return self._lock is None or self._lock.is_locked

    def release(self) -> None:
        if self._lock is not None:
            self._lock.release()


class _PostgresClaim:
    """An advisory lock of a session that does nothing else."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._session: psycopg.Connection[Any] | None = None

    def acquire(self) -> bool:
        with storage_errors(f"cannot claim the database {describe(self._engine)}"):
            session = self._open()
            try:
                answer = session.execute("SELECT pg_try_advisory_lock(%s, 'chain_cursor'::regclass::oid::int)", [_KEY])
                row = answer.fetchone()
            except BaseException:
                session.close()
                raise
        if row is None or not row[0]:
            session.close()
            return False
        self._session = session
        return True

    def held(self) -> bool:
        if self._session is None:
            return False
        try:
            self._session.execute("SELECT 1")
        except psycopg.Error:
            self.release()
            return False
        return True

    def release(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            # The server ends a session a moment after it was closed: whoever is next should not be told that it stands.
            with suppress(psycopg.Error):
                session.execute("SELECT pg_advisory_unlock_all()")
            session.close()

    def _open(self) -> psycopg.Connection[Any]:
        _, options = self._engine.dialect.create_connect_args(self._engine.url)
        session = psycopg.connect(**{**_CLIENT, "tcp_user_timeout": LOST_SECONDS * 1000, **options}, autocommit=True)
        for name, value in _KEEPALIVES.items():
            session.execute("SELECT set_config(%s, %s, false)", [name, str(value)])
        # Since PostgreSQL 14: a session that has nothing to do must not be ended for that.
        session.execute("SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'")
        return session
