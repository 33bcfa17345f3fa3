"""Cancelling an election before it opens, which its organizer alone may do; afterwards nobody can."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from qballot.chain.accounts import Signer
from qballot.chain.answers import Receipt
from qballot.chain.contracts import BallotBoxContract, encode_cancel
from qballot.chain.deployments import DeploymentRecord, Deployments, SentTransaction, Status, add_receipt
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import Call, Quote
from qballot.core.address import checksum_address
from qballot.core.prices import NO_GROWTH
from qballot.core.provenance import BoxArguments
from qballot.core.records import CANCELLED_HEAD
from qballot.core.types import Address
from qballot.deploy.sending import send_written_down, wait_for_sent
from qballot.errors import ElectionError, InputError, ProofError


@dataclass(frozen=True, slots=True)
class CancelPlan:
    """An election that is to be cancelled. call: None when it is cancelled already."""

    box: Address
    arguments: BoxArguments
    call: Call | None


def plan_cancel(rpc: Rpc, box: Address, sender: Address) -> CancelPlan:
    """Check that an account can cancel an election now. Nothing is spent.

    Raises InputError when the account is not the organizer, ElectionError when the election has opened, ChainError
    when no box stands at the address.
    """
    contract = BallotBoxContract(rpc, box)
    arguments = contract.fetch_arguments("latest")
    if contract.head("latest") == CANCELLED_HEAD:
        return CancelPlan(box, arguments, None)
    if sender != arguments.organizer:
        raise InputError(
            f"found the account {checksum_address(sender)}, expected the organizer "
            f"{checksum_address(arguments.organizer)}, who alone can cancel the election: choose it with --account"
        )
    now = rpc.block("latest").timestamp
    if now >= arguments.opens_at:
        raise ElectionError(
            f"the election opened at {arguments.opens_at}, and the chain's time is {now}: from the opening on nobody "
            "can cancel it, its organizer neither; let it run, and announce another one"
        )
    return CancelPlan(box, arguments, Call(box, encode_cancel(), growth=NO_GROWTH))


def resume_cancel(rpc: Rpc, plan: CancelPlan, records: Deployments) -> bool:
    """Say whether the election is cancelled, after waiting for what an earlier run sent; that is written down.

    Raises ChainError when the earlier transaction gets into no block in time.
    """
    record = records.find(plan.box)
    sent = record.cancellation if record else None
    receipt = wait_for_sent(rpc, sent)
    if plan.call is not None and receipt is None:
        return False
    if record is None or record.status != "cancelled":
        _put(records, plan, "cancelled", sent if receipt is None else add_receipt(sent, receipt))
    return True


def cancel_planned(
    rpc: Rpc, signer: Signer, plan: CancelPlan, quoted: Quote, records: Deployments | None = None
) -> Receipt:
    """Cancel an election as planned and quoted, and check that it is.

    Raises ContractReverted, ChainError, and ProofError when the box does not say that it is cancelled.
    """

    def write_down(transaction: SentTransaction) -> None:
        sent.append(transaction)
        if records is not None:
            _put(records, plan, "cancelling", transaction)

    sent: list[SentTransaction] = []
    receipt = send_written_down(rpc, signer, quoted, write_down)
    if BallotBoxContract(rpc, plan.box).head(receipt.block_number) != CANCELLED_HEAD:
        raise ProofError(f"the box {checksum_address(plan.box)} does not say that it is cancelled")
    if records is not None:
        _put(records, plan, "cancelled", add_receipt(sent[0], receipt))
    return receipt


def _put(records: Deployments, plan: CancelPlan, status: Status, transaction: SentTransaction | None) -> None:
    record = records.find(plan.box) or DeploymentRecord(kind="election", status="cancelled")
    records.put(plan.box, msgspec.structs.replace(record, status=status, cancellation=transaction))
