"""Databases that crash or run out of room under a running indexer: it waits, goes on, and nothing is lost."""

from __future__ import annotations

import random
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from databases import PostgresServer
from fault_proxy import Failure, FaultProxy, run_proxy
from history import History
from indexes import Rows, open_url, read_content, read_cursor
from misbehaviours import limit_blocks
from spawning import Running, Spawner
from waiting import wait_until

pytestmark = pytest.mark.integration

CRASHES = 2

TMPFS_BYTES = 64 * 1024 * 1024
LEFT_BYTES = 48 * 1024
"""Room that is left at first: less than the history needs."""


@contextmanager
def run_narrow(history: History) -> Iterator[FaultProxy]:
    """An endpoint that gives few blocks at once, so that there are many small writes."""
    with run_proxy(limit_blocks(history.node, 20, lambda _: Failure(-32012, "exceeded max allowed range"))) as proxy:
        yield proxy


def make_schema(url: str) -> None:
    with open_url(url):
        pass


def finish(indexer: Running, url: str, history: History, honest_rows: Rows) -> None:
    """Wait until all is indexed, end the indexer, and compare."""
    with open_url(url) as engine:
        wait_until(lambda: read_cursor(engine) == history.latest, running=indexer)
        indexer.terminate()
        assert indexer.wait() == 0, indexer.said
        assert read_content(engine) == honest_rows
    assert "Traceback" not in indexer.said


def test_postgresql__stopped_at_once_and_started_again__is_waited_for(
    postgres: PostgresServer, history: History, honest_rows: Rows, spawner: Spawner
) -> None:
    url = postgres.create_database()
    make_schema(url)
    chance = random.Random(1)
    with run_narrow(history) as proxy:
        indexer = spawner.start("index", rpc_url=proxy.url, database_url=url, poll_seconds="0.05")
        for _ in range(CRASHES):
            enough = len(proxy.calls) + chance.randint(10, 60)
            # A busy server takes its time to start, and what waits for it asks ever less often.
            wait_until(lambda enough=enough: len(proxy.calls) >= enough, 90, running=indexer)
            failures = indexer.said.count("database failed")
            postgres.crash()
            wait_until(lambda failures=failures: indexer.said.count("database failed") > failures, running=indexer)
            postgres.start_again()
        finish(indexer, url, history, honest_rows)


@contextmanager
def mount_small() -> Iterator[Path]:
    """A file system of a few MiB, where mounting one is allowed."""
    # Not in pytest's folder: the database server runs as another user when we are root.
    with TemporaryDirectory(prefix="qb") as place:
        options = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES},mode=0755", "tmpfs", place]
        program = shutil.which("mount")
        if program is None or subprocess.run(options, check=False, capture_output=True).returncode:
            pytest.skip("mounting a file system is not allowed here")
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


class Ballast:
    """A file that leaves only some room beside it."""

    def __init__(self, folder: Path, left: int) -> None:
        self._path = folder / "ballast"
        free = shutil.disk_usage(folder).free
        self._path.write_bytes(bytes(max(0, free - left)))

    def drop(self) -> None:
        self._path.unlink()


def test_sqlite__on_a_full_disk__goes_on_when_there_is_room(
    history: History, honest_rows: Rows, spawner: Spawner
) -> None:
    with mount_small() as folder, run_narrow(history) as proxy:
        url = f"sqlite:///{folder / 'index.sqlite3'}"
        make_schema(url)
        ballast = Ballast(folder, LEFT_BYTES + 64 * 1024)
        indexer = spawner.start("index", rpc_url=proxy.url, database_url=url, poll_seconds="0.05")
        wait_until(lambda: "database failed" in indexer.said, running=indexer)
        ballast.drop()
        finish(indexer, url, history, honest_rows)


def test_sqlite__at_a_limit_of_the_files_size__goes_on_when_it_is_raised(
    tmp_path: Path, history: History, honest_rows: Rows, spawner: Spawner
) -> None:
    url = f"sqlite:///{tmp_path / 'index.sqlite3'}"
    make_schema(url)
    limit = (tmp_path / "index.sqlite3").stat().st_size + LEFT_BYTES
    with run_narrow(history) as proxy:
        indexer = spawner.start("index", rpc_url=proxy.url, database_url=url, poll_seconds="0.05", file_bytes=limit)
        wait_until(lambda: "database failed" in indexer.said, running=indexer)
        resource.prlimit(indexer.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        finish(indexer, url, history, honest_rows)


def test_sqlite__full_and_killed__is_as_it_was_before_the_last_range(
    tmp_path: Path, history: History, honest_rows: Rows, spawner: Spawner
) -> None:
    url = f"sqlite:///{tmp_path / 'index.sqlite3'}"
    make_schema(url)
    limit = (tmp_path / "index.sqlite3").stat().st_size + LEFT_BYTES
    with run_narrow(history) as proxy:
        indexer = spawner.start("index", rpc_url=proxy.url, database_url=url, poll_seconds="0.05", file_bytes=limit)
        wait_until(lambda: "database failed" in indexer.said, running=indexer)
        indexer.kill()
        again = spawner.start("index", rpc_url=proxy.url, database_url=url, poll_seconds="0.05")
        finish(again, url, history, honest_rows)


def test_postgresql__on_a_full_disk__goes_on_when_there_is_room(
    postgres: PostgresServer, history: History, honest_rows: Rows, spawner: Spawner
) -> None:
    with mount_small() as folder, run_narrow(history) as proxy:
        if postgres.user is not None:
            shutil.chown(folder, postgres.user)
        url = postgres.create_database(folder)
        make_schema(url)
        ballast = Ballast(folder, LEFT_BYTES)
        indexer = spawner.start("index", rpc_url=proxy.url, database_url=url, poll_seconds="0.05")
        wait_until(lambda: "database failed" in indexer.said, running=indexer)
        ballast.drop()
        finish(indexer, url, history, honest_rows)
        postgres.drop_database(url)
