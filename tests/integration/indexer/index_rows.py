"""Made-up contents of an index, and its rows as they stand in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, select

from indexer.storage.model import Batch, Block, Election, NewBatch, RangeChange, Source
from indexer.storage.tables import CONTENT_TABLES
from qballot.core.keccak import keccak
from qballot.core.provenance import BoxArguments, box_address, compute_implementation_address
from qballot.core.records import Record, advance_head, pack_records
from qballot.core.types import Address, BlockNumber, Hash32, UnixSeconds, VoterIndex, Weight
from qballot.testing import make_definition

CHAIN = 31337
FACTORY = Address(b"\xfa" * 20)
OPENS_AT, CLOSES_AT = 2_000, 3_000


def make_block(number: int, timestamp: int | None = None) -> Block:
    when = 1_000 + number if timestamp is None else timestamp
    return Block(BlockNumber(number), keccak(b"block %d" % number), UnixSeconds(when))


def make_source(number: int, log_index: int = 0) -> Source:
    return Source(BlockNumber(number), make_block(number).hash, log_index, keccak(b"tx %d %d" % (number, log_index)))


def make_row_election(name: int = 1, *, block: int = 1, **changes: Any) -> Election:
    definition = changes.pop("definition", make_definition())
    arguments = BoxArguments(
        definition_hash=keccak(definition),
        organizer=Address(b"\x0a" * 20),
        opens_at=UnixSeconds(changes.pop("opens_at", OPENS_AT)),
        closes_at=UnixSeconds(changes.pop("closes_at", CLOSES_AT)),
        sheet_bits=10,
        voters=2**32 - 1,
        max_ballot_bytes=2**16 - 1,
        sheet_roots=(keccak(b"sheet 0"), keccak(b"sheet 1")),
    )
    salt = Hash32(name.to_bytes(32))
    election = Election(
        number=0,
        box=box_address(FACTORY, compute_implementation_address(FACTORY), salt, arguments),
        salt=salt,
        source=make_source(block, name),
        arguments=arguments,
        definition=definition,
        head=arguments.definition_hash,
        batches=0,
        records=0,
        cancelled=False,
        invalid_reason=None,
    )
    return replace(election, **changes)


def make_record(voter: int = 0, ballot: bytes = b"\x01\x00\x00", cast_at: int = OPENS_AT, weight: int = 1) -> Record:
    return Record(VoterIndex(voter), cast_at, Weight(weight), ballot)


def add_batch(
    election: Election, records: Sequence[Record], *, block: int, log_index: int = 7
) -> tuple[Election, NewBatch]:
    """Grow an election's chain by one batch."""
    head = advance_head(election.head, pack_records(records))
    batch = Batch(election.batches, make_source(block, log_index), election.records, len(records), head)
    grown = replace(election, head=head, batches=election.batches + 1, records=election.records + len(records))
    return grown, NewBatch(election.box, batch, pack_records(records))


def make_change(until: int, election: Election, *batches: NewBatch, timestamp: int | None = None) -> RangeChange:
    """Make a range that creates an election with these batches, or, for one with a number, grows it."""
    block = make_block(until, timestamp)
    if election.number:
        return RangeChange(block, updated={election.box: election}, batches=batches)
    return RangeChange(block, created=[election], batches=batches)


def read_rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Read all content, table by table, in the order of the primary keys."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in CONTENT_TABLES
        }
