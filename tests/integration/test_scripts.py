"""The scripts, run as their user runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qballot.chain.accounts import DEVNET_KEYS, devnet_account
from qballot.chain.artifacts import default_factory
from qballot.chain.contracts import BallotBoxContract
from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address, parse_address
from qballot.core.census import build_census
from qballot.core.census_file import dump_census
from qballot.core.definition import definition_hash
from qballot.core.signing import address_of_key
from qballot.core.types import Weight
from qballot.testing import make_definition, make_keys

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


def run(script: str, folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a script in an empty folder with these settings and no others."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("QBALLOT_")}
    chosen = {f"QBALLOT_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), *arguments],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        cwd=folder,
        env=inherited | chosen | {"PYTHONPATH": str(ROOT)},
    )


def write_files(folder: Path) -> tuple[str, str]:
    """Write a definition, not canonical, and a census of three; return their paths."""
    (folder / "definition.json").write_bytes(b"\n" + make_definition().replace(b",", b", ") + b"\n")
    census = build_census([(address_of_key(key), Weight(2)) for key in make_keys(3)])
    (folder / "census.json").write_bytes(dump_census(census))
    return "definition.json", "census.json"


def test_scripts__factory_then_election__stand_on_chain(tmp_path: Path) -> None:
    with Devnet() as fresh:
        settings = {"rpc_url": fresh.url, "private_key": DEVNET_KEYS[2], "chain_id": "31337"}
        first = run("deploy_factory.py", tmp_path, **settings)
        assert (first.returncode, first.stderr) == (0, "")
        assert f"factory      {checksum_address(default_factory())}" in first.stdout
        assert "gas used" in first.stdout
        again = run("deploy_factory.py", tmp_path, **settings)
        assert again.returncode == 0
        assert "nothing to do" in again.stdout

        now = fresh.rpc.block().timestamp
        window = ["--opens-at", str(now + 1000), "--closes-at", str(now + 2000), "--salt", "0x" + "ab" * 32]
        made = run("create_election.py", tmp_path, *write_files(tmp_path), *window, **settings)
        assert (made.returncode, made.stderr) == (0, "")
        found = re.search(r"ballot box   (0x\w{40})", made.stdout)
        assert found is not None
        box = BallotBoxContract(fresh.rpc, parse_address(found.group(1)))
        assert box.definition_hash("latest") == definition_hash(make_definition())
        assert box.organizer("latest") == devnet_account(2).address
        assert (box.opens_at("latest"), box.voters("latest")) == (now + 1000, 3)
        for text in (first.stdout, again.stdout, made.stdout):
            assert DEVNET_KEYS[2][2:] not in text


@pytest.mark.parametrize("script", ["deploy_factory.py", "create_election.py"])
def test_scripts__wrong_chain_or_no_key__end_with_a_clear_error(devnet: Devnet, tmp_path: Path, script: str) -> None:
    arguments = []
    if script == "create_election.py":
        arguments = [*write_files(tmp_path), "--opens-at", "1900000000", "--closes-at", "1900000001"]
    before = devnet.rpc.block()
    other = run(script, tmp_path, *arguments, rpc_url=devnet.url, private_key=DEVNET_KEYS[0], chain_id="1")
    assert (other.returncode, other.stdout) == (1, "")
    assert "the endpoint serves chain 31337, expected chain 1" in other.stderr
    keyless = run(script, tmp_path, *arguments, rpc_url=devnet.url)
    assert (keyless.returncode, keyless.stdout) == (1, "")
    assert "QBALLOT_PRIVATE_KEY" in keyless.stderr
    assert devnet.rpc.block() == before


def test_create_election__files_or_salt_unusable__end_with_a_clear_error(devnet: Devnet, tmp_path: Path) -> None:
    definition, census = write_files(tmp_path)
    window = ["--opens-at", "1900000000", "--closes-at", "1900000001"]
    settings = {"rpc_url": devnet.url, "private_key": DEVNET_KEYS[0]}
    missing = run("create_election.py", tmp_path, definition, "no-such-file", *window, **settings)
    assert (missing.returncode, "no-such-file cannot be read" in missing.stderr) == (1, True)
    swapped = run("create_election.py", tmp_path, census, definition, *window, **settings)
    assert (swapped.returncode, "invalid definition" in swapped.stderr) == (1, True)
    salted = run("create_election.py", tmp_path, definition, census, *window, "--salt", "0x12", **settings)
    assert (salted.returncode, "expected 0x and 64 hex digits" in salted.stderr) == (2, True)


@pytest.mark.parametrize("script", ["deploy_factory.py", "create_election.py"])
def test_scripts__help__shows_an_example(tmp_path: Path, script: str) -> None:
    shown = run(script, tmp_path, "--help")
    assert shown.returncode == 0
    assert f"python scripts/{script}" in shown.stdout
