"""A chain and a database server for the tests, one of each a test process.

The chain is put back after every test to where it was; databases are made anew.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from databases import PostgresServer, run_postgres
from eth_account.signers.local import LocalAccount

from qballot.chain.accounts import devnet_account
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.deploy import deploy_factory


@pytest.fixture(scope="session")
def shared_devnet() -> Iterator[Devnet]:
    """An anvil that has the factory."""
    with Devnet() as devnet:
        deploy_factory(devnet.rpc, devnet_account(0))
        yield devnet


@pytest.fixture
def devnet(shared_devnet: Devnet) -> Iterator[Devnet]:
    """The shared anvil; what a test does to it is undone afterwards."""
    snapshot = shared_devnet.snapshot()
    yield shared_devnet
    shared_devnet.revert(snapshot)


@pytest.fixture
def rpc(devnet: Devnet) -> Rpc:
    return devnet.rpc


@pytest.fixture
def organizer() -> LocalAccount:
    """An account with ether that creates elections."""
    return devnet_account(0)


@pytest.fixture
def relayer() -> LocalAccount:
    """Another account with ether, which pays for others."""
    return devnet_account(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server."""
    with run_postgres() as server:
        yield server
