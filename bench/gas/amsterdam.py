"""What a transaction on Osaka's rules would cost on Amsterdam's.

Measured is what the receipt says, on anvil under Osaka. Computed from it is Amsterdam's price:

    execution   the receipt's gas, with Amsterdam's prices in the place of Osaka's for intrinsic gas and for every
                operation that was repriced; those are counted by a tracer (operations.js) in debug_traceTransaction
    state       1,530 gas a byte of new accounts, new slots and new code, counted by the same tracer
    floor       64 gas a byte of calldata, and the transaction's base
    pays        the larger of execution + state and floor

The prices are those of `qballot.core.prices`. A transaction that does what the tracer does not follow, such as clearing
a slot, is refused rather than guessed at. An anvil that knows Amsterdam measures instead: see `knows_amsterdam`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qballot.chain.accounts import devnet_account
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.core.prices import (
    AMSTERDAM_PRICES,
    OSAKA_PRICES,
    OperationPrices,
    Payload,
    StateGrowth,
    compute_floor_gas,
    compute_intrinsic_gas,
    compute_state_gas,
)
from qballot.core.types import Hash32
from qballot.errors import ToolError

AMSTERDAM = "amsterdam"
"""anvil's name of the fork."""

TRACER = (Path(__file__).parent / "operations.js").read_text()
TRACE_SECONDS = 300.0


@dataclass(frozen=True)
class Gas:
    """What something costs: by receipts on the chain that it ran on, and under Amsterdam."""

    now: float
    amsterdam: float

    def __truediv__(self, count: int) -> Gas:
        return Gas(self.now / count, self.amsterdam / count)

    @classmethod
    def mean(cls, each: list[Gas]) -> Gas:
        """Average what several transactions cost."""
        return cls(sum(gas.now for gas in each), sum(gas.amsterdam for gas in each)) / len(each)


@dataclass(frozen=True)
class Operations:
    """How often a transaction did what Amsterdam reprices; names as in `OperationPrices`. deployed: bytes of code of
    each new contract."""

    cold_accounts: int = 0
    code_reads: int = 0
    creates: int = 0
    set_slots: int = 0
    set_cold_slots: int = 0
    change_slots: int = 0
    change_cold_slots: int = 0
    keep_cold_slots: int = 0
    deployed: tuple[int, ...] = ()

    def price(self, prices: OperationPrices) -> int:
        """Add up the prices of all of them."""
        return (
            self.cold_accounts * prices.cold_account
            + self.code_reads * prices.code_read
            + self.creates * prices.create
            + self.set_slots * prices.set_slot
            + self.set_cold_slots * prices.set_cold_slot
            + self.change_slots * prices.change_slot
            + self.change_cold_slots * prices.change_cold_slot
            + self.keep_cold_slots * prices.keep_cold_slot
            + sum(prices.code_byte * size + prices.code_word * -(-size // 32) for size in self.deployed)
        )

    @property
    def growth(self) -> StateGrowth:
        """What they add to the state."""
        return StateGrowth(self.creates, self.set_slots + self.set_cold_slots, sum(self.deployed))


def compute_amsterdam(gas_used: int, payload: Payload, operations: Operations) -> int:
    """Compute what a call that used so much gas under Osaka pays under Amsterdam.

    Raises ValueError if it paid Osaka's floor, which hides what its execution cost.
    """
    if gas_used <= compute_floor_gas(payload, OSAKA_PRICES):
        raise ValueError(f"found {gas_used} gas, Osaka's floor, expected more: what the execution costs is unknown")
    was = compute_intrinsic_gas(payload, OSAKA_PRICES) + operations.price(OSAKA_PRICES.operations)
    will_be = compute_intrinsic_gas(payload, AMSTERDAM_PRICES) + operations.price(AMSTERDAM_PRICES.operations)
    state = compute_state_gas(operations.growth, AMSTERDAM_PRICES)
    return max(gas_used - was + will_be + state, compute_floor_gas(payload, AMSTERDAM_PRICES))


def count_operations(devnet: Devnet, transaction: Hash32) -> Operations:
    """Count a transaction's operations on anvil. Takes about a second for 40 ballots."""
    with Rpc(devnet.url, TRACE_SECONDS) as rpc:
        found = rpc.call("debug_traceTransaction", ["0x" + transaction.hex(), {"tracer": TRACER}])
    if found["unknown"]:
        raise ValueError(f"found {', '.join(found['unknown'])}, whose price under Amsterdam is not computed here")
    return Operations(**found["counts"], deployed=tuple(found["deployed"]))


def price_transaction(devnet: Devnet, hardfork: str, transaction: Hash32, operations: Operations | None = None) -> Gas:
    """Price a transaction that is in a block: a call without ether, access list or authorizations.

    operations: its own where they are known; otherwise they are counted.
    """
    receipt = devnet.rpc.receipt(transaction)
    assert receipt is not None
    if hardfork == AMSTERDAM:
        return Gas(receipt.gas_used, receipt.gas_used)
    sent = devnet.rpc.call("eth_getTransactionByHash", ["0x" + transaction.hex()])
    assert (int(sent["value"], 16), sent.get("accessList") or []) == (0, [])
    payload = Payload.of_call(bytes.fromhex(sent["input"][2:]))
    operations = operations or count_operations(devnet, transaction)
    return Gas(receipt.gas_used, compute_amsterdam(receipt.gas_used, payload, operations))


@cache
def knows_amsterdam() -> bool:
    """Whether this anvil runs Amsterdam's rules: it starts with them, and a bare call costs 15,000 gas (EIP-2780)."""
    try:
        with Devnet(hardfork=AMSTERDAM) as devnet:
            sender, other = ("0x" + devnet_account(number).address.hex() for number in (0, 1))
            (found,) = devnet.rpc.estimate_gas([{"from": sender, "to": other}])
    except ToolError:
        return False
    return found == compute_intrinsic_gas(Payload(), AMSTERDAM_PRICES)
