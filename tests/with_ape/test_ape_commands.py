"""`ape run` and `ape console`, as their user types them: on ape's own network, and on a chain that stays."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qballot.chain.accounts import DEVNET_KEYS
from qballot.chain.artifacts import default_factory
from qballot.chain.contracts import BallotBoxContract
from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address, parse_address
from qballot.core.census_file import dump_census
from qballot.testing import make_census, make_definition, make_voters

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
APE = Path(sys.executable).with_name("ape")
FACTORY = checksum_address(default_factory())
PASSPHRASE = "a passphrase"  # of a public key


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """A folder of ape's own, so that nobody's accounts are read or changed."""
    folder = tmp_path / "ape"
    folder.mkdir()
    return folder


@pytest.fixture
def fresh() -> Iterator[Devnet]:
    """An anvil without the factory."""
    with Devnet() as devnet:
        yield devnet


def ape(*arguments: str, data_folder: Path, said: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QBALLOT_", "APE_"))}
    return subprocess.run(
        [str(APE), *arguments],
        check=False,
        cwd=ROOT,
        env={
            **kept,
            "PYTHONPATH": str(ROOT),
            "APE_DATA_FOLDER": str(data_folder),
            "QBALLOT_DEPLOYMENTS": str(data_folder / "deployments"),
            **variables,
        },
        input=said,
        capture_output=True,
        text=True,
        timeout=120,
    )


def write_files(folder: Path) -> str:
    """Write a definition and a census; return their paths as arguments."""
    (folder / "definition.json").write_bytes(make_definition())
    (folder / "census.json").write_bytes(dump_census(make_census(make_voters(3))))
    return f"'{folder / 'definition.json'}' '{folder / 'census.json'}'"


def test_run__list_of_scripts__names_both_and_runs_none(data_folder: Path) -> None:
    listed = ape("run", "--help", data_folder=data_folder)
    assert listed.returncode == 0
    assert re.findall(r"^  (\w+) +Run ", listed.stdout, re.MULTILINE) == ["create_election", "deploy_factory"]


def test_run__apes_own_network__factory_and_election(data_folder: Path, tmp_path: Path) -> None:
    network = ("--network", "ethereum:local:test")
    deployed = ape("run", "deploy_factory", *network, data_folder=data_folder)
    assert deployed.returncode == 0, deployed.stderr
    assert f"factory      {FACTORY}" in deployed.stdout
    window = "--opens-at 4000000000 --closes-at 4000001000"
    made = ape("run", "create_election", *network, data_folder=data_folder, said=f"{write_files(tmp_path)} {window}\n")
    assert made.returncode == 0, made.stderr
    assert re.search(r"^ballot box   0x\w{40}$", made.stdout, re.MULTILINE)
    assert not (data_folder / "deployments").exists()  # the chain is gone, so there is nothing to remember


def test_run__anvil_that_stays__scripts_and_console_see_the_same(
    data_folder: Path, tmp_path: Path, fresh: Devnet
) -> None:
    network = ("--network", "ethereum:local:foundry")
    host = {"APE_FOUNDRY_HOST": fresh.url}
    for outcome in ("gas used", "nothing to do: the factory was there already"):
        deployed = ape("run", "deploy_factory", *network, data_folder=data_folder, **host)
        assert deployed.returncode == 0, deployed.stderr
        assert outcome in deployed.stdout
    opens_at = fresh.rpc.block().timestamp + 1_000
    line = f"{write_files(tmp_path)} --opens-at {opens_at} --closes-at {opens_at + 1_000}\n"
    made = ape("run", "create_election", *network, data_folder=data_folder, said=line, **host)
    assert made.returncode == 0, made.stderr
    found = re.search(r"ballot box   (0x\w{40})", made.stdout)
    assert found is not None
    assert BallotBoxContract(fresh.rpc, parse_address(found.group(1))).opens_at("latest") == opens_at
    code = f"print(factory.address, boxes())\\nprint(box('{found.group(1)}').voters(), rpc.chain_id(), signer())"
    shown = ape("console", *network, "-c", code, data_folder=data_folder, **host)
    assert shown.returncode == 0, shown.stderr
    assert f"{FACTORY} {{'{found.group(1)}': 'Lunch'}}" in shown.stdout
    assert "3 31337 ApeSigner(0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266)" in shown.stdout


def test_run__account_of_apes__pays_and_signs(data_folder: Path, fresh: Devnet) -> None:
    make = (
        "from ape_accounts import import_account_from_private_key as put;"
        f"print(put('me', '{PASSPHRASE}', '{DEVNET_KEYS[2]}').address)"
    )
    made = subprocess.run(
        [sys.executable, "-c", make],
        check=True,
        env={**os.environ, "APE_DATA_FOLDER": str(data_folder)},
        capture_output=True,
        text=True,
    )
    account = made.stdout.strip()
    script = ("run", "deploy_factory", "--network", fresh.url)
    declined = ape(*script, data_folder=data_folder, said="n\n")
    assert declined.returncode == 1
    assert f"the ape account {account} did not sign the transaction" in declined.stderr
    signed = ape(*script, data_folder=data_folder, said=f"y\n{PASSPHRASE}\nn\n")
    assert signed.returncode == 0, signed.stderr
    assert f"factory      {FACTORY}" in signed.stdout
    assert fresh.rpc.next_nonces([parse_address(account)]) == [1]
    assert FACTORY in (data_folder / "deployments" / "31337.json").read_text()
    assert PASSPHRASE not in signed.stdout + signed.stderr


def test_run__live_network_without_an_account__says_what_to_do(data_folder: Path, fresh: Devnet) -> None:
    done = ape("run", "deploy_factory", "--network", fresh.url, data_folder=data_folder)
    assert done.returncode == 1
    assert "ape has no account to pay with" in done.stderr


@pytest.mark.parametrize(
    ("said", "status", "message"),
    [
        ("", 2, "the following arguments are required"),
        ("no.json no.json --opens-at 1 --closes-at 2\n", 1, "no.json cannot be read"),
        ("--help\n", 0, "ape run create_election"),
    ],
)
def test_create_election__arguments_not_as_they_should_be__end_with_a_clear_error(
    data_folder: Path, said: str, status: int, message: str
) -> None:
    done = ape("run", "create_election", "--network", "ethereum:local:test", data_folder=data_folder, said=said)
    assert done.returncode == status
    assert message in done.stdout + done.stderr


def test_compile__command__is_content(data_folder: Path) -> None:
    # Once more what the other tests have compiled: from ape's cache, if there is no mistake in the project's files.
    assert shutil.which("node")
    done = ape("compile", data_folder=data_folder)
    assert done.returncode == 0, done.stderr
