"""Is a new box what the factory's event says? Its address is recomputed, its definition read.

A box that fails is kept with the reason, shown as invalid and never counted: only its endpoint, its organizer or its
definition can be at fault, and none of them should stop the other elections.
"""

from __future__ import annotations

from indexer.storage.model import Election, Source
from qballot.chain.contracts import BallotBoxCreated
from qballot.core.address import checksum_address
from qballot.core.definition import parse_definition
from qballot.core.keccak import keccak
from qballot.core.provenance import BoxArguments, box_address, parse_clone_code
from qballot.core.types import Address
from qballot.errors import DecodeError, DefinitionError, ProofError

MAX_REASON_CHARACTERS = 2_000


def build_election(
    event: BallotBoxCreated, source: Source, code: bytes, *, factory: Address, implementation: Address
) -> Election:
    """Make the election that a creation event announces, with the reason if it is invalid.

    code: what stands on chain at the box's address. Its number is given when it is written.
    """
    reason: str | None = None
    arguments = _event_arguments(event)
    try:
        arguments = check_provenance(event, code, factory=factory, implementation=implementation)
        parse_definition(event.definition)
    except (ProofError, DefinitionError) as error:
        reason = make_printable(str(error))
    return Election(
        number=0,
        box=event.box,
        salt=event.salt,
        source=source,
        arguments=arguments,
        definition=event.definition,
        head=event.definition_hash,
        batches=0,
        records=0,
        cancelled=False,
        invalid_reason=reason,
    )


def check_provenance(
    event: BallotBoxCreated, code: bytes, *, factory: Address, implementation: Address
) -> BoxArguments:
    """Check that the box's address follows from factory, implementation, salt and the arguments in its code.

    Returns the arguments, ward roots included. Raises ProofError for what does not follow.
    """
    try:
        found_implementation, arguments = parse_clone_code(code)
    except DecodeError as error:
        raise ProofError(f"the box's code is not a ballot box's: {error}") from error
    if found_implementation != implementation:
        raise ProofError(
            f"the box runs the implementation {checksum_address(found_implementation)}, "
            f"expected {checksum_address(implementation)}"
        )
    if keccak(event.definition) != event.definition_hash:
        raise ProofError("the definition in the creation event does not have the hash that stands beside it")
    if _without_roots(arguments) != _without_roots(_event_arguments(event)):
        raise ProofError("the arguments in the box's code are not those of its creation event")
    recomputed = box_address(factory, implementation, event.salt, arguments)
    if recomputed != event.box:
        raise ProofError(
            f"the box's address does not follow from its arguments: found {checksum_address(event.box)}, "
            f"recomputed {checksum_address(recomputed)}"
        )
    return arguments


def make_printable(text: str) -> str:
    """Shorten a text that may quote an organizer's bytes, and escape what cannot be shown, or kept in a database."""
    shown = "".join(mark if mark.isprintable() or mark == "\n" else f"\\u{ord(mark):04x}" for mark in text)
    return shown if len(shown) <= MAX_REASON_CHARACTERS else shown[: MAX_REASON_CHARACTERS - 1] + "…"


def _event_arguments(event: BallotBoxCreated) -> BoxArguments:
    return BoxArguments(
        definition_hash=event.definition_hash,
        organizer=event.organizer,
        opens_at=event.opens_at,
        closes_at=event.closes_at,
        ward_bits=event.ward_bits,
        voters=event.voters,
        max_ballot_bytes=event.max_ballot_bytes,
        ward_roots=(),
    )


def _without_roots(arguments: BoxArguments) -> tuple[object, ...]:
    return (
        arguments.definition_hash,
        arguments.organizer,
        arguments.opens_at,
        arguments.closes_at,
        arguments.ward_bits,
        arguments.voters,
        arguments.max_ballot_bytes,
    )
