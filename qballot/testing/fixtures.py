"""The fixtures: one local chain a test process, put back after every test to where it was, and an election on it.

shared_devnet ─▶ devnet ─▶ rpc
                    └────▶ election ◀── voters ─▶ census
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from qballot.chain.accounts import LocalSigner, devnet_account
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.core.census import Census
from qballot.deploy import deploy_factory
from qballot.testing.elections import ElectionOnDevnet, Voter, make_census, make_election, make_voters

ORGANIZER, RELAYER = 0, 1
"""Which of the local chain's public accounts they are."""

VOTERS = 5


@pytest.fixture(scope="session")
def shared_devnet() -> Iterator[Devnet]:
    """Run an anvil that has the factory, for a whole test process. What a test does to it stays: see `devnet`."""
    with Devnet() as devnet:
        deploy_factory(devnet.rpc, devnet_account(ORGANIZER))
        yield devnet


@pytest.fixture
def devnet(shared_devnet: Devnet) -> Iterator[Devnet]:
    """Give the shared anvil; what a test does to it, its clock included, is undone afterwards."""
    snapshot = shared_devnet.snapshot()
    yield shared_devnet
    shared_devnet.revert(snapshot)


@pytest.fixture
def rpc(devnet: Devnet) -> Rpc:
    """Give the connection to the anvil."""
    return devnet.rpc


@pytest.fixture
def organizer() -> LocalSigner:
    """Give an account with ether, which creates the elections."""
    return devnet_account(ORGANIZER)


@pytest.fixture
def relayer() -> LocalSigner:
    """Give another account with ether, which pays for others."""
    return devnet_account(RELAYER)


@pytest.fixture
def voters() -> tuple[Voter, ...]:
    """Make the voters of `election`: five, of weight 1. Override it for others."""
    return make_voters(VOTERS)


@pytest.fixture
def census(voters: tuple[Voter, ...]) -> Census:
    """Build the census of `election`, of its voters in their order."""
    return make_census(voters)


@pytest.fixture
def election(devnet: Devnet, voters: tuple[Voter, ...], census: Census) -> ElectionOnDevnet:
    """Create an election about lunch that is not open yet: `election.open()` moves the chain's clock."""
    return make_election(devnet, voters=voters, census=census)
