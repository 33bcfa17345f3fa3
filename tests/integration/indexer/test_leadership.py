"""One indexer leads a database: the second is turned away on SQLite, and stands by on PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
from databases import PostgresServer
from sqlalchemy import Engine

from indexer.storage.engine import open_database
from indexer.storage.leadership import Leadership
from qballot.errors import StorageError

pytestmark = pytest.mark.integration

SECONDS = 10

LEADER = """
import sys, time
from indexer.storage.engine import open_database
from indexer.storage.leadership import Leadership
leadership = Leadership(open_database(sys.argv[1]))
print(leadership.try_acquire(), flush=True)
time.sleep(60)
"""


def test_leadership__claimed_asked_and_released__says_so(engine: Engine) -> None:
    leadership = Leadership(engine)
    assert not leadership.held()
    for _ in range(2):
        assert leadership.try_acquire()
        assert leadership.held()
    leadership.release()
    assert not leadership.held()
    leadership.release()
    assert leadership.try_acquire()
    leadership.release()


def test_leadership__asked_by_another_thread__is_held(engine: Engine) -> None:
    leadership = Leadership(engine)
    assert leadership.try_acquire()
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(leadership.held()))
    thread.start()
    thread.join()
    thread = threading.Thread(target=leadership.release)
    thread.start()
    thread.join()
    assert found == [True]
    assert not leadership.held()


def test_leadership__sqlite_file_taken__is_refused_for_good(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    one, two = open_database(url), open_database(url)
    first, second = Leadership(one), Leadership(two)
    assert first.try_acquire()
    with pytest.raises(StorageError, match="another indexer writes to the database") as caught:
        second.try_acquire()
    assert not caught.value.retryable
    assert not second.held()
    first.release()
    assert second.try_acquire()
    second.release()
    one.dispose()
    two.dispose()


def test_leadership__sqlite_in_memory__is_always_had() -> None:
    engine = open_database("sqlite://")
    assert all(Leadership(engine).try_acquire() for _ in range(2))
    engine.dispose()


def test_leadership__sqlite_folder_without_the_right__says_which_file(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    (tmp_path / "x.sqlite3.lock").mkdir()
    with pytest.raises(StorageError, match=r"cannot lock the file .*x\.sqlite3\.lock"):
        Leadership(engine).try_acquire()
    engine.dispose()


def test_leadership__postgresql_taken__is_had_when_the_first_lets_go(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    one, two = open_database(url), open_database(url)
    first, second = Leadership(one), Leadership(two)
    assert first.try_acquire()
    assert not second.try_acquire()
    assert not second.held()
    first.release()
    assert second.try_acquire()
    assert not first.try_acquire()
    second.release()
    one.dispose()
    two.dispose()


def test_leadership__postgresql_two_databases_of_one_server__have_a_leader_each(postgres: PostgresServer) -> None:
    engines = [open_database(postgres.create_database()) for _ in range(2)]
    leaderships = [Leadership(engine) for engine in engines]
    assert [leadership.try_acquire() for leadership in leaderships] == [True, True]
    for leadership, engine in zip(leaderships, engines, strict=True):
        leadership.release()
        engine.dispose()


def test_leadership__postgresql_session_ended_by_the_server__is_noticed_and_taken_over(
    postgres: PostgresServer,
) -> None:
    url = postgres.create_database()
    one, two = open_database(url), open_database(url)
    first, second = Leadership(one), Leadership(two)
    assert first.try_acquire()
    with psycopg.connect(url, autocommit=True) as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        connection.execute(query)
    assert not first.held()
    deadline = time.monotonic() + SECONDS
    while not second.try_acquire():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not first.try_acquire()
    second.release()
    one.dispose()
    two.dispose()


def test_leadership__killed_leader__is_followed_within_seconds(database_url: str) -> None:
    open_database(database_url).dispose()
    command = [sys.executable, "-c", LEADER, database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as leader:
        assert leader.stdout is not None
        assert leader.stdout.readline().strip() == "True"
        engine = open_database(database_url)
        leadership = Leadership(engine)
        assert not _try(leadership)
        leader.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + SECONDS
        while not _try(leadership):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        leadership.release()
        engine.dispose()


def _try(leadership: Leadership) -> bool:
    try:
        return leadership.try_acquire()
    except StorageError:
        return False
