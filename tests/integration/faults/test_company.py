"""Two indexers of one database, an indexer told to end, and a clock that jumps."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from commands import PROGRAM
from databases import PostgresServer
from fault_proxy import SECRET, Failure, Raw, run_proxy
from fork_chain import Cast, ForkChain, cast, create, make_plan
from history import History
from indexes import Rows, open_url, read_content, read_cursor, read_fresh
from misbehaviours import change_result, fail_after, limit_blocks
from spawning import Spawner
from waiting import wait_until

pytestmark = pytest.mark.integration

TAKE_OVER_SECONDS = 10.0
END_SECONDS = 5.0

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
"""Debian's library that lets a process see another time."""


def test_postgresql__leader_killed__the_other_takes_over(
    postgres: PostgresServer, fork_chain: ForkChain, spawner: Spawner, empty_sqlite: Path
) -> None:
    url = postgres.create_database()
    plan = make_plan(1, fork_chain.now + 30, fork_chain.now + 10**7)
    fork_chain.mine([(create(plan),), (), (), (cast(Cast(plan, ((0, b"\1\0\0"),))),)])
    with open_url(url) as engine:
        first, second = (
            spawner.start("index", rpc_url=fork_chain.devnet.url, database_url=url, poll_seconds="0.2")
            for _ in range(2)
        )
        wait_until(lambda: read_cursor(engine) == fork_chain.height, running=first)
        for voter in range(1, 4):
            fork_chain.mine([(cast(Cast(plan, ((voter, b"\0\1\0"),))),)])
            wait_until(lambda: read_cursor(engine) == fork_chain.height, running=second)
        leader, other = (first, second) if '"indexed"' in first.said else (second, first)
        assert '"indexed"' not in other.said, "one of them writes"
        leader.kill()
        fork_chain.mine([(cast(Cast(plan, ((5, b"\0\0\1"),))),)])
        seconds = wait_until(lambda: read_cursor(engine) == fork_chain.height, running=other)
        assert seconds <= TAKE_OVER_SECONDS
        other.terminate()
        assert other.wait() == 0
        assert read_content(engine) == read_fresh(fork_chain.devnet.url, empty_sqlite)
    assert "Traceback" not in leader.said + other.said


def test_sqlite__second_indexer__is_turned_away(
    fork_chain: ForkChain, spawner: Spawner, empty_sqlite: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'index.sqlite3'}"
    fork_chain.mine_empty(5)
    with open_url(url) as engine:
        first = spawner.start("index", rpc_url=fork_chain.devnet.url, database_url=url, poll_seconds="0.05")
        wait_until(lambda: read_cursor(engine) == fork_chain.height, running=first)
        for arguments in ((), ("--once",), ("--reset",)):
            second = spawner.start("index", *arguments, rpc_url=fork_chain.devnet.url, database_url=url)
            assert second.wait() == 1
            assert "another indexer" in second.said
            assert "Traceback" not in second.said
        fork_chain.mine_empty(5)
        wait_until(lambda: read_cursor(engine) == fork_chain.height, running=first)
        first.kill()
        third = spawner.start("index", "--once", rpc_url=fork_chain.devnet.url, database_url=url)
        assert third.wait() == 0, third.said
        assert read_content(engine) == read_fresh(fork_chain.devnet.url, empty_sqlite)


@pytest.mark.parametrize("reply", [Raw(hang=True), Failure(-32005, "project ID request rate exceeded", status=429)])
def test_index__first_of_its_endpoints_fails_on_the_way__reads_on_from_the_second(
    reply: Raw | Failure, history: History, honest_rows: Rows, spawner: Spawner, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'index.sqlite3'}"
    with run_proxy(fail_after(history.node, reply, 9)) as first, run_proxy(history.node) as second:
        endpoints = f"one={first.url} other={second.url}"
        indexer = spawner.start("index", "--once", rpc_url=endpoints, database_url=url, rpc_timeout_seconds="1")
        assert indexer.wait() == 0, indexer.said
    with open_url(url) as engine:
        assert read_content(engine) == honest_rows
    assert SECRET not in indexer.said


def test_index__second_endpoint_of_another_chain__refuses_and_names_it(
    history: History, spawner: Spawner, tmp_path: Path
) -> None:
    other = change_result(history.node, "eth_chainId", lambda _call, _result: hex(5))
    with run_proxy(history.node) as first, run_proxy(other) as second:
        url = f"sqlite:///{tmp_path / 'index.sqlite3'}"
        indexer = spawner.start("index", rpc_url=f"{first.url} {second.url}", database_url=url)
        assert indexer.wait() == 1, indexer.said
    assert "serves chain 5, expected chain 31337" in indexer.said
    assert f"127.0.0.1:{urlsplit(second.url).port}" in indexer.said
    assert SECRET not in indexer.said


@pytest.mark.parametrize("requests", [0, 1, 3, 8, 20])
def test_index__told_to_end_while_its_endpoint_hangs__ends_soon(
    requests: int, new_database: Callable[[], str], history: History, spawner: Spawner
) -> None:
    narrow = limit_blocks(history.node, 50, lambda _: Failure(-32012, "exceeded max allowed range"))
    with run_proxy(fail_after(narrow, Raw(hang=True), requests)) as proxy:
        indexer = spawner.start("index", rpc_url=proxy.url, database_url=new_database())
        wait_until(lambda: proxy.requests > requests, running=indexer)
        indexer.terminate()
        assert indexer.wait(END_SECONDS) == 0, indexer.said
    assert "Traceback" not in indexer.said


@pytest.mark.parametrize("calls", [1, 5, 20, 60])
def test_index__told_to_end_at_work__ends_soon_and_whole(
    calls: int, new_database: Callable[[], str], history: History, honest_rows: Rows, spawner: Spawner
) -> None:
    url = new_database()
    narrow = limit_blocks(history.node, 50, lambda _: Failure(-32012, "exceeded max allowed range"))
    with run_proxy(narrow) as proxy:
        indexer = spawner.start("index", rpc_url=proxy.url, database_url=url)
        wait_until(lambda: len(proxy.calls) >= calls, running=indexer)
        indexer.terminate()
        assert indexer.wait(END_SECONDS) == 0, indexer.said
        again = spawner.start("index", "--once", rpc_url=proxy.url, database_url=url)
        assert again.wait() == 0, again.said
    with open_url(url) as engine:
        assert read_content(engine) == honest_rows


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime (Debian's package faketime) is not installed")
def test_clock__that_jumps__changes_nothing(
    new_database: Callable[[], str], fork_chain: ForkChain, empty_sqlite: Path, tmp_path: Path
) -> None:
    url = new_database()
    plan = make_plan(1, fork_chain.now + 30, fork_chain.now + 10**7)
    fork_chain.mine([(create(plan),), (), (), ()])
    offset = tmp_path / "offset"
    offset.write_text("+0")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QBALLOT_")}
    faked = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "QBALLOT_RPC_URL": fork_chain.devnet.url,
        "QBALLOT_DATABASE_URL": url,
        "QBALLOT_POLL_SECONDS": "0.1",
    }
    with (
        open_url(url) as engine,
        subprocess.Popen([*PROGRAM, "index"], env=kept | faked, stderr=subprocess.PIPE, text=True) as process,
    ):
        try:
            for voter, jump in enumerate(["+0", "+400d", "-400d", "+1h", "-10s", "+9000d"]):
                offset.write_text(jump)
                fork_chain.mine([(cast(Cast(plan, ((voter, b"\1\0\0"),))),)])
                # The first wait includes the program's start, which takes long on a busy machine.
                wait_until(lambda: read_cursor(engine) == fork_chain.height, 90)
            process.terminate()
            said = process.communicate(timeout=END_SECONDS)[1]
        finally:
            process.kill()
        assert process.returncode == 0, said
        assert read_content(engine) == read_fresh(fork_chain.devnet.url, empty_sqlite)
    years = {int(json.loads(line)["timestamp"][:4]) for line in said.splitlines()}
    assert max(years) - min(years) > 20, "the clock did jump"
