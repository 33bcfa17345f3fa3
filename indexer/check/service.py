"""Checking an index, or one election of it, against itself and, where there is an endpoint, against the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Engine

from indexer.check.faults import Fault
from indexer.check.reread import compare_with_chain, reread_batch
from indexer.check.tally import count_groups, find_wrong_tally
from indexer.check.walk import FaultFound, walk_chain
from indexer.storage.audit import Audit, audit
from indexer.storage.model import Block, ChainCursor, Election
from indexer.storage.repository import Repository
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.keccak import keccak
from qballot.core.types import Address, Hash32
from qballot.errors import InputError, StorageError

Report = Callable[[str, int, int], None]
"""Hears of progress: a step, how much of it is done, how much there is."""


@dataclass(frozen=True, slots=True)
class ElectionReport:
    """What became of one election's check. fault: the first thing that does not hold, None where all does."""

    box: Address
    batches: int
    records: int
    head: Hash32
    fault: Fault | None

    def to_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "box": checksum_address(self.box),
            "batches": self.batches,
            "records": self.records,
            "head": "0x" + self.head.hex(),
            "fault": None if self.fault is None else self.fault.to_json(),
        }


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What became of a check. block: the last indexed one. ownerless: rows of no election, in words, a line a table."""

    block: Block
    elections: tuple[ElectionReport, ...]
    ownerless: tuple[str, ...] = ()

    @property
    def faults(self) -> int:
        """How many elections, and tables with rows of no election, do not hold."""
        return sum(election.fault is not None for election in self.elections) + len(self.ownerless)

    def to_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "block": {"number": self.block.number, "hash": "0x" + self.block.hash.hex()},
            "faults": self.faults,
            "elections": [election.to_json() for election in self.elections],
            "ownerless": list(self.ownerless),
        }


def check_index(engine: Engine, *, box: Address | None, rpc: Rpc | None, report: Report) -> IndexReport:
    """Recompute an index from its own rows, in one view that no write changes.

    box: only this election; all when None. rpc: an endpoint that is asked for the logs of what does not hold, and for
    every box's own head; none of the chain is asked when None.
    Raises StorageError where nothing is indexed, InputError for a box that the index does not have, WrongChainError.
    """
    with audit(Repository(engine)) as kept:
        cursor = kept.load_cursor()
        block = _require_block(cursor)
        if rpc is not None and cursor is not None:
            rpc.check_chain(cursor.chain_id)
        boxes = kept.load_boxes() if box is None else [box]
        reports = []
        for done, each in enumerate(boxes):
            report("checking elections", done, len(boxes))
            reports.append(_check_election(kept, each, block, rpc))
        report("checking elections", len(boxes), len(boxes))
        ownerless = kept.load_ownerless() if box is None else {}
    return IndexReport(block, tuple(reports), tuple(_describe_ownerless(ownerless)))


def _require_block(cursor: ChainCursor | None) -> Block:
    if cursor is None or cursor.block is None:
        raise StorageError("nothing is indexed yet: run `qballot index` first")
    return cursor.block


def _check_election(kept: Audit, box: Address, at: Block, rpc: Rpc | None) -> ElectionReport:
    try:
        election = kept.load_election(box)
    except (TypeError, ValueError) as error:
        return ElectionReport(box, 0, 0, Hash32(bytes(32)), Fault("row", f"the election's row cannot be read: {error}"))
    if election is None:
        raise InputError(f"the index holds no election at {checksum_address(box)}: check the address")
    try:
        fault = _find_fault(kept, election, at, rpc)
    except FaultFound as found:
        fault = found.fault
    except (TypeError, ValueError) as error:
        # SQLite keeps values of any type in any column.
        fault = Fault("row", f"a row of its batches or groups cannot be read: {error}")
    return ElectionReport(box, election.batches, election.records, election.head, fault)


def _find_fault(kept: Audit, election: Election, at: Block, rpc: Rpc | None) -> Fault | None:
    """Find the first thing that does not hold of an election, or raise FaultFound with it."""
    expected = election.arguments.definition_hash
    if election.invalid_reason is None and keccak(election.definition) != expected:
        message = f"the definition hashes to 0x{keccak(election.definition).hex()}, expected 0x{expected.hex()}"
        return Fault("definition", message)
    reread = None if rpc is None else partial(reread_batch, rpc, election.box)
    with closing(kept.stream_batches(election)) as batches, closing(kept.stream_kept_ballots(election)) as rows:
        walk_chain(election, batches, rows, reread)
    if rpc is not None:
        with closing(kept.stream_kept_ballots(election)) as rows:
            fault = compare_with_chain(rpc, election, at, rows)
        if fault is not None:
            return fault
    with closing(kept.stream_voters_records(election)) as records:
        counted = count_groups(records)
    return find_wrong_tally(election, kept.load_groups(election), counted)


def _describe_ownerless(found: Mapping[str, list[int]]) -> Iterator[str]:
    for table, numbers in found.items():
        yield f"{table} has rows of elections that the index does not have: numbers {', '.join(map(str, numbers))}"
