"""Where a box comes from, as an endpoint tells it: the factory's event, and whether the address follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qballot.chain.answers import Log
from qballot.chain.contracts import BALLOT_BOX_CREATED, BallotBoxCreated, decode_ballot_box_created
from qballot.chain.rpc import Rpc, Topic
from qballot.core.address import checksum_address
from qballot.core.keccak import keccak
from qballot.core.provenance import BoxArguments, box_address, parse_clone_code
from qballot.core.types import Address, BlockNumber, Hash32
from qballot.errors import (
    AnswerTooLargeError,
    DecodeError,
    EndpointError,
    ProofError,
    QuotaExhaustedError,
    RangeTooWideError,
    SlowDownError,
)

BLOCK_RANGE = 2_000
"""Blocks asked about at once where an endpoint refuses the whole chain."""


def find_creation(
    rpc: Rpc, factory: Address, box: Address, *, from_block: int, to_block: int, block_range: int = BLOCK_RANGE
) -> tuple[BallotBoxCreated, BlockNumber] | None:
    """Find what a factory announced of a box, and in which block; None when it did not in these blocks.

    The latest blocks are looked at first. Raises EndpointError, and DecodeError for an event of another form.
    """
    topics = [BALLOT_BOX_CREATED, Hash32(bytes(12) + box)]
    ranges = scan_logs(rpc, from_block, to_block, [factory], topics, block_range=block_range, newest_first=True)
    for logs in ranges:
        for log in logs:
            return decode_ballot_box_created(log), log.block_number
    return None


def scan_logs(
    rpc: Rpc,
    from_block: int,
    to_block: int,
    addresses: Sequence[Address],
    topics: Sequence[Topic],
    *,
    block_range: int = BLOCK_RANGE,
    newest_first: bool = False,
) -> Iterator[list[Log]]:
    """Yield the logs of a closed interval of blocks, range by range, as wide as the endpoint allows.

    All of it is asked for at once; what the endpoint refuses is cut into ranges of `block_range` blocks, those into
    halves. newest_first: the order of the ranges; within one the order is always the chain's.
    Raises EndpointError when there is no answer, or none even for one block.
    """
    waiting = [(from_block, to_block)]
    while waiting:
        start, end = waiting.pop()
        try:
            logs = rpc.logs(start, end, addresses, topics)
        except EndpointError as error:
            if start >= end or not _may_be_about_the_range(error):
                raise
            size = min(block_range, (end - start + 1) // 2)
            parts = [(first, min(first + size - 1, end)) for first in range(start, end + 1, size)]
            waiting += parts if newest_first else reversed(parts)
        else:
            yield logs


def _may_be_about_the_range(error: EndpointError) -> bool:
    """Whether fewer blocks at once may help."""
    if isinstance(error, SlowDownError | QuotaExhaustedError):
        return False
    # Without a code the endpoint said nothing about this range: it is down, slow or broken.
    return error.code is not None or isinstance(error, RangeTooWideError | AnswerTooLargeError)


def check_provenance(
    event: BallotBoxCreated, code: bytes, *, factory: Address, implementation: Address
) -> BoxArguments:
    """Check that the box's address follows from factory, implementation, salt and the arguments in its code.

    Returns the arguments, sheet roots included. Raises ProofError for what does not follow.
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
    if _without_roots(arguments) != _without_roots(read_event_arguments(event)):
        raise ProofError("the arguments in the box's code are not those of its creation event")
    recomputed = box_address(factory, implementation, event.salt, arguments)
    if recomputed != event.box:
        raise ProofError(
            f"the box's address does not follow from its arguments: found {checksum_address(event.box)}, "
            f"recomputed {checksum_address(recomputed)}"
        )
    return arguments


def read_event_arguments(event: BallotBoxCreated) -> BoxArguments:
    """Return the arguments that the event tells, which are all but the sheet roots."""
    return BoxArguments(
        definition_hash=event.definition_hash,
        organizer=event.organizer,
        opens_at=event.opens_at,
        closes_at=event.closes_at,
        sheet_bits=event.sheet_bits,
        voters=event.voters,
        max_ballot_bytes=event.max_ballot_bytes,
        sheet_roots=(),
        text_ballots=event.text_ballots,
    )


def _without_roots(arguments: BoxArguments) -> tuple[object, ...]:
    return (
        arguments.definition_hash,
        arguments.organizer,
        arguments.opens_at,
        arguments.closes_at,
        arguments.sheet_bits,
        arguments.voters,
        arguments.max_ballot_bytes,
        arguments.text_ballots,
    )
