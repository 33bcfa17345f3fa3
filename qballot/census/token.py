"""A token as its holders' census needs it, read at one block through one endpoint.

What is asked is of ERC-20, ERC-721 (EIP-165 tells which), ERC20Votes and ERC721Votes (`delegates`, `getVotes`, or
`getCurrentVotes` of Compound's older form).
"""

from __future__ import annotations

from collections.abc import Sequence

from qballot.census.progress import Report, say_nothing
from qballot.chain.rpc import MAX_BATCH_REQUESTS, Rpc
from qballot.core.address import ZERO_ADDRESS, checksum_address
from qballot.core.census_recipe import TokenKind
from qballot.core.keccak import keccak
from qballot.core.types import Address, BlockNumber
from qballot.errors import ChainError, ContractReverted, EndpointError, InputError

ERC721_INTERFACE = bytes.fromhex("80ac58cd")
"""Source: ERC-721, `interface ERC721 /* is ERC165 */`."""

WORD = 32
CALLS_AT_ONCE = 10 * MAX_BATCH_REQUESTS


class Token:
    """A token contract at a block."""

    def __init__(self, rpc: Rpc, address: Address, block: BlockNumber) -> None:
        self._rpc = rpc
        self.address = address
        self.block = block

    def find_kind(self) -> TokenKind:
        """Find out whether it is an ERC-721 (by EIP-165) or else an ERC-20.

        Raises InputError when there is no contract, or neither `balanceOf` answers.
        """
        if not self._rpc.code(self.address, self.block):
            raise InputError(f"there is no contract at {checksum_address(self.address)} at block {self.block}")
        (interface,) = self._ask([_call("supportsInterface(bytes4)", ERC721_INTERFACE.ljust(WORD, b"\0"))])
        if interface == 1:
            return TokenKind.ERC721
        if self._ask([_call_about("balanceOf(address)", self.address)]) == [None]:
            raise InputError(f"{checksum_address(self.address)} is no token: it does not answer balanceOf(address)")
        return TokenKind.ERC20

    def find_deployment(self) -> BlockNumber:
        """Find the first block at which the contract has code, by halving: the endpoint must know all old state.

        Raises ChainError that says what to do where the endpoint does not.
        """
        low, high = 0, self.block
        try:
            while low < high:
                middle = (low + high) // 2
                if self._rpc.code(self.address, middle):
                    high = BlockNumber(middle)
                else:
                    low = middle + 1
        except EndpointError as error:
            raise ChainError(
                f"the block of the token's deployment was not found: {error}. Name it, or any earlier one, with "
                "--from-block, or use an endpoint that keeps all state (an archive node)"
            ) from error
        return BlockNumber(low)

    def fetch_supply(self) -> int | None:
        """Ask for the total supply in units; None when the contract does not say."""
        return self._ask([_call("totalSupply()")])[0]

    def fetch_decimals(self) -> int | None:
        """Ask how many decimals people write an amount with; None when the contract does not say."""
        found = self._ask([_call("decimals()")])[0]
        return found if found is not None and found < 78 else None

    def fetch_balances(self, holders: Sequence[Address], report: Report = say_nothing) -> list[int | None]:
        """Ask for the balance of each holder, in units; None where the contract refuses."""
        return self._ask_about("balanceOf(address)", holders, "checking balances", report)

    def fetch_delegates(self, holders: Sequence[Address], report: Report = say_nothing) -> dict[Address, Address]:
        """Ask whom each holder delegates to; who delegates to nobody is not in the answer.

        Raises InputError when the token knows no delegation.
        """
        answers = self._ask_about("delegates(address)", holders, "following delegation", report)
        if None in answers:
            raise InputError(f"{checksum_address(self.address)} knows no delegation: it does not answer delegates()")
        found = zip(holders, (Address((answer or 0).to_bytes(WORD)[12:]) for answer in answers), strict=True)
        return {holder: delegate for holder, delegate in found if delegate != ZERO_ADDRESS}

    def fetch_votes(self, delegates: Sequence[Address], report: Report = say_nothing) -> list[int | None]:
        """Ask for the votes that the token gives each delegate, in units; None where the contract refuses."""
        step = "checking votes"
        votes = self._ask_about("getVotes(address)", delegates, step, report)
        return self._ask_about("getCurrentVotes(address)", delegates, step, report) if None in votes else votes

    def _ask_about(self, function: str, addresses: Sequence[Address], step: str, report: Report) -> list[int | None]:
        found: list[int | None] = []
        for start in range(0, len(addresses), CALLS_AT_ONCE):
            report(step, start, len(addresses))
            found += self._ask([_call_about(function, item) for item in addresses[start : start + CALLS_AT_ONCE]])
        report(step, len(addresses), len(addresses))
        return found

    def _ask(self, calls: Sequence[bytes]) -> list[int | None]:
        """Run calls that return one word each; None for one that is refused or returns something else."""
        outcomes = self._rpc.call_contracts([(self.address, call) for call in calls], self.block)
        return [
            None if isinstance(item, ContractReverted) or len(item) != WORD else int.from_bytes(item)
            for item in outcomes
        ]


def _call(signature: str, arguments: bytes = b"") -> bytes:
    return keccak(signature.encode())[:4] + arguments


def _call_about(signature: str, address: Address) -> bytes:
    return _call(signature, address.rjust(WORD, b"\0"))
