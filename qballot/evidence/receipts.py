"""The receipt of one ballot, built from what an endpoint gives: the batch, and that its block has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qballot.census.progress import Report, say_nothing
from qballot.chain.answers import Log
from qballot.chain.block_receipts import fetch_block_receipts
from qballot.chain.contracts import BALLOTS_CAST, decode_ballots_cast
from qballot.chain.creation import BLOCK_RANGE, scan_logs
from qballot.chain.rpc import Rpc
from qballot.core.proof import (
    Header,
    ReceiptFile,
    hash_header,
    verify_receipt_file,
)
from qballot.core.records import Record, unpack_records
from qballot.core.standing import judge_records
from qballot.core.types import Hash32
from qballot.election import ChainElection
from qballot.errors import InputError, ProofError


@dataclass(frozen=True, slots=True)
class FoundReceipt:
    """A ballot's receipt, verified against the hash of its own header.

    record: the ballot. position: of it among all records of the box, from 0.
    """

    receipt: ReceiptFile
    header: Header
    record: Record
    position: int

    @property
    def block_hash(self) -> Hash32:
        """Hash of the block that has the ballot."""
        return hash_header(self.header)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record stands. position: in the box. in_batch: in the batch that the log holds. Both from 0."""

    record: Record
    position: int
    in_batch: int
    log: Log


def collect_receipt(
    rpc: Rpc,
    election: ChainElection,
    *,
    voter: int | None = None,
    position: int | None = None,
    block_range: int = BLOCK_RANGE,
    report: Report = say_nothing,
) -> FoundReceipt:
    """Build the receipt of one ballot, and verify it.

    voter: an index in the census, for that voter's ballot which counts. position: of the ballot among all records of
    the box, from 0. Exactly one of the two. block_range: see `scan_logs`.
    Raises InputError when there is no such ballot, ProofError when what the endpoint gives does not hold together,
    ChainError when it does not give it.
    """
    if (voter is None) == (position is None):
        raise InputError("found both a voter and a position or neither, expected one of them")
    if voter is not None:
        places = _find_places(rpc, election, lambda place: place.record.voter == voter, block_range, report)
        if not places:
            raise InputError(f"no ballot of voter {voter} is in the box")
        standings = judge_records([place.record for place in places])
        place = next(place for place, standing in zip(places, standings, strict=True) if standing.counts)
    else:
        places = _find_places(rpc, election, lambda place: place.position == position, block_range, report)
        if not places:
            raise InputError(f"no ballot is at position {position} of the box")
        (place,) = places
    receipt = _build(rpc, election, place)
    found = verify_receipt_file(receipt, None, box=election.box, chain_id=election.chain_id)
    if found.failure is not None or found.header is None or found.record != place.record:
        said = "another ballot than its log" if found.failure is None else found.failure.text
        raise ProofError(f"{rpc.endpoint}: what it gave does not hold together: {said}; ask another endpoint")
    return FoundReceipt(receipt, found.header, place.record, place.position)


def _find_places(
    rpc: Rpc, election: ChainElection, is_wanted: Callable[[_Place], bool], block_range: int, report: Report
) -> list[_Place]:
    first, last = election.created_in, rpc.block("latest").number
    places: list[_Place] = []
    total = 0
    ranges = scan_logs(rpc, first, last, [election.box], [BALLOTS_CAST], block_range=block_range)
    for log in (log for logs in ranges for log in logs):
        for in_batch, record in enumerate(unpack_records(decode_ballots_cast(log))):
            place = _Place(record, total, in_batch, log)
            if is_wanted(place):
                places.append(place)
            total += 1
        report("reading ballots", log.block_number - first + 1, last - first + 1)
    report("reading ballots", last - first + 1, last - first + 1)
    return places


def _build(rpc: Rpc, election: ChainElection, place: _Place) -> ReceiptFile:
    log = place.log
    block = fetch_block_receipts(rpc, log.block_number)
    return block.make_receipt(election.chain_id, election.box, log.log_index, place.in_batch)
