"""The transaction that puts the deterministic deployer anywhere is its sender's, and makes the known address."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from hexbytes import HexBytes

from qballot import deployer
from qballot.chain.accounts import devnet_account
from qballot.chain.terms import Terms
from qballot.core.address import parse_address
from qballot.core.forks import FORKS
from qballot.core.provenance import DETERMINISTIC_DEPLOYER, compute_create_address
from qballot.deployer import DEPLOYER_SENDER, DEPLOYER_TRANSACTION, install_deployer
from qballot.errors import ChainError

pytestmark = pytest.mark.unit


def test_deployer__transaction__is_its_senders_and_makes_the_address() -> None:
    assert parse_address(Account.recover_transaction(HexBytes(DEPLOYER_TRANSACTION))) == DEPLOYER_SENDER
    assert compute_create_address(DEPLOYER_SENDER, 0) == DETERMINISTIC_DEPLOYER


class EmptyChain:
    """A chain without any code, which must not be asked for anything else."""

    def code(self, address: bytes) -> bytes:
        return b""


def test_install_deployer__fork_that_charges_more_than_it_can_pay__sends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deployer, "fetch_terms", lambda rpc: Terms(FORKS[-1]))
    chain: Any = EmptyChain()
    with pytest.raises(ChainError, match=r"under the rules of Amsterdam its code alone costs 289,170 gas"):
        install_deployer(chain, devnet_account(0))
