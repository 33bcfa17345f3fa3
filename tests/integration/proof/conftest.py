"""A chain to lie about, beside an invented one; the machinery of endpoints that fail is that of `faults/`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parents[1] / "faults"), str(Path(__file__).parents[1])]

from cases import Court, open_court
from databases import PostgresServer
from fork_chain import run_fork_chain
from lying_chain import LOT_SECONDS, World, make_world, run_worlds


@pytest.fixture(scope="session")
def worlds() -> Iterator[tuple[World, World]]:
    """The true chain and the invented one."""
    with run_worlds() as worlds:
        yield worlds


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """A true chain on which the time of lots has come."""
    with run_fork_chain() as chain:
        world = make_world(chain, "true", close_seconds=LOT_SECONDS)
        yield world
        world.node.close()


@pytest.fixture(scope="session")
def court(worlds: tuple[World, World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    """Tries endpoints that lie, with an index in a new SQLite file each time."""
    with open_court(worlds, tmp_path_factory.mktemp("court")) as court:
        yield court


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """The URL of an empty database of PostgreSQL."""
    return postgres.create_database()
