"""A database server for the tests, one a test process; databases are made anew. The chain is `qballot.testing`'s."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from databases import PostgresServer, run_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server."""
    with run_postgres() as server:
        yield server
