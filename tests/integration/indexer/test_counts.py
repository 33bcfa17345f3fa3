"""A count that takes long holds nobody up: not who asks for the same election, nor who asks for anything else."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from index_rows import CHAIN, FACTORY, add_batch, make_block, make_change, make_record, make_row_election
from served import serve
from sqlalchemy import Engine, event

from indexer.api import build_app
from indexer.results import NotCountedError, Results, count
from indexer.storage.model import Election
from indexer.storage.repository import Repository
from indexer.storage.writer import IndexWriter
from qballot.core.address import checksum_address
from qballot.core.tally import count_election
from qballot.core.types import ChainId

pytestmark = pytest.mark.integration

SECONDS = 10


class SlowCount:
    """The real count, which does not end before it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.now = self.most = self.runs = 0
        self._lock = threading.Lock()

    def __call__(self, *arguments: Any) -> Any:
        with self._lock:
            self.now, self.runs = self.now + 1, self.runs + 1
            self.most = max(self.most, self.now)
        self.begun.release()
        assert self.go_on.wait(SECONDS)
        with self._lock:
            self.now -= 1
        return _real_count(*arguments)


_real_count = count_election


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowCount]:
    slow = SlowCount()
    monkeypatch.setattr(count, "count_election", slow)
    monkeypatch.setattr(count, "WAIT_SECONDS", 0.1)
    yield slow
    slow.go_on.set()


@pytest.fixture
def writer(sqlite_engine: Engine) -> IndexWriter:
    return IndexWriter(sqlite_engine, chain_id=ChainId(CHAIN), factory=FACTORY)


def write_elections(writer: IndexWriter, names: int = 1) -> list[Election]:
    """Write elections of one ballot each, at the blocks 1, 2, …"""
    elections = []
    for name in range(1, names + 1):
        election, batch = add_batch(make_row_election(name, block=name), [make_record()], block=name, log_index=90)
        writer.apply(make_change(name, election, batch), after=None if name == 1 else make_block(name - 1))
        elections.append(election)
    return elections


def grow(writer: IndexWriter, election: Election, block: int) -> Election:
    """Add a ballot to the first election, in this block."""
    grown, batch = add_batch(replace(election, number=1), [make_record(block)], block=block)
    writer.apply(make_change(block, grown, batch), after=make_block(block - 1))
    return grown


def test_results__while_the_newest_are_counted__others_get_the_last_with_its_own_block(
    sqlite_engine: Engine, writer: IndexWriter, slow: SlowCount
) -> None:
    results = Results(Repository(sqlite_engine))
    (first,) = write_elections(writer)
    slow.go_on.set()
    before = results.find_result(first.box)
    assert before is not None
    slow.go_on.clear()
    second = grow(writer, first, 2)
    with ThreadPoolExecutor() as executor:
        newest = executor.submit(results.find_result, first.box)
        assert slow.begun.acquire(timeout=SECONDS)
        assert slow.begun.acquire(timeout=SECONDS)
        asked = time.monotonic()
        for _ in range(20):
            assert results.find_result(first.box) == before
        assert time.monotonic() - asked < 1
        assert (before["block"]["number"], before["records"], before["head"]) == (1, 1, f"0x{first.head.hex()}")
        # What needs no count has the newest.
        election = results.find_election(first.box)
        assert election is not None
        assert (election.view.election.voters_cast, election.view.block.number) == (2, 2)
        slow.go_on.set()
        after = newest.result(SECONDS)
    assert after is not None
    assert (after["block"]["number"], after["records"], after["head"]) == (2, 2, f"0x{second.head.hex()}")
    assert results.find_result(first.box) == after
    assert (slow.runs, slow.most) == (2, 1)


def test_results__first_count_not_ended__says_so_soon(
    sqlite_engine: Engine, writer: IndexWriter, slow: SlowCount
) -> None:
    results = Results(Repository(sqlite_engine))
    (election,) = write_elections(writer)
    with ThreadPoolExecutor() as executor:
        first = executor.submit(results.find_result, election.box)
        assert slow.begun.acquire(timeout=SECONDS)
        with pytest.raises(NotCountedError, match="ask again soon"):
            results.find_result(election.box)
        slow.go_on.set()
        assert first.result(SECONDS) == results.find_result(election.box)


def test_results__many_elections_at_once__are_counted_a_few_at_a_time(
    sqlite_engine: Engine, writer: IndexWriter, slow: SlowCount
) -> None:
    results = Results(Repository(sqlite_engine))
    elections = write_elections(writer, 6)
    with ThreadPoolExecutor(len(elections)) as executor:
        asked = [executor.submit(results.find_result, election.box) for election in elections]
        for _ in range(count.COUNTS_AT_ONCE):
            assert slow.begun.acquire(timeout=SECONDS)
        time.sleep(0.3)
        failures = [future for future in asked if future.done()]
        assert len(failures) == len(elections) - count.COUNTS_AT_ONCE
        assert all(isinstance(future.exception(), NotCountedError) for future in failures)
        slow.go_on.set()
    assert slow.most == count.COUNTS_AT_ONCE
    assert all(results.find_result(election.box) is not None for election in elections)


def test_api__sixty_ask_for_a_slow_count__everyone_else_is_answered(
    sqlite_engine: Engine, writer: IndexWriter, slow: SlowCount
) -> None:
    (election,) = write_elections(writer)
    path = f"/elections/{checksum_address(election.box)}"
    with serve(build_app(sqlite_engine)) as client, ThreadPoolExecutor(60) as executor:
        url = str(client.base_url)
        asked = [executor.submit(httpx.get, f"{url}{path}/results", timeout=60, trust_env=False) for _ in range(60)]
        assert slow.begun.acquire(timeout=SECONDS)
        started = time.monotonic()
        answers = [client.get(other).status_code for other in ("/health/live", path, "/elections", f"{path}/ballots")]
        assert client.get("/health/ready").status_code == 503
        assert answers == [200] * 4
        assert time.monotonic() - started < 2
        time.sleep(0.5)
        slow.go_on.set()
        statuses = [future.result().status_code for future in asked]
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 1
    refused = next(future.result() for future in asked if future.result().status_code == 503)
    assert refused.headers["retry-after"] == "2"
    assert refused.json()["type"] == "unavailable"
    assert "counted for the first time" in refused.json()["detail"]


def test_counts__beyond_the_bounds__forget_who_was_unused_longest(
    sqlite_engine: Engine, writer: IndexWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = count.Counts(Repository(sqlite_engine))
    elections = write_elections(writer, 4)
    monkeypatch.setattr(count, "KEPT_ELECTIONS", 2)
    for election in (*elections[:3], elections[1], elections[3]):
        assert kept.load_tally(election.box) is not None
    assert list(kept._counts) == [elections[1].box, elections[3].box]


def test_results__asked_for__read_no_ballots(sqlite_engine: Engine, writer: IndexWriter) -> None:
    (election,) = write_elections(writer)
    grow(writer, election, 2)
    statements: list[str] = []
    event.listen(sqlite_engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    results = Results(Repository(sqlite_engine))
    document = results.find_result(election.box)
    assert document is not None
    assert document["turnout"]["voters_cast"] == 2
    assert results.find_election(election.box) is not None
    assert any("ballot_groups" in statement for statement in statements)
    assert not any(
        re.search(r"\bballots\b", statement.split("FROM")[1]) for statement in statements if "FROM" in statement
    )


def test_elections__listed_again__need_no_definition(
    sqlite_engine: Engine, writer: IndexWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Results(Repository(sqlite_engine))
    write_elections(writer, 3)
    first = results.find_elections(limit=10)
    monkeypatch.setattr("indexer.results.definitions.find_definition", None)
    assert results.find_elections(limit=10) == first
    assert [listed.heading is not None for listed in first.elections] == [True] * 3
