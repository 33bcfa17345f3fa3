"""The factory of this version, at the address that follows from its own code; once a chain is enough for everyone."""

from __future__ import annotations

from dataclasses import dataclass

from qballot.chain.accounts import Signer
from qballot.chain.answers import Receipt
from qballot.chain.artifacts import BALLOT_BOX, BALLOT_BOX_FACTORY, default_factory, load_artifact
from qballot.chain.deployments import DeploymentRecord, Deployments, SentTransaction, add_receipt
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import Call, Quote, quote
from qballot.core.address import checksum_address
from qballot.core.prices import StateGrowth
from qballot.core.provenance import DETERMINISTIC_DEPLOYER, FACTORY_SALT, compute_implementation_address
from qballot.core.types import Address
from qballot.deploy.sending import send_written_down, wait_for_sent
from qballot.errors import ChainError, ProofError, ToolError

DEPLOYER_SOURCE = "https://github.com/Arachnid/deterministic-deployment-proxy"

PUSH32 = b"\x7f"
"""EVM instruction that an immutable's value follows in a contract's code."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """The factory on a chain. receipt: of the transaction that put it there; None when it stood there before."""

    factory: Address
    implementation: Address
    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class FactoryPlan:
    """What is to be done for the factory to stand at its address. call: None when it does."""

    factory: Address
    implementation: Address
    call: Call | None


def plan_factory(rpc: Rpc) -> FactoryPlan:
    """Find out what is to be done for the factory, and where it will stand. Nothing is spent.

    Raises ToolError when the chain lacks the deterministic deployer, ProofError when other code than ours is there.
    """
    factory = default_factory()
    if rpc.code(factory):
        return FactoryPlan(factory, check_factory(rpc, factory), None)
    if not rpc.code(DETERMINISTIC_DEPLOYER):
        raise ToolError(
            f"chain {rpc.chain_id()} lacks the deterministic deployer {checksum_address(DETERMINISTIC_DEPLOYER)}, "
            f"which gives the factory its address: put it there first, see {DEPLOYER_SOURCE}"
        )
    code_bytes = sum(len(load_artifact(name).runtime_bytecode) for name in (BALLOT_BOX_FACTORY, BALLOT_BOX))
    call = Call(
        DETERMINISTIC_DEPLOYER,
        FACTORY_SALT + load_artifact(BALLOT_BOX_FACTORY).bytecode,
        growth=StateGrowth(accounts=2, code_bytes=code_bytes),
    )
    return FactoryPlan(factory, compute_implementation_address(factory), call)


def resume_factory(rpc: Rpc, plan: FactoryPlan, records: Deployments) -> Deployment | None:
    """Return the factory if it stands, or if an earlier run sent it, after waiting for that; None if it is to be sent.

    What was found is written down. Raises ChainError when the earlier transaction gets into no block in time.
    """
    record = records.find(plan.factory)
    if plan.call is None and record is not None and record.status == "done":
        return Deployment(plan.factory, plan.implementation, None)
    receipt = wait_for_sent(rpc, record.transaction if record else None)
    if plan.call is not None and receipt is None:
        return None
    check_factory(rpc, plan.factory)
    _write_down(records, plan, record.transaction if record else None, receipt)
    return Deployment(plan.factory, plan.implementation, receipt)


def deploy_planned(
    rpc: Rpc, signer: Signer, plan: FactoryPlan, quoted: Quote, records: Deployments | None = None
) -> Deployment:
    """Put the factory on the chain as planned and quoted, and check what stands there then.

    Raises ChainError, and ProofError when other code than ours stands there afterwards.
    """

    def write_down(sent: SentTransaction) -> None:
        if records is not None:
            records.put(plan.factory, DeploymentRecord(kind="factory", status="sent", transaction=sent))

    receipt = send_written_down(rpc, signer, quoted, write_down)
    implementation = check_factory(rpc, plan.factory)
    if records is not None:
        record = records.find(plan.factory)
        _write_down(records, plan, record.transaction if record else None, receipt)
    return Deployment(plan.factory, implementation, receipt)


def deploy_factory(rpc: Rpc, account: Signer, records: Deployments | None = None) -> Deployment:
    """Put this version's factory, and with it the implementation, on the chain; nothing when they are there.

    account: pays. records: where it is written down, if it is to be. Raises ToolError when the chain lacks the
    deterministic deployer, ChainError, and ProofError when other code than ours stands there afterwards.
    """
    plan = plan_factory(rpc)
    found = resume_factory(rpc, plan, records) if records is not None else None
    if found is not None:
        return found
    if plan.call is None:
        return Deployment(plan.factory, plan.implementation, None)
    return deploy_planned(rpc, account, plan, quote(rpc, account.address, plan.call), records)


def check_factory(rpc: Rpc, factory: Address) -> Address:
    """Compare the code of a factory and of its implementation with this version's; return the implementation.

    Raises ChainError when there is no code, ProofError when it is other code.
    """
    implementation = compute_implementation_address(factory)
    found = rpc.code(factory)
    if not found:
        raise ChainError(f"no factory stands at {checksum_address(factory)}: run `qballot deploy factory` first")
    if found != expected_factory_code(factory):
        raise ProofError(f"the code at {checksum_address(factory)} is not that of this version's factory")
    if rpc.code(implementation) != load_artifact(BALLOT_BOX).runtime_bytecode:
        raise ProofError(f"the code at {checksum_address(implementation)} is not that of this version's ballot box")
    return implementation


def expected_factory_code(factory: Address) -> bytes:
    """Return the code that a factory of this version has at an address."""
    # The compiler leaves zeros where the constructor then writes the factory's only immutable.
    compiled = load_artifact(BALLOT_BOX_FACTORY).runtime_bytecode
    return compiled.replace(PUSH32 + bytes(32), PUSH32 + bytes(12) + compute_implementation_address(factory))


def _write_down(records: Deployments, plan: FactoryPlan, sent: SentTransaction | None, receipt: Receipt | None) -> None:
    transaction = sent if receipt is None else add_receipt(sent, receipt)
    records.put(plan.factory, DeploymentRecord(kind="factory", status="done", transaction=transaction))
