"""The local chain as a developer runs it: what it prints works, its clock moves, and nothing of it stays."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from bad_endpoint import fault, result, run_bad_endpoint

from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.census_file import load_census
from qballot.core.definition import definition_hash, parse_definition

pytestmark = pytest.mark.integration

QBALLOT = [sys.executable, "-c", "from qballot.cli import main; main()"]


def _environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QBALLOT_")}
    return {**kept, **changes}


def _run(arguments: Sequence[str], folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*QBALLOT, *arguments],
        cwd=folder,
        env=_environment(**changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@contextmanager
def _devnet(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A running `qballot devnet --json` and what it printed. Ends with the process gone."""
    process = subprocess.Popen(
        [*QBALLOT, "devnet", "--port", "0", "--json", *arguments],
        cwd=folder,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        assert said == "The chain runs until Ctrl-C.\n", said + process.stderr.read()
        # The JSON was printed before, in one piece, and ends with a line of its own.
        lines = iter(process.stdout.readline, "}\n")
        yield process, json.loads("".join(lines) + "}")
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def test_devnet__what_it_prints__is_enough_to_vote(tmp_path: Path) -> None:
    with _devnet(tmp_path, "--accounts", "3") as (_, printed):
        assert (printed["chain_id"], len(printed["accounts"])) == (31_337, 3)
        definition = (tmp_path / printed["definition_file"]).read_bytes()
        assert "0x" + definition_hash(definition).hex() == printed["definition_hash"]
        assert parse_definition(definition).title == "Town festival"
        census = load_census((tmp_path / printed["census_file"]).read_bytes())
        assert [checksum_address(address) for address in census.addresses] == [
            account["address"] for account in printed["accounts"]
        ]
        described = json.loads((tmp_path / ".qballot-devnet" / "devnet.json").read_text())
        assert described == printed
        settings = {
            "QBALLOT_RPC_URL": printed["rpc_url"],
            "QBALLOT_PRIVATE_KEY": printed["accounts"][2]["private_key"],
        }
        vote = ["vote", printed["box"], "--choose", "park", "--census", printed["census_file"], "--yes"]
        done = _run(vote, tmp_path, **settings)
        assert done.returncode == 0, done.stderr
        done = _run(["ballots", printed["box"], "--voter", "2"], tmp_path, **settings)
        assert "COUNTS: the only ballot of this voter" in done.stdout
        assert _run(["devnet", "warp", "close"], tmp_path).returncode == 0
        done = _run(vote, tmp_path, **settings)
        assert done.returncode == 1
        assert "the election is closed" in done.stderr


def test_devnet_warp__each_way__moves_the_chain(tmp_path: Path) -> None:
    with _devnet(tmp_path, "--before-open", "--accounts", "1") as (_, printed), Rpc(printed["rpc_url"]) as rpc:
        assert rpc.block().timestamp < printed["opens_at"]
        for to, expected in (
            ("open", printed["opens_at"]),
            ("+1d", printed["opens_at"] + 86_400),
            (str(printed["opens_at"] + 90_000), printed["opens_at"] + 90_000),
            ("close", printed["closes_at"]),
        ):
            done = _run(["devnet", "warp", to, "--json"], tmp_path)
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["timestamp"] == expected == rpc.block().timestamp
        done = _run(["devnet", "warp", "open"], tmp_path)
        assert done.returncode == 2
        assert "a clock only goes forward" in done.stderr
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        done = _run(["devnet", "warp", "close", "--rpc-url", printed["rpc_url"]], elsewhere)
        assert done.returncode == 2
        assert "name its ballot box with --box" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_devnet__told_to_end__ends_everything(tmp_path: Path, number: signal.Signals) -> None:
    with _devnet(tmp_path, "-o", "here") as (process, _):
        anvils = [child for child in psutil.Process(process.pid).children(recursive=True) if "anvil" in child.name()]
        assert len(anvils) == 1
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
    assert not psutil.wait_procs(anvils, timeout=10)[1]
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["census.json", "definition.json"]


def test_devnet__anvil_killed__ends_with_an_error(tmp_path: Path) -> None:
    with _devnet(tmp_path) as (process, _):
        (anvil,) = (child for child in psutil.Process(process.pid).children(recursive=True) if "anvil" in child.name())
        anvil.kill()
        assert process.wait(timeout=30) == 1
        assert process.stderr is not None
        assert "anvil ended by itself" in process.stderr.read()


def test_devnet__own_definition__is_the_elections(tmp_path: Path) -> None:
    definition = {
        "qballot": 1,
        "title": "Lunch",
        "contests": [
            {
                "id": "dish",
                "title": "Dish",
                "method": "plurality",
                "options": [{"id": "soup", "title": "Soup"}, {"id": "stew", "title": "Stew"}],
            }
        ],
    }
    (tmp_path / "lunch.json").write_text(json.dumps(definition, indent=2))
    with _devnet(tmp_path, "--definition", "lunch.json", "--accounts", "1") as (_, printed):
        assert parse_definition((tmp_path / printed["definition_file"]).read_bytes()).title == "Lunch"
    (tmp_path / "lunch.json").write_text(json.dumps({**definition, "contests": []}))
    done = _run(["devnet", "--port", "0", "--definition", "lunch.json"], tmp_path)
    assert done.returncode == 2
    assert "invalid definition" in done.stderr


def test_devnet__port_in_use__says_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _run(["devnet", "--port", str(port)], tmp_path)
    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 is in use" in done.stderr
    assert not (tmp_path / ".qballot-devnet").exists()


def test_devnet_warp__chain_that_is_not_anvil__is_refused(tmp_path: Path) -> None:
    block = {
        "number": "0x1",
        "hash": "0x" + "11" * 32,
        "parentHash": "0x" + "22" * 32,
        "timestamp": "0x64",
    }
    with run_bad_endpoint(result(block), fault(-32601, "the method anvil_nodeInfo does not exist")) as endpoint:
        done = _run(["devnet", "warp", "+1d", "--rpc-url", endpoint.url], tmp_path)
    assert done.returncode == 1
    assert "only a local chain's clock can be moved" in done.stderr
    assert "SECRET" not in done.stderr
    assert [request["method"] for request in endpoint.requests] == ["eth_getBlockByNumber", "anvil_nodeInfo"]


def test_devnet__folder_that_cannot_be_written__says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = _run(["devnet", "--port", "0", "-o", "file"], tmp_path)
    assert done.returncode == 2
    assert "file cannot be written" in done.stderr


def test_devnet__help__has_an_example(tmp_path: Path) -> None:
    done = _run(["devnet", "--help"], tmp_path)
    assert "Example: qballot devnet --port" in done.stdout
