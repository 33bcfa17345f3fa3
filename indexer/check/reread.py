"""Asking an endpoint again for what the index keeps, to name the record that is not as it was cast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from indexer.check.chain import NotChecked
from indexer.check.faults import Fault, find_difference, read_kept_record, record_fault
from indexer.check.walk import offline_fault
from indexer.storage.audit import KeptBallot
from indexer.storage.model import Batch, Block, Election
from qballot.chain.answers import Log
from qballot.chain.contracts import BALLOTS_CAST, BallotBoxContract, decode_ballots_cast
from qballot.chain.creation import scan_logs
from qballot.chain.rpc import Rpc
from qballot.core.records import Record, unpack_records
from qballot.core.types import Address
from qballot.errors import ChainError, DecodeError


def reread_batch(rpc: Rpc, box: Address, batch: Batch, records: Sequence[Record]) -> Fault:
    """Compare the records kept of a batch with its log, read again, and name the first that differs.

    records: which do not hash to the batch's head. Where the log cannot be had, the fault says why.
    """
    block = batch.source.block_number
    try:
        logs = rpc.logs(block, block, [box], [BALLOTS_CAST])
        log = next((log for log in logs if log.log_index == batch.source.log_index), None)
        if log is None:
            return _without_log(batch, records, f"{rpc.endpoint} has no such log")
        if log.block_hash != batch.source.block_hash:
            return _without_log(batch, records, f"{rpc.endpoint} has another block {block}, 0x{log.block_hash.hex()}")
        logged = _read_log(log)
    except (ChainError, DecodeError) as error:
        return _without_log(batch, records, str(error))
    fault = _compare(batch.first_position, batch.sequence, records, logged)
    if fault is not None:
        return fault
    return Fault(
        "head", f"the head kept of batch {batch.sequence} is wrong: its records are as in its log", batch=batch.sequence
    )


def compare_with_chain(rpc: Rpc, election: Election, at: Block, rows: Iterator[KeptBallot]) -> Fault | None:
    """Compare an election's head with the box's own at a block; where they differ, name the first record that does.

    at: the last indexed block. rows: all of the election's ballots, which are read only where the heads differ.
    Raises NotChecked where the block is another one meanwhile, ChainError.
    """
    found = BallotBoxContract(rpc, election.box).head(at.number)
    if found == election.head:
        return None
    if rpc.block(at.number).hash != at.hash:
        raise NotChecked(f"{rpc.endpoint} has another block {at.number} since a moment ago; check again in a while")
    heads = f"head() at block {at.number} is 0x{found.hex()}, the election's records give 0x{election.head.hex()}"
    position = 0
    ranges = scan_logs(rpc, election.source.block_number, at.number, [election.box], [BALLOTS_CAST])
    for sequence, log in enumerate(log for logs in ranges for log in logs):
        logged = _read_log(log)
        kept = [read_kept_record(row) for row in islice(rows, len(logged))]
        fault = _compare(position, sequence, kept, logged)
        if fault is not None:
            return replace(fault, message=f"{fault.message}; {heads}")
        position += len(logged)
    if next(rows, None) is not None:
        return record_fault(position, None, f"is in no log of {rpc.endpoint}; {heads}")
    return Fault("head", f"{heads}; all records are as in the logs of {rpc.endpoint}")


def _read_log(log: Log) -> list[Record]:
    return unpack_records(decode_ballots_cast(log))


def _compare(first: int, sequence: int, kept: Sequence[Record], logged: Sequence[Record]) -> Fault | None:
    """Compare kept records with those of their log; None where they are the same."""
    for position, (found, expected) in enumerate(zip(kept, logged, strict=False), start=first):
        problem = find_difference(found, expected)
        if problem is not None:
            return record_fault(position, sequence, problem)
    position = first + min(len(kept), len(logged))
    if len(kept) < len(logged):
        return record_fault(position, sequence, f"is missing: its log has {len(logged)} records, found {len(kept)}")
    if len(kept) > len(logged):
        return record_fault(
            position, sequence, f"is not in its log, which has {len(logged)} records, found {len(kept)}"
        )
    return None


def _without_log(batch: Batch, records: Sequence[Record], why: str) -> Fault:
    fault = offline_fault(batch, len(records))
    return replace(fault, message=f"{fault.message} (the log was not read again: {why})")
