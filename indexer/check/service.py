"""Checking an index, or one election of it, against itself and, where there is an endpoint, against the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Engine

from indexer.check.chain import NotChecked, find_wrong_count, find_wrong_cursor, find_wrong_reason, find_wrong_source
from indexer.check.faults import Fault
from indexer.check.reread import compare_with_chain, reread_batch
from indexer.check.rules import find_wrong_rules
from indexer.check.tally import count_groups, find_wrong_tally
from indexer.check.walk import FaultFound, walk_chain
from indexer.storage.audit import Audit, audit
from indexer.storage.model import Block, ChainCursor, Election
from indexer.storage.repository import Repository
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.types import Address, Hash32
from qballot.errors import InputError, ProofError, StorageError

Report = Callable[[str, int, int], None]
"""Hears of progress: a step, how much of it is done, how much there is."""

ADDRESS_BYTES = 20

_UNREADABLE = (TypeError, ValueError, InputError)
"""What comes of values of another type, which SQLite keeps in any column, or out of their bounds."""


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
    """What became of a check. block: the last indexed one.

    ownerless: rows of no election, in words, a line a table. index: what else is wrong that is of no election that is
    kept. unchecked: what was to be compared with the chain and could not be, with the reason.
    """

    block: Block
    elections: tuple[ElectionReport, ...]
    ownerless: tuple[str, ...] = ()
    index: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    @property
    def faults(self) -> int:
        """How many elections, tables with rows of no election, and other things do not hold."""
        failed = sum(election.fault is not None for election in self.elections)
        return failed + len(self.ownerless) + len(self.index)

    def to_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "block": {"number": self.block.number, "hash": "0x" + self.block.hash.hex()},
            "faults": self.faults,
            "elections": [election.to_json() for election in self.elections],
            "ownerless": list(self.ownerless),
            "index": list(self.index),
            "unchecked": list(self.unchecked),
        }


def check_index(
    engine: Engine, *, box: Address | None, rpc: Rpc | None, report: Report, from_block: int = 0
) -> IndexReport:
    """Recompute an index from its own rows, in one view that no write changes.

    box: only this election; all when None. rpc: an endpoint to compare with: the last indexed block, how many elections
    there are, every box's own head and where its logs stand; it is asked for the logs of what does not hold too. None
    of the chain is asked when None. from_block: where reading began.
    Raises StorageError where nothing is indexed, ProofError where it cannot be read how far, InputError for a box that
    the index does not have, WrongChainError, EndpointError.
    """
    with audit(Repository(engine)) as kept:
        cursor, block = _load_cursor(kept)
        if rpc is not None:
            rpc.check_chain(cursor.chain_id)
        return _Check(kept, cursor, block, rpc).run(box, report, from_block)


def _load_cursor(kept: Audit) -> tuple[ChainCursor, Block]:
    try:
        cursor = kept.load_cursor()
    except (TypeError, ValueError) as error:
        raise ProofError(
            f"the index does not hold: the row of the last indexed block cannot be read: {error}"
        ) from error
    if cursor is None or cursor.block is None:
        raise StorageError("nothing is indexed yet: run `qballot index` first")
    return cursor, cursor.block


class _Check:
    """One check of one view."""

    def __init__(self, kept: Audit, cursor: ChainCursor, at: Block, rpc: Rpc | None) -> None:
        self._kept = kept
        self._cursor = cursor
        self._at = at
        self._rpc = rpc
        self._compares = rpc is not None
        self._index: list[str] = []
        self._unchecked: list[str] = []

    def run(self, box: Address | None, report: Report, from_block: int) -> IndexReport:
        self._check_cursor()
        boxes = self._load_boxes() if box is None else [box]
        if box is None:
            self._check_count(boxes, from_block)
        reports = []
        for done, each in enumerate(boxes):
            report("checking elections", done, len(boxes))
            reports.append(self._check_election(each))
        report("checking elections", len(boxes), len(boxes))
        ownerless = self._kept.load_ownerless() if box is None else {}
        found = tuple(_describe_ownerless(ownerless))
        return IndexReport(self._at, tuple(reports), found, tuple(self._index), tuple(self._unchecked))

    def _check_cursor(self) -> None:
        """Compare the last indexed block with those that are kept beside it, and with the endpoint's."""
        at = self._at
        try:
            known = self._kept.load_blocks()
        except (TypeError, ValueError) as error:
            self._index.append(f"the blocks that are kept cannot be read: {error}")
            known = []
        if known and known[-1] != at:
            last = known[-1]
            self._index.append(
                f"the last indexed block is kept as {at.number}, 0x{at.hash.hex()}, of {at.timestamp}, and among the "
                f"blocks as {last.number}, 0x{last.hash.hex()}, of {last.timestamp}"
            )
        if self._rpc is None:
            return
        try:
            wrong = find_wrong_cursor(self._rpc, self._kept, at)
        except NotChecked as error:
            wrong = None
            self._compares = False
            self._unchecked.append(str(error))
        if wrong is not None:
            self._compares = False
            self._index.append(wrong)

    def _load_boxes(self) -> list[Address]:
        boxes = []
        for number, box in self._kept.load_boxes().items():
            if isinstance(box, bytes) and len(box) == ADDRESS_BYTES:
                boxes.append(Address(box))
            else:
                self._index.append(f"the address of election number {number} is kept as {box!r}, expected 20 bytes")
        return boxes

    def _check_count(self, boxes: Sequence[Address], from_block: int) -> None:
        if self._rpc is None or not self._compares:
            return
        try:
            wrong = find_wrong_count(self._rpc, self._cursor, self._at, boxes, from_block=from_block)
        except NotChecked as error:
            self._unchecked.append(str(error))
        else:
            self._index += [] if wrong is None else [wrong]

    def _check_election(self, box: Address) -> ElectionReport:
        try:
            election = self._kept.load_election(box)
        except _UNREADABLE as error:
            unreadable = Fault("row", f"the election's row cannot be read: {error}")
            return ElectionReport(box, 0, 0, Hash32(bytes(32)), unreadable)
        if election is None:
            raise InputError(f"the index holds no election at {checksum_address(box)}: check the address")
        try:
            fault = self._find_fault(election)
        except FaultFound as found:
            fault = found.fault
        except NotChecked as error:
            fault = None
            self._unchecked.append(f"{checksum_address(box)}: {error}")
        except (TypeError, ValueError) as error:
            # SQLite keeps values of any type in any column.
            fault = Fault("row", f"a row of its batches or groups cannot be read: {error}")
        return ElectionReport(box, election.batches, election.records, election.head, fault)

    def _find_fault(self, election: Election) -> Fault | None:
        """Find the first thing that does not hold of an election, or raise FaultFound with it."""
        kept = self._kept
        fault = find_wrong_rules(election, self._cursor.factory)
        if fault is not None:
            return fault
        reread = None if self._rpc is None else partial(reread_batch, self._rpc, election.box)
        with closing(kept.stream_batches(election)) as batches, closing(kept.stream_kept_ballots(election)) as rows:
            walk_chain(election, batches, rows, reread)
        rpc = self._rpc if self._compares else None
        fault = None if rpc is None else self._compare_contents(rpc, election)
        if fault is not None:
            return fault
        with closing(kept.stream_voters_records(election)) as records:
            counted = count_groups(records)
        fault = find_wrong_tally(election, kept.load_groups(election), counted)
        return fault if fault is not None or rpc is None else self._compare_places(rpc, election)

    def _compare_contents(self, rpc: Rpc, election: Election) -> Fault | None:
        if not election.arguments.sheet_roots:
            fault = find_wrong_reason(rpc, election, self._cursor.factory, self._at)
            if fault is not None:
                return fault
        with closing(self._kept.stream_kept_ballots(election)) as rows:
            return compare_with_chain(rpc, election, self._at, rows)

    def _compare_places(self, rpc: Rpc, election: Election) -> Fault | None:
        kept, factory = self._kept, self._cursor.factory
        last = kept.load_batch(election, election.batches - 1)
        last_block = election.source.block_number if last is None else last.source.block_number
        with closing(kept.stream_batches(election)) as batches:
            return find_wrong_source(rpc, election, factory, batches, last_block=last_block)


def _describe_ownerless(found: Mapping[str, list[int]]) -> Iterator[str]:
    for table, numbers in found.items():
        yield f"{table} has rows of elections that the index does not have: numbers {', '.join(map(str, numbers))}"
