"""Logs in the order of the chain, folded into what they change. Pure: elections and logs in, one RangeChange out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from indexer.storage.model import Batch, Block, Election, NewBatch, RangeChange, Source
from qballot.chain.answers import Log
from qballot.chain.contracts import BALLOT_BOX_CANCELLED, decode_ballots_cast
from qballot.core.address import checksum_address
from qballot.core.records import CANCELLED_HEAD, advance_head, unpack_records
from qballot.core.types import Address
from qballot.errors import DecodeError


def fold_range(
    until: Block, *, known: Mapping[Address, Election], created: Sequence[Election], logs: Iterable[Log]
) -> RangeChange:
    """Fold the boxes' logs of one range.

    known: the elections from earlier ranges that have logs in this one. created: this range's own, in order.
    logs: of `BallotsCast` and `BallotBoxCancelled`, in the order of the chain.
    Raises DecodeError, with block and log, for what the contract cannot have emitted.
    """
    elections = {**known, **{election.box: election for election in created}}
    batches: list[NewBatch] = []
    for log in logs:
        election = elections[log.address]
        try:
            _check_order(election, log)
            if log.topics[0] == BALLOT_BOX_CANCELLED:
                elections[log.address] = replace(election, head=CANCELLED_HEAD, cancelled=True)
            else:
                elections[log.address], batch = _apply_batch(election, log)
                batches.append(batch)
        except DecodeError as error:
            place = f"block {log.block_number}, log {log.log_index} of the box {checksum_address(log.address)}"
            raise DecodeError(f"{place}: {error}") from error
    return RangeChange(
        until=until,
        created=[elections[election.box] for election in created],
        updated={box: elections[box] for box in known},
        batches=batches,
    )


def read_source(log: Log) -> Source:
    """Say which log something was read from."""
    return Source(log.block_number, log.block_hash, log.log_index, log.transaction_hash)


def _check_order(election: Election, log: Log) -> None:
    if (log.block_number, log.log_index) <= (election.source.block_number, election.source.log_index):
        raise DecodeError(f"found before the creation of its box in block {election.source.block_number}")
    if election.cancelled:
        raise DecodeError("found after the cancellation of its election")


def _apply_batch(election: Election, log: Log) -> tuple[Election, NewBatch]:
    packed = decode_ballots_cast(log)
    records = unpack_records(packed)
    head = advance_head(election.head, packed)
    batch = Batch(
        sequence=election.batches,
        source=read_source(log),
        first_position=election.records,
        records=len(records),
        head=head,
    )
    grown = replace(election, head=head, batches=election.batches + 1, records=election.records + len(records))
    return grown, NewBatch(election.box, batch, records)
