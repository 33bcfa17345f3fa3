"""Transactions: tried out first, signed, sent once, waited for.

    simulate + estimate ──▶ sign ──▶ send ──▶ (answer lost? look the hash up) ──▶ receipt ──▶ reverted? say why

A transaction that would revert is never sent, so it costs nothing and its error is the contract's own. One that
reverts all the same, since the chain moved on, is replayed to find out why.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from eth_account.signers.local import LocalAccount

from qballot.chain.accounts import address_of
from qballot.chain.answers import Receipt
from qballot.chain.rpc import Rpc
from qballot.core.types import Address, ChainId, Hash32
from qballot.errors import ChainError, EndpointError

TRANSACTION_GAS_CAP = 16_777_216
"""Most gas that one transaction may have. Source: EIP-7825."""

GAS_MARGIN_PERCENT = 20
"""Added to an estimate: the state may have changed a little when the transaction runs."""

RECEIPT_SECONDS = 180.0
"""How long to wait for a transaction to get into a block: 15 blocks of Ethereum."""

FIRST_POLL_SECONDS = 0.005
LONGEST_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A transaction to be made. data: calldata."""

    account: LocalAccount
    to: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class Fees:
    """What is offered per gas, in wei: at most `most` in all, of which `tip` goes to the proposer (EIP-1559)."""

    most: int
    tip: int


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to be sent. raw: its bytes. hash: by which it is found again."""

    outgoing: Outgoing
    raw: bytes
    hash: Hash32


def send(
    rpc: Rpc, account: LocalAccount, to: Address, data: bytes, timeout_seconds: float = RECEIPT_SECONDS
) -> Receipt:
    """Make one transaction and wait until it is in a block.

    data: calldata. timeout_seconds: for the waiting. Returns the receipt of a transaction that succeeded.
    Raises ContractReverted (nothing was sent, or it was replayed), ChainError, EndpointError.
    """
    return send_many(rpc, [Outgoing(account, to, data)], timeout_seconds)[0]


def send_many(rpc: Rpc, outgoing: Sequence[Outgoing], timeout_seconds: float = RECEIPT_SECONDS) -> list[Receipt]:
    """Make many transactions, of one account or many, without waiting for each; then wait for all.

    Each is tried out on the latest block alone, so none may need another of them. An account's have consecutive nonces
    in the order given. Returns their receipts in the same order; errors as of `send`, the first that occurs. Nothing is
    sent when one of them would revert now.
    """
    if not outgoing:
        return []
    chain_id, fees = rpc.chain_id(), fetch_fees(rpc)
    gas_limits = _estimate(rpc, outgoing)
    nonces = _fetch_nonces(rpc, outgoing)
    signed = []
    for item, gas in zip(outgoing, gas_limits, strict=True):
        sender = address_of(item.account)
        signed.append(sign_transaction(item, chain_id, nonces[sender], gas, fees))
        nonces[sender] += 1
    submit(rpc, signed)
    return wait_for_receipts(rpc, signed, timeout_seconds)


def fetch_fees(rpc: Rpc) -> Fees:
    """Ask what a transaction should offer now: the node's tip over twice the base fee, good for six full blocks."""
    tip = rpc.priority_fee()
    return Fees(most=2 * rpc.block("latest").base_fee_per_gas + tip, tip=tip)


def sign_transaction(outgoing: Outgoing, chain_id: ChainId, nonce: int, gas: int, fees: Fees) -> SignedTransaction:
    """Sign a transaction of type 2 (EIP-1559). gas: its limit."""
    signed = outgoing.account.sign_transaction(
        {
            "type": 2,
            "chainId": int(chain_id),
            "nonce": nonce,
            "to": outgoing.to,
            "data": outgoing.data,
            "value": 0,
            "gas": gas,
            "maxFeePerGas": fees.most,
            "maxPriorityFeePerGas": fees.tip,
        }
    )
    return SignedTransaction(outgoing, bytes(signed.raw_transaction), Hash32(bytes(signed.hash)))


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
            if not rpc.knows_transaction(item.hash):
                raise outcome
        elif outcome != item.hash:
            raise EndpointError(rpc.endpoint, f"found transaction 0x{outcome.hex()}, expected 0x{item.hash.hex()}")


def wait_for_receipts(rpc: Rpc, signed: Sequence[SignedTransaction], timeout_seconds: float) -> list[Receipt]:
    """Wait until every transaction is in a block and return the receipts, in order.

    Raises ChainError, retryable, when one is in no block in time; ContractReverted when one reverted.
    """
    deadline = time.monotonic() + timeout_seconds
    pause = FIRST_POLL_SECONDS
    found: dict[Hash32, Receipt] = {}
    while missing := [item.hash for item in signed if item.hash not in found]:
        for key, receipt in zip(missing, rpc.receipts(missing), strict=True):
            if receipt is not None:
                found[key] = receipt
        if len(found) < len(signed):
            if time.monotonic() + pause > deadline:
                raise ChainError(
                    f"transaction 0x{missing[0].hex()} is in no block after {timeout_seconds:g} s", retryable=True
                )
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_POLL_SECONDS)
    for item in signed:
        if not found[item.hash].succeeded:
            raise _explain(rpc, item, found[item.hash])
    return [found[item.hash] for item in signed]


def _estimate(rpc: Rpc, outgoing: Sequence[Outgoing]) -> list[int]:
    """Return a gas limit for each, once it is clear that none would revert."""
    estimates = rpc.estimate_gas([_describe(item) for item in outgoing])
    if max(estimates) > TRANSACTION_GAS_CAP:
        raise ChainError(f"found a transaction that needs {max(estimates)} gas, expected at most {TRANSACTION_GAS_CAP}")
    return [min(estimate * (100 + GAS_MARGIN_PERCENT) // 100, TRANSACTION_GAS_CAP) for estimate in estimates]


def _fetch_nonces(rpc: Rpc, outgoing: Sequence[Outgoing]) -> dict[Address, int]:
    senders = list(dict.fromkeys(address_of(item.account) for item in outgoing))
    return dict(zip(senders, rpc.next_nonces(senders), strict=True))


def _describe(item: Outgoing) -> dict[str, str]:
    return {
        "from": item.account.address,
        "to": "0x" + item.to.hex(),
        "data": "0x" + item.data.hex(),
    }


def _explain(rpc: Rpc, item: SignedTransaction, receipt: Receipt) -> ChainError:
    """Replay a transaction that reverted, after its block, to learn why."""
    try:
        rpc.call("eth_call", [_describe(item.outgoing), hex(receipt.block_number)])
    except ChainError as error:
        return error
    return ChainError(
        f"transaction 0x{item.hash.hex()} reverted in block {receipt.block_number} "
        f"after {receipt.gas_used} gas, and does not when it is replayed"
    )
