"""Databases for the indexer's tests: each test that asks for one runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from databases import DIALECTS, PostgresServer
from sqlalchemy import Engine

from indexer.storage.engine import open_database


@pytest.fixture(params=DIALECTS)
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes an empty database each time it is called, and returns its URL."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.create_database
    numbers = count(1)
    return lambda: f"sqlite:///{tmp_path / f'index{next(numbers)}.sqlite3'}"


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """The URL of an empty database."""
    return new_database()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database, opened."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty SQLite database, for tests about what lies above storage."""
    engine = open_database(f"sqlite:///{tmp_path / 'one.sqlite3'}")
    yield engine
    engine.dispose()


@pytest.fixture
def new_sqlite(tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Makes and opens an empty SQLite database each time it is called."""
    engines: list[Engine] = []

    def make() -> Engine:
        engines.append(open_database(f"sqlite:///{tmp_path / f'new{len(engines)}.sqlite3'}"))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()
