"""A chain that reorganises, a chain that stays as it is, and empty databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from databases import DIALECTS, PostgresServer
from fork_chain import ForkChain, run_fork_chain
from history import Crowd, History, make_crowd, make_history
from indexes import Rows, open_copy, read_fresh
from spawning import Spawner, run_spawner
from sqlalchemy import Engine

from indexer.storage.engine import open_database
from indexer.storage.writer import reset_index


@pytest.fixture
def fork_chain() -> Iterator[ForkChain]:
    """A chain with nothing but the factory, which may reorganise."""
    with run_fork_chain() as chain:
        yield chain


@pytest.fixture(scope="session")
def history() -> Iterator[History]:
    """The chain that stays as it is."""
    with run_fork_chain() as chain:
        history = make_history(chain)
        yield history
        history.node.close()


@pytest.fixture(scope="session")
def crowd() -> Iterator[Crowd]:
    """A chain that stays as it is, full of ballots."""
    with run_fork_chain() as chain:
        crowd = make_crowd(chain)
        yield crowd
        crowd.node.close()


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with the schema and nothing else, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "empty.sqlite3"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(scope="session")
def honest_rows(history: History, empty_sqlite: Path) -> Rows:
    """What an honest node gives of the history."""
    return read_fresh(history.url, empty_sqlite)


@pytest.fixture
def copied_engine(empty_sqlite: Path) -> Iterator[Engine]:
    """An empty SQLite database."""
    with open_copy(empty_sqlite) as engine:
        yield engine


@pytest.fixture(scope="session")
def kept_engines(postgres: PostgresServer, empty_sqlite: Path) -> Iterator[dict[str, Engine]]:
    """A database of each kind, by dialect."""
    engine = open_database(postgres.create_database())
    with open_copy(empty_sqlite) as sqlite:
        yield {"sqlite": sqlite, "postgresql": engine}
    engine.dispose()


@pytest.fixture
def engines(kept_engines: dict[str, Engine]) -> Iterator[dict[str, Engine]]:
    """An empty database of each kind, by dialect."""
    yield kept_engines
    for engine in kept_engines.values():
        reset_index(engine)


@pytest.fixture(scope="session")
def spawner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spawner]:
    """Starts `qballot` commands as processes."""
    with run_spawner(tmp_path_factory.mktemp("spawned")) as spawner:
        yield spawner


@pytest.fixture
def empty_urls(postgres: PostgresServer, tmp_path: Path) -> dict[str, str]:
    """The URL of an empty database of each kind, by dialect."""
    return {"sqlite": f"sqlite:///{tmp_path / 'index.sqlite3'}", "postgresql": postgres.create_database()}


@pytest.fixture(params=DIALECTS)
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes an empty database each time it is called, and returns its URL."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.create_database
    numbers = count(1)
    return lambda: f"sqlite:///{tmp_path / f'index{next(numbers)}.sqlite3'}"
