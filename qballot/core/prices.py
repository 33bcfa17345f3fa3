"""What a fork of Ethereum charges and allows: one `Prices` for each fork, and the sums that follow from it.

A transaction pays for two kinds of work:

    execution   intrinsic gas (the transaction itself and its calldata), then every operation that runs
    state       since Amsterdam: 1,530 gas for every byte that it adds to the state for good (EIP-8037)

    pays = max(execution + state - refund, floor)

The floor is what its calldata costs at least (EIP-7623; EIP-7976 since Amsterdam). The cap of 2**24 gas a transaction
(EIP-7825) covers execution alone since Amsterdam, so a transaction may need more in all. `qballot.core.forks` has the
row of each fork.

Amsterdam's numbers are those of the EIPs of 22 August 2026, on which go-ethereum and revm agree and which Sepolia has
run since 6 October 2026. Mainnet has no date and could still change them.

Source: EIP-2028, EIP-2929, EIP-2930, EIP-3529, EIP-3860, EIP-7623, EIP-7702, EIP-7825; for Amsterdam EIP-2780,
EIP-7976, EIP-7981, EIP-8037, EIP-8038.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

TRANSACTION_GAS_CAP: Final = 2**24
"""Most gas of one transaction since Osaka: 16,777,216. Source: EIP-7825."""

ADDRESS_BYTES: Final = 20
KEY_BYTES: Final = 32
"""Length of a storage key in an access list."""

WORD_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class OperationPrices:
    """What operations cost that some fork reprices, in gas; each is the whole price unless it says otherwise.

    cold_account: first touch of an account, instead of 100. code_read: added by EXTCODESIZE and EXTCODECOPY.
    create: CREATE and CREATE2 without their init code. code_byte: each byte of a new contract's code, state gas apart.
    code_word: each word of 32 bytes of it.
    set_slot: SSTORE that makes a zero slot non-zero, state gas apart. change_slot: SSTORE that first changes a slot
    that is not zero. Both are for a slot that was read before; the cold ones for one that was not.
    keep_cold_slot: SSTORE of the value that an untouched slot has.
    """

    cold_account: int = 2_600
    code_read: int = 0
    create: int = 32_000
    code_byte: int = 200
    code_word: int = 0
    set_slot: int = 20_000
    set_cold_slot: int = 22_100
    change_slot: int = 2_900
    change_cold_slot: int = 5_000
    keep_cold_slot: int = 2_200


@dataclass(frozen=True, slots=True)
class Prices:
    """What a fork charges and allows; the defaults are London's. Gas unless the name says bytes.

    Intrinsic gas
    sender_gas: of every transaction. recipient_gas: added when it goes to another account. value_gas: added when it
    brings that account ether. creation_gas: added, instead of these two, when it creates a contract.
    init_code_word_gas: for 32 bytes of init code, where a transaction creates a contract.
    zero_byte_gas, other_byte_gas: a byte of calldata. list_address_gas, list_key_gas: an entry of an access list.
    authorization_gas: one of EIP-7702; None before it existed.

    Floor
    zero_byte_floor_gas, other_byte_floor_gas: a byte of calldata, at least. list_byte_floor_gas: a byte of an access
    list. has_creation_in_floor: whether creation_gas counts towards the floor.

    State: state_byte_gas: a byte added to the state. account_bytes, slot_bytes, authorization_bytes: what a new
    account, a new non-zero slot and a new delegation add.

    Limits: transaction_gas_cap: most gas of a transaction, None without a limit. is_state_in_cap: whether that covers
    state gas too. total_gas_cap: most that a transaction's gas limit may say, state gas included.
    pool_transaction_bytes: longest encoded transaction that nodes' pools take (go-ethereum `txMaxSize`; no EIP says).
    """

    sender_gas: int = 21_000
    recipient_gas: int = 0
    value_gas: int = 0
    creation_gas: int = 32_000
    init_code_word_gas: int = 0
    zero_byte_gas: int = 4
    other_byte_gas: int = 16
    list_address_gas: int = 2_400
    list_key_gas: int = 1_900
    authorization_gas: int | None = None

    zero_byte_floor_gas: int = 0
    other_byte_floor_gas: int = 0
    list_byte_floor_gas: int = 0
    has_creation_in_floor: bool = False

    state_byte_gas: int = 0
    account_bytes: int = 120
    slot_bytes: int = 64
    authorization_bytes: int = 23

    transaction_gas_cap: int | None = None
    is_state_in_cap: bool = True
    total_gas_cap: int = 2**64 - 1
    pool_transaction_bytes: int = 131_072

    operations: OperationPrices = OperationPrices()


LONDON_PRICES: Final = Prices()
SHANGHAI_PRICES: Final = replace(LONDON_PRICES, init_code_word_gas=2)
"""Source: EIP-3860."""
PRAGUE_PRICES: Final = replace(
    SHANGHAI_PRICES, zero_byte_floor_gas=10, other_byte_floor_gas=40, authorization_gas=25_000
)
"""Source: EIP-7623, EIP-7702."""
OSAKA_PRICES: Final = replace(PRAGUE_PRICES, transaction_gas_cap=TRANSACTION_GAS_CAP)
"""Source: EIP-7825."""
AMSTERDAM_PRICES: Final = replace(
    OSAKA_PRICES,
    sender_gas=12_000,
    recipient_gas=3_000,
    value_gas=6_000,
    creation_gas=12_000,
    list_address_gas=2_900 + 64 * ADDRESS_BYTES,
    list_key_gas=2_000 + 64 * KEY_BYTES,
    authorization_gas=7_816,
    zero_byte_floor_gas=64,
    other_byte_floor_gas=64,
    list_byte_floor_gas=64,
    has_creation_in_floor=True,
    state_byte_gas=1_530,
    is_state_in_cap=False,
    total_gas_cap=2**32 - 1,
    operations=OperationPrices(
        cold_account=3_000,
        code_read=100,
        create=12_000,
        code_byte=0,
        code_word=6,
        set_slot=10_100,
        set_cold_slot=12_100,
        change_slot=10_100,
        change_cold_slot=12_100,
        keep_cold_slot=2_100,
    ),
)
"""Source: EIP-2780 (sender, recipient, value), EIP-7976 and EIP-7981 (floor), EIP-8037 (state, caps), EIP-8038
(operations, access lists)."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What of a transaction its intrinsic gas depends on.

    zero_bytes, other_bytes: of calldata, or of init code where it creates a contract. list_addresses, list_keys: in
    its access list. authorizations: their number. is_creation: it creates a contract and has no recipient.
    is_to_self: sender and recipient are one account.
    """

    zero_bytes: int = 0
    other_bytes: int = 0
    has_value: bool = False
    is_creation: bool = False
    is_to_self: bool = False
    list_addresses: int = 0
    list_keys: int = 0
    authorizations: int = 0

    @classmethod
    def of_call(cls, data: bytes) -> Payload:
        """Describe a call of another account's contract, without ether, access list or authorizations."""
        zeros = data.count(0)
        return cls(zero_bytes=zeros, other_bytes=len(data) - zeros)


@dataclass(frozen=True, slots=True)
class StateGrowth:
    """What a transaction adds to the chain's state. accounts: new ones. slots: that were zero. code_bytes: deployed."""

    accounts: int = 0
    slots: int = 0
    code_bytes: int = 0


NO_GROWTH: Final = StateGrowth()


def compute_intrinsic_gas(payload: Payload, prices: Prices) -> int:
    """Compute what a transaction costs before anything runs, in gas.

    A delegation that an authorization newly writes costs state gas besides. Raises ValueError for authorizations under
    a fork without them. Source: EIP-2028, EIP-2930, EIP-3860; EIP-2780 since Amsterdam.
    """
    if payload.authorizations and prices.authorization_gas is None:
        raise ValueError("found authorizations, expected none: this fork has no EIP-7702")
    size = payload.zero_bytes + payload.other_bytes
    words = -(-size // WORD_BYTES) if payload.is_creation else 0
    return (
        _base_gas(payload, prices)
        + prices.zero_byte_gas * payload.zero_bytes
        + prices.other_byte_gas * payload.other_bytes
        + prices.init_code_word_gas * words
        + prices.list_address_gas * payload.list_addresses
        + prices.list_key_gas * payload.list_keys
        + (prices.authorization_gas or 0) * payload.authorizations
    )


def compute_floor_gas(payload: Payload, prices: Prices) -> int:
    """Compute the least that a transaction pays for its bytes, however little it does; in gas.

    Source: EIP-7623; EIP-7976, EIP-7981 and EIP-2780 since Amsterdam.
    """
    base = _base_gas(payload, prices)
    if payload.is_creation and not prices.has_creation_in_floor:
        base -= prices.creation_gas
    list_bytes = ADDRESS_BYTES * payload.list_addresses + KEY_BYTES * payload.list_keys
    return (
        base
        + prices.zero_byte_floor_gas * payload.zero_bytes
        + prices.other_byte_floor_gas * payload.other_bytes
        + prices.list_byte_floor_gas * list_bytes
    )


def compute_state_gas(growth: StateGrowth, prices: Prices) -> int:
    """Compute what a transaction pays for state that it adds; 0 before Amsterdam, where operations contain it.

    Source: EIP-8037.
    """
    size = prices.account_bytes * growth.accounts + prices.slot_bytes * growth.slots + growth.code_bytes
    return prices.state_byte_gas * size


def compute_capped_gas(gas: int, growth: StateGrowth, prices: Prices) -> int:
    """Compute how much of a transaction's gas its cap covers: all of it, or since Amsterdam all but state gas.

    gas: that it needs in all. Source: EIP-7825, EIP-8037.
    """
    return gas if prices.is_state_in_cap else gas - compute_state_gas(growth, prices)


def _base_gas(payload: Payload, prices: Prices) -> int:
    if payload.is_creation:
        return prices.sender_gas + prices.creation_gas
    if payload.is_to_self:
        return prices.sender_gas
    return prices.sender_gas + prices.recipient_gas + (prices.value_gas if payload.has_value else 0)
