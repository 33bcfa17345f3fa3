"""What a reorganisation takes away is kept apart, and what is left is what a fresh index would hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from index_rows import (
    CHAIN,
    FACTORY,
    OPENS_AT,
    add_batch,
    make_block,
    make_record,
    make_row_election,
    read_rows,
)
from sqlalchemy import Engine, select, text

from indexer.storage import finality
from indexer.storage.chain_tables import ORPHANED_BATCHES, ORPHANED_ELECTIONS
from indexer.storage.engine import open_database
from indexer.storage.model import Block, Contents, HeadCheck, RangeChange, Reorg
from indexer.storage.proof_writer import ProofWriter
from indexer.storage.repository import Repository
from indexer.storage.writer import IndexWriter, reset_index
from qballot.core.records import CANCELLED_HEAD
from qballot.core.types import BlockNumber, ChainId
from qballot.errors import FinalityError, StorageError

pytestmark = pytest.mark.integration

NOW = 1_700_000_000.25


@pytest.fixture
def writer(engine: Engine) -> IndexWriter:
    return IndexWriter(engine, chain_id=ChainId(CHAIN), factory=FACTORY)


OLD = make_row_election(1, block=1)
QUIET = make_row_election(2, block=2)
LATE = make_row_election(3, block=4)
ONE, FIRST = add_batch(OLD, [make_record(0, b"\x01", 1), make_record(1, b"\x02", 1)], block=2, log_index=5)
TWO, SECOND = add_batch(ONE, [make_record(1, b"\x01", 2), make_record(2, b"\x03" * 50, 2)], block=4, log_index=5)
THREE, THIRD = add_batch(TWO, [make_record(0, b"\x02", 3)], block=4, log_index=6)
LATER, ONLY = add_batch(LATE, [make_record(0), make_record(0, cast_at=9)], block=5, log_index=7)
CANCELLED = replace(QUIET, head=CANCELLED_HEAD, cancelled=True, cancelled_at_block=BlockNumber(4))


def write_until_three(writer: IndexWriter) -> None:
    """Two elections, one of them with a batch, read up to block 3 as two ranges."""
    writer.apply(RangeChange(make_block(1), created=[OLD]), after=None)
    blocks = [make_block(2), make_block(3)]
    change = RangeChange(blocks[-1], created=[QUIET], updated={OLD.box: ONE}, batches=[FIRST], blocks=blocks)
    writer.apply(change, after=make_block(1))


def write_until_five(writer: IndexWriter) -> None:
    """And another election, a cancellation, two batches of the old election and one of the new."""
    write_until_three(writer)
    change = RangeChange(
        make_block(5),
        created=[LATER],
        updated={OLD.box: THREE, QUIET.box: CANCELLED},
        batches=[SECOND, THIRD, ONLY],
        blocks=[make_block(4), make_block(5)],
    )
    writer.apply(change, after=make_block(3))


def test_rewind__elections_batches_and_a_cancellation__leaves_what_a_fresh_index_holds(
    engine: Engine, writer: IndexWriter, new_database: Callable[[], str]
) -> None:
    write_until_five(writer)
    agreeing = HeadCheck(make_block(5), ONE.head, ONE.head)
    ProofWriter(engine, needed=2).save_heads({1: agreeing, 2: replace(agreeing, block=make_block(3)), 3: agreeing}, ())
    rewound = writer.rewind(make_block(3), after=make_block(5), observed_at_unix=NOW)
    assert (rewound.elections, rewound.batches, rewound.records) == (1, 3, 5)
    fresh = open_database(new_database())
    write_until_three(IndexWriter(fresh, chain_id=ChainId(CHAIN), factory=FACTORY))
    assert read_rows(engine) == read_rows(fresh)
    with Repository(engine).snapshot() as snapshot:
        assert snapshot.load_blocks() == [make_block(number) for number in (1, 2, 3)]
        checked = [snapshot.load_election(box) for box in (OLD.box, QUIET.box)]
    assert [None if one is None or one.head_check is None else one.head_check.block.number for one in checked] == [
        None,
        3,
    ]
    fresh.dispose()


def test_rewind__read_on_afterwards__is_what_a_fresh_index_holds(
    engine: Engine, writer: IndexWriter, new_database: Callable[[], str]
) -> None:
    write_until_five(writer)
    writer.rewind(make_block(3), after=make_block(5), observed_at_unix=NOW)
    other = Block(BlockNumber(4), make_block(99).hash, make_block(4).timestamp)
    _, moved = add_batch(ONE, [make_record(1, b"\x05", 4)], block=99, log_index=1)
    change = RangeChange(other, updated={OLD.box: replace(ONE, batches=2, records=3)}, batches=[moved])
    writer.apply(change, after=make_block(3))
    fresh = open_database(new_database())
    fresh_writer = IndexWriter(fresh, chain_id=ChainId(CHAIN), factory=FACTORY)
    write_until_three(fresh_writer)
    fresh_writer.apply(change, after=make_block(3))
    assert read_rows(engine) == read_rows(fresh)
    fresh.dispose()


def test_rewind__what_was_taken_away__is_kept_and_marked(engine: Engine, writer: IndexWriter) -> None:
    write_until_five(writer)
    first = writer.rewind(make_block(4), after=make_block(5), observed_at_unix=NOW).reorg
    second = writer.rewind(make_block(3), after=make_block(4), observed_at_unix=NOW + 1).reorg
    four, three, five = make_block(4), make_block(3), make_block(5)
    assert first == Reorg(1, NOW, four.number, four.hash, five.number, five.hash)
    assert second == Reorg(2, NOW + 1, three.number, three.hash, four.number, four.hash)
    assert (first.depth, second.depth) == (1, 1)
    with Repository(engine).snapshot() as snapshot:
        assert snapshot.load_reorgs(10) == [second, first]
        assert snapshot.load_reorgs(1) == [second]
        assert snapshot.count_contents() == Contents(elections=2, batches=1, records=2, reorgs=2)
    with engine.connect() as connection:
        order = (ORPHANED_BATCHES.c.reorg_id, ORPHANED_BATCHES.c.sequence)
        batches = connection.execute(select(ORPHANED_BATCHES).order_by(*order)).mappings().all()
        elections = connection.execute(select(ORPHANED_ELECTIONS)).mappings().all()
    kept = [(1, LATE.box, ONLY), (2, OLD.box, SECOND), (2, OLD.box, THIRD)]
    assert [(row["reorg_id"], bytes(row["box"]), bytes(row["packed"])) for row in batches] == [
        (reorg, box, new.packed) for reorg, box, new in kept
    ]
    for row, (_, _, new) in zip(batches, kept, strict=True):
        assert (row["sequence"], row["first_position"]) == (new.batch.sequence, new.batch.first_position)
        assert (row["block_number"], bytes(row["head"])) == (new.batch.source.block_number, new.batch.head)
    assert [(row["reorg_id"], bytes(row["box"]), row["log_index"]) for row in elections] == [(2, LATE.box, 3)]


def test_rewind__the_same_box_twice__is_kept_twice(engine: Engine, writer: IndexWriter) -> None:
    write_until_three(writer)
    for _ in range(2):
        change = RangeChange(make_block(5), created=[LATER], batches=[ONLY])
        writer.apply(change, after=make_block(3))
        writer.rewind(make_block(3), after=make_block(5), observed_at_unix=NOW)
    with engine.connect() as connection:
        assert connection.execute(select(ORPHANED_BATCHES.c.reorg_id)).scalars().all() == [1, 2]
    reset_index(engine)
    with engine.connect() as connection:
        assert connection.execute(select(ORPHANED_BATCHES.c.reorg_id)).first() is None


def test_rewind__below_the_final_block__is_refused_and_changes_nothing(engine: Engine, writer: IndexWriter) -> None:
    write_until_five(writer)
    writer.apply(RangeChange(make_block(6), finalized=make_block(4)), after=make_block(5))
    before = read_rows(engine)
    with pytest.raises(FinalityError, match=r"no longer contains block 4.* back to block 3.*index --reset"):
        writer.rewind(make_block(3), after=make_block(6), observed_at_unix=NOW)
    assert read_rows(engine) == before
    assert writer.rewind(make_block(4), after=make_block(6), observed_at_unix=NOW).reorg.depth == 2


@pytest.mark.parametrize("fork", [5, 6])
def test_rewind__nothing_above__is_refused(writer: IndexWriter, fork: int) -> None:
    write_until_five(writer)
    with pytest.raises(StorageError, match=f"found the index at block 5, expected it above block {fork}"):
        writer.rewind(make_block(fork), after=make_block(5), observed_at_unix=NOW)


@pytest.mark.parametrize(("timestamp", "may_go_back"), [(OPENS_AT - 1, False), (OPENS_AT, True)])
def test_rewind__a_cancellation_of_unknown_block__stands_only_where_it_must_be_older(
    engine: Engine, writer: IndexWriter, timestamp: int, may_go_back: bool
) -> None:
    write_until_five(writer)
    with engine.begin() as connection:
        connection.execute(text("UPDATE elections SET cancelled_at_block = NULL"))
    fork = make_block(4, timestamp)
    if not may_go_back:
        with pytest.raises(StorageError, match=r"does not say when 0x\w+ was cancelled.*index --reset"):
            writer.rewind(fork, after=make_block(5), observed_at_unix=NOW)
        return
    writer.rewind(fork, after=make_block(5), observed_at_unix=NOW)
    with Repository(engine).snapshot() as snapshot:
        found = snapshot.load_election(QUIET.box)
    assert found is not None
    assert (found.cancelled, found.head) == (True, CANCELLED_HEAD)


def finalize(
    writer: IndexWriter, engine: Engine, after: int, until: int, **change: Any
) -> tuple[int | None, list[int]]:
    """Write a range; return the final block's number, and those of the blocks that are kept."""
    writer.apply(RangeChange(make_block(until), **change), after=make_block(after) if after else None)
    with Repository(engine).snapshot() as snapshot:
        final, blocks = snapshot.load_finalized(), snapshot.load_blocks()
    assert final in (None, *blocks)
    assert [make_block(block.number) for block in blocks] == blocks
    return (None if final is None else final.number), [block.number for block in blocks]


def test_finality__range_by_range__moves_forward_only(engine: Engine, writer: IndexWriter) -> None:
    def go(after: int, until: int, finalized: int | None = None, blocks: tuple[int, ...] = ()) -> object:
        last = None if finalized is None else make_block(finalized)
        return finalize(writer, engine, after, until, finalized=last, blocks=[make_block(one) for one in blocks])

    assert go(0, 10) == (None, [10])
    assert go(10, 20, 500) == (20, [20])
    assert go(20, 23, 20, (21, 22, 23)) == (20, [20, 21, 22, 23])
    assert go(23, 24, 19, (24,)) == (20, [20, 21, 22, 23, 24])
    assert go(24, 25, 22, (25,)) == (22, [22, 23, 24, 25])
    assert go(25, 26) == (22, [22, 23, 24, 25, 26])
    assert go(26, 40, 30) == (30, [30, 40])


def test_finality__another_block_than_the_followed__is_not_taken_over(engine: Engine, writer: IndexWriter) -> None:
    blocks = [make_block(number) for number in (1, 2, 3)]
    other = replace(make_block(2), hash=make_block(99).hash)
    writer.apply(RangeChange(blocks[-1], blocks=blocks, finalized=other), after=None)
    with Repository(engine).snapshot() as snapshot:
        assert snapshot.load_finalized() is None
        assert snapshot.load_blocks() == blocks


def test_blocks__of_an_endpoint_without_finality__are_the_latest(
    engine: Engine, writer: IndexWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finality, "KEPT_BLOCKS", 2)
    kept = [finalize(writer, engine, number - 1, number)[1] for number in range(1, 6)]
    assert kept[-1] == [3, 4, 5]


def test_rewind__another_has_written_since_the_fork_was_found__is_refused_and_changes_nothing(
    engine: Engine, writer: IndexWriter
) -> None:
    write_until_five(writer)
    writer.apply(RangeChange(make_block(6)), after=make_block(5))
    before = read_rows(engine)
    with pytest.raises(StorageError, match=r"at block 6, expected it at block 5.* another indexer writes") as caught:
        writer.rewind(make_block(3), after=make_block(5), observed_at_unix=NOW)
    assert caught.value.retryable
    assert read_rows(engine) == before
    with Repository(engine).snapshot() as snapshot:
        assert snapshot.load_reorgs(1) == []
