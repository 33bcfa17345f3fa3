"""A box for an election: planned, created once however often it is tried, compared with what was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from qballot.chain.accounts import Signer
from qballot.chain.answers import Receipt
from qballot.chain.artifacts import default_factory
from qballot.chain.contracts import BALLOT_BOX_CREATED, decode_ballot_box_created, encode_create
from qballot.chain.creation import scan_logs
from qballot.chain.deployments import DeploymentRecord, Deployments, ElectionFacts, SentTransaction, Status, add_receipt
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import Call, Quote, quote
from qballot.core.address import checksum_address
from qballot.core.census import Census
from qballot.core.definition import definition_hash, parse_definition
from qballot.core.prices import StateGrowth
from qballot.core.provenance import BoxArguments, box_address, clone_runtime_code
from qballot.core.records import DIRECT_BIT
from qballot.core.types import Address, BlockNumber, Hash32, UnixSeconds
from qballot.deploy.factory import check_factory
from qballot.deploy.sending import send_written_down, wait_for_sent
from qballot.errors import InputError, ProofError

DEFAULT_SALT = Hash32(bytes(32))
"""With one salt for all, the same election asked for twice is one election: its address follows from what it is."""

LARGER_SHEETS = "build the census again with larger sheets (--sheet-size): they are fewer, and each costs gas"


@dataclass(frozen=True, slots=True)
class ElectionDeployment:
    """A new election. box: its address. arguments: what the box holds as its code. receipt: of the creation."""

    box: Address
    factory: Address
    arguments: BoxArguments
    salt: Hash32
    receipt: Receipt

    @property
    def block_number(self) -> BlockNumber:
        """The block in which the box was created."""
        return self.receipt.block_number


@dataclass(frozen=True, slots=True)
class ElectionPlan:
    """An election that was checked and has its address. exists: whether it stands there already.

    definition: canonical bytes. title: the definition's. call: what creates it.
    """

    box: Address
    factory: Address
    implementation: Address
    arguments: BoxArguments
    salt: Hash32
    definition: bytes
    title: str
    call: Call
    exists: bool


def plan_election(
    rpc: Rpc,
    organizer: Address,
    definition: bytes,
    census: Census,
    *,
    opens_at: int,
    closes_at: int,
    salt: Hash32 = DEFAULT_SALT,
    max_ballot_bytes: int | None = None,
    factory: Address | None = None,
) -> ElectionPlan:
    """Check an election that is to be created, and compute its address. Nothing is spent.

    Arguments and errors as of `create_election`; an election that exists already is no error.
    """
    factory = factory or default_factory()
    arguments, title = _build_arguments(
        organizer, definition, census, opens_at=opens_at, closes_at=closes_at, max_ballot_bytes=max_ballot_bytes
    )
    implementation = check_factory(rpc, factory)
    box = box_address(factory, implementation, salt, arguments)
    growth = StateGrowth(accounts=1, slots=1, code_bytes=len(clone_runtime_code(implementation, arguments)))
    call = Call(factory, encode_create(salt, arguments, definition), growth=growth, remedy=LARGER_SHEETS)
    exists = bool(rpc.code(box))
    if not exists:
        _check_window(rpc, arguments)
    return ElectionPlan(box, factory, implementation, arguments, salt, definition, title, call, exists)


def resume_election(
    rpc: Rpc, plan: ElectionPlan, records: Deployments, *, from_block: int = 0
) -> ElectionDeployment | None:
    """Return the election if it exists, or if an earlier run sent it, after waiting for that; None if it is to be sent.

    from_block: where to begin to look for the creation of one that nobody wrote down. What was found is written down.
    Raises ChainError when the earlier transaction gets into no block in time, ProofError when what stands is not it.
    """
    record = records.find(plan.box)
    sent = record.transaction if record else None
    receipt = wait_for_sent(rpc, sent)
    if receipt is None and plan.exists:
        receipt = _fetch_creation_receipt(rpc, plan, from_block)
    if receipt is None:
        return None
    deployment = _check_created(rpc, plan, receipt)
    if record is None or record.status in {"unsigned", "sent"}:
        records.put(plan.box, _make_record(plan, "done", add_receipt(sent, receipt)))
    return deployment


def create_planned(
    rpc: Rpc, signer: Signer, plan: ElectionPlan, quoted: Quote, records: Deployments | None = None
) -> ElectionDeployment:
    """Create an election as planned and quoted, and check that what stands on chain is what was asked for.

    Raises ContractReverted and ChainError, and ProofError when something else stands there afterwards.
    """

    def write_down(transaction: SentTransaction) -> None:
        sent.append(transaction)
        if records is not None:
            records.put(plan.box, _make_record(plan, "sent", transaction))

    sent: list[SentTransaction] = []
    receipt = send_written_down(rpc, signer, quoted, write_down)
    deployment = _check_created(rpc, plan, receipt)
    if records is not None:
        records.put(plan.box, _make_record(plan, "done", add_receipt(sent[0], receipt)))
    return deployment


def ensure_election(
    rpc: Rpc, signer: Signer, plan: ElectionPlan, records: Deployments, *, from_block: int = 0
) -> ElectionDeployment:
    """Return the election if it exists or was sent before, else create it. Errors as of both."""
    found = resume_election(rpc, plan, records, from_block=from_block)
    return found or create_planned(rpc, signer, plan, quote(rpc, signer.address, plan.call), records)


def record_unsigned(plan: ElectionPlan, records: Deployments) -> None:
    """Write an election down whose transaction another signer has, unless it was written down before."""
    if records.find(plan.box) is None:
        records.put(plan.box, _make_record(plan, "unsigned", None))


def create_election(
    rpc: Rpc,
    account: Signer,
    definition: bytes,
    census: Census,
    *,
    opens_at: int,
    closes_at: int,
    salt: Hash32,
    max_ballot_bytes: int | None = None,
    factory: Address | None = None,
) -> ElectionDeployment:
    """Create an election's box and check that what stands on chain is what was asked for.

    account: the organizer, pays. definition: canonical bytes. opens_at, closes_at: unix seconds by the chain's clock,
    in the future. salt: 32 bytes of the organizer's choice; the same one again gives another box only with other
    arguments. max_ballot_bytes: by default what the definition's ballot needs. factory: by default this version's.
    Raises DefinitionError, InputError, ContractReverted and ChainError before anything is spent; ProofError afterwards.
    """
    plan = plan_election(
        rpc,
        account.address,
        definition,
        census,
        opens_at=opens_at,
        closes_at=closes_at,
        salt=salt,
        max_ballot_bytes=max_ballot_bytes,
        factory=factory,
    )
    if plan.exists:
        raise InputError(f"this very election exists at {checksum_address(plan.box)}: choose another salt")
    return create_planned(rpc, account, plan, quote(rpc, account.address, plan.call))


def _build_arguments(
    organizer: Address,
    definition: bytes,
    census: Census,
    *,
    opens_at: int,
    closes_at: int,
    max_ballot_bytes: int | None,
) -> tuple[BoxArguments, str]:
    """Return the box's arguments and the definition's title."""
    parsed = parse_definition(definition)
    needed = parsed.ballot_length
    allowed = needed if max_ballot_bytes is None else max_ballot_bytes
    if allowed < needed:
        raise InputError(f"found max_ballot_bytes {allowed}, expected at least {needed}, the length of a whole ballot")
    if not 0 < opens_at < closes_at < DIRECT_BIT:
        raise InputError(
            f"found an election from {opens_at} to {closes_at}, expected the opening before the close, below 2**39"
        )
    arguments = BoxArguments(
        definition_hash=definition_hash(definition),
        organizer=organizer,
        opens_at=UnixSeconds(opens_at),
        closes_at=UnixSeconds(closes_at),
        sheet_bits=census.sheet_bits,
        voters=len(census),
        max_ballot_bytes=allowed,
        sheet_roots=census.sheet_roots,
    )
    return arguments, parsed.title


def _check_window(rpc: Rpc, arguments: BoxArguments) -> None:
    now = rpc.block("latest").timestamp
    if not now < arguments.opens_at:
        raise InputError(
            f"found an opening at {arguments.opens_at}, expected one later than {now}, the chain's time: choose a "
            "later one"
        )


def _fetch_creation_receipt(rpc: Rpc, plan: ElectionPlan, from_block: int) -> Receipt | None:
    topics = [BALLOT_BOX_CREATED, Hash32(bytes(12) + plan.box)]
    latest = rpc.block("latest").number
    for logs in scan_logs(rpc, from_block, latest, [plan.factory], topics, newest_first=True):
        for log in logs:
            return rpc.receipt(log.transaction_hash)
    raise ProofError(
        f"code stands at {checksum_address(plan.box)}, and the factory announced no such election since block "
        f"{from_block}: check QBALLOT_FROM_BLOCK"
    )


def _check_created(rpc: Rpc, plan: ElectionPlan, receipt: Receipt) -> ElectionDeployment:
    """Raise ProofError unless the receipt holds the event of exactly this box, and its code is what it must be."""
    logs = [log for log in receipt.logs if log.address == plan.factory and log.topics[:1] == (BALLOT_BOX_CREATED,)]
    events = [event for event in map(decode_ballot_box_created, logs) if event.box == plan.box]
    if len(events) != 1:
        raise ProofError(
            f"{rpc.endpoint}: found {len(logs)} BallotBoxCreated in the receipt, {len(events)} of them of "
            f"{checksum_address(plan.box)}, expected one"
        )
    if events[0].definition != plan.definition:
        raise ProofError(f"the factory announced {checksum_address(plan.box)} with another definition")
    if rpc.code(plan.box) != clone_runtime_code(plan.implementation, plan.arguments):
        raise ProofError(f"the code at {checksum_address(plan.box)} is not that of the box that was asked for")
    return ElectionDeployment(plan.box, plan.factory, plan.arguments, plan.salt, receipt)


def _make_record(plan: ElectionPlan, status: Status, transaction: SentTransaction | None) -> DeploymentRecord:
    arguments = plan.arguments
    facts = ElectionFacts(
        title=plan.title,
        factory=checksum_address(plan.factory),
        implementation=checksum_address(plan.implementation),
        organizer=checksum_address(arguments.organizer),
        salt="0x" + plan.salt.hex(),
        definition_hash="0x" + arguments.definition_hash.hex(),
        opens_at=arguments.opens_at,
        closes_at=arguments.closes_at,
        sheet_bits=arguments.sheet_bits,
        voters=arguments.voters,
        max_ballot_bytes=arguments.max_ballot_bytes,
        text_ballots=arguments.text_ballots,
    )
    return DeploymentRecord(kind="election", status=status, election=facts, transaction=transaction)
