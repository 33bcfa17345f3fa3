"""A box's batches out of its blocks' receipts, which nobody can change: their root stands in the block's header.

proven block ── parent ── parent ── …      each header names the hash of the one before it
                   │
                   ├─ logs bloom: may the block have logs of the box?
                   └─ receipts root ── all receipts of the block ── their logs
"""

from __future__ import annotations

from collections.abc import Iterator

from indexer.sync.checks import TOPICS
from indexer.sync.events import BoxEvent, read_event
from qballot.chain.answers import Log
from qballot.chain.block_receipts import fetch_receipts_under
from qballot.chain.proofs import fetch_headers
from qballot.chain.rpc import MAX_BATCH_REQUESTS, Rpc
from qballot.core.bloom import may_contain
from qballot.core.proof import Header, hash_header
from qballot.core.types import Address, BlockNumber, Hash32
from qballot.errors import EndpointError, ProofError, UnknownHeaderError

MAX_HEADERS = 50_000
"""Headers that are read at most to find the blocks of one box: a week of Ethereum's, as for a lot."""


def read_receipts(rpc: Rpc, box: Address, first: int, last: int, last_hash: Hash32) -> list[BoxEvent]:
    """Read all that a box emitted from the block `first` to the block `last`, which has this hash.

    Only the transactions' hashes are the endpoint's word. Raises EndpointError that names what is missing or does not
    follow from the hash, DecodeError for what no box emits.
    """
    if last - first + 1 > MAX_HEADERS:
        raise EndpointError(
            rpc.endpoint,
            f"was not asked for the receipts: the box's batches are somewhere in {last - first + 1:,} blocks, and "
            f"headers of at most {MAX_HEADERS:,} are read to find them; an archive's endpoint proves where to look",
        )
    found: list[BoxEvent] = []
    try:
        for header in _walk_back(rpc, first, last, last_hash):
            bloom = header.logs_bloom
            if may_contain(bloom, box) and any(may_contain(bloom, topic) for topic in TOPICS[1:]):
                found[:0] = _read_block(rpc, header, box)
    except UnknownHeaderError as error:
        raise EndpointError(rpc.endpoint, f"cannot be asked for receipts: {error}") from error
    except ProofError as error:
        raise EndpointError(rpc.endpoint, f"gave what does not follow from block {last}'s hash: {error}") from error
    return found


def _walk_back(rpc: Rpc, first: int, last: int, expected: Hash32) -> Iterator[Header]:
    """Give the headers from the last block to the first one, each known by the hash that the one after it names."""
    for end in range(last, first - 1, -MAX_BATCH_REQUESTS):
        start = max(first, end - MAX_BATCH_REQUESTS + 1)
        for header in reversed(fetch_headers(rpc, range(start, end + 1))):
            if (found := hash_header(header)) != expected:
                raise ProofError(f"found block {header.number} as 0x{found.hex()}, expected 0x{expected.hex()}")
            yield header
            expected = header.parent_hash


def _read_block(rpc: Rpc, header: Header, box: Address) -> list[BoxEvent]:
    """Read what a box emitted in a block. Raises ProofError unless the receipts have the header's root."""
    block = fetch_receipts_under(rpc, header)
    number, block_hash = BlockNumber(header.number), hash_header(header)
    events = []
    index = 0
    for receipt, transaction in zip(block.receipts, block.transactions, strict=True):
        for log in receipt.logs:
            if log.address == box and log.topics and log.topics[0] in TOPICS[1:]:
                events.append(read_event(Log(box, log.topics, log.data, number, block_hash, transaction, index)))
            index += 1
    return events
