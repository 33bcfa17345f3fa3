"""The contracts under ape: its compiler, its network (`ape test --network …`), its accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from qballot.chain.ape_bridge import ApeSession, find_ape_session
from qballot.chain.rpc import Rpc
from qballot.deploy import deploy_factory
from qballot.deployer import install_deployer


@pytest.fixture(scope="session")
def session(networks: Any) -> ApeSession:
    """ape's session, connected to the network of this run."""
    found = find_ape_session()
    assert found is not None
    assert found.provider is networks.active_provider
    return found


@pytest.fixture
def rpc(session: ApeSession) -> Iterator[Rpc]:
    """Our connection to ape's network, with the factory on it."""
    with session.connect() as rpc:
        install_deployer(rpc, session.load_signer())
        deploy_factory(rpc, session.load_signer())
        yield rpc
