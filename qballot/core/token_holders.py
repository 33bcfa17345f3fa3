"""From a token's transfers to voters: balances, delegation, votes. Pure: logs and answers come from the chain's edge.

Balances follow from the transfers alone; whether the token agrees is asked of it afterwards (`qballot.census`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from qballot.core.address import ZERO_ADDRESS, checksum_address
from qballot.core.census import MAX_WEIGHT
from qballot.core.census_recipe import TokenKind, TokenRecipe
from qballot.core.types import Address, Weight
from qballot.errors import InputError


@dataclass(frozen=True, slots=True)
class Transfer:
    """One Transfer event. value: an ERC-20's amount, or an ERC-721's token id."""

    sender: Address
    receiver: Address
    value: int


@dataclass(slots=True)
class Ledger:
    """Balances as the transfers so far give them: of everyone ever named but the zero address, 0 included.

    A balance may be negative where a token moved what it never said to have made.
    """

    kind: TokenKind
    balances: dict[Address, int] = field(default_factory=dict)
    _owners: dict[int, Address] = field(default_factory=dict)

    def apply(self, transfers: Iterable[Transfer]) -> None:
        """Apply transfers in the order of the chain."""
        for transfer in transfers:
            if self.kind is TokenKind.ERC721:
                self._hand_over(transfer)
            else:
                self._add(transfer.sender, -transfer.value)
                self._add(transfer.receiver, transfer.value)

    def _hand_over(self, transfer: Transfer) -> None:
        # The receiver of the last transfer owns the thing, whoever was named as its sender.
        owner = self._owners.pop(transfer.value, ZERO_ADDRESS)
        self._add(transfer.sender, 0)
        self._add(owner, -1)
        self._add(transfer.receiver, 1)
        if transfer.receiver != ZERO_ADDRESS:
            self._owners[transfer.value] = transfer.receiver

    def _add(self, address: Address, units: int) -> None:
        if address != ZERO_ADDRESS:
            self.balances[address] = self.balances.get(address, 0) + units


def follow_delegation(balances: Mapping[Address, int], delegates: Mapping[Address, Address]) -> dict[Address, int]:
    """Give every holder's units to whom the holder delegates to; who delegates to nobody keeps them."""
    units: dict[Address, int] = {}
    for holder, balance in balances.items():
        delegate = delegates.get(holder, ZERO_ADDRESS)
        voter = holder if delegate == ZERO_ADDRESS else delegate
        units[voter] = units.get(voter, 0) + balance
    return units


def sum_delegated(balances: Mapping[Address, int], delegates: Mapping[Address, Address]) -> dict[Address, int]:
    """Sum what is delegated to each delegate: the votes that the token itself should give them."""
    delegated = {
        holder: balance for holder, balance in balances.items() if delegates.get(holder, ZERO_ADDRESS) != (ZERO_ADDRESS)
    }
    return follow_delegation(delegated, delegates)


def compute_voters(
    balances: Mapping[Address, int], recipe: TokenRecipe, delegates: Mapping[Address, Address] | None = None
) -> list[tuple[Address, Weight]]:
    """Compute who may vote, and with what weight, in ascending order of addresses.

    balances: in units, of all holders. delegates: who each holder delegates to, where the recipe follows that.
    An excluded holder's units count for nobody, and nobody's count for an excluded delegate.
    Raises InputError when nobody is left, or a weight is beyond 2**96 - 1.
    """
    left_out = {*recipe.exclude, ZERO_ADDRESS}
    held = {holder: balance for holder, balance in balances.items() if balance > 0 and holder not in left_out}
    units = follow_delegation(held, delegates or {})
    voters = [
        (address, Weight(number // recipe.divide))
        for address, number in sorted(units.items())
        if address not in left_out and number // recipe.divide >= recipe.min_weight
    ]
    if not voters:
        raise InputError(
            f"nobody is left of {len(held):,} holders: divide {recipe.divide} and min {recipe.min_weight} "
            "ask for more than any of them has"
        )
    _check_weights(voters, recipe)
    return voters


def _check_weights(voters: list[tuple[Address, Weight]], recipe: TokenRecipe) -> None:
    address, most = max(voters, key=lambda voter: voter[1])
    if most > MAX_WEIGHT:
        factor = 10
        while most // factor > MAX_WEIGHT:
            factor *= 10
        raise InputError(
            f"{checksum_address(address)} would have {most} votes, and a ballot carries at most 2**96 - 1: "
            f"divide by more, such as {recipe.divide * factor}"
        )
