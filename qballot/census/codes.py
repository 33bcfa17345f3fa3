"""Which addresses of a list are contracts: they vote by a transaction of their own, never by a signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qballot.census.progress import Report, say_nothing
from qballot.chain.rpc import MAX_BATCH_REQUESTS, BlockId, Rpc
from qballot.core.address import checksum_address
from qballot.core.canonical import JsonTree
from qballot.core.types import Address

DELEGATION_PREFIX = bytes.fromhex("ef0100")
"""An account's own code that points to a contract's. Source: EIP-7702."""

DELEGATION_BYTES = len(DELEGATION_PREFIX) + 20
ADDRESSES_AT_ONCE = 10 * MAX_BATCH_REQUESTS


@dataclass(frozen=True, slots=True)
class AccountCode:
    """An address that has code. size: in bytes. delegate: whose code a key's account runs (EIP-7702), else None.

    Without a delegate it is a contract, which has no key: it cannot sign a ballot, and votes only if it can be made to
    send a transaction. With one it signs like any account.
    """

    address: Address
    size: int
    delegate: Address | None

    def to_json(self) -> dict[str, JsonTree]:
        """Write it as JSON."""
        delegate = None if self.delegate is None else checksum_address(self.delegate)
        return {"address": checksum_address(self.address), "code_bytes": self.size, "delegates_to": delegate}


def find_codes(
    rpc: Rpc, addresses: Sequence[Address], block: BlockId, report: Report = say_nothing
) -> list[AccountCode]:
    """Find the addresses that have code at a block, in their order. Raises EndpointError."""
    found = []
    for start in range(0, len(addresses), ADDRESSES_AT_ONCE):
        report("looking for contracts", start, len(addresses))
        part = addresses[start : start + ADDRESSES_AT_ONCE]
        for address, code in zip(part, rpc.codes(part, block), strict=True):
            if code:
                found.append(read_code(address, code))
    report("looking for contracts", len(addresses), len(addresses))
    return found


def read_code(address: Address, code: bytes) -> AccountCode:
    """Say what an address's code, not empty, makes of it."""
    delegated = len(code) == DELEGATION_BYTES and code.startswith(DELEGATION_PREFIX)
    return AccountCode(address, len(code), Address(code[len(DELEGATION_PREFIX) :]) if delegated else None)
