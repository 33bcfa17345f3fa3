"""Reading one range of blocks from an endpoint, with what can be checked about the answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from indexer.storage.model import Block
from qballot.chain.answers import BlockHeader, Log
from qballot.chain.contracts import BALLOT_BOX_CANCELLED, BALLOT_BOX_CREATED, BALLOTS_CAST, read_address_topic
from qballot.chain.rpc import Rpc
from qballot.core.types import Address, Hash32
from qballot.errors import AnswerTooLargeError, EndpointError, ReorgError

MAX_ADDRESSES = 500
"""Boxes asked about in one request; providers commonly take a thousand."""

MAX_RANGE_BYTES = 64 * 1024 * 1024
"""Data of a range's logs that is held at once, over all requests, where the range is more than one block."""


@dataclass(frozen=True, slots=True)
class FetchedRange:
    """The logs of a range in the order of the chain, and the range's last block."""

    until: Block
    creations: Sequence[Log]
    box_logs: Sequence[Log]


def fetch_range(rpc: Rpc, *, start: int, end: int, factory: Address, boxes: Sequence[Address]) -> FetchedRange:
    """Fetch what factory and boxes emitted in a closed interval of blocks, those created in it included.

    boxes: the ones known before. Raises EndpointError, retryable, when the chain changed during the questions,
    AnswerTooLargeError when the range holds too much, DecodeError for a box that is no address.
    """
    last = rpc.block(end)
    creations = rpc.logs(start, end, [factory], [BALLOT_BOX_CREATED])
    created = (read_address_topic(log.topics[1]) for log in creations if len(log.topics) > 1)
    asked = list(dict.fromkeys([*boxes, *created]))
    box_logs: list[Log] = []
    size = 0
    for at in range(0, len(asked), MAX_ADDRESSES):
        found = rpc.logs(start, end, asked[at : at + MAX_ADDRESSES], [[BALLOTS_CAST, BALLOT_BOX_CANCELLED]])
        box_logs += found
        size += sum(len(log.data) for log in found)
        if size > MAX_RANGE_BYTES and start < end:
            raise AnswerTooLargeError(rpc.endpoint, limit=MAX_RANGE_BYTES)
    box_logs.sort(key=lambda log: (log.block_number, log.log_index))
    _check_one_chain(rpc, last, [*creations, *box_logs])
    return FetchedRange(to_block(last), creations, box_logs)


def check_continuity(cursor: Block, found: Hash32) -> None:
    """Check the hash that the chain has at the height of the index's last block. Raises ReorgError for another."""
    if found != cursor.hash:
        error = ReorgError(number=cursor.number, found=found, expected=cursor.hash)
        error.args = (f"{error}. What the index holds is no longer the chain: index again into an empty database",)
        raise error


def to_block(header: BlockHeader) -> Block:
    """Take from a header what the index keeps of a block."""
    return Block(header.number, header.hash, header.timestamp)


def _check_one_chain(rpc: Rpc, last: BlockHeader, logs: Iterable[Log]) -> None:
    """Check that all answers were about one chain: one hash a height, the same last block before and after."""
    hashes = {last.number: last.hash}
    for log in logs:
        if hashes.setdefault(log.block_number, log.block_hash) != log.block_hash:
            raise EndpointError(
                rpc.endpoint, f"gave logs of two different blocks {log.block_number}; it may be reorganising"
            )
    again = rpc.block(last.number)
    if again.hash != last.hash:
        raise EndpointError(rpc.endpoint, f"changed block {last.number} while it was asked about it")
