"""Transactions: a value first, tried out and priced, then signed, sent once, waited for.

    Call + sender ──quote──▶ Quote ──sign──▶ SignedTransaction ──send──▶ (answer lost? look the hash up) ──▶ receipt
         simulate + estimate, nothing spent                                                 reverted? say why

A transaction that would revert is never sent, so it costs nothing and its error is the contract's own. One that
reverts all the same, since the chain moved on, is replayed to find out why.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from qballot.chain.accounts import Signer
from qballot.chain.amounts import format_ether
from qballot.chain.answers import Receipt
from qballot.chain.rpc import Rpc
from qballot.chain.terms import LATEST_TERMS, Terms, fetch_terms
from qballot.core.address import checksum_address
from qballot.core.forks import FORKS
from qballot.core.keccak import keccak
from qballot.core.prices import NO_GROWTH, StateGrowth, compute_capped_gas
from qballot.core.types import Address, ChainId, Hash32
from qballot.errors import AlreadyKnownError, ChainError, EndpointError, InputError, InsufficientFundsError

GAS_MARGIN_PERCENT = 20
"""Added to an estimate: the state may have changed a little when the transaction runs."""

RECEIPT_SECONDS = 180.0
"""How long to wait for a transaction to get into a block: 15 blocks of Ethereum."""

ALWAYS_ALLOWED_GAS = min(cap for fork in FORKS if (cap := fork.prices.transaction_gas_cap) is not None)
"""Every fork allows a gas limit up to this one, so that the fork in force does not matter."""

DO_LESS = "do less in one transaction"

FIRST_POLL_SECONDS = 0.005
LONGEST_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a contract by a transaction.

    data: calldata. value: wei that go with it. growth: what it adds to the chain's state if it succeeds, None if
    unknown. remedy: what a person can do when it needs more gas than a transaction may use.
    """

    to: Address
    data: bytes
    value: int = 0
    growth: StateGrowth | None = None
    remedy: str = DO_LESS


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A call and the account that is to make it."""

    signer: Signer
    call: Call


@dataclass(frozen=True, slots=True)
class Fees:
    """What is offered per gas, in wei: at most `most` in all, of which `tip` goes to the proposer (EIP-1559).

    base_fee: what the latest block burned per gas.
    """

    most: int
    tip: int
    base_fee: int = 0


@dataclass(frozen=True, slots=True)
class Quote:
    """A transaction before it is signed: what it does, and what it may cost. It was tried out and did not revert.

    gas: estimated. gas_limit: estimate and margin. balance: the sender's, in wei.
    """

    chain_id: ChainId
    sender: Address
    call: Call
    gas: int
    gas_limit: int
    fees: Fees
    balance: int

    @property
    def likely_wei(self) -> int:
        """What it costs if it gets into the next block."""
        return self.gas * min(self.fees.most, self.fees.base_fee + self.fees.tip) + self.call.value

    @property
    def worst_wei(self) -> int:
        """The most it can cost; a node takes the transaction only if the sender has as much."""
        return self.gas_limit * self.fees.most + self.call.value

    def to_unsigned_json(self) -> dict[str, Any]:
        """Return the transaction for another signer, as of `eth_sendTransaction`: names are Ethereum's."""
        return {
            "chainId": int(self.chain_id),
            "from": checksum_address(self.sender),
            "to": checksum_address(self.call.to),
            "value": str(self.call.value),
            "data": "0x" + self.call.data.hex(),
            "gas": self.gas_limit,
        }


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to be sent. raw: its bytes. hash: by which it is found again."""

    sender: Address
    call: Call
    nonce: int
    raw: bytes
    hash: Hash32


Recorder = Callable[[Sequence[SignedTransaction]], None]
"""Told of transactions when they are signed and not sent yet, so that whatever happens they can be found again."""


def send(rpc: Rpc, signer: Signer, call: Call, timeout_seconds: float = RECEIPT_SECONDS) -> Receipt:
    """Make one transaction and wait until it is in a block.

    timeout_seconds: for the waiting. Returns the receipt of a transaction that succeeded.
    Raises ContractReverted (nothing was sent, or it was replayed), TransactionRefused, ChainError, EndpointError.
    """
    return send_many(rpc, [Outgoing(signer, call)], timeout_seconds)[0]


def send_many(rpc: Rpc, outgoing: Sequence[Outgoing], timeout_seconds: float = RECEIPT_SECONDS) -> list[Receipt]:
    """Make many transactions, of one account or many, without waiting for each; then wait for all.

    Each is tried out on the latest block alone, so none may need another of them. An account's have consecutive nonces
    in the order given. Returns their receipts in the same order; errors as of `send`, the first that occurs. Nothing is
    sent when one of them would revert now, or when an account cannot pay for all of its own.
    """
    quotes = quote_many(rpc, [(item.signer.address, item.call) for item in outgoing])
    return send_quoted(rpc, [item.signer for item in outgoing], quotes, timeout_seconds=timeout_seconds)


def quote(rpc: Rpc, sender: Address, call: Call) -> Quote:
    """Try a transaction out and price it; nothing is spent. Errors as of `quote_many`."""
    return quote_many(rpc, [(sender, call)])[0]


def quote_many(rpc: Rpc, calls: Sequence[tuple[Address, Call]], *, check_funds: bool = True) -> list[Quote]:
    """Try transactions out, each on the latest block alone, and price them; nothing is spent.

    check_funds: whether every sender must have what all of its own may cost.
    Raises ContractReverted when one would revert, InsufficientFundsError, ChainError, also when one needs more gas than
    the fork in force allows.
    """
    if not calls:
        return []
    chain_id, fees = rpc.chain_id(), fetch_fees(rpc)
    estimates = rpc.estimate_gas([_describe(sender, call) for sender, call in calls])
    limits = _choose_gas_limits(rpc, [call for _, call in calls], estimates)
    senders = list(dict.fromkeys(sender for sender, _ in calls))
    balances = dict(zip(senders, rpc.balances(senders), strict=True))
    quotes = [
        Quote(
            chain_id=chain_id,
            sender=sender,
            call=call,
            gas=gas,
            gas_limit=limit,
            fees=fees,
            balance=balances[sender],
        )
        for (sender, call), gas, limit in zip(calls, estimates, limits, strict=True)
    ]
    if check_funds:
        validate_funds(rpc.endpoint, quotes)
    return quotes


def choose_gas_limit(call: Call, gas: int, terms: Terms) -> int:
    """Choose the gas limit of a call: the estimate and a margin, as far as the chain allows.

    gas: estimated, state gas included. Since Amsterdam the cap of a transaction does not cover state gas (EIP-8037).
    An estimate is one number, so only a call whose `growth` is known is compared with the cap; the node decides about
    others. Raises ChainError if the call needs more than the chain allows.
    """
    fork, prices = terms.fork, terms.fork.prices
    most_in_all = min(prices.total_gas_cap, terms.block_gas_limit or prices.total_gas_cap)
    if gas > most_in_all:
        raise ChainError(
            f"found a transaction that needs {gas} gas, expected at most {most_in_all} on this chain: {call.remedy}"
        )
    cap = prices.transaction_gas_cap
    wanted = min(gas * (100 + GAS_MARGIN_PERCENT) // 100, most_in_all)
    if cap is None or (not prices.is_state_in_cap and call.growth is None):
        return wanted
    capped = compute_capped_gas(gas, call.growth or NO_GROWTH, prices)
    if capped > cap:
        kind = "gas" if prices.is_state_in_cap else "gas without what it pays for new state"
        raise ChainError(
            f"found a transaction that needs {capped} {kind}, expected at most {cap} under the rules of {fork.name}: "
            f"{call.remedy}"
        )
    return min(wanted, cap) if prices.is_state_in_cap else wanted


def validate_funds(endpoint: str, quotes: Sequence[Quote]) -> None:
    """Raise InsufficientFundsError when a sender has less than all of its transactions may cost."""
    needed: defaultdict[Address, int] = defaultdict(int)
    for item in quotes:
        needed[item.sender] += item.worst_wei
    for item in quotes:
        if item.balance < needed[item.sender]:
            raise InsufficientFundsError(
                endpoint,
                f"{checksum_address(item.sender)} has {format_ether(item.balance)}, and up to "
                f"{format_ether(needed[item.sender])} are needed (gas limit × highest price)",
                balance=item.balance,
                needed=needed[item.sender],
            )


def send_quoted(
    rpc: Rpc,
    signers: Sequence[Signer],
    quotes: Sequence[Quote],
    *,
    record: Recorder | None = None,
    timeout_seconds: float = RECEIPT_SECONDS,
) -> list[Receipt]:
    """Sign, send and wait for transactions as they were quoted, gas and price included.

    signers: the account of each. record: see `Recorder`. Errors as of `send`; InputError when a signer is not the
    account that the quote is for.
    """
    if not quotes:
        return []
    for signer, item in zip(signers, quotes, strict=True):
        if signer.address != item.sender:
            raise InputError(
                f"found the account {checksum_address(signer.address)}, expected {checksum_address(item.sender)}"
            )
    nonces = _fetch_nonces(rpc, [item.sender for item in quotes])
    signed = []
    for signer, item in zip(signers, quotes, strict=True):
        nonce = nonces[item.sender]
        signed.append(
            sign_transaction(signer, item.call, item.chain_id, nonce=nonce, gas=item.gas_limit, fees=item.fees)
        )
        nonces[item.sender] += 1
    if record is not None:
        record(signed)
    submit(rpc, signed)
    return wait_for_receipts(rpc, signed, timeout_seconds)


def fetch_fees(rpc: Rpc) -> Fees:
    """Ask what a transaction should offer now: the node's tip over twice the base fee, good for six full blocks."""
    tip, base_fee = rpc.priority_fee(), rpc.block("latest").base_fee_per_gas
    return Fees(most=2 * base_fee + tip, tip=tip, base_fee=base_fee)


def sign_transaction(
    signer: Signer, call: Call, chain_id: ChainId, *, nonce: int, gas: int, fees: Fees
) -> SignedTransaction:
    """Sign a transaction of type 2 (EIP-1559). gas: its limit."""
    raw = signer.sign_transaction(
        {
            "type": 2,
            "chainId": int(chain_id),
            "nonce": nonce,
            "to": call.to,
            "data": call.data,
            "value": call.value,
            "gas": gas,
            "maxFeePerGas": fees.most,
            "maxPriorityFeePerGas": fees.tip,
        }
    )
    return SignedTransaction(signer.address, call, nonce, raw, keccak(raw))


def submit(rpc: Rpc, signed: Sequence[SignedTransaction]) -> None:
    """Hand transactions to the node, each once.

    When the answer is lost, or says no, each transaction is looked up by its hash: one that the node has was sent.
    Raises ChainError for the first that it does not have.
    """
    try:
        outcomes: list[Hash32 | ChainError] = rpc.send_raw([item.raw for item in signed])
    except EndpointError as error:
        outcomes = [error for _ in signed]
    for item, outcome in zip(signed, outcomes, strict=True):
        if isinstance(outcome, ChainError):
            if not isinstance(outcome, AlreadyKnownError) and not rpc.knows_transaction(item.hash):
                raise outcome
        elif outcome != item.hash:
            raise EndpointError(rpc.endpoint, f"found transaction 0x{outcome.hex()}, expected 0x{item.hash.hex()}")


def wait_for_receipts(rpc: Rpc, signed: Sequence[SignedTransaction], timeout_seconds: float) -> list[Receipt]:
    """Wait until every transaction is in a block and return the receipts, in order.

    Raises ChainError, retryable, when one is in no block in time; ContractReverted when one reverted.
    """
    receipts = poll_receipts(rpc, [item.hash for item in signed], timeout_seconds)
    for item, receipt in zip(signed, receipts, strict=True):
        if not receipt.succeeded:
            raise _explain(rpc, item, receipt)
    return receipts


def poll_receipts(rpc: Rpc, hashes: Sequence[Hash32], timeout_seconds: float) -> list[Receipt]:
    """Wait until transactions are in blocks, whether they succeed there or not, and return the receipts, in order.

    Raises ChainError, retryable, when one is in no block in time.
    """
    deadline = time.monotonic() + timeout_seconds
    pause = FIRST_POLL_SECONDS
    found: dict[Hash32, Receipt] = {}
    while missing := [key for key in hashes if key not in found]:
        for key, receipt in zip(missing, rpc.receipts(missing), strict=True):
            if receipt is not None:
                found[key] = receipt
        if any(key not in found for key in hashes):
            if time.monotonic() + pause > deadline:
                raise ChainError(
                    f"transaction 0x{missing[0].hex()} is in no block after {timeout_seconds:g} s: it was sent and may "
                    "still get into one, so look it up by its hash before you do the same again",
                    retryable=True,
                )
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_POLL_SECONDS)
    return [found[key] for key in hashes]


def _fetch_nonces(rpc: Rpc, senders: Sequence[Address]) -> dict[Address, int]:
    unique = list(dict.fromkeys(senders))
    return dict(zip(unique, rpc.next_nonces(unique), strict=True))


def _choose_gas_limits(rpc: Rpc, calls: Sequence[Call], estimates: Sequence[int]) -> list[int]:
    """Choose gas limits. The chain is asked for its rules only where some fork would not allow a limit."""
    most = max(estimates) * (100 + GAS_MARGIN_PERCENT) // 100
    terms = LATEST_TERMS if most <= ALWAYS_ALLOWED_GAS else fetch_terms(rpc)
    return [choose_gas_limit(call, gas, terms) for call, gas in zip(calls, estimates, strict=True)]


def _describe(sender: Address, call: Call) -> dict[str, str]:
    described = {"from": "0x" + sender.hex(), "to": "0x" + call.to.hex(), "data": "0x" + call.data.hex()}
    return described | ({"value": hex(call.value)} if call.value else {})


def _explain(rpc: Rpc, item: SignedTransaction, receipt: Receipt) -> ChainError:
    """Replay a transaction that reverted, after its block, to learn why."""
    try:
        rpc.call("eth_call", [_describe(item.sender, item.call), hex(receipt.block_number)])
    except ChainError as error:
        return error
    return ChainError(
        f"transaction 0x{item.hash.hex()} reverted in block {receipt.block_number} "
        f"after {receipt.gas_used} gas, and does not when it is replayed"
    )
