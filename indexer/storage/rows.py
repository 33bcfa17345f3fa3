"""Between rows and the dataclasses of `model.py`, both ways."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from indexer.storage.bulk import BatchValues
from indexer.storage.model import Ballot, Batch, Block, ChainCursor, Election, HeadCheck, Listing, Reorg, Source
from qballot.core.provenance import BoxArguments
from qballot.core.records import Record
from qballot.core.types import Address, BlockNumber, ChainId, Hash32, UnixSeconds, VoterIndex, Weight

_ROOT_BYTES = 32


def source_values(source: Source) -> dict[str, Any]:
    """Give the columns that say which log a row was read from."""
    return {
        "block_number": source.block_number,
        "block_hash": source.block_hash,
        "log_index": source.log_index,
        "transaction_hash": source.transaction_hash,
    }


def block_values(block: Block) -> dict[str, Any]:
    """Give the columns that name a block."""
    return {"block_number": block.number, "block_hash": block.hash, "block_timestamp": block.timestamp}


def progress_values(election: Election) -> dict[str, Any]:
    """Give the columns of an election that change after its creation."""
    return {
        "head": election.head,
        "batches": election.batches,
        "records": election.records,
        "cancelled": election.cancelled,
        "cancelled_at_block": election.cancelled_at_block,
    }


def election_values(election: Election, number: int) -> dict[str, Any]:
    """Give all columns of a new election, before anyone has voted."""
    arguments = election.arguments
    return {
        "id": number,
        "box": election.box,
        **source_values(election.source),
        "salt": election.salt,
        "organizer": arguments.organizer,
        "definition_hash": arguments.definition_hash,
        "definition": election.definition,
        "opens_at": arguments.opens_at,
        "closes_at": arguments.closes_at,
        "sheet_bits": arguments.sheet_bits,
        "voters": arguments.voters,
        "max_ballot_bytes": arguments.max_ballot_bytes,
        "sheet_roots": b"".join(arguments.sheet_roots),
        **progress_values(election),
        "invalid_reason": election.invalid_reason,
        "voters_cast": 0,
        "weight_cast": "0",
        "text_ballots": arguments.text_ballots,
        "unknown_version": election.unknown_version,
    }


def batch_values(batch: Batch, number: int) -> BatchValues:
    """Give all columns of a batch of the election with this number."""
    source = batch.source
    return (
        number,
        batch.sequence,
        source.block_number,
        source.block_hash,
        source.log_index,
        source.transaction_hash,
        batch.first_position,
        batch.records,
        batch.head,
    )


def head_check_values(check: HeadCheck, number: int) -> dict[str, Any]:
    """Give all columns of a head check of the election with this number."""
    return {
        "election_id": number,
        **block_values(check.block),
        "recomputed_head": check.recomputed_head,
        "chain_head": check.chain_head,
        "failure": check.failure,
        "is_proven": check.is_proven,
    }


def read_block(row: RowMapping, prefix: str = "block_") -> Block:
    """Read the columns that name a block, whose names begin with `prefix`."""
    return Block(
        number=BlockNumber(row[f"{prefix}number"]),
        hash=Hash32(bytes(row[f"{prefix}hash"])),
        timestamp=UnixSeconds(row[f"{prefix}timestamp"]),
    )


def read_reorg(row: RowMapping) -> Reorg:
    """Read a reorganisation's columns."""
    return Reorg(
        number=row["id"],
        observed_at_unix=row["observed_at_unix"],
        fork_number=BlockNumber(row["fork_number"]),
        fork_hash=Hash32(bytes(row["fork_hash"])),
        old_number=BlockNumber(row["old_number"]),
        old_hash=Hash32(bytes(row["old_hash"])),
    )


def read_source(row: RowMapping) -> Source:
    """Read the columns that say which log a row was read from."""
    return Source(
        block_number=BlockNumber(row["block_number"]),
        block_hash=Hash32(bytes(row["block_hash"])),
        log_index=row["log_index"],
        transaction_hash=Hash32(bytes(row["transaction_hash"])),
    )


def read_cursor(row: RowMapping) -> ChainCursor:
    """Read the row that says what a database serves."""
    block = None if row["block_number"] is None else read_block(row)
    return ChainCursor(chain_id=ChainId(row["chain_id"]), factory=Address(bytes(row["factory"])), block=block)


def read_election(row: RowMapping) -> Election:
    """Read an election's row joined with its head check, whose columns are named `check_…`."""
    return Election(
        number=row["id"],
        box=Address(bytes(row["box"])),
        salt=Hash32(bytes(row["salt"])),
        source=read_source(row),
        arguments=read_arguments(row),
        definition=bytes(row["definition"]),
        head=Hash32(bytes(row["head"])),
        batches=row["batches"],
        records=row["records"],
        cancelled=row["cancelled"],
        invalid_reason=row["invalid_reason"],
        head_check=None if row["check_block_number"] is None else _read_head_check(row),
        cancelled_at_block=row["cancelled_at_block"],
        voters_cast=row["voters_cast"],
        weight_cast=int(row["weight_cast"]),
        unknown_version=row["unknown_version"],
    )


def read_listing(row: RowMapping) -> Listing:
    """Read the columns of an election that a list shows."""
    return Listing(
        number=row["id"],
        box=Address(bytes(row["box"])),
        definition_hash=Hash32(bytes(row["definition_hash"])),
        opens_at=UnixSeconds(row["opens_at"]),
        closes_at=UnixSeconds(row["closes_at"]),
        voters=row["voters"],
        records=row["records"],
        cancelled=row["cancelled"],
        invalid_reason=row["invalid_reason"],
        unknown_version=row["unknown_version"],
    )


def read_arguments(row: RowMapping) -> BoxArguments:
    """Read the columns of an election that stand in its box's code."""
    roots = bytes(row["sheet_roots"])
    return BoxArguments(
        definition_hash=Hash32(bytes(row["definition_hash"])),
        organizer=Address(bytes(row["organizer"])),
        opens_at=UnixSeconds(row["opens_at"]),
        closes_at=UnixSeconds(row["closes_at"]),
        sheet_bits=row["sheet_bits"],
        voters=row["voters"],
        max_ballot_bytes=row["max_ballot_bytes"],
        sheet_roots=tuple(Hash32(roots[at : at + _ROOT_BYTES]) for at in range(0, len(roots), _ROOT_BYTES)),
        text_ballots=row["text_ballots"],
    )


def _read_head_check(row: RowMapping) -> HeadCheck:
    chain_head = row["check_chain_head"]
    return HeadCheck(
        block=read_block(row, "check_block_"),
        recomputed_head=Hash32(bytes(row["check_recomputed_head"])),
        chain_head=None if chain_head is None else Hash32(bytes(chain_head)),
        failure=row["check_failure"],
        is_proven=row["check_is_proven"],
    )


def read_batch(row: RowMapping) -> Batch:
    """Read a batch's columns."""
    return Batch(
        sequence=row["sequence"],
        source=read_source(row),
        first_position=row["first_position"],
        records=row["records"],
        head=Hash32(bytes(row["head"])),
    )


def read_record(row: RowMapping) -> Record:
    """Read a ballot's columns as the record that they keep."""
    return Record(
        voter=VoterIndex(row["voter"]),
        cast_at=row["cast_at"],
        weight=Weight(int(row["weight"])),
        ballot=bytes(row["ballot"]),
    )


def read_ballot(row: RowMapping) -> Ballot:
    """Read a ballot's row joined with its batch's."""
    return Ballot(position=row["position"], batch=read_batch(row), record=read_record(row))
