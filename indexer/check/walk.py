"""Going through one election's rows in the order of its chain, up to the first that does not hold.

    batches   ├── 0 ──┤ 1 ├──── 2 ────┤        each: place, first position, how many records, head
    records    0  1  2  3  4  5  6  7          each: position, batch, voter, cast_at, weight, ballot
    heads     definition's hash ─▶ h0 ─▶ h1 ─▶ h2 ═ the election's

Where a batch's records do not hash to its head, either may be wrong. The next head tells: if the chain goes on from
what the records give, they are right and the head is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from indexer.check.faults import Fault, find_impossible, read_kept_record, record_fault
from indexer.storage.audit import KeptBallot
from indexer.storage.model import Batch, Election
from qballot.core.records import CANCELLED_HEAD, Record, advance_head, pack_records
from qballot.errors import InputError

Reread: TypeAlias = Callable[[Batch, Sequence[Record]], Fault]
"""Compares the records kept of a batch with its log, and says what is wrong."""


class FaultFound(Exception):
    """A walk met something that does not hold."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.message)


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A batch whose records do not hash to its head, while it is open which of them is wrong."""

    batch: Batch
    records: Sequence[Record]


def walk_chain(
    election: Election, batches: Iterator[Batch], rows: Iterator[KeptBallot], reread: Reread | None = None
) -> None:
    """Recompute an election's chain of hashes.

    batches, rows: all that are kept of the election, in their order. reread: asks an endpoint for a batch's log.
    Raises FaultFound with the first thing that does not hold.
    """
    walk = _Walk(election, rows, reread)
    for batch in batches:
        walk.take(batch)
    walk.finish()


class _Walk:
    def __init__(self, election: Election, rows: Iterator[KeptBallot], reread: Reread | None) -> None:
        self._election = election
        self._rows = rows
        self._next = next(rows, None)
        self._reread = reread
        self._head = election.arguments.definition_hash
        self._batches = self._records = 0
        self._place = (election.source.block_number, election.source.log_index)
        self._suspect: _Suspect | None = None

    def take(self, batch: Batch) -> None:
        """Go on with the batch that is kept next."""
        self._check_place(batch)
        records = self._take_rows(batch)
        head = advance_head(self._head, pack_records(records))
        holds = head == batch.head
        if self._suspect is not None:
            self._judge(self._suspect, goes_on=holds)
        if len(records) != batch.records:
            raise FaultFound(self._explain_count(batch, records, holds=holds))
        if not holds:
            self._suspect = _Suspect(batch, records)
        self._head = head
        self._batches += 1
        self._records += len(records)

    def finish(self) -> None:
        """Compare what all batches give with what the election says of itself."""
        election = self._election
        if self._suspect is not None:
            self._judge(self._suspect, goes_on=self._head == election.head)
        if self._next is not None:
            batch = self._next.batch_sequence
            raise FaultFound(record_fault(self._next.position, None, f"is of batch {batch}, which is not kept"))
        for name, found, expected in (
            ("batches", election.batches, self._batches),
            ("records", election.records, self._records),
        ):
            if found != expected:
                raise FaultFound(Fault("count", f"the election says that it has {found} {name}, found {expected}"))
        expected_head = CANCELLED_HEAD if election.cancelled else self._head
        if election.head != expected_head:
            what = "a cancelled election has" if election.cancelled else "its records give"
            message = f"the election's head is 0x{election.head.hex()}, expected 0x{expected_head.hex()}, which {what}"
            raise FaultFound(Fault("head", message))

    def _check_place(self, batch: Batch) -> None:
        if batch.sequence != self._batches:
            message = f"batch {self._batches} is missing: the next one that is kept is batch {batch.sequence}"
            raise FaultFound(Fault("batch", message, self._records, batch=self._batches))
        place = (batch.source.block_number, batch.source.log_index)
        if place <= self._place:
            message = f"batch {batch.sequence} is of block and log {place}, expected one after {self._place}"
            raise FaultFound(Fault("batch", message, self._records, batch=batch.sequence))
        self._place = place
        if batch.first_position != self._records:
            message = f"batch {batch.sequence} begins at record {batch.first_position}, expected {self._records}"
            raise FaultFound(Fault("count", message, self._records, batch=batch.sequence))

    def _take_rows(self, batch: Batch) -> list[Record]:
        """Take the rows that say they are of this batch."""
        records: list[Record] = []
        while (row := self._next) is not None and row.batch_sequence == batch.sequence:
            position = self._records + len(records)
            if row.position != position:
                problem = f"is missing: the next one that is kept is record {row.position}"
                raise FaultFound(record_fault(position, batch.sequence, problem))
            try:
                records.append(read_kept_record(row))
            except InputError as error:
                raise FaultFound(record_fault(position, batch.sequence, str(error))) from error
            self._next = next(self._rows, None)
        return records

    def _explain_count(self, batch: Batch, records: Sequence[Record], *, holds: bool) -> Fault:
        """Say why a batch has another number of records than it says."""
        found = len(records)
        position = self._records + found
        if holds:
            message = f"batch {batch.sequence} says that it has {batch.records} records, found {found}, as in its head"
            return Fault("count", message, self._records, batch=batch.sequence)
        if found < batch.records:
            if self._next is not None and self._next.position == position:
                problem = f"is kept under batch {self._next.batch_sequence}, expected batch {batch.sequence}"
            else:
                problem = f"is missing: batch {batch.sequence} has {batch.records} records, found {found}"
            return record_fault(position, batch.sequence, problem)
        return self._explain(_Suspect(batch, records))

    def _judge(self, suspect: _Suspect, *, goes_on: bool) -> None:
        """Say whether the records or the head of a batch are wrong. goes_on: the chain does, from the records."""
        batch = suspect.batch
        if goes_on:
            message = f"the head kept of batch {batch.sequence} is wrong: the chain goes on from what its records give"
            raise FaultFound(Fault("head", message, batch=batch.sequence))
        raise FaultFound(self._explain(suspect))

    def _explain(self, suspect: _Suspect) -> Fault:
        """Name the record that keeps a batch from hashing to its head, or those among which it is."""
        batch, records = suspect.batch, suspect.records
        for position, record in enumerate(records, start=batch.first_position):
            problem = find_impossible(record, self._election.arguments)
            if problem is not None:
                return record_fault(position, batch.sequence, problem)
        if self._reread is not None:
            return self._reread(batch, records)
        return offline_fault(batch, len(records))


def offline_fault(batch: Batch, found: int) -> Fault:
    """Say that a batch's records do not hash to its head. found: how many records of it are kept."""
    place = f"batch {batch.sequence} of block {batch.source.block_number}, log {batch.source.log_index}"
    first, last = batch.first_position, batch.first_position + found - 1
    if found == 1:
        return record_fault(first, batch.sequence, f"does not hash to the head of its {place}")
    message = f"records {first} to {last}: they do not hash to the head of their {place}; one of them is not as it was"
    return Fault("record", message, first, last, batch.sequence)
