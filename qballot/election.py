"""One election as the chain itself tells it: rules and sheet roots from the box's code, the definition from its log.

Nothing is believed but the endpoint: the box's address is recomputed from factory, implementation and all that it is
said to be, so that a look-alike is refused whatever it answers.
"""

from __future__ import annotations

from dataclasses import dataclass

from qballot.chain.artifacts import default_factory
from qballot.chain.contracts import BallotBoxCreated
from qballot.chain.creation import BLOCK_RANGE, check_provenance, find_creation
from qballot.chain.networks import describe_chain
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.election import Definition
from qballot.core.provenance import BoxArguments, compute_implementation_address, parse_clone_code
from qballot.core.types import Address, BlockNumber, ChainId
from qballot.core.validity import read_valid_definition
from qballot.errors import DecodeError, InputError, ProofError


@dataclass(frozen=True, slots=True)
class ChainElection:
    """An election whose provenance was checked.

    factory: that made the box. created: its announcement. created_in: the block of it. arguments: the box's own, sheet
    roots included. definition: what voters are asked.
    """

    chain_id: ChainId
    box: Address
    factory: Address
    created: BallotBoxCreated
    created_in: BlockNumber
    arguments: BoxArguments
    definition: Definition


def fetch_election(
    rpc: Rpc, box: Address, *, factory: Address | None = None, from_block: int = 0, block_range: int = BLOCK_RANGE
) -> ChainElection:
    """Read an election from the chain and check that the box is what it is said to be.

    factory: by default this version's. from_block: at or before the box's creation. block_range: see `scan_logs`.
    Raises InputError when no ballot box stands at the address, ProofError when the factory did not make it,
    DefinitionError when what voters are asked is invalid, InvalidElectionError when the box's rules do not fit it,
    UnknownVersionError when it is of a later version, ChainError.
    """
    factory = factory or default_factory()
    chain_id = rpc.chain_id()
    shown = checksum_address(box)
    code = rpc.code(box)
    if not code:
        raise InputError(
            f"no contract stands at {shown} on chain {describe_chain(chain_id)}: check the address, and the chain "
            "(QBALLOT_RPC_URL, --network)"
        )
    try:
        parse_clone_code(code)
    except DecodeError as error:
        raise InputError(f"the contract at {shown} is no ballot box: check the address ({error})") from error
    latest = rpc.block("latest").number
    found = find_creation(rpc, factory, box, from_block=from_block, to_block=latest, block_range=block_range)
    if found is None:
        since = f" since block {from_block}" if from_block else ""
        raise ProofError(
            f"the factory {checksum_address(factory)} has announced no ballot box at {shown}{since}: it may be a "
            "look-alike, so give it no ballot; check the address with the organizer, and QBALLOT_FACTORY and "
            "QBALLOT_FROM_BLOCK if you set them"
        )
    created, block = found
    arguments = check_provenance(created, code, factory=factory, implementation=compute_implementation_address(factory))
    definition = read_valid_definition(created.definition, arguments)
    return ChainElection(chain_id, box, factory, created, block, arguments, definition)
