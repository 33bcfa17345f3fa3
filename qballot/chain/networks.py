"""The chains that people name: `--network sepolia` instead of a number. The endpoint's URL stays the environment's."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from qballot.core.types import ChainId
from qballot.errors import InputError, SettingsError


@dataclass(frozen=True, slots=True)
class Network:
    """A chain with a name."""

    name: str
    chain_id: ChainId


NETWORKS = (
    Network("mainnet", ChainId(1)),
    Network("sepolia", ChainId(11_155_111)),
    Network("local", ChainId(31_337)),
)
"""Source of the ids: https://chainid.network; 31337 is anvil's own."""


def find_network(name: str) -> Network:
    """Return the network of this name. Raises InputError that lists the names, the nearest first."""
    for network in NETWORKS:
        if network.name == name:
            return network
    names = [network.name for network in NETWORKS]
    near = difflib.get_close_matches(name.lower(), names, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else "see QBALLOT_CHAIN_ID for any other chain"
    raise InputError(f"found the network {name!r}, expected one of {', '.join(names)}; {hint}")


def describe_chain(chain_id: int) -> str:
    """Name a chain for people: its id, and its network's name where it has one."""
    names = [network.name for network in NETWORKS if network.chain_id == chain_id]
    return f"{chain_id} ({names[0]})" if names else str(chain_id)


def compute_expected_chain(network: str | None, chain_id: int | None) -> ChainId | None:
    """Compute which chain the endpoint must serve, of the settings `network` and `chain_id`; None for any.

    Raises InputError for an unknown network, SettingsError when the two settings name different chains.
    """
    if network is None:
        return None if chain_id is None else ChainId(chain_id)
    expected = find_network(network).chain_id
    if chain_id not in (None, expected):
        raise SettingsError(
            [
                f"QBALLOT_CHAIN_ID: found {chain_id} beside the network {network}, whose chain is {expected}; "
                "set one of the two"
            ]
        )
    return expected
