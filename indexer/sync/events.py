"""What a box's logs say, decoded: ballots that were cast, or that the election was cancelled."""

from __future__ import annotations

import msgspec

from indexer.storage.model import Source
from qballot.chain.answers import Log
from qballot.chain.contracts import BALLOT_BOX_CANCELLED, decode_ballots_cast
from qballot.core.address import checksum_address
from qballot.core.keccak import keccak
from qballot.core.records import CANCELLED_HEAD, count_records
from qballot.core.types import Address, Hash32
from qballot.errors import DecodeError


class BoxEvent(msgspec.Struct, frozen=True, gc=False):
    """One log of a box. packed: the batch that it brought, as in the log; None for a cancellation.

    records: how many the batch has. digest: its hash, of which the box's head is made.
    """

    box: Address
    source: Source
    packed: bytes | None = None
    records: int = 0
    digest: bytes = b""

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in the order of the chain: block and log."""
        return self.source.block_number, self.source.log_index


def read_event(log: Log) -> BoxEvent:
    """Decode a log of `BallotsCast` or `BallotBoxCancelled`. Raises DecodeError, with block and log, for any other."""
    source = read_source(log)
    if log.topics[0] == BALLOT_BOX_CANCELLED:
        return BoxEvent(log.address, source)
    try:
        packed = decode_ballots_cast(log)
        return BoxEvent(log.address, source, packed, count_records(packed), keccak(packed))
    except DecodeError as error:
        raise DecodeError(f"{describe_place(log.address, source)}: {error}") from error


def read_source(log: Log) -> Source:
    """Say which log something was read from."""
    return Source(log.block_number, log.block_hash, log.log_index, log.transaction_hash)


def follow_head(head: Hash32, event: BoxEvent) -> Hash32:
    """Compute a box's head after an event, as `advance_head` does with a batch whose hash is not known yet."""
    return CANCELLED_HEAD if event.packed is None else keccak(head + event.digest)


def describe_place(box: Address, source: Source) -> str:
    """Name a log for people."""
    return f"block {source.block_number}, log {source.log_index} of the box {checksum_address(box)}"
