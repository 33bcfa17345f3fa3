"""However ballots come and go, groups and turnout are those of all records counted from the beginning."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from index_rows import CHAIN, FACTORY, add_batch, make_block, make_record, make_row_election, read_rows
from properties import examples
from sqlalchemy import Engine, event, text

from indexer.storage import keep_tally, voters_seen
from indexer.storage.engine import open_database
from indexer.storage.keep_tally import key_of
from indexer.storage.model import Election, NewBatch, RangeChange
from indexer.storage.repository import Repository
from indexer.storage.writer import IndexWriter, reset_index
from qballot.core.effective import EffectiveBallots
from qballot.core.records import DIRECT_BIT, Record
from qballot.core.types import ChainId
from qballot.errors import StorageError

pytestmark = pytest.mark.integration

LONG = b"\x01" * 40
ELECTIONS = (1, 2)

# Few values of each, so that repeats, equal times and several records of one voter all happen often.
RECORDS = st.builds(
    make_record,
    voter=st.integers(0, 5),
    ballot=st.sampled_from([b"", b"\x00", b"\x01", LONG, LONG + b"\x02"]),
    cast_at=st.sampled_from([1, 2, 3, 2 | DIRECT_BIT]),
    weight=st.sampled_from([1, 2, 2**96 - 1]),
)
BATCH = st.tuples(st.sampled_from(ELECTIONS), st.lists(RECORDS, max_size=6))
RANGE = st.lists(BATCH, max_size=4)
# Ranges, and between them how many blocks are taken back, or a new process, or a failure.
STEPS = st.lists(
    st.one_of(RANGE, RANGE, RANGE, st.integers(1, 4), st.sampled_from(["begin again", "fail"])), min_size=1, max_size=10
)


@dataclass
class Past:
    """An index's elections after each block, and the records of each."""

    elections: list[dict[int, Election]] = field(default_factory=list)
    records: list[dict[int, list[Record]]] = field(default_factory=list)


class Story:
    """Writes ranges of one block each, and takes them back; knows what must be there."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.branch = 0
        self.begin()
        created = [make_row_election(name, block=0) for name in ELECTIONS]
        self.writer.apply(RangeChange(make_block(0), created=created), after=None)
        self.past = Past([dict(zip(ELECTIONS, created, strict=True))], [{name: [] for name in ELECTIONS}])
        self.blocks = [make_block(0)]

    def begin(self) -> None:
        self.writer = IndexWriter(self.engine, chain_id=ChainId(CHAIN), factory=FACTORY)

    def write(self, batches: Sequence[tuple[int, Sequence[Record]]]) -> None:
        number = len(self.blocks)
        elections, records = dict(self.past.elections[-1]), dict(self.past.records[-1])
        news: list[NewBatch] = []
        for log_index, (name, cast) in enumerate(batches):
            # Another branch has other blocks: of one log index there is one batch.
            election, new = add_batch(elections[name], cast, block=number, log_index=log_index + 100 * self.branch)
            elections[name], records[name] = election, [*records[name], *cast]
            news.append(new)
        block = replace(make_block(number), hash=make_block(number + 1_000 * self.branch).hash)
        updated = {elections[name].box: elections[name] for name, _ in batches}
        self.writer.apply(RangeChange(block, updated=updated, batches=news), after=self.blocks[-1])
        self.blocks.append(block)
        self.past.elections.append(elections)
        self.past.records.append(records)

    def rewind(self, depth: int) -> None:
        keep = max(1, len(self.blocks) - depth)
        if keep == len(self.blocks):
            return
        lost = {name: cast[len(self.past.records[keep - 1][name]) :] for name, cast in self.past.records[-1].items()}
        cursor = self.blocks[-1]
        for kept in (self.blocks, self.past.elections, self.past.records):
            del kept[keep:]  # type: ignore[attr-defined]
        self.branch += 1
        rewound = self.writer.rewind(self.blocks[-1], after=cursor, observed_at_unix=5.5)
        assert rewound.records == sum(map(len, lost.values()))

    def fail(self) -> None:
        """Have a transaction fail after everything was written."""

        def refuse(*_: object) -> None:
            raise StorageError("no")

        before = read_rows(self.engine)
        event.listen(self.engine, "commit", refuse)
        last = make_record(3, b"\x01", 9), make_record(4, b"\x00", 9)
        try:
            with pytest.raises(StorageError, match="no"):
                self.write([(1, last)])
        finally:
            event.remove(self.engine, "commit", refuse)
        assert read_rows(self.engine) == before

    def check(self) -> None:
        with Repository(self.engine).snapshot() as snapshot:
            for name, election in self.past.elections[-1].items():
                expected = EffectiveBallots()
                for record in self.past.records[-1][name]:
                    expected.apply(record)
                found = snapshot.load_election(election.box)
                assert found is not None
                assert list(snapshot.stream_records(found)) == self.past.records[-1][name]
                assert snapshot.load_groups(found) == expected.groups()
                assert found == replace(
                    election, number=found.number, voters_cast=expected.voters, weight_cast=expected.weight
                )


@contextmanager
def new_engine(folder: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{folder / 'x.sqlite3'}")
    try:
        yield engine
    finally:
        engine.dispose()


def play(engine: Engine, steps: Sequence[object]) -> None:
    story = Story(engine)
    for step in steps:
        match step:
            case int():
                story.rewind(step)
            case "begin again":
                story.begin()
            case "fail":
                story.fail()
            case _:
                story.write(step)  # type: ignore[arg-type]
        story.check()


@given(STEPS)
@examples(150)
def test_tally__any_ranges_rewinds_and_failures_on_sqlite__is_that_of_all_records(steps: list[object]) -> None:
    with tempfile.TemporaryDirectory() as folder, new_engine(Path(folder)) as engine:
        play(engine, steps)


@given(STEPS)
@examples(25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_tally__any_ranges_rewinds_and_failures__is_that_of_all_records(engine: Engine, steps: list[object]) -> None:
    reset_index(engine)
    play(engine, steps)


@given(STEPS)
@examples(60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_tally__with_hardly_any_memory__is_the_same(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, steps: list[object]
) -> None:
    monkeypatch.setattr(voters_seen, "KEPT_BYTES", 3)
    monkeypatch.setattr(keep_tally, "KEPT_BYTES", 0)
    monkeypatch.setattr(keep_tally, "_KEYS_AT_ONCE", 1)
    monkeypatch.setattr(keep_tally, "_ROWS_AT_ONCE", 1)
    reset_index(sqlite_engine)
    play(sqlite_engine, steps)


def test_tally__lookups_then_flags_after_a_restart__are_the_same(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(engine)
    story.write([(1, [make_record(voter, cast_at=1) for voter in range(300)])])
    story.begin()
    story.write([(1, [make_record(7, b"\x02", 2), make_record(300, b"\x02", 2)])])
    assert story.writer._tally._seen._flags == {}
    story.write([(1, [make_record(voter, b"\x03", 3) for voter in range(250, 350)])])
    assert len(story.writer._tally._seen._flags[1]) >= 350
    story.write([(1, [make_record(7, b"\x03", 1), make_record(349, b"\x04", 4), make_record(351, b"\x04", 4)])])
    story.check()


def test_tally__another_indexer_wrote_meanwhile__is_read_again(engine: Engine) -> None:
    story = Story(engine)
    story.write([(1, [make_record(0, b"\x01", 1)])])
    first = story.writer
    story.begin()
    story.write([(1, [make_record(1, b"\x01", 1), make_record(0, b"\x02", 2)])])
    story.writer = first
    with pytest.raises(StorageError, match="another indexer"):
        story.writer.apply(RangeChange(make_block(9)), after=make_block(1))
    story.write([(1, [make_record(1, b"\x02", 2), make_record(0, b"\x01", 1)])])
    story.check()


def test_tally__one_voter_comes_ten_thousand_times__costs_the_same_every_time(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(sqlite_engine)
    loaded: list[int] = []
    real = keep_tally.stream_by_voter

    def counting(*arguments: object) -> Iterator[tuple[Record, int]]:
        for found in real(*arguments):  # type: ignore[arg-type]
            loaded.append(found[1])
            yield found

    monkeypatch.setattr(keep_tally, "stream_by_voter", counting)
    for part in range(10):
        story.write([(1, [make_record(3, b"%d" % (again % 7), part * 1_000 + again) for again in range(1_000)])])
    story.write([(1, [make_record(3, b"\x01", 1)])])
    assert len(loaded) <= 1_000
    story.check()


def test_groups__emptied__are_no_rows(engine: Engine) -> None:
    story = Story(engine)
    story.write([(1, [make_record(0, b"\x01", 1), make_record(1, LONG, 1)])])
    story.write([(1, [make_record(0, b"\x02", 2), make_record(1, b"\x02", 2)])])
    story.check()
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT ballots, weight FROM ballot_groups")).all()
    assert [tuple(row) for row in rows] == [(2, "2")]


def test_key__a_ballot_that_is_the_hash_of_another__is_another_key() -> None:
    hashed = key_of(LONG)
    assert (len(hashed), key_of(b"\x01"), key_of(b"")) == (32, b"\x01", b"")
    assert key_of(hashed) != hashed
