"""Chains by name, and the chain that an endpoint must serve."""

from __future__ import annotations

import pytest

from qballot.chain.networks import compute_expected_chain, describe_chain, find_network
from qballot.errors import InputError, SettingsError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("name", "chain_id"), [("mainnet", 1), ("sepolia", 11_155_111), ("local", 31_337)])
def test_find_network__known_name__is_its_chain(name: str, chain_id: int) -> None:
    assert find_network(name).chain_id == chain_id == compute_expected_chain(name, None)
    assert describe_chain(chain_id) == f"{chain_id} ({name})"


def test_find_network__unknown_name__suggests_neighbours() -> None:
    with pytest.raises(InputError, match="expected one of mainnet, sepolia, local; did you mean sepolia"):
        find_network("Sepoila")
    with pytest.raises(InputError, match="QBALLOT_CHAIN_ID for any other chain"):
        find_network("gnosis")


def test_compute_expected_chain__settings__agree_or_are_refused() -> None:
    assert compute_expected_chain(None, None) is None
    assert compute_expected_chain(None, 100) == 100
    assert compute_expected_chain("sepolia", 11_155_111) == 11_155_111
    with pytest.raises(SettingsError, match="QBALLOT_CHAIN_ID: found 1 beside the network sepolia"):
        compute_expected_chain("sepolia", 1)
    assert describe_chain(100) == "100"
