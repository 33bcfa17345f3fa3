"""The transaction that puts the deterministic deployer anywhere is its sender's, and makes the known address."""

from __future__ import annotations

import pytest
from eth_account import Account
from hexbytes import HexBytes

from qballot.core.address import parse_address
from qballot.core.provenance import DETERMINISTIC_DEPLOYER, compute_create_address
from qballot.deployer import DEPLOYER_SENDER, DEPLOYER_TRANSACTION

pytestmark = pytest.mark.unit


def test_deployer__transaction__is_its_senders_and_makes_the_address() -> None:
    assert parse_address(Account.recover_transaction(HexBytes(DEPLOYER_TRANSACTION))) == DEPLOYER_SENDER
    assert compute_create_address(DEPLOYER_SENDER, 0) == DETERMINISTIC_DEPLOYER
