"""The two commands as processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from scenes import hold_election

from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address

pytestmark = pytest.mark.integration

COMMAND = [sys.executable, "-c", "from qballot.cli import main; main()"]


def environment(**settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QBALLOT_")}
    return {**kept, **settings, "PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1"}


def run(*arguments: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        check=False,
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


@contextmanager
def start(*arguments: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_index__once__reads_all_and_ends(devnet: Devnet, tmp_path: Path, database_url: str) -> None:
    hold_election(devnet)
    done = run("index", "--once", "--rpc-url", devnet.url, "--database", database_url, folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    # Nobody looks at this stderr, so it is one JSON object a line.
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert sum(event["records"] for event in events if event["event"] == "indexed") == 6


def test_index__reset__reads_the_chain_anew(devnet: Devnet, tmp_path: Path, database_url: str) -> None:
    hold_election(devnet)
    for reset in ((), (), ("--reset",)):
        chosen = ("index", "--once", *reset, "--rpc-url", devnet.url, "--database", database_url)
        done = run(*chosen, folder=tmp_path)
        assert done.returncode == 0
        events = [json.loads(line) for line in done.stderr.splitlines()]
    assert sum(event["records"] for event in events if event["event"] == "indexed") == 6


def test_index__settings_and_options__options_win(devnet: Devnet, tmp_path: Path) -> None:
    settings = {"QBALLOT_RPC_URL": devnet.url, "QBALLOT_DATABASE_URL": "sqlite:///a.sqlite3", "QBALLOT_CHAIN_ID": "1"}
    wrong = run("index", "--once", folder=tmp_path, **settings)
    assert wrong.returncode == 1
    assert "serves chain 31337, expected chain 1" in wrong.stderr
    (tmp_path / ".env").write_text("QBALLOT_CHAIN_ID=31337\n")
    del settings["QBALLOT_CHAIN_ID"]
    done = run("index", "--once", "--database", "sqlite:///b.sqlite3", folder=tmp_path, **settings)
    assert done.returncode == 0
    assert (tmp_path / "b.sqlite3").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["index", "--once", "--rpc-url", "ftp://x"], 2, "--rpc-url: "),
        (["index", "--once", "--database", "mysql://x"], 2, "--database: "),
        (["index", "--once", "--factory", "0x12"], 2, "--factory: "),
        (["index", "--once", "--factory", "0x5FBDB2315678afecb367f032d93F642f64180aa3"], 2, "checksum"),
        (["index", "--once", "--rpc-url", "http://127.0.0.1:9/v3/SECRET"], 1, "127.0.0.1:9"),
        (["index", "--once", "--database", "sqlite:////no/such/folder/x"], 1, "cannot open the database"),
        (["serve", "--database", "postgresql://me:SECRET@127.0.0.1:1/x"], 1, "cannot open the database"),
    ],
)
def test_commands__what_does_not_fit__is_said_without_a_traceback(
    tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    done = run(*arguments, folder=tmp_path, QBALLOT_RPC_TIMEOUT_SECONDS="2", QBALLOT_PORT="0")
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "SECRET" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_index__followed_until_a_signal__ends_cleanly(devnet: Devnet, tmp_path: Path, number: signal.Signals) -> None:
    hold_election(devnet)
    with start("index", "--rpc-url", devnet.url, "--database", "sqlite:///x.sqlite3", folder=tmp_path) as process:
        assert process.stderr is not None
        while json.loads(process.stderr.readline())["event"] != "indexed":
            pass
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Traceback" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve__until_a_signal__answers_and_ends_cleanly(
    devnet: Devnet, tmp_path: Path, database_url: str, number: signal.Signals
) -> None:
    scene = hold_election(devnet)
    with start("serve", "--port", "0", "--database", database_url, folder=tmp_path) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found is not None, line
        assert httpx.get(f"{found[0]}/elections").json()["elections"] == []
        # The indexer is another process over the same database.
        assert (
            run("index", "--once", "--rpc-url", devnet.url, "--database", database_url, folder=tmp_path).returncode == 0
        )
        result = httpx.get(f"{found[0]}/elections/{checksum_address(scene.deployment.box)}/results").json()
        assert (result["records"], result["level"]) == (6, "proven")
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Traceback" not in errors


def test_serve__port_in_use__says_so_and_leaves_nothing_running(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        started = time.monotonic()
        done = run("serve", "--port", str(port), "--database", "sqlite:///x.sqlite3", folder=tmp_path)
        assert done.returncode == 1
        assert done.stdout == ""
        assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in done.stderr
        assert "Traceback" not in done.stderr
        assert time.monotonic() - started < 30
