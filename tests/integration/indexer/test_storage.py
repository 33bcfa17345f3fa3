"""What is written is what is read, on both databases, whole or not at all."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from databases import PostgresServer
from index_rows import (
    CHAIN,
    CLOSES_AT,
    FACTORY,
    OPENS_AT,
    add_batch,
    make_block,
    make_change,
    make_record,
    make_row_election,
    make_source,
    read_rows,
)
from msgspec import structs
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from indexer.storage.engine import POSTGRESQL_DRIVER, POSTGRESQL_TCP, describe, open_database
from indexer.storage.migrate import VERSION_TABLE
from indexer.storage.model import ChainObservation, HeadCheck, RangeChange
from indexer.storage.proof_writer import ProofWriter
from indexer.storage.repository import Repository
from indexer.storage.table_base import METADATA
from indexer.storage.writer import IndexWriter
from qballot.core.keccak import keccak
from qballot.core.records import DIRECT_BIT
from qballot.core.types import Address, ChainId
from qballot.errors import StorageError

pytestmark = pytest.mark.integration


@pytest.fixture
def writer(engine: Engine) -> IndexWriter:
    return IndexWriter(engine, chain_id=ChainId(CHAIN), factory=FACTORY)


@pytest.fixture
def repository(engine: Engine) -> Repository:
    return Repository(engine)


def test_schema__migrated_from_nothing__is_that_of_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_open__twice__changes_nothing(database_url: str) -> None:
    for _ in range(2):
        engine = open_database(database_url)
        IndexWriter(engine, chain_id=ChainId(CHAIN), factory=FACTORY)
        engine.dispose()


def test_open__schema_of_a_newer_program__is_refused(database_url: str) -> None:
    engine = open_database(database_url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StorageError, match=r"schema 9999, expected at most 0007: a newer qballot"):
        open_database(database_url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:////no/such/folder/x.sqlite3", "unable to open"),
        ("postgresql://someone:secret@127.0.0.1:1/x", "connection"),
        ("mysql://host/x", "found the database 'mysql', expected sqlite or postgresql"),
        ("nonsense", "cannot be read"),
    ],
)
def test_open__no_such_database__says_so_without_the_password(url: str, message: str) -> None:
    with pytest.raises(StorageError, match=message) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)


def test_open__a_file_that_is_no_database__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear committee, " * 100)
    with pytest.raises(StorageError, match="not a database"):
        open_database(f"sqlite:///{path}")


def test_claim__another_chain_or_factory__says_found_and_expected(engine: Engine, writer: IndexWriter) -> None:
    with pytest.raises(StorageError, match=r"serves chain 31337 .* expected chain 1 "):
        IndexWriter(engine, chain_id=ChainId(1), factory=FACTORY)
    with pytest.raises(StorageError, match=r"factory 0x[fFaA]{40}; expected chain 31337 and the factory 0x[bB]{40}"):
        IndexWriter(engine, chain_id=ChainId(CHAIN), factory=Address(b"\xbb" * 20))


def test_apply__extreme_values__come_back_as_they_were(writer: IndexWriter, repository: Repository) -> None:
    election = make_row_election(definition=bytes(range(256)), closes_at=2**40 - 1, invalid_reason="“quoted”\nfé")
    records = [
        make_record(2**32 - 1, b"", DIRECT_BIT | (2**39 - 1), 2**96 - 1),
        make_record(0, b"\x00\t\n\\N\r" + bytes(range(256)), 0, 1),
        make_record(1, b"\xff" * 65_535),
    ]
    grown, batch = add_batch(election, records, block=2)
    writer.apply(make_change(5, grown, batch), after=None)
    with repository.snapshot() as snapshot:
        cursor = snapshot.load_cursor()
        found = snapshot.load_election(election.box)
        assert found is not None
        ballots = list(snapshot.stream_ballots(found, limit=10))
        streamed = list(snapshot.stream_records(found))
        assert snapshot.load_open_boxes() == [election.box]
        assert snapshot.load_batch(found, 0) == batch.batch
        assert snapshot.load_batch(found, 1) is None
    assert cursor is not None
    assert (cursor.chain_id, cursor.factory, cursor.block) == (CHAIN, FACTORY, make_block(5))
    weights = sum(record.weight for record in records)
    assert found == replace(grown, number=1, voters_cast=3, weight_cast=weights)
    assert [(ballot.position, ballot.record) for ballot in ballots] == list(enumerate(records))
    assert all(ballot.batch == batch.batch for ballot in ballots)
    assert streamed == records


def test_apply__second_range__grows_what_the_first_created(writer: IndexWriter, repository: Repository) -> None:
    first, one = add_batch(make_row_election(), [make_record(0), make_record(1)], block=2)
    writer.apply(make_change(5, first, one), after=None)
    second, two = add_batch(replace(first, number=1), [make_record(2)], block=6)
    other = make_row_election(2, block=7)
    change = RangeChange(make_block(9), created=[other], updated={second.box: second}, batches=[two])
    writer.apply(change, after=make_block(5))
    with repository.snapshot() as snapshot:
        assert snapshot.load_election(second.box) == replace(second, voters_cast=3, weight_cast=3)
        assert [record.voter for record in snapshot.stream_records(second)] == [0, 1, 2]
        assert [record.voter for record in snapshot.stream_records(second, start=2)] == [2]
        assert [found.number for found in snapshot.load_elections(limit=10)] == [2, 1]
        assert [found.number for found in snapshot.load_elections(limit=1)] == [2]
        assert [found.number for found in snapshot.load_elections(limit=5, before=2)] == [1]
        for before in (3, 2**31 - 1, 2**31, 2**63 - 1):
            assert [found.number for found in snapshot.load_elections(limit=5, before=before)] == [2, 1]
        listing = snapshot.load_elections(limit=1)[0]
        assert (listing.box, listing.definition_hash) == (other.box, other.arguments.definition_hash)
        assert (listing.opens_at, listing.closes_at) == (other.opens_at, other.closes_at)
        assert snapshot.load_definitions([1, 2, 9]) == {1: first.definition, 2: other.definition}


def test_apply__cursor_moved_by_another__writes_nothing(engine: Engine, writer: IndexWriter) -> None:
    writer.apply(RangeChange(make_block(5)), after=None)
    before = read_rows(engine)
    for stale in (None, make_block(4)):
        with pytest.raises(StorageError, match="another indexer"):
            writer.apply(make_change(9, make_row_election()), after=stale)
    assert read_rows(engine) == before


def test_apply__a_row_fails__leaves_cursor_and_rows_as_they_were(engine: Engine, writer: IndexWriter) -> None:
    election, batch = add_batch(make_row_election(), [make_record()], block=2)
    writer.apply(make_change(5, election, batch), after=None)
    before = read_rows(engine)
    grown = replace(election, number=1, batches=2)
    # The batch's log is new, its only record is not.
    again = structs.replace(batch, batch=structs.replace(batch.batch, sequence=1, source=make_source(6)))
    with pytest.raises(StorageError, match="cannot write the index"):
        writer.apply(make_change(9, grown, again), after=make_block(5))
    # And one log cannot be two batches.
    twice = structs.replace(batch, batch=structs.replace(batch.batch, sequence=1, first_position=1))
    with pytest.raises(StorageError, match="cannot write the index"):
        writer.apply(make_change(9, grown, twice), after=make_block(5))
    assert read_rows(engine) == before


def test_ballots__by_page_and_voter__are_in_order(writer: IndexWriter, repository: Repository) -> None:
    first, one = add_batch(make_row_election(), [make_record(voter) for voter in (3, 4, 5)], block=2)
    second, two = add_batch(first, [make_record(voter) for voter in (4, 3)], block=2, log_index=9)
    writer.apply(make_change(5, second, one, two), after=None)
    election = replace(second, number=1)
    with repository.snapshot() as snapshot:

        def positions(**options: Any) -> list[int]:
            return [ballot.position for ballot in snapshot.stream_ballots(election, **{"limit": 10, **options})]

        assert positions() == [0, 1, 2, 3, 4]
        assert positions(limit=2) == [0, 1]
        assert positions(limit=2, after=1) == [2, 3]
        assert positions(after=4) == []
        assert positions(voter=3) == [0, 4]
        assert positions(voter=3, after=0) == [4]
        assert positions(voter=9) == []
        assert [ballot.batch.sequence for ballot in snapshot.stream_ballots(election, limit=10)] == [0, 0, 0, 1, 1]


def test_snapshot__written_to_meanwhile__stays_as_it_was(writer: IndexWriter, repository: Repository) -> None:
    writer.apply(make_change(5, make_row_election()), after=None)
    with repository.snapshot() as snapshot:
        before = snapshot.load_cursor()
        writer.apply(make_change(9, make_row_election(2, block=8)), after=make_block(5))
        assert snapshot.load_cursor() == before
        assert len(snapshot.load_elections(limit=10)) == 1
    with repository.snapshot() as snapshot:
        assert len(snapshot.load_elections(limit=10)) == 2


BEFORE, DURING, LATER, AFTER = (
    make_block(10, OPENS_AT - 1),
    make_block(11, OPENS_AT),
    make_block(12, CLOSES_AT - 1),
    make_block(13, CLOSES_AT),
)
RIGHT, WRONG = make_row_election().head, keccak(b"another head")


@pytest.mark.parametrize(
    ("check", "at", "expected"),
    [
        (None, BEFORE, (True, True)),
        (HeadCheck(BEFORE, RIGHT, RIGHT), BEFORE, (False, False)),
        (HeadCheck(make_block(9, 1), RIGHT, RIGHT), BEFORE, (False, False)),
        (HeadCheck(BEFORE, RIGHT, RIGHT), DURING, (True, True)),
        (HeadCheck(DURING, RIGHT, RIGHT), LATER, (False, True)),
        (HeadCheck(LATER, RIGHT, RIGHT), AFTER, (True, True)),
        (HeadCheck(AFTER, RIGHT, RIGHT), make_block(14, CLOSES_AT + 1), (False, False)),
        (HeadCheck(AFTER, RIGHT, None, "no state"), AFTER, (False, False)),
        (HeadCheck(AFTER, RIGHT, None, "no state"), make_block(14, CLOSES_AT + 1), (True, True)),
        (HeadCheck(AFTER, RIGHT, WRONG), make_block(14, CLOSES_AT + 1), (True, True)),
        (HeadCheck(make_block(9, 1), WRONG, WRONG), BEFORE, (True, True)),
    ],
)
def test_due__by_last_check_and_block__are_those_that_may_have_changed(  # noqa: PLR0917 # fixtures and cases
    engine: Engine,
    writer: IndexWriter,
    repository: Repository,
    check: HeadCheck | None,
    at: object,
    expected: tuple[bool, bool],
) -> None:
    writer.apply(make_change(5, make_row_election()), after=None)
    if check is not None:
        ProofWriter(engine, needed=2).save_heads({1: HeadCheck(make_block(2), WRONG, None, "replaced by the next")}, ())
        ProofWriter(engine, needed=2).save_heads({1: check}, ())
    with repository.snapshot() as snapshot:
        due = snapshot.proofs.load_due(at, watched=0)  # type: ignore[arg-type]
        found = snapshot.proofs.load_due(at, watched=1)  # type: ignore[arg-type]
    assert (bool(due), bool(found)) == expected
    assert all((due_box.number, due_box.head) == (1, RIGHT) for due_box in found)


def test_due__many__are_the_due_ones_and_some_of_the_quiet_ones(
    engine: Engine, writer: IndexWriter, repository: Repository
) -> None:
    elections = [make_row_election(name) for name in range(1, 7)]
    elections[0] = replace(elections[0], invalid_reason="no definition")
    writer.apply(RangeChange(make_block(5), created=elections), after=None)
    quiet = HeadCheck(DURING, RIGHT, RIGHT)
    older = HeadCheck(make_block(10, OPENS_AT), RIGHT, RIGHT)
    failed = HeadCheck(DURING, RIGHT, None, "no state")
    ProofWriter(engine, needed=2).save_heads({1: failed, 2: quiet, 3: quiet, 4: older, 5: failed}, ())
    with repository.snapshot() as snapshot:
        assert [box.number for box in snapshot.proofs.load_due(LATER, watched=0)] == [6, 5]
        assert [box.number for box in snapshot.proofs.load_due(LATER, watched=2)] == [6, 5, 4, 2]
        assert [box.number for box in snapshot.proofs.load_due(AFTER, watched=0)] == [6, 4, 2, 3, 5]


@pytest.mark.parametrize(("timestamp", "open_ones"), [(CLOSES_AT - 1, [1]), (CLOSES_AT, [])])
def test_open_boxes__closed_or_cancelled__are_left_out(
    writer: IndexWriter, repository: Repository, timestamp: int, open_ones: list[int]
) -> None:
    elections = [make_row_election(1), make_row_election(2, cancelled=True), make_row_election(3, closes_at=2**39)]
    writer.apply(RangeChange(make_block(5, timestamp), created=elections), after=None)
    with repository.snapshot() as snapshot:
        assert snapshot.load_open_boxes() == [elections[at - 1].box for at in [*open_ones, 3]]


def test_observation__written_twice__is_the_last(writer: IndexWriter, repository: Repository) -> None:
    with repository.snapshot() as snapshot:
        assert snapshot.load_observation() is None
    for number in (3, 4):
        writer.save_observation(ChainObservation(make_block(number), 1_700_000_000.5 + number))
    with repository.snapshot() as snapshot:
        assert snapshot.load_observation() == ChainObservation(make_block(4), 1_700_000_004.5)


def test_read__database_gone__is_a_storage_error(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE ballots"))
        connection.execute(text("DROP TABLE chain_cursor"))
    with pytest.raises(StorageError, match="cannot read the index"), Repository(engine).snapshot() as snapshot:
        snapshot.load_cursor()
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2secret@127.0.0.1:1/qballot",
        "postgresql:///qballot?host=127.0.0.1&port=1&user=me&password=hunter2secret",
        "postgresql://me@127.0.0.1:1/qballot?sslpassword=hunter2secret&sslmode=disable",
    ],
)
def test_describe__a_url_with_a_password__hides_it(url: str) -> None:
    engine = create_engine(make_url(url).set(drivername=POSTGRESQL_DRIVER))
    assert "hunter2secret" not in describe(engine)
    assert "qballot" in describe(engine)
    with pytest.raises(StorageError, match="cannot open the database postgresql://") as caught:
        open_database(url)
    assert "hunter2secret" not in str(caught.value)


def test_open__to_read_only__neither_makes_nor_changes_anything(database_url: str) -> None:
    if database_url.startswith("postgresql"):
        with pytest.raises(StorageError, match="nothing is indexed yet in postgresql://"):
            open_database(database_url, create=False)
    open_database(database_url).dispose()
    engine = open_database(database_url, create=False)
    with pytest.raises(DBAPIError, match=r"read-?only"), engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0003'"))
    engine.dispose()


def test_open__to_read_a_database_of_an_older_program__leaves_it_as_it_is(database_url: str) -> None:
    engine = open_database(database_url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0003'"))
    with pytest.raises(StorageError, match=r"schema 0003, expected 0007: an older qballot"):
        open_database(database_url, create=False)
    with engine.begin() as connection:
        assert connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")) == "0003"
    engine.dispose()


def test_open__server_that_never_answers__is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two seconds are the least that PostgreSQL's library takes.
    monkeypatch.setitem(POSTGRESQL_TCP, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as hung:
        started = time.monotonic()
        with pytest.raises(StorageError, match="timeout") as caught:
            open_database(f"postgresql://me@127.0.0.1:{hung.getsockname()[1]}/x")
        assert time.monotonic() - started < 15
    assert caught.value.retryable


def test_write__table_that_another_session_has_locked__is_given_up(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.storage.engine.LOCK_SECONDS", 1)
    engine = open_database(postgres.create_database())
    with engine.connect() as holder:
        holder.execute(text("LOCK TABLE chain_observations"))
        with pytest.raises(StorageError, match="lock timeout") as caught:
            IndexWriter(engine, chain_id=ChainId(CHAIN), factory=FACTORY).save_observation(
                ChainObservation(make_block(3), 1.0)
            )
    assert caught.value.retryable
    engine.dispose()


def test_open__postgresql__bounds_statements_but_for_what_the_url_says(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    names = ("statement_timeout", "lock_timeout", "default_transaction_read_only")
    chosen = f"{url}{'&' if '?' in url else '?'}options=-c%20lock_timeout%3D20ms"
    for opened, create, expected in (
        (url, True, ["10min", "1min", "off"]),
        (url, False, ["0", "1min", "on"]),
        (chosen, True, ["10min", "20ms", "off"]),
    ):
        engine = open_database(opened, create=create)
        with engine.connect() as connection:
            assert [connection.scalar(text(f"SHOW {name}")) for name in names] == expected
        engine.dispose()
