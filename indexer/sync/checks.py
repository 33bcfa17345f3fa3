"""Do an endpoint's headers and logs fit together, and has it left out none of a block's logs?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from indexer.sync.blooms import compute_logs_bloom
from qballot.chain.answers import BlockHeader, Log
from qballot.chain.contracts import BALLOT_BOX_CANCELLED, BALLOT_BOX_CREATED, BALLOTS_CAST
from qballot.chain.rpc import Rpc
from qballot.core.types import Address
from qballot.errors import EndpointError, MissingBlockError, QuotaExhaustedError, SlowDownError

TOPICS = (BALLOT_BOX_CREATED, BALLOTS_CAST, BALLOT_BOX_CANCELLED)
"""First topics of all that our contracts emit."""


def check_links(rpc: Rpc, headers: Sequence[BlockHeader]) -> None:
    """Check that each block is the child of the one before it. Raises EndpointError."""
    for parent, child in pairwise(headers):
        if child.parent_hash != parent.hash:
            raise EndpointError(
                rpc.endpoint,
                f"gave blocks {parent.number} and {child.number} of two different chains; it may be reorganising",
            )


def check_blocks(rpc: Rpc, end: int, headers: dict[int, BlockHeader], logs: Sequence[Log]) -> None:
    """Check that all answers were about one chain: its blocks have the logs, and it has the same last block still.

    end: the last block. headers: are completed by those of the blocks with logs. Raises EndpointError.
    """
    missing = sorted({log.block_number for log in logs} - headers.keys())
    for header in rpc.blocks([*missing, end]):
        if headers.setdefault(header.number, header).hash != header.hash:
            raise EndpointError(rpc.endpoint, f"changed block {header.number} while it was asked about it")
    for log in logs:
        if log.block_hash != headers[log.block_number].hash:
            raise EndpointError(
                rpc.endpoint,
                f"gave logs of two different blocks {log.block_number}: found 0x{log.block_hash.hex()}, expected "
                f"0x{headers[log.block_number].hash.hex()}; it may be reorganising",
            )


def look_again(rpc: Rpc, header: BlockHeader, ours: Collection[Address]) -> None:
    """Read all logs of a block whose filter may have more of ours than were given. Raises EndpointError if it has."""
    logs = _fetch_all_logs(rpc, header)
    if compute_logs_bloom(logs) != header.logs_bloom:
        raise MissingBlockError(
            rpc.endpoint,
            f"does not give all logs of block {header.number}: those that it gives are not those in its header",
        )
    left_out = sum(log.address in ours and bool(log.topics) and log.topics[0] in TOPICS for log in logs)
    if left_out:
        raise EndpointError(rpc.endpoint, f"left out {left_out} logs of block {header.number}, which its receipts have")


def _fetch_all_logs(rpc: Rpc, header: BlockHeader) -> list[Log]:
    """Read all logs of a block from its receipts or, where the endpoint does not give these, by their block alone."""
    try:
        return [log for receipt in rpc.block_receipts(header.hash) for log in receipt.logs]
    except (MissingBlockError, SlowDownError, QuotaExhaustedError):
        raise
    except EndpointError as error:
        if error.code is None:
            raise
        return rpc.logs(header.number, header.number, None)
