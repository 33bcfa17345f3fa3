"""What is in a box: every batch read from an endpoint's logs, checked against the box's own head.

The logs alone could lack a ballot. The chain of hashes over all batches must end in `head()` at the same block, so an
endpoint would have to lie about both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qballot.chain.answers import BlockHeader
from qballot.chain.contracts import BALLOTS_CAST, BallotBoxContract, decode_ballots_cast
from qballot.chain.creation import BLOCK_RANGE, scan_logs
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.records import CANCELLED_HEAD, Record, advance_head, unpack_records
from qballot.core.types import BlockNumber, Hash32
from qballot.election import ChainElection
from qballot.errors import ProofError


@dataclass(frozen=True, slots=True)
class CastRecord:
    """A record with its place in the chain. position: among all records of the box, from 0."""

    record: Record
    position: int
    block_number: BlockNumber
    transaction_hash: Hash32


@dataclass(frozen=True, slots=True)
class History:
    """What was in a box at a block.

    head: the box's. batches, total: of the whole box. records: those that were asked for, in the chain's order.
    """

    block: BlockHeader
    head: Hash32
    batches: int
    total: int
    records: tuple[CastRecord, ...]

    @property
    def is_cancelled(self) -> bool:
        """Whether the organizer cancelled the election."""
        return self.head == CANCELLED_HEAD


def fetch_history(
    rpc: Rpc, election: ChainElection, wanted: Callable[[Record], bool], *, block_range: int = BLOCK_RANGE
) -> History:
    """Read a box's records up to the latest block and keep those that are wanted.

    block_range: see `scan_logs`. Raises ProofError when the logs do not lead to the box's head, ChainError.
    """
    latest = rpc.block("latest")
    head = election.arguments.definition_hash
    batches = total = 0
    records: list[CastRecord] = []
    ranges = scan_logs(rpc, election.created_in, latest.number, [election.box], [BALLOTS_CAST], block_range=block_range)
    for log in (log for logs in ranges for log in logs):
        packed = decode_ballots_cast(log)
        head = advance_head(head, packed)
        batches += 1
        for record in unpack_records(packed):
            if wanted(record):
                records.append(CastRecord(record, total, log.block_number, log.transaction_hash))
            total += 1
    found = BallotBoxContract(rpc, election.box).head(latest.number)
    if found != head and not (found == CANCELLED_HEAD and not batches):
        raise ProofError(
            f"{rpc.endpoint}: the {batches} batches in the logs of {checksum_address(election.box)} lead to the head "
            f"0x{head.hex()}, and the box's head at block {latest.number} is 0x{found.hex()}: the endpoint left "
            "something out or the chain changed meanwhile; try again, or ask another endpoint"
        )
    return History(latest, found, batches, total, tuple(records))
