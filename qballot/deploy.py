"""Putting things on a chain: the factory once, then a box for each election.

Everything is checked before it costs anything, and computed beforehand: addresses follow from code and arguments
(qballot/core/provenance.py), so what stands on chain afterwards is compared with what must stand there.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_account.signers.local import LocalAccount

from qballot.chain.accounts import address_of
from qballot.chain.answers import Receipt
from qballot.chain.artifacts import BALLOT_BOX, BALLOT_BOX_FACTORY, default_factory, load_artifact
from qballot.chain.contracts import BALLOT_BOX_CREATED, decode_ballot_box_created, encode_create
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import send
from qballot.core.address import checksum_address
from qballot.core.census import Census
from qballot.core.definition import definition_hash, parse_definition
from qballot.core.provenance import (
    DETERMINISTIC_DEPLOYER,
    FACTORY_SALT,
    BoxArguments,
    box_address,
    clone_runtime_code,
    compute_implementation_address,
)
from qballot.core.records import DIRECT_BIT
from qballot.core.types import Address, BlockNumber, Hash32, UnixSeconds
from qballot.errors import ChainError, InputError, ProofError, ToolError

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


def deploy_factory(rpc: Rpc, account: LocalAccount) -> Deployment:
    """Put this version's factory, and with it the implementation, on the chain; nothing when they are there.

    account: pays. Raises ToolError when the chain lacks the deterministic deployer, ChainError, and ProofError when
    other code than ours stands there afterwards.
    """
    factory = default_factory()
    receipt = None
    if not rpc.code(factory):
        if not rpc.code(DETERMINISTIC_DEPLOYER):
            raise ToolError(
                f"chain {rpc.chain_id()} lacks the deterministic deployer {checksum_address(DETERMINISTIC_DEPLOYER)}, "
                f"which gives the factory its address: put it there first, see {DEPLOYER_SOURCE}"
            )
        init_code = load_artifact(BALLOT_BOX_FACTORY).bytecode
        receipt = send(rpc, account, DETERMINISTIC_DEPLOYER, FACTORY_SALT + init_code)
    return Deployment(factory, check_factory(rpc, factory), receipt)


def check_factory(rpc: Rpc, factory: Address) -> Address:
    """Compare the code of a factory and of its implementation with this version's; return the implementation.

    Raises ChainError when there is no code, ProofError when it is other code.
    """
    implementation = compute_implementation_address(factory)
    found = rpc.code(factory)
    if not found:
        raise ChainError(f"no factory stands at {checksum_address(factory)}: run scripts/deploy_factory.py first")
    # The compiler leaves zeros where the constructor then writes the factory's only immutable.
    compiled = load_artifact(BALLOT_BOX_FACTORY).runtime_bytecode
    expected = compiled.replace(PUSH32 + bytes(32), PUSH32 + bytes(12) + implementation)
    if found != expected:
        raise ProofError(f"the code at {checksum_address(factory)} is not that of this version's factory")
    if rpc.code(implementation) != load_artifact(BALLOT_BOX).runtime_bytecode:
        raise ProofError(f"the code at {checksum_address(implementation)} is not that of this version's ballot box")
    return implementation


def create_election(
    rpc: Rpc,
    account: LocalAccount,
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
    arguments = _build_arguments(
        account, definition, census, opens_at=opens_at, closes_at=closes_at, max_ballot_bytes=max_ballot_bytes
    )
    factory = factory or default_factory()
    implementation = check_factory(rpc, factory)
    now = rpc.block("latest").timestamp
    if not now < opens_at:
        raise InputError(f"found an opening at {opens_at}, expected one later than {now}, the chain's time")
    box = box_address(factory, implementation, salt, arguments)
    if rpc.code(box):
        raise InputError(f"this very election exists at {checksum_address(box)}: choose another salt")
    receipt = send(rpc, account, factory, encode_create(salt, arguments, definition))
    _check_created(rpc, receipt, factory, box, definition)
    if rpc.code(box) != clone_runtime_code(implementation, arguments):
        raise ProofError(f"the code at {checksum_address(box)} is not that of the box that was asked for")
    return ElectionDeployment(box, factory, arguments, salt, receipt)


def _build_arguments(
    account: LocalAccount,
    definition: bytes,
    census: Census,
    *,
    opens_at: int,
    closes_at: int,
    max_ballot_bytes: int | None,
) -> BoxArguments:
    needed = parse_definition(definition).ballot_length
    allowed = needed if max_ballot_bytes is None else max_ballot_bytes
    if allowed < needed:
        raise InputError(f"found max_ballot_bytes {allowed}, expected at least {needed}, the length of a whole ballot")
    if not 0 < opens_at < closes_at < DIRECT_BIT:
        raise InputError(
            f"found an election from {opens_at} to {closes_at}, expected the opening before the close, below 2**39"
        )
    return BoxArguments(
        definition_hash=definition_hash(definition),
        organizer=address_of(account),
        opens_at=UnixSeconds(opens_at),
        closes_at=UnixSeconds(closes_at),
        ward_bits=census.ward_bits,
        voters=len(census),
        max_ballot_bytes=allowed,
        ward_roots=census.ward_roots,
    )


def _check_created(rpc: Rpc, receipt: Receipt, factory: Address, box: Address, definition: bytes) -> None:
    """Raise ProofError unless the receipt holds the event of exactly this box."""
    logs = [log for log in receipt.logs if log.address == factory and log.topics[:1] == (BALLOT_BOX_CREATED,)]
    if len(logs) != 1:
        raise ProofError(f"{rpc.endpoint}: found {len(logs)} BallotBoxCreated in the receipt, expected one")
    created = decode_ballot_box_created(logs[0])
    if (created.box, created.definition) != (box, definition):
        raise ProofError(f"the factory made {checksum_address(created.box)}, expected {checksum_address(box)}")
