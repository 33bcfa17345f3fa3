"""Auditors who verify what a server gives: the evidence of an election and a receipt, each by its address there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bad_endpoint import run_bad_endpoint
from commands import Commands, Done, start_process
from proving import forget_proofs, keep_proof
from scenes import SALAD, SOUP, follow, hold_election, lying_endpoint
from sqlalchemy import Engine

from indexer.ledger import import_census
from qballot.chain.devnet import Devnet
from qballot.cli.trusted_hash import find_evidence_url
from qballot.core.address import checksum_address
from qballot.core.census_file import dump_census
from qballot.testing import ElectionOnDevnet, make_election

pytestmark = pytest.mark.integration

CAPITALS = "THIS PROVES NOTHING ABOUT THE CANONICAL CHAIN"


@dataclass
class Server:
    """`qballot serve` in a process of its own, and commands that know nothing but its URL."""

    url: str
    commands: Commands

    def verify(self, source: str, *options: str, status: int = 0) -> Done:
        done = self.commands.run("verify", self.url + source, *options)
        assert done.status == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture
def server(
    devnet: Devnet,
    sqlite_engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Server]:
    settings = {"database_url": str(sqlite_engine.url), "rpc_url": devnet.url}
    with start_process(tmp_path, "serve", "--port", "0", **settings) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("QBallot is served on "):
                url = line.split()[4]
                break
        yield Server(url, Commands(tmp_path, "http://127.0.0.1:1", monkeypatch, capsys, key=None))
        process.terminate()
        process.wait(timeout=20)


def index(devnet: Devnet, engine: Engine, scene: ElectionOnDevnet) -> tuple[str, str]:
    """Index an election with its census and a proof. Returns its address, and the hash of the proof's block."""
    follow(devnet, engine).sync_once()
    import_census(engine, scene.deployment.box, dump_census(scene.census))
    block = keep_proof(devnet, engine, scene.deployment.box)
    return checksum_address(scene.deployment.box), "0x" + block.hash.hex()


@pytest.mark.parametrize("place", ["/elections/{}", "/elections/{}/", "/elections/{}/evidence", "/e/{}"])
def test_verify__address_of_a_closed_election__is_complete(
    devnet: Devnet, sqlite_engine: Engine, server: Server, place: str
) -> None:
    scene = hold_election(devnet)
    scene.close()
    box, block_hash = index(devnet, sqlite_engine, scene)
    done = server.verify(place.format(box), "--block-hash", block_hash)
    assert "state       complete: closed at" in done.stdout
    assert "level       witnessed" in done.stdout
    assert "electorate  checked against the box's roots" in done.stdout
    assert "Soup wins with 2 votes." in done.stdout


def test_verify__nobody_hand_or_endpoints__says_who_names_the_hash(
    devnet: Devnet, sqlite_engine: Engine, server: Server
) -> None:
    scene = hold_election(devnet)
    scene.close()
    box, block_hash = index(devnet, sqlite_engine, scene)
    place = f"/elections/{box}"
    assert CAPITALS in server.verify(place).stdout
    asked = server.verify(place, "--rpc", f"a={devnet.url}", "--rpc", f"b={devnet.url}/", "--json").json
    assert (asked["verified"], asked["level"], asked["trust"]["operators"]) == (True, "witnessed", ["a", "b"])
    assert asked["result"]["contests"][0]["winners"] == ["soup"]
    wrong = "0x" + "1" * 64
    refused = server.verify(place, "--block-hash", wrong, status=3)
    assert "step 6, header" in refused.stderr
    assert "NOT VERIFIED" in refused.stdout

    def forge(method: str, _params: list[Any], result: Any) -> Any:
        return {**result, "hash": wrong} if method == "eth_getBlockByNumber" else result

    with lying_endpoint(devnet, forge) as liar:
        contradicted = server.verify(place, "--rpc", devnet.url, "--rpc", f"liar={liar.endpoint}", status=3)
    assert "THE ENDPOINTS DISAGREE" in contradicted.stderr
    assert block_hash in contradicted.stderr
    # The ballots of a receipt are in a block of their own, whose hash is asked for likewise.
    receipt = server.commands.run(
        "receipt", "verify", f"{server.url}/elections/{box}/ballots/5/receipt", "--box", box, "--rpc", devnet.url
    )
    assert receipt.status == 0, receipt.stderr
    assert "ballot      of voter 0, weight 1, 0x010000" in receipt.stdout


def test_verify__election_that_goes_on__ends_with_4(devnet: Devnet, sqlite_engine: Engine, server: Server) -> None:
    scene = make_election(devnet)
    scene.open()
    scene.cast_signed([(0, SOUP), (1, SALAD), (2, SOUP)])
    box, block_hash = index(devnet, sqlite_engine, scene)
    done = server.verify(f"/elections/{box}", "--block-hash", block_hash, status=4)
    assert "Voting goes on: Soup leads, and nobody has won." in done.stdout


def test_verify__what_the_server_does_not_give__ends_with_1(
    devnet: Devnet, sqlite_engine: Engine, server: Server
) -> None:
    scene = hold_election(devnet)
    box, _ = index(devnet, sqlite_engine, scene)
    assert "no election at this address" in server.verify("/elections/0x" + "12" * 20, status=1).stderr
    assert "line 1" in server.verify("/health/live", status=1).stderr
    forget_proofs(sqlite_engine)
    assert "the result is not proven" in server.verify(f"/elections/{box}", status=1).stderr
    cut = b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"kind":"evidence"'
    with run_bad_endpoint(lambda _: cut) as endpoint:
        done = server.commands.run("verify", f"{endpoint.url}/elections/{box}")
    assert (done.status, "the download failed" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("https://h/elections/0x{}", "https://h/elections/0x{}/evidence"),
        ("https://h/q/e/0x{}/", "https://h/q/elections/0x{}/evidence"),
        ("https://h/elections/0x{}?census=false", "https://h/elections/0x{}/evidence?census=false"),
        ("https://h/elections/0x{}/evidence", "https://h/elections/0x{}/evidence"),
        ("https://h/files/evidence.jsonl", "https://h/files/evidence.jsonl"),
        ("elections/0x{}", "elections/0x{}"),
    ],
)
def test_find_evidence_url__page_or_place_in_the_api__is_the_evidences(source: str, found: str) -> None:
    assert find_evidence_url(source.format("aB" * 20)) == found.format("aB" * 20)
