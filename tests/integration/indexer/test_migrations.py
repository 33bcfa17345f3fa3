"""Databases of earlier versions, with data in their tables, become what this version would have written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from index_rows import CHAIN, FACTORY, add_batch, make_block, make_record, make_row_election, read_rows
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from indexer.storage.engine import POSTGRESQL_DRIVER, open_database
from indexer.storage.migrate import VERSION_TABLE
from indexer.storage.model import Election, NewBatch, RangeChange
from indexer.storage.repository import Repository
from indexer.storage.rows import batch_values, election_values
from indexer.storage.table_base import METADATA
from indexer.storage.writer import IndexWriter
from qballot.core.effective import EffectiveBallots
from qballot.core.records import CANCELLED_HEAD, Record, unpack_records
from qballot.core.types import BlockNumber, ChainId

pytestmark = pytest.mark.integration

NEW_COLUMNS = {"cancelled_at_block", "voters_cast", "weight_cast", "text_ballots", "unknown_version"}
OLD_NAMES = {"sheet_bits": "ward_bits", "sheet_roots": "ward_roots"}
LONG = b"\x01" * 40

ONE, FIRST = add_batch(
    make_row_election(1, block=1),
    [make_record(voter, ballot, 5, 2**90) for voter, ballot in enumerate([b"", b"\x01", b"\x01", LONG])],
    block=2,
)
TWO, SECOND = add_batch(
    ONE,
    # Later, earlier, a repeat, another of the same second, and a voter who was not there.
    [
        make_record(0, b"\x02", 6),
        make_record(1, b"\x02", 4),
        make_record(2, b"\x01", 5, 2**90),
        make_record(3, LONG + b"\x01", 5),
        make_record(3, LONG, 5, 2**90),
        make_record(9, b"\x02", 6),
    ],
    block=3,
)
RECORDS = unpack_records(FIRST.packed + SECOND.packed)
CANCELLED = make_row_election(2, block=1, cancelled=True, head=CANCELLED_HEAD)
EMPTY = make_row_election(3, block=3)


def make_old(url: str, revision: str) -> Engine:
    """Make a database as the version with this revision left it, with elections, batches and ballots."""
    parsed = make_url(url)
    engine = create_engine(parsed.set(drivername=POSTGRESQL_DRIVER) if "postgresql" in url else parsed)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "indexer.storage:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        _fill(connection)
    return engine


def _fill(connection: Connection) -> None:
    block = make_block(5)
    cursor = (1, CHAIN, FACTORY, block.number, block.hash, block.timestamp)
    _insert(connection, "chain_cursor", [cursor])
    elections = [election_values(election, number) for number, election in enumerate([TWO, CANCELLED, EMPTY], start=1)]
    rows = [{name: value for name, value in row.items() if name not in NEW_COLUMNS} for row in elections]
    names = [OLD_NAMES.get(name, name) for name in rows[0]]
    _insert(connection, "elections", [tuple(row.values()) for row in rows], names)
    _insert(connection, "batches", [batch_values(new.batch, 1) for new in (FIRST, SECOND)])
    ballots = [
        (
            1,
            new.batch.first_position + place,
            new.batch.sequence,
            cast.voter,
            cast.cast_at,
            str(cast.weight),
            cast.ballot,
        )
        for new in (FIRST, SECOND)
        for place, cast in enumerate(unpack_records(new.packed))
    ]
    _insert(connection, "ballots", ballots)


def _insert(
    connection: Connection, table: str, rows: Sequence[tuple[Any, ...]], names: Sequence[str] | None = None
) -> None:
    columns = f" ({', '.join(names)})" if names else ""
    marks = ", ".join(f":v{place}" for place in range(len(rows[0])))
    values = [{f"v{place}": value for place, value in enumerate(row)} for row in rows]
    connection.execute(text(f"INSERT INTO {table}{columns} VALUES ({marks})"), values)


def write_new(url: str) -> Engine:
    """Write the same with this version."""
    engine = open_database(url)
    writer = IndexWriter(engine, chain_id=ChainId(CHAIN), factory=FACTORY)
    batches: list[NewBatch] = [FIRST, SECOND]
    writer.apply(RangeChange(make_block(5), created=[TWO, CANCELLED, EMPTY], batches=batches), after=None)
    return engine


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_migration__data_of_an_earlier_version__is_what_this_one_would_have_written(
    new_database: Callable[[], str], revision: str
) -> None:
    url = new_database()
    make_old(url, revision).dispose()
    migrated, fresh = open_database(url), write_new(new_database())
    assert read_rows(migrated) == read_rows(fresh)
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, METADATA) == []
    with Repository(migrated).snapshot() as snapshot:
        assert snapshot.load_blocks() == [make_block(5)]
        assert snapshot.load_finalized() is None
        found = snapshot.load_election(TWO.box)
        assert found is not None
        expected = count(RECORDS)
        assert snapshot.load_groups(found) == expected.groups()
        assert (found.voters_cast, found.weight_cast) == (expected.voters, expected.weight)
        cancelled = snapshot.load_election(CANCELLED.box)
        assert cancelled == replace(CANCELLED, number=2)
    for engine in (migrated, fresh):
        engine.dispose()


def test_migration__afterwards__is_read_on_and_rewound(new_database: Callable[[], str]) -> None:
    url = new_database()
    make_old(url, "0001").dispose()
    engine = open_database(url)
    before = read_rows(engine)
    writer = IndexWriter(engine, chain_id=ChainId(CHAIN), factory=FACTORY)
    more = [make_record(0, b"\x07", 9), make_record(77, b"\x07", 9)]
    grown, batch = add_batch(TWO, more, block=6)
    cancelled: Election = replace(EMPTY, head=CANCELLED_HEAD, cancelled=True, cancelled_at_block=BlockNumber(6))
    change = RangeChange(make_block(6), updated={TWO.box: grown, EMPTY.box: cancelled}, batches=[batch])
    writer.apply(change, after=make_block(5))
    with Repository(engine).snapshot() as snapshot:
        found = snapshot.load_election(TWO.box)
        assert found is not None
        assert snapshot.load_groups(found) == count([*RECORDS, *more]).groups()
    # The cancelled election opened before the fork: it was cancelled before, whenever that was.
    fork = replace(make_block(5), timestamp=CANCELLED.opens_at)
    writer.rewind(fork, after=make_block(6), observed_at_unix=1.0)
    before["chain_cursor"] = [(1, CHAIN, FACTORY, fork.number, fork.hash, fork.timestamp)]
    assert read_rows(engine) == before
    engine.dispose()


def test_migration__sqlite__keeps_ballots_by_their_key_alone(new_database: Callable[[], str]) -> None:
    url = new_database()
    make_old(url, "0002").dispose()
    engine = open_database(url)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            query = (
                "SELECT name FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID' OR name LIKE '%before' ORDER BY name"
            )
            assert connection.execute(text(query)).scalars().all() == ["ballots", "batches"]
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()


def count(records: Sequence[Record]) -> EffectiveBallots:
    effective = EffectiveBallots()
    for record in records:
        effective.apply(record)
    return effective
