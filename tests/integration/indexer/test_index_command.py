"""`qballot index` and the commands below it, as their user runs them."""

from __future__ import annotations

import json
import os
import pty
import re
import secrets
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from commands import PROGRAM, Commands, start_process
from databases import PostgresServer
from index_process import opened, run_indexer
from scenes import SALAD, follow, hold_election
from sqlalchemy import text

from indexer.storage.engine import begin_write
from indexer.storage.leadership import Leadership
from indexer.storage.repository import Repository
from qballot.chain.artifacts import default_factory
from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address

pytestmark = pytest.mark.integration


@pytest.fixture
def commands(
    devnet: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    return Commands(tmp_path, devnet.url, monkeypatch, capsys, key=None)


def index_one(devnet: Devnet, url: str) -> str:
    """Hold an election and index it; return its box."""
    scene = hold_election(devnet)
    with opened(url) as engine:
        follow(devnet, engine).sync_once()
    return checksum_address(scene.deployment.box)


def change(url: str, statement: str) -> None:
    with opened(url) as engine, engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount == 1


def test_status__indexed__says_how_it_stands(devnet: Devnet, commands: Commands, database_url: str) -> None:
    index_one(devnet, database_url)
    latest = devnet.rpc.block("latest")
    found = commands.run("index", "status", "--json", "--database", database_url).json
    assert found["indexed"] == {
        "number": latest.number,
        "hash": "0x" + latest.hash.hex(),
        "timestamp": latest.timestamp,
    }
    assert found["observed"].pop("observed_at_unix") > 0
    assert found["observed"] == found["indexed"]
    expected = {
        "chain_id": 31337,
        "factory": checksum_address(default_factory()),
        "lag_blocks": 0,
        "lag_seconds": 0,
        "elections": 1,
        "batches": 3,
        "ballots": 6,
        "reorgs": 0,
        "last_reorg": None,
        "indexer_leads": False,
    }
    assert expected.items() <= found.items()
    shown = commands.run("index", "status", "--database", database_url)
    assert (shown.status, shown.stderr) == (0, "")
    assert f"indexed      block {latest.number} of " in shown.stdout
    assert "lag          0 blocks, 0 s by the chain's clock" in shown.stdout
    assert "ballots      6 in 3 batches" in shown.stdout
    assert "indexer      none is at work" in shown.stdout


def test_status__someone_writes__is_not_kept_waiting(
    devnet: Devnet, commands: Commands, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_one(devnet, database_url)
    monkeypatch.setattr("indexer.storage.engine.SQLITE_BUSY_SECONDS", 0.02)
    monkeypatch.setattr("indexer.storage.engine.LOCK_SECONDS", 1)
    with opened(database_url) as engine, begin_write(engine) as connection:
        if engine.dialect.name == "postgresql":
            # As who brings the schema up to date.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": 0x7142616C6C6F74})
        done = commands.run("index", "status", "--json", "--database", database_url)
    assert (done.status, done.stderr) == (0, "")
    assert done.json["ballots"] == 6


def test_status__password_in_the_databases_url__is_in_no_answer(
    devnet: Devnet, commands: Commands, postgres: PostgresServer
) -> None:
    url = postgres.create_database()
    index_one(devnet, url)
    secret = f"{url}{'&' if '?' in url else '?'}password=hunter2secret&sslpassword=hunter3secret"
    for arguments in (("status",), ("status", "--json")):
        done = commands.run("index", *arguments, "--database", secret)
        assert done.status == 0, done.stderr
        assert "hunter" not in done.stdout + done.stderr


def test_status__indexer_at_work__is_said(devnet: Devnet, commands: Commands, database_url: str) -> None:
    index_one(devnet, database_url)
    with opened(database_url) as engine:
        leadership = Leadership(engine)
        assert leadership.try_acquire()
        assert commands.run("index", "status", "--json", "--database", database_url).json["indexer_leads"] is True
        assert "one is at work" in commands.run("index", "status", "--database", database_url).stdout
        refused = commands.run("index", "--once", "--reset", "--database", database_url)
        assert refused.status == 1
        assert "another indexer" in refused.stderr
        leadership.release()
    found = commands.run("index", "status", "--json", "--database", database_url).json
    assert (found["indexer_leads"], found["ballots"]) == (False, 6)


def test_status__chain_that_went_on__has_the_lag(devnet: Devnet, commands: Commands, database_url: str) -> None:
    index_one(devnet, database_url)
    statement = "UPDATE chain_observations SET block_number = block_number + 7, block_timestamp = block_timestamp + 90"
    change(database_url, statement)
    found = commands.run("index", "status", "--json", "--database", database_url).json
    assert (found["lag_blocks"], found["lag_seconds"]) == (7, 90)
    assert "lag          7 blocks, 90 s" in commands.run("index", "status", "--database", database_url).stdout


@pytest.mark.parametrize("command", ["status", "check"])
def test_status_and_check__nothing_indexed__fail_and_make_nothing(
    commands: Commands, tmp_path: Path, command: str
) -> None:
    missing = commands.run("index", command, "--database", "sqlite:///missing.sqlite3")
    assert (missing.status, missing.stdout) == (1, "")
    assert "there is no database missing.sqlite3: name the right one, or run `qballot index` first" in missing.stderr
    assert list(tmp_path.iterdir()) == []
    with opened(f"sqlite:///{tmp_path / 'empty.sqlite3'}"):
        pass
    empty = commands.run("index", command, "--database", "sqlite:///empty.sqlite3")
    assert (empty.status, empty.stdout) == (1, "")
    assert "nothing is indexed yet" in empty.stderr
    assert "run `qballot index` first" in empty.stderr


def test_index__options_before_a_command_below__are_refused(commands: Commands) -> None:
    done = commands.run("index", "--reset", "status")
    assert (done.status, done.stdout) == (2, "")
    assert "found --reset before `status`, where it says nothing" in done.stderr


def test_check__untouched__says_what_holds(devnet: Devnet, commands: Commands, database_url: str) -> None:
    box = index_one(devnet, database_url)
    done = commands.run("index", "check", "--database", database_url)
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == [f"  ok    {box}  6 ballots in 3 batches"]
    one = commands.run("index", "check", box, "--database", database_url, "--rpc-url", devnet.url, "--json")
    assert (one.status, one.json["faults"], one.json["elections"][0]["box"]) == (0, 0, box)
    other = commands.run("index", "check", checksum_address(default_factory()), "--database", database_url)
    assert other.status == 2
    assert "the index holds no election at 0x" in other.stderr


def test_check__changed_ballot__is_named_with_status_3(devnet: Devnet, commands: Commands, database_url: str) -> None:
    box = index_one(devnet, database_url)
    change(database_url, "UPDATE ballots SET weight = '7' WHERE position = 1")
    offline = commands.run("index", "check", "--database", database_url)
    assert offline.status == 3
    assert f"FAILED  {box}\n        records 0 to 2: they do not hash to the head of their batch 0" in offline.stdout
    assert f"1 of 1 elections do not hold: {box}, records 0 to 2" in offline.stderr
    done = commands.run("index", "check", box, "--json", "--database", database_url, "--rpc-url", devnet.url)
    assert done.status == 3
    (found,) = done.json["elections"]
    assert found["fault"] == {
        "what": "record",
        "message": "record 1: weight is 7, expected 1 as in its log",
        "batch": 0,
        "first_position": 1,
        "last_position": 1,
    }
    assert "record 1: weight is 7, expected 1 as in its log" in done.stderr


def read_metrics(url: str) -> dict[str, float]:
    lines = (line for line in httpx.get(url).text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def await_metric(url: str, name: str, wanted: Callable[[float], bool]) -> None:
    deadline = time.monotonic() + 20
    while not wanted(found := read_metrics(url)[name]):
        assert time.monotonic() < deadline, f"{name} is still {found}"
        time.sleep(0.05)


def await_silence(url: str) -> None:
    """Wait until an indexer that looks at the chain several times a second has not done so for longer."""
    deadline = time.monotonic() + 20
    looked_at, since = 0.0, time.monotonic()
    while time.monotonic() - since < 2:
        assert time.monotonic() < deadline
        found = read_metrics(url)["qballot_chain_seen_timestamp_seconds"]
        if found != looked_at:
            looked_at, since = found, time.monotonic()
        time.sleep(0.05)


def test_index__no_terminal__logs_lines_of_json_and_serves_metrics(
    devnet: Devnet, tmp_path: Path, database_url: str
) -> None:
    scene = hold_election(devnet)
    options = ("--rpc-url", devnet.url, "--database", database_url, "--metrics-port", "0")
    with run_indexer(tmp_path, *options) as indexer:
        url = indexer.hear("metrics served")["url"]
        caught_up = indexer.hear("caught up")
        latest = devnet.rpc.block("latest").number
        assert (caught_up["level"], caught_up["block"], caught_up["ballots"]) == ("info", latest, 6)
        scene.cast(1, SALAD)
        await_metric(url, "qballot_ballots_total", lambda value: value == 7)
        await_metric(url, "qballot_lag_seconds", lambda value: value == 0)
        found = read_metrics(url)
        expected = {
            "qballot_chain_head_block": latest + 1,
            "qballot_indexed_block": latest + 1,
            "qballot_leader": 1,
            "qballot_logs_total": 5,
            "qballot_reorgs_total": 0,
        }
        assert expected.items() <= found.items()
        labels = f'{{endpoint="{devnet.url}",method="eth_getLogs",outcome="ok"}}'
        assert found[f"qballot_rpc_requests_total{labels}"] > 0
        devnet.rpc.call("anvil_setCoinbase", ["0x" + secrets.token_hex(20)])
        devnet.rpc.call("anvil_reorg", [1, []])
        await_metric(url, "qballot_reorgs_total", lambda value: value == 1)
        assert read_metrics(url)["qballot_reorg_depth_blocks_sum"] == 1
        assert indexer.stop() < 5


def test_index__at_a_terminal__keeps_one_line_up_to_date(devnet: Devnet, tmp_path: Path) -> None:
    hold_election(devnet)
    latest = devnet.rpc.block("latest").number
    ours, theirs = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("QBALLOT_")}
    terminal = {"TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(
        [*PROGRAM, "index", "--rpc-url", devnet.url], cwd=tmp_path, env=inherited | terminal,
        stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    try:
        shown, deadline = "", time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            if select.select([ours], [], [], 0.1)[0]:
                shown += os.read(ours, 65_536).decode()
            if "up to date" in shown:
                process.send_signal(signal.SIGTERM)
                break
        assert process.wait(5) == 0
        shown += os.read(ours, 65_536).decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "\n").strip().splitlines()[-1]
    assert re.fullmatch(rf"block {latest}  up to date(  final \d+)?  6 ballots", last.strip()), shown
    assert "{" not in shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_index__endpoint_that_never_answers__still_stops_at_once(tmp_path: Path, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hung:
        url = f"http://127.0.0.1:{hung.getsockname()[1]}/v3/SECRET"
        with run_indexer(tmp_path, "--rpc-url", url) as indexer:
            indexer.hear("leading")
            connection, _ = hung.accept()
            with connection:
                assert indexer.stop(number) < 5


def test_index__database_that_never_answers__still_stops_in_time(
    devnet: Devnet, tmp_path: Path, database_url: str
) -> None:
    scene = hold_election(devnet)
    options = ("--rpc-url", devnet.url, "--database", database_url, "--metrics-port", "0")
    with run_indexer(tmp_path, *options) as indexer, opened(database_url) as engine:
        url = indexer.hear("metrics served")["url"]
        indexer.hear("caught up")
        with begin_write(engine) as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("LOCK TABLE ballots, chain_observations, head_checks IN EXCLUSIVE MODE"))
            scene.cast(1, SALAD)
            await_silence(url)
            assert indexer.stop() < 5
    with opened(database_url) as engine, Repository(engine).snapshot() as snapshot:
        assert snapshot.count_contents().records == 6


@pytest.mark.parametrize(("way", "status"), [("--follow", 0), ("--once", 1)])
def test_index__database_that_is_locked_at_the_start__still_stops_in_time(
    tmp_path: Path, way: str, status: int
) -> None:
    url = f"sqlite:///{tmp_path / 'locked.sqlite3'}"
    options = (way, "--rpc-url", "http://127.0.0.1:9", "--database", url, "--metrics-port", "0")
    with opened(url) as engine, begin_write(engine), run_indexer(tmp_path, *options) as indexer:
        indexer.hear("metrics served")
        # It has begun to wait for the lock once it has the file open.
        deadline = time.monotonic() + 20
        while not any("locked.sqlite3" in name for name in open_files(indexer.process.pid)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert indexer.stop(signal.SIGINT, status=status) < 5
        assert indexer.process.stderr is not None
        assert ("stopped before it had seen the chain" in indexer.process.stderr.read()) == (status == 1)


def open_files(process: int) -> list[str]:
    names = []
    for link in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            names.append(os.readlink(link))
    return names


def test_index__second_one__is_refused_or_stands_by_and_takes_over(
    devnet: Devnet, tmp_path: Path, database_url: str
) -> None:
    scene = hold_election(devnet)
    options = ("--rpc-url", devnet.url, "--database", database_url)
    with run_indexer(tmp_path, *options) as first:
        first.hear("caught up")
        with run_indexer(tmp_path, *options) as second:
            if database_url.startswith("sqlite"):
                _, said = second.process.communicate(timeout=20)
                assert second.process.returncode == 1
                assert "another indexer writes to the database" in said
                return
            second.hear("standing by")
            first.process.kill()
            killed = time.monotonic()
            second.hear("leading")
            assert time.monotonic() - killed < 10
            second.hear("caught up")
            scene.cast(1, SALAD)
            assert second.hear("indexed")["records"] == 1
            assert second.stop() < 5


def test_index__first_endpoint_dead__goes_on_with_the_second(devnet: Devnet, commands: Commands) -> None:
    hold_election(devnet)
    several = f"dead=http://127.0.0.1:9/v3/SECRET live={devnet.url}"
    with start_process(commands.folder, "index", "--once", "--rpc-url", several) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert json.loads(said.splitlines()[-1]).keys() >= {"event", "level", "timestamp"}
    assert "SECRET" not in said
    assert commands.run("index", "status", "--json").json["ballots"] == 6


def test_index__reorganised_past_a_final_block__halts_and_reset_is_the_way_on(
    devnet: Devnet, commands: Commands, database_url: str
) -> None:
    box = index_one(devnet, database_url)
    devnet.mine(100)
    with opened(database_url) as engine:
        follow(devnet, engine).sync_once()
    before = commands.run("index", "status", "--json", "--database", database_url).json
    assert before["finalized"]["number"] > 20
    # A coinbase that no block had: blocks mined anew are others.
    devnet.rpc.call("anvil_setCoinbase", ["0x" + secrets.token_hex(20)])
    devnet.rpc.call("anvil_reorg", [90, []])
    devnet.mine(1)
    options = ("--rpc-url", devnet.url, "--database", database_url)
    for _ in range(2):
        with start_process(commands.folder, "index", *options) as process:
            _, said = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "had called final" in said
        assert "qballot index --reset" in said
    halted = commands.run("index", "status", "--json", "--database", database_url).json
    assert {**halted, "observed": None, "lag_blocks": 0, "lag_seconds": 0} == {
        **before,
        "observed": None,
        "lag_blocks": 0,
        "lag_seconds": 0,
    }
    with start_process(commands.folder, "index", "--once", "--reset", *options) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    done = commands.run("index", "check", box, "--rpc-url", devnet.url, "--json", "--database", database_url)
    assert (done.status, done.json["elections"][0]["records"]) == (0, 6)
