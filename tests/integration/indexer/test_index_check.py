"""`indexer.check` on real databases: whatever is changed in them is found, and named as exactly as it can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from checking import change, check, find_fault
from index_rows import CHAIN, FACTORY, OPENS_AT, add_batch, make_change, make_record, make_row_election
from scenes import SALAD, SOUP, STEW, cancel, create_raw, follow, hold_election, lying_endpoint
from sqlalchemy import Engine, text

from indexer.storage.model import Election
from indexer.storage.repository import Repository
from indexer.storage.writer import IndexWriter
from qballot.chain.devnet import Devnet
from qballot.core.records import advance_head, pack_records
from qballot.core.types import Address, ChainId, Hash32
from qballot.errors import InputError, ProofError, StorageError, WrongChainError
from qballot.testing import make_election

pytestmark = pytest.mark.integration


@dataclass(frozen=True, slots=True)
class Kept:
    """An index with one election: batches of records 0-2, 3, 4-6 and 7."""

    engine: Engine
    election: Election


@pytest.fixture
def kept(engine: Engine) -> Kept:
    writer = IndexWriter(engine, chain_id=ChainId(CHAIN), factory=FACTORY)
    election = make_row_election()
    batches = []
    for number, voters in enumerate(([0, 1, 2], [3], [4, 5, 6], [1])):
        records = [make_record(voter, SOUP if voter % 2 else SALAD, OPENS_AT + number, voter + 1) for voter in voters]
        election, batch = add_batch(election, records, block=3 + number, log_index=5)
        batches.append(batch)
    writer.apply(make_change(10, election, *batches), after=None)
    return Kept(engine, election)


def test_check__untouched_index__holds(kept: Kept) -> None:
    report = check(kept.engine)
    (found,) = report.elections
    assert (found.box, found.batches, found.records, found.head) == (kept.election.box, 4, 8, kept.election.head)
    assert (found.fault, report.faults, report.block.number) == (None, 0, 10)
    assert check(kept.engine, kept.election.box) == report


CHANGED_ROWS: list[tuple[str, str, tuple[int, int], str]] = [
    ("one ballot of one", "UPDATE ballots SET weight = '5' WHERE position = 3", (3, 3), "does not hash to the head"),
    (
        "one ballot of three",
        "UPDATE ballots SET weight = '9' WHERE position = 5",
        (4, 6),
        "records 4 to 6: they do not",
    ),
    ("time", "UPDATE ballots SET cast_at = cast_at + 1 WHERE position = 1", (0, 2), "do not hash"),
    ("voter", "UPDATE ballots SET voter = 77 WHERE position = 7", (7, 7), "does not hash"),
    ("no ballot's time", "UPDATE ballots SET cast_at = 17 WHERE position = 5", (5, 5), "cast_at says 17"),
    ("no number", "UPDATE ballots SET weight = '-1' WHERE position = 6", (6, 6), "weight is '-1', expected decimal"),
    ("no form", "UPDATE ballots SET weight = '01' WHERE position = 0", (0, 0), "weight is '01', expected decimal"),
    ("too much", f"UPDATE ballots SET weight = '{2**96}' WHERE position = 0", (0, 0), "weight must be 0 …"),
    ("no voter", "UPDATE ballots SET voter = -1 WHERE position = 2", (2, 2), "voter must be 0 …"),
    ("other batch", "UPDATE ballots SET batch_sequence = 3 WHERE position = 5", (5, 5), "is kept under batch 3"),
    ("no batch", "UPDATE ballots SET batch_sequence = 9 WHERE position = 7", (7, 7), "is kept under batch 9"),
    ("missing inside", "DELETE FROM ballots WHERE position = 5", (5, 5), "is missing: the next one that is kept is"),
    ("missing in front", "DELETE FROM ballots WHERE position = 4", (4, 4), "is missing: the next one that is kept is"),
    ("missing at an end", "DELETE FROM ballots WHERE position = 6", (6, 6), "is missing: batch 2 has 3 records"),
    ("missing last", "DELETE FROM ballots WHERE position = 7", (7, 7), "is missing: batch 3 has 1 records, found 0"),
    ("moved", "UPDATE ballots SET position = 8 WHERE position = 7", (7, 7), "the next one that is kept is record 8"),
]


@pytest.mark.parametrize(
    ("statement", "positions", "message"), [row[1:] for row in CHANGED_ROWS], ids=[row[0] for row in CHANGED_ROWS]
)
def test_check__changed_ballot__is_named(kept: Kept, statement: str, positions: tuple[int, int], message: str) -> None:
    change(kept.engine, statement)
    fault = find_fault(kept.engine)
    assert (fault.what, fault.first_position, fault.last_position) == ("record", *positions)
    assert message in fault.message


def test_check__every_bit_of_every_ballot__is_noticed(kept: Kept) -> None:
    for position in range(8):
        for bit in range(24):
            flipped = f"UPDATE ballots SET ballot = :ballot WHERE position = {position}"
            with kept.engine.connect() as connection:
                found = connection.execute(text(f"SELECT ballot FROM ballots WHERE position = {position}")).scalar_one()
            before = bytes(found)
            after = (int.from_bytes(before) ^ 1 << bit).to_bytes(3)
            change(kept.engine, flipped, ballot=after)
            fault = find_fault(kept.engine)
            assert fault.first_position is not None
            assert fault.last_position is not None
            assert fault.first_position <= position <= fault.last_position
            change(kept.engine, flipped, ballot=before)
    assert check(kept.engine).faults == 0


@pytest.mark.parametrize(
    ("statement", "what", "message"),
    [
        ("UPDATE batches SET head = :zeros WHERE sequence = 1", "head", "the head kept of batch 1 is wrong"),
        ("UPDATE batches SET head = :zeros WHERE sequence = 3", "head", "the head kept of batch 3 is wrong"),
        ("UPDATE batches SET records = 4 WHERE sequence = 2", "count", "batch 2 says that it has 4 records, found 3"),
        ("UPDATE batches SET first_position = 2 WHERE sequence = 1", "count", "begins at record 2, expected 3"),
        ("UPDATE batches SET block_number = 1 WHERE sequence = 2", "batch", "expected one after (4, 5)"),
        ("DELETE FROM batches WHERE sequence = 1", "batch", "batch 1 is missing"),
        ("DELETE FROM batches WHERE sequence = 3", "record", "record 7: is of batch 3, which is not kept"),
        ("UPDATE elections SET head = :zeros", "head", "which its records give"),
        ("UPDATE elections SET records = 9", "count", "says that it has 9 records, found 8"),
        ("UPDATE elections SET batches = 3", "count", "says that it has 3 batches, found 4"),
        ("UPDATE elections SET cancelled = :yes", "head", "which a cancelled election has"),
        ("UPDATE elections SET definition = :zeros", "definition", "the definition hashes to 0x"),
        ("UPDATE elections SET definition = :zeros, invalid_reason = 'because'", "definition", "the definition hashes"),
        ("UPDATE elections SET invalid_reason = 'because'", "validity", "is kept as invalid ('because'), expected"),
        ("UPDATE elections SET closes_at = closes_at - 1", "rules", "its rules give the address 0x"),
        ("UPDATE elections SET voters = 1000000", "rules", "expected its own: its organizer, salt, times, census"),
        ("UPDATE elections SET sheet_roots = :zeros", "rules", "its rules give the address 0x"),
        ("UPDATE elections SET salt = :zeros", "rules", "its rules give the address 0x"),
        ("UPDATE elections SET sheet_roots = :nothing", "rules", "no root of its census is kept"),
        ("UPDATE elections SET voters = -1", "row", "the election's row cannot be read: voters"),
        ("UPDATE elections SET voters_cast = 6", "turnout", "voters cast: found 6, expected 7"),
        ("UPDATE elections SET weight_cast = '1'", "turnout", "the weight cast: found 1, expected"),
        ("UPDATE ballot_groups SET ballots = ballots + 1", "group", "the group of the ballot 0x000100: found"),
        ("UPDATE ballot_groups SET weight = '3' WHERE ballots = 3", "group", "3 of weight 3, expected 3 of weight"),
        ("DELETE FROM ballot_groups", "group", "found none, expected"),
    ],
)  # fmt: skip
def test_check__changed_batch_or_election__is_named(kept: Kept, statement: str, what: str, message: str) -> None:
    known = (("zeros", bytes(32)), ("nothing", b""), ("yes", True))
    change(kept.engine, statement, **{name: value for name, value in known if f":{name}" in statement})
    fault = find_fault(kept.engine)
    assert fault.what == what
    assert message in fault.message


def test_check__text_where_bytes_belong__is_said(sqlite_engine: Engine) -> None:
    writer = IndexWriter(sqlite_engine, chain_id=ChainId(CHAIN), factory=FACTORY)
    election, batch = add_batch(make_row_election(), [make_record()], block=3)
    writer.apply(make_change(10, election, batch), after=None)
    for table, column, message in (
        ("ballots", "ballot", "record 0: ballot is 'abc', expected bytes"),
        ("batches", "head", "a row of its batches or groups cannot be read"),
        ("elections", "head", "the election's row cannot be read"),
    ):
        with sqlite_engine.connect() as connection:
            before = connection.execute(text(f"SELECT {column} FROM {table}")).scalar_one()
        change(sqlite_engine, f"UPDATE {table} SET {column} = 'abc'")
        assert message in find_fault(sqlite_engine).message
        change(sqlite_engine, f"UPDATE {table} SET {column} = :before", before=before)
    assert check(sqlite_engine).faults == 0


def test_check__invalid_definition__has_to_be_kept_as_such(engine: Engine) -> None:
    writer = IndexWriter(engine, chain_id=ChainId(CHAIN), factory=FACTORY)
    writer.apply(make_change(10, make_row_election(definition=b"none", invalid_reason="no definition")), after=None)
    assert check(engine).faults == 0
    change(engine, "UPDATE elections SET invalid_reason = NULL")
    fault = find_fault(engine)
    assert (fault.what, "is kept as valid, expected invalid: " in fault.message) == ("validity", True)


def test_check__text_that_is_no_text__is_said(sqlite_engine: Engine) -> None:
    writer = IndexWriter(sqlite_engine, chain_id=ChainId(CHAIN), factory=FACTORY)
    election, batch = add_batch(make_row_election(), [make_record()], block=3)
    writer.apply(make_change(10, election, batch), after=None)
    for table, column, message in (
        ("ballots", "weight", "record 0: weight is '\\udcff\\udcfe', expected decimal digits"),
        ("batches", "block_hash", "a row of its batches or groups cannot be read"),
        ("elections", "definition", "the election's row cannot be read"),
    ):
        with sqlite_engine.connect() as connection:
            before = connection.execute(text(f"SELECT {column} FROM {table}")).scalar_one()
        change(sqlite_engine, f"UPDATE {table} SET {column} = CAST(x'fffe' AS TEXT)")
        assert message in find_fault(sqlite_engine).message
        change(sqlite_engine, f"UPDATE {table} SET {column} = :before", before=before)
    assert check(sqlite_engine).faults == 0
    change(sqlite_engine, "UPDATE elections SET box = CAST(x'fffe' AS TEXT)")
    assert check(sqlite_engine).index == (
        "the address of election number 1 is kept as '\\udcff\\udcfe', expected 20 bytes",
    )
    change(sqlite_engine, "UPDATE chain_cursor SET block_hash = CAST(x'fffe' AS TEXT)")
    with pytest.raises(ProofError, match="the row of the last indexed block cannot be read"):
        check(sqlite_engine)


def test_check__last_indexed_block_changed__is_said(kept: Kept) -> None:
    change(kept.engine, "UPDATE chain_cursor SET block_hash = :zeros", zeros=bytes(32))
    report = check(kept.engine)
    (found,) = report.index
    assert f"the last indexed block is kept as 10, 0x{'00' * 32}, of 1010, and among the blocks as 10, 0x" in found
    assert (report.faults, report.elections[0].fault) == (1, None)


def test_check__rows_of_no_election__are_named(kept: Kept) -> None:
    change(
        kept.engine,
        "INSERT INTO ballots SELECT 7, position, batch_sequence, voter, cast_at, weight, ballot FROM ballots",
    )
    report = check(kept.engine)
    assert [election.fault for election in report.elections] == [None]
    assert report.ownerless == ("ballots has rows of elections that the index does not have: numbers 7",)
    assert report.faults == 1


def test_check__nothing_indexed_or_another_box__is_said(engine: Engine) -> None:
    with pytest.raises(StorageError, match="nothing is indexed yet"):
        check(engine)
    writer = IndexWriter(engine, chain_id=ChainId(CHAIN), factory=FACTORY)
    with pytest.raises(StorageError, match="nothing is indexed yet"):
        check(engine)
    writer.apply(make_change(10, make_row_election()), after=None)
    assert check(engine).faults == 0
    with pytest.raises(InputError, match="the index holds no election at 0x"):
        check(engine, Address(bytes(20)))


def test_check__real_index_with_its_endpoint__holds(devnet: Devnet, engine: Engine) -> None:
    hold_election(devnet)
    cancel(make_election(devnet, salt=1))
    create_raw(devnet, b"no definition")
    follow(devnet, engine).sync_once()
    report = check(engine, rpc=devnet.rpc)
    assert (len(report.elections), report.faults) == (3, 0)
    assert sum(election.records for election in report.elections) == 6


@pytest.mark.parametrize(
    ("statement", "position", "message"),
    [
        ("UPDATE ballots SET weight = '7' WHERE position = 2", 2, "weight is 7, expected 1 as in its log"),
        ("UPDATE ballots SET voter = 0 WHERE position = 4", 4, "voter is 0, expected 4 as in its log"),
        ("UPDATE ballots SET cast_at = cast_at + 1 WHERE position = 1", 1, "cast_at is "),
        ("UPDATE ballots SET ballot = :stew WHERE position = 0", 0, "ballot is 0x000001, expected 0x000100 as in its"),
        ("UPDATE ballots SET ballot = :stew WHERE position = 5", 5, "ballot is 0x000001, expected 0x010000 as in its"),
        ("UPDATE batches SET head = :zeros WHERE sequence = 2", None, "the head kept of batch 2 is wrong"),
    ],
)  # fmt: skip
def test_check__with_an_endpoint__names_record_and_field(
    devnet: Devnet, engine: Engine, statement: str, position: int | None, message: str
) -> None:
    hold_election(devnet)
    follow(devnet, engine).sync_once()
    values = {name: value for name, value in (("zeros", bytes(32)), ("stew", STEW)) if f":{name}" in statement}
    change(engine, statement, **values)
    fault = find_fault(engine, devnet.rpc)
    assert (fault.first_position, fault.last_position) == (position, position)
    assert message in fault.message


def rewrite_consistently(engine: Engine, box: Address, changes: Mapping[int, bytes]) -> None:
    """Change ballots and everything that is computed from them, as one does who wants not to be found out."""
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
        assert election is not None
        records = list(snapshot.stream_records(election))
        batches = [snapshot.load_batch(election, sequence) for sequence in range(election.batches)]
    changed = [
        make_record(record.voter, changes.get(position, record.ballot), record.cast_at, record.weight)
        for position, record in enumerate(records)
    ]
    head = election.arguments.definition_hash
    for position, record in enumerate(changed):
        change(engine, f"UPDATE ballots SET ballot = :ballot WHERE position = {position}", ballot=record.ballot)
    for batch in batches:
        assert batch is not None
        part: Sequence[Any] = changed[batch.first_position : batch.first_position + batch.records]
        head = Hash32(advance_head(head, pack_records(part)))
        change(engine, f"UPDATE batches SET head = :head WHERE sequence = {batch.sequence}", head=head)
    change(engine, "UPDATE elections SET head = :head", head=head)


def test_check__index_rewritten_consistently__only_the_chain_tells(devnet: Devnet, engine: Engine) -> None:
    scene = hold_election(devnet)
    follow(devnet, engine).sync_once()
    # The places of two ballots that count change: turnout and groups stay the same.
    rewrite_consistently(engine, scene.deployment.box, {1: SALAD, 2: SOUP})
    assert check(engine).faults == 0
    fault = find_fault(engine, devnet.rpc)
    assert fault.first_position == 1
    assert "record 1: ballot is 0x000100, expected 0x010000 as in its log; head() at block" in fault.message


def test_check__log_that_cannot_be_read_again__still_names_the_batch(devnet: Devnet, sqlite_engine: Engine) -> None:
    hold_election(devnet)
    follow(devnet, sqlite_engine).sync_once()
    change(sqlite_engine, "UPDATE ballots SET weight = '7' WHERE position = 2")
    with lying_endpoint(devnet, lambda method, _, result: [] if method == "eth_getLogs" else result) as rpc:
        fault = find_fault(sqlite_engine, rpc)
    assert (fault.first_position, fault.last_position, fault.batch) == (0, 2, 0)
    assert "the log was not read again: http://127.0.0.1" in fault.message
    assert "has no such log" in fault.message


def test_check__endpoint_of_another_chain__is_refused(devnet: Devnet, sqlite_engine: Engine) -> None:
    writer = IndexWriter(sqlite_engine, chain_id=ChainId(1), factory=FACTORY)
    writer.apply(make_change(10, make_row_election()), after=None)
    with pytest.raises(WrongChainError):
        check(sqlite_engine, rpc=devnet.rpc)
