"""The example in every command's help, taken from there and run as it stands but for `SUBSTITUTIONS`."""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import typer
from commands import Commands, Done, start_process
from tokens.deployed import deploy as deploy_token

from qballot.chain.accounts import DEVNET_KEYS
from qballot.chain.artifacts import default_factory, default_implementation
from qballot.chain.devnet import Devnet
from qballot.cli import app
from qballot.core.address import checksum_address
from qballot.core.census import build_census
from qballot.core.census_file import dump_census
from qballot.core.definition import parse_definition_document
from qballot.core.types import Weight
from qballot.local_chain import LocalElection, example_definition, list_public_accounts, start_election

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SOURCES = ("examples", "contracts", "node_modules", "scripts")
"""What an example may name of the checkout in which it is run."""

VOTERS = 3
FINALITY_BLOCKS = 100
"""Enough for anvil to call a block finalized."""


@dataclass
class Stage:
    """A folder with the files that the examples name, and a chain with an election that public accounts vote in.

    payer: which of the accounts signs where none is named.
    """

    commands: Commands
    devnet: Devnet
    local: LocalElection
    payer: int

    @property
    def box(self) -> str:
        return checksum_address(self.local.deployment.box)

    @property
    def folder(self) -> Path:
        return self.commands.folder

    def run(self, line: str) -> Done:
        """Run a line as one would type it, without a terminal; what would be asked for comes from file and stdin."""
        done = self.commands.run(
            *shlex.split(line)[1:],
            stdin=DEVNET_KEYS[0] if line.startswith("qballot account import") else "",
            private_key=DEVNET_KEYS[self.payer],
            keystore=str(self.folder / "keys"),
            keystore_password_file=str(self.folder / "password.txt"),
        )
        assert done.status == 0, done.stderr
        return done


SUBSTITUTIONS: dict[str, Callable[[Stage], str]] = {
    "$BOX": lambda stage: stage.box,
    "0x5FbDB2315678afecb367f032d93F642f64180aa3": lambda stage: stage.box,
    "0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984": lambda stage: make_token(stage.devnet),
    "http://127.0.0.1:8545": lambda stage: stage.devnet.url,
    "--port 8545": lambda stage: "--port 0",
    "--port 8000": lambda stage: "--port 0",
}
"""What stands in the examples for something of the reader's own; a port that may be taken here is any free one."""

EXPECTED = {
    "account import": "address  0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "account list": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266  committee",
    "account new": "address  0x",
    "ballots": "No ballot of this voter is in the box.",
    "cancel": "it never takes a ballot",
    "cast-signed": "cast     ballot.json  voter 1: in block",
    "census audit": "changed weight: 3",
    "census build": "voters        3",
    "census check": "this is the census of 3 voters of 0x",
    "census from-token": "total weight  5",
    "census import": "census of 3 voters imported",
    "census proof": '"index":0',
    "census proofs": "proofs holds the proofs of 3 voters, 3 of them written now",
    "census reproduce": "ok: the recipe gives this census of 2 voters, byte for byte",
    "certificate": "wrote result.pdf",
    "compile": "the committed artifacts are what the sources give",
    "convert": "wrote chair.blt: 1,000 ballots with ranks of 5 options, as blt",
    "definition check": "ok: the definition is valid",
    "definition hash": "0x5046e692806d668d3ac9d9add7d30cf8ab881cf49670e0e7ee2bc8d63fc42ce2",
    "definition new": "wrote board.json: 1 contest, 2 options",
    "definition schema": "https://json-schema.org/draft/2020-12/schema",
    "definition show": "1 of 2: Market Street",
    "deploy check": "ok    the factory announced the box",
    "deploy election": "opens        1930118400, 2031-03-01 08:00:00 UTC",
    "deploy factory": "gas used",
    "devnet": "The chain runs until Ctrl-C.",
    "devnet warp": "86,400 seconds later",
    "evidence": "wrote evidence.jsonl: ",
    "index": '"elections": 1,',
    "index check": "  ok    0x",
    "index status": "elections    1",
    "receipt get": "wrote receipt.json: ballot 0 of the box, of voter 1, in block",
    "receipt verify": "It is in the box's log.",
    "recount": "contest,",
    "rehearse": "ok  the result equals the count of the file alone",
    "serve": "QBallot is served on http://127.0.0.1:",
    "sign": "written: ballot.json",
    "tally": "Winner: Car-free for good",
    "verify": "state       complete: closed at",
    "vote": "cast         by voter 1, weight 1",
}
"""A part of what each example prints."""

UNTIL_STOPPED = {"devnet", "serve"}
PROCESSES = UNTIL_STOPPED | {"index", "rehearse"}
"""Those that answer signals or set up the whole process's log are run in one of their own."""


def make_token(devnet: Devnet) -> str:
    """Deploy an ERC-20 of which two of the public accounts hold 2 and 3, so long ago that it is final."""
    token = deploy_token(devnet, "VotesToken")
    for account, amount in zip(list_public_accounts(2), (2, 3), strict=True):
        token.send("mint(address,uint256)", checksum_address(account.signer.address), amount * 10**18)
    devnet.mine(FINALITY_BLOCKS)
    return checksum_address(token.address)


def hold_token_census(stage: Stage) -> None:
    (stage.folder / "census.json").unlink()
    stage.run(f"qballot census from-token {make_token(stage.devnet)} --block finalized --divide 1e18")


def remove_factory(stage: Stage) -> None:
    for address in (default_factory(), default_implementation()):
        stage.devnet.rpc.call("anvil_setCode", ["0x" + address.hex(), "0x"])
        stage.devnet.rpc.call("anvil_setNonce", ["0x" + address.hex(), "0x0"])


def import_committee(stage: Stage) -> None:
    stage.run("qballot account import committee")


def index_chain(stage: Stage) -> None:
    run_process(stage, "qballot index --once")


def sign_ballot(stage: Stage) -> None:
    stage.run(f"qballot sign {stage.box} --choose park --census census.json -o ballot.json")


def cast_ballot(stage: Stage) -> None:
    sign_ballot(stage)
    stage.run("qballot cast-signed ballot.json --census census.json --yes")


def get_receipt(stage: Stage) -> None:
    cast_ballot(stage)
    stage.run(f"qballot receipt get {stage.box} --position 0")


def collect_evidence(stage: Stage) -> None:
    cast_ballot(stage)
    stage.devnet.warp(stage.local.deployment.arguments.closes_at)
    stage.run(f"qballot evidence {stage.box} --census census.json")


PREPARATIONS: dict[str, Callable[[Stage], None]] = {
    "account list": import_committee,
    "cast-signed": sign_ballot,
    "census build": lambda stage: (stage.folder / "census.json").unlink(),
    "census from-token": lambda stage: (stage.folder / "census.json").unlink(),
    "census import": index_chain,
    "census reproduce": hold_token_census,
    "certificate": collect_evidence,
    "deploy factory": remove_factory,
    "index check": index_chain,
    "index status": index_chain,
    "receipt get": cast_ballot,
    "receipt verify": get_receipt,
    "recount": collect_evidence,
    "serve": index_chain,
    "verify": collect_evidence,
}
"""What must have been done before."""


def list_commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Go through all commands, also one that has commands below it and does something by itself."""
    children = getattr(command, "commands", {})
    if not children or getattr(command, "invoke_without_command", False):
        yield " ".join(words), command
    for name, child in children.items():
        yield from list_commands(child, (*words, name))


COMMANDS = dict(list_commands(typer.main.get_command(app)))


def find_example(words: str) -> str:
    """Return the example in a command's help, on one line."""
    found = re.search(r"^Example: (.+?)(?:\n\n|\Z)", COMMANDS[words].help or "", re.MULTILINE | re.DOTALL)
    assert found, f"qballot {words} --help shows no example"
    return " ".join(found.group(1).split())


@pytest.fixture
def stage(
    request: pytest.FixtureRequest,
    devnet: Devnet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Stage:
    words = request.node.callspec.params["words"]
    accounts = list_public_accounts(VOTERS)
    _, canonical = parse_definition_document(example_definition())
    local = start_election(devnet, canonical, accounts, is_open=words != "cancel")
    for name in SOURCES:
        (tmp_path / name).symlink_to(ROOT / name)
    census = dump_census(local.census)
    voters = [checksum_address(account.signer.address) for account in accounts]
    contents = {
        "definition.json": canonical,
        "census.json": census,
        "before.json": census,
        "after.json": dump_census(build_census([(account.signer.address, Weight(2)) for account in accounts])),
        "voters.csv": "\n".join(["address", *voters]).encode(),
        "password.txt": b"correct horse",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "password.txt").chmod(0o600)
    # The first account is the organizer.
    payer = 0 if words.startswith(("cancel", "deploy")) else 1
    return Stage(Commands(tmp_path, devnet.url, monkeypatch, capsys), devnet, local, payer)


def run_process(stage: Stage, line: str, until: str | None = None) -> str:
    """Run a line in a process of its own, to its end or until it has said something; return all that it said."""
    with start_process(stage.folder, *shlex.split(line)[1:], rpc_url=stage.devnet.url) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        said = ""
        if until is not None:
            while until not in said:
                heard = process.stderr.readline()
                assert heard, said
                said += heard
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, said + err
    return said + err + out


def test_examples__table_of_what_they_print__has_every_command() -> None:
    assert sorted(EXPECTED) == sorted(COMMANDS)


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_example__of_the_help__works(words: str, stage: Stage) -> None:
    line = find_example(words)
    assert line.startswith(f"qballot {words}")
    if words in PREPARATIONS:
        PREPARATIONS[words](stage)
    for written, meant in SUBSTITUTIONS.items():
        line = line.replace(written, meant(stage)) if written in line else line
    if words in PROCESSES:
        printed = run_process(stage, line, EXPECTED[words] if words in UNTIL_STOPPED else None)
    else:
        done = stage.run(line)
        printed = done.stdout + done.stderr
    assert EXPECTED[words] in printed
