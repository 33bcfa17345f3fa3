"""Auditors and voters with the commands as they run them: evidence from a node, verified and counted without it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from bad_endpoint import respond, run_bad_endpoint
from commands import Commands, Done

from qballot.chain.accounts import devnet_account
from qballot.chain.artifacts import default_factory, default_implementation
from qballot.chain.contracts import encode_cancel, encode_create
from qballot.chain.devnet import Devnet
from qballot.chain.lot import HEADERS_AT_ONCE
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import Call, send
from qballot.core.address import checksum_address
from qballot.core.census_file import dump_census
from qballot.core.definition import parse_definition_document
from qballot.core.keccak import keccak
from qballot.core.proof import EvidenceCheck
from qballot.core.provenance import box_address
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.types import Hash32
from qballot.testing import ElectionOnDevnet, make_election

pytestmark = pytest.mark.integration

SOUP, SALAD, STEW = b"\x01\x00\x00", b"\x00\x01\x00", b"\x00\x00\x01"
CAPITALS = "THIS PROVES NOTHING ABOUT THE CANONICAL CHAIN"


@dataclass
class Audit:
    """An election, and commands in a folder that has its census file."""

    election: ElectionOnDevnet
    commands: Commands

    @property
    def box(self) -> str:
        return checksum_address(self.election.deployment.box)

    @property
    def folder(self) -> Path:
        return self.commands.folder

    @property
    def url(self) -> str:
        return self.election.devnet.url

    @property
    def block_hash(self) -> str:
        return "0x" + self.election.devnet.rpc.block("latest").hash.hex()

    def run(self, *arguments: str, status: int = 0) -> Done:
        done = self.commands.run(*arguments)
        assert done.status == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def collect(self, *options: str) -> Done:
        return self.run("evidence", self.box, "--census", "census.json", "--force", *options)

    def tamper(self, change: Callable[[str], str]) -> None:
        path = self.folder / "evidence.jsonl"
        before = path.read_text()
        after = change(before)
        assert after != before
        path.write_text(after)

    def vote(self) -> None:
        """Open, and let three of the five voters cast, one of them twice."""
        self.election.open()
        self.election.cast_signed([(0, SOUP), (1, SALAD)])
        self.election.cast_signed([(2, SALAD)])
        self.election.cast(0, SALAD)
        # What gave a voter ether changed a block's state that had its header already.
        self.election.devnet.mine()


@pytest.fixture
def audit(
    election: ElectionOnDevnet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Audit:
    return make_audit(election, tmp_path, monkeypatch, capsys)


def make_audit(
    election: ElectionOnDevnet, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
) -> Audit:
    (folder / "census.json").write_bytes(dump_census(election.census))
    return Audit(election, Commands(folder, election.devnet.url, patch, capture))


def test_verify__closed_election__is_complete_and_needs_no_network(audit: Audit) -> None:
    audit.vote()
    audit.election.close()
    written = audit.collect("--json").json
    assert (written["state"], written["records"], written["batches"]) == ("complete", 4, 3)
    assert (written["block"]["hash"], written["electorate_checked"]) == (audit.block_hash, True)
    assert written["bytes"] == (audit.folder / "evidence.jsonl").stat().st_size
    audit.commands.url = "http://127.0.0.1:1"  # nobody is there
    done = audit.run("verify", "evidence.jsonl", "--block-hash", audit.block_hash)
    assert "state       complete: closed at" in done.stdout
    assert "level       witnessed" in done.stdout
    assert "given by hand: whoever gave it answers for it" in done.stdout
    assert "What shall we eat?: Salad wins" in done.stdout
    assert "electorate  checked against the box's roots" in done.stdout
    for check in EvidenceCheck:
        assert f"{check.number:>2}  {check.proves}" in done.stdout
    found = audit.run("verify", "evidence.jsonl", "--block-hash", audit.block_hash, "--json").json
    assert (found["verified"], found["state"], found["level"]) == (True, "complete", "witnessed")
    assert found["trust"]["source"] == "by hand"
    assert [step["number"] for step in found["steps"]] == list(range(1, 17))
    assert found["result"]["contests"][0]["winners"] == ["salad"]
    verbose = audit.run("verify", "evidence.jsonl", "--block-hash", audit.block_hash, "--verbose")
    assert "           4 records" in verbose.stdout


def test_verify__open_election__is_partial_with_status_4_and_no_winner(audit: Audit) -> None:
    audit.vote()
    audit.collect()
    done = audit.run("verify", "evidence.jsonl", "--block-hash", audit.block_hash, status=4)
    assert "state       partial until" in done.stdout
    assert "Voting goes on: Salad leads, and nobody has won." in done.stdout
    assert "wins" not in done.stdout
    found = audit.run("verify", "evidence.jsonl", "--block-hash", audit.block_hash, "--json", status=4).json
    (contest,) = found["result"]["contests"]
    assert (contest["winners"], contest["tied"], contest["log"][-1]["leading"]) == ([], [], ["salad"])
    recount = audit.run("recount", "evidence.jsonl", status=4)
    assert "Voting goes on: Salad leads, and nobody has won." in recount.stdout
    assert "Winner" not in recount.stdout


def test_verify__cancelled_election__is_verified_with_nothing_to_count(audit: Audit) -> None:
    box = audit.election.deployment.box
    organizer = devnet_account(0)
    send(audit.election.devnet.rpc, organizer, Call(box, encode_cancel()))
    audit.collect()
    done = audit.run("verify", "evidence.jsonl", "--block-hash", audit.block_hash)
    assert "state       cancelled by its organizer" in done.stdout
    recount = audit.run("recount", "evidence.jsonl", "--block-hash", audit.block_hash)
    assert "State: cancelled by its organizer" in recount.stderr
    assert recount.stdout == ""
    assert audit.run("recount", "evidence.jsonl", "--json").json == {"contests": []}


def test_verify__invalid_definition__is_proven_to_be_invalid_and_not_counted(audit: Audit) -> None:
    rpc, definition, salt = audit.election.devnet.rpc, b'{"qballot":1}', Hash32(bytes(31) + b"\x06")
    arguments = replace(audit.election.deployment.arguments, definition_hash=keccak(definition))
    send(rpc, devnet_account(0), Call(default_factory(), encode_create(salt, arguments, definition)))
    box = checksum_address(box_address(default_factory(), default_implementation(), salt, arguments))
    assert audit.run("evidence", box, "--census", "census.json", "--json").json["state"] == "invalid"
    done = audit.run("verify", "evidence.jsonl", "--block-hash", audit.block_hash, status=3)
    assert "it is proven that this election is invalid" in done.stdout
    assert "step 2, definition: " in done.stderr
    assert audit.run("recount", "evidence.jsonl", status=3).stdout == ""


def test_verify__without_a_hash__says_in_capitals_what_it_does_not_prove(audit: Audit) -> None:
    audit.vote()
    audit.election.close()
    audit.collect()
    done = audit.run("verify", "evidence.jsonl")
    assert CAPITALS in done.stdout
    assert "level       proven" in done.stdout
    found = audit.run("verify", "evidence.jsonl", "--json").json
    assert found["trusted_hash_is_of_the_evidence_itself"] is True
    assert (found["level"], found["trust"]["source"]) == ("proven", "the evidence itself")
    assert CAPITALS in audit.run("recount", "evidence.jsonl").stderr


def test_verify__two_operators_name_the_hash__is_witnessed_and_then_final(audit: Audit) -> None:
    audit.vote()
    audit.election.close()
    audit.collect()
    other = audit.url.replace("127.0.0.1", "localhost")
    endpoints = ("--rpc", f"alice={audit.url}", "--rpc-url", f"bob={other}")
    done = audit.run("verify", "evidence.jsonl", *endpoints)
    assert "named by endpoints of 2 different operators: alice, bob" in done.stdout
    assert "level       witnessed" in done.stdout
    assert CAPITALS not in done.stdout
    audit.election.devnet.mine(100)
    found = audit.run("verify", "evidence.jsonl", *endpoints, "--json").json
    assert (found["level"], found["trust"]["operators"]) == ("final", ["alice", "bob"])
    by_both = audit.run("verify", "evidence.jsonl", *endpoints, "--block-hash", found["block"]["hash"], "--json").json
    assert (by_both["level"], by_both["trust"]["source"]) == ("final", "by hand")


def test_verify__one_operator_alone__is_only_proven_and_told_so(audit: Audit) -> None:
    audit.vote()
    audit.collect()
    other = audit.url.replace("127.0.0.1", "localhost")
    done = audit.run("verify", "evidence.jsonl", "--rpc", f"alice={audit.url}", "--rpc", f"alice={other}", status=4)
    assert "ONE ENDPOINT CAN INVENT A WHOLE CHAIN" in done.stdout
    assert "level       proven" in done.stdout
    silent = ("--rpc", audit.url, "--rpc", "bob=http://127.0.0.1:1")
    done = audit.run("verify", "evidence.jsonl", *silent, status=4)
    assert "not named by bob: " in done.stdout
    assert "level       proven" in done.stdout


def test_verify__endpoints_disagree__is_a_loud_mismatch(audit: Audit) -> None:
    audit.vote()
    audit.election.close()
    audit.collect()
    with forge_block_hash(audit.election.devnet.rpc) as liar:
        done = audit.run("verify", "evidence.jsonl", "--rpc", audit.url, "--rpc", f"mallory={liar}", status=3)
        assert "THE ENDPOINTS DISAGREE ABOUT BLOCK" in done.stderr
        assert f"mallory (http://127.0.0.1:{liar.split(':')[2].split('/')[0]})  0x{'66' * 32}" in done.stderr
        assert audit.block_hash in done.stderr
        assert done.stdout == ""
        alone = audit.run("verify", "evidence.jsonl", "--rpc", liar, status=3)
        assert "NOT VERIFIED" in alone.stdout
        assert "step 6, header: the header hashes to" in alone.stderr
        by_hand = ("--block-hash", audit.block_hash, "--rpc", liar)
        done = audit.run("verify", "evidence.jsonl", *by_hand, status=3)
        assert "THE ENDPOINTS DISAGREE WITH THE BLOCK HASH THAT WAS GIVEN" in done.stderr


def test_verify__nobody_names_the_hash__is_an_error(audit: Audit) -> None:
    audit.election.open()
    audit.collect()
    done = audit.run("verify", "evidence.jsonl", "--rpc", "http://127.0.0.1:1", status=1)
    assert "nobody names the hash of block" in done.stderr


def test_verify__another_chain__is_refused(audit: Audit) -> None:
    audit.vote()
    audit.collect()
    done = audit.run("verify", "evidence.jsonl", "--network", "mainnet", status=3)
    assert "the evidence claims chain 31337, expected chain 1" in done.stderr
    done = audit.run("verify", "evidence.jsonl", "--network", "mainnet", "--rpc", audit.url, status=1)
    assert "serves chain 31337, expected chain 1" in done.stderr
    with Devnet(chain_id=5) as other:
        done = audit.run("verify", "evidence.jsonl", "--rpc", audit.url, "--rpc", other.url, status=1)
    assert "serves chain 5, expected chain 31337" in done.stderr


def test_verify__tampered_evidence__is_refused_at_its_step(audit: Audit) -> None:
    audit.vote()
    audit.election.close()
    audit.collect()
    audit.tamper(move_a_vote)
    for command in ("verify", "recount"):
        done = audit.run(command, "evidence.jsonl", "--block-hash", audit.block_hash, status=3)
        assert "step 10, chain: the chain over 3 batches ends in" in done.stderr
        assert "Salad" not in done.stdout
    assert audit.run("verify", "evidence.jsonl", "--json", status=3).json["verified"] is False


def test_verify__wrong_hash_by_hand__is_a_mismatch(audit: Audit) -> None:
    audit.election.open()
    audit.collect()
    done = audit.run("verify", "evidence.jsonl", "--block-hash", "0x" + "11" * 32, status=3)
    assert "FAILED  6" in done.stdout
    assert "not reached: 7 to 16" in done.stdout
    done = audit.run("verify", "evidence.jsonl", "--block-hash", "0x11", status=2)
    assert "expected 0x and 64 hexadecimal digits" in done.stderr


@pytest.mark.parametrize("content", [b"", b"\x00" * 1000, b"{}\n", b'{"kind":"receipt"}\n', b"[" * 100_000])
def test_verify__garbage__is_an_error(audit: Audit, content: bytes) -> None:
    (audit.folder / "evidence.jsonl").write_bytes(content)
    for command in ("verify", "recount"):
        assert "step 1, format: " in audit.run(command, "evidence.jsonl", status=1).stderr
    assert audit.run("verify", "evidence.jsonl", "--json", status=1).json["verified"] is False
    assert "step 1, format: " in audit.run("receipt", "verify", "evidence.jsonl", status=1).stderr


def test_verify__cut_file__is_an_error(audit: Audit) -> None:
    audit.vote()
    audit.collect()
    audit.tamper(lambda text: text[: len(text) // 2])
    audit.run("verify", "evidence.jsonl", status=1)
    audit.run("verify", "missing.jsonl", status=2)


def test_verify__census_apart__is_checked_with_its_file_alone(audit: Audit) -> None:
    audit.vote()
    audit.collect("--census-apart")
    trusted = ("--block-hash", audit.block_hash)
    done = audit.run("verify", "evidence.jsonl", *trusted, status=4)
    assert "electorate  NOT CHECKED" in done.stdout
    done = audit.run("verify", "evidence.jsonl", *trusted, "--census", "census.json", status=4)
    assert "electorate  checked" in done.stdout
    other = make_election(audit.election.devnet, voters=7, salt=9)
    (audit.folder / "other.json").write_bytes(dump_census(other.census))
    done = audit.run("verify", "evidence.jsonl", *trusted, "--census", "other.json", status=3)
    assert "the evidence refers to the one with" in done.stderr
    done = audit.run("evidence", audit.box, "--census", "other.json", "-o", "other.jsonl", status=3)
    assert not (audit.folder / "other.jsonl").exists()


def test_evidence__without_census__leaves_it_to_verify(audit: Audit) -> None:
    audit.vote()
    audit.run("evidence", audit.box)
    found = audit.run("verify", "evidence.jsonl", "--json", status=4).json
    assert (found["verified"], found["electorate_checked"]) == (True, False)
    found = audit.run("verify", "evidence.jsonl", "--census", "census.json", "--json", status=4).json
    assert found["electorate_checked"] is True


def test_evidence__earlier_block__holds_what_was_cast_by_then(audit: Audit) -> None:
    audit.vote()
    number = audit.election.devnet.rpc.block("latest").number
    audit.election.cast_signed([(3, STEW), (4, STEW)])
    written = audit.collect("--block", str(number), "--json").json
    assert (written["block"]["number"], written["records"]) == (number, 4)
    audit.run("verify", "evidence.jsonl", status=4)
    assert (
        "expected a number or one of" in audit.run("evidence", audit.box, "--block", "1.5", "--force", status=2).stderr
    )


def test_evidence__wrong_address__is_told(audit: Audit) -> None:
    nobody = checksum_address(b"\x77" * 20)  # type: ignore[arg-type]
    assert "no contract stands at" in audit.run("evidence", nobody, status=2).stderr
    factory = checksum_address(audit.election.deployment.factory)
    assert "is no ballot box" in audit.run("evidence", factory, status=2).stderr
    audit.collect()
    assert "exists: choose another name" in audit.run("evidence", audit.box, status=2).stderr


def test_evidence__endpoint_leaves_out_a_ballot__nothing_is_written(audit: Audit) -> None:
    audit.vote()

    def drop(request: Any, answer: Any) -> Any:
        logs = request["method"] == "eth_getLogs" and len(answer["result"]) > 1
        return {**answer, "result": answer["result"][:-1]} if logs else answer

    with proxy(audit.election.devnet.rpc, drop) as liar:
        done = audit.run("evidence", audit.box, "--rpc", liar, status=3)
    assert "see step 10, chain" in done.stderr
    assert not list(audit.folder.glob("evidence*"))


def test_evidence__endpoint_takes_short_ranges_only__asks_for_less(audit: Audit) -> None:
    audit.vote()
    wide = {"code": -32602, "message": "eth_getLogs is limited to a 3 block range"}

    def limit(request: Any, answer: Any) -> Any:
        if request["method"] == "eth_getLogs":
            query = request["params"][0]
            if int(query["toBlock"], 16) - int(query["fromBlock"], 16) >= 3:
                return {"jsonrpc": "2.0", "id": answer["id"], "error": wide}
        return answer

    with proxy(audit.election.devnet.rpc, limit) as narrow:
        written = audit.run("evidence", audit.box, "--rpc", narrow, "--json").json
    assert written["records"] == 4


def test_evidence__endpoint_without_the_state__says_what_to_do(audit: Audit) -> None:
    audit.election.open()

    def forget(request: Any, answer: Any) -> Any:
        if request["method"] == "eth_getProof":
            return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32000, "message": "missing trie node"}}
        return answer

    with proxy(audit.election.devnet.rpc, forget) as pruned:
        done = audit.run("evidence", audit.box, "--rpc", pruned, status=1)
    assert "ask for a later block" in done.stderr


def test_evidence__tie_that_waits_for_the_lot__has_its_headers(
    devnet: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [{"id": name, "title": name.upper()} for name in ("a", "b", "c")]
    contest = {"id": "dish", "title": "Dish", "method": "plurality", "options": options, "tie": "lot"}
    _, definition = parse_definition_document(json.dumps({"qballot": 1, "title": "Tie", "contests": [contest]}))
    audit = make_audit(make_election(devnet, definition=definition, salt=5), tmp_path, monkeypatch, capsys)
    audit.election.open()
    audit.election.cast_signed([(0, SOUP), (1, SALAD)])
    audit.election.close()
    closes_at = audit.election.deployment.arguments.closes_at
    audit.collect()
    waiting = audit.run("verify", "evidence.jsonl", "--json").json
    assert waiting["result"]["contests"][0]["waits_for_lot"] is True
    devnet.warp(closes_at + LOT_DELAY_SECONDS - 1)
    devnet.warp(closes_at + LOT_DELAY_SECONDS + 5)
    expected = devnet.rpc.call("eth_getBlockByNumber", ["latest", False])["mixHash"]
    for blocks in (0, 3, HEADERS_AT_ONCE):
        if blocks:
            devnet.mine(blocks)
        audit.collect()
        found = audit.run("verify", "evidence.jsonl", "--json").json
        assert found["lot"] == expected
        assert len(found["result"]["contests"][0]["winners"]) == 1


def test_recount__complete_election__prints_the_whole_count_in_every_form(audit: Audit) -> None:
    audit.vote()
    audit.election.close()
    audit.collect()
    trusted = ("--block-hash", audit.block_hash)
    done = audit.run("recount", "evidence.jsonl", *trusted)
    assert "Winner: Salad" in done.stdout
    assert "Count:" in done.stdout
    assert "given by hand" in done.stderr
    assert audit.run("recount", "evidence.jsonl", "--log", "csv", *trusted).stdout.startswith("contest,")
    assert "Salad wins" in audit.run("recount", "evidence.jsonl", "--log", "text", *trusted).stdout
    log = audit.run("recount", "evidence.jsonl", "--log", "json", *trusted).json
    whole = audit.run("recount", "evidence.jsonl", "--json", *trusted).json
    assert log["lunch"] == whole["contests"][0]["log"]


def test_receipt__of_a_voter__verifies_and_tampered_ones_do_not(audit: Audit) -> None:
    audit.vote()
    (audit.folder / "definition.json").write_bytes(audit.election.definition)
    got = audit.run("receipt", "get", audit.box, "--voter", "0", "--json").json
    assert (got["position_in_box"], got["voter"], got["direct"], got["ballot"]) == (3, 0, True, "0x" + SALAD.hex())
    trusted = ("--block-hash", got["block"]["hash"], "--box", audit.box)
    done = audit.run("receipt", "verify", "receipt.json", *trusted, "--definition", "definition.json")
    assert "of voter 0, weight 1" in done.stdout
    assert "Salad" in done.stdout
    assert "level       witnessed" in done.stdout
    alone = audit.run("receipt", "verify", "receipt.json")
    assert CAPITALS in alone.stdout
    assert "--box compares it" in alone.stdout
    found = audit.run("receipt", "verify", "receipt.json", "--rpc", audit.url, "--json").json
    assert (found["verified"], found["level"], found["record"]["voter"]) == (True, "proven", 0)
    other = checksum_address(b"\x77" * 20)  # type: ignore[arg-type]
    done = audit.run("receipt", "verify", "receipt.json", "--box", other, status=3)
    assert "step 4, log: the receipt is of the box" in done.stderr
    done = audit.run("receipt", "verify", "receipt.json", "--block-hash", "0x" + "11" * 32, status=3)
    assert "NOT VERIFIED" in done.stdout
    path = audit.folder / "receipt.json"
    path.write_text(path.read_text().replace(SALAD.hex(), SOUP.hex()))
    audit.run("receipt", "verify", "receipt.json", *trusted, status=3)


def test_receipt__of_a_position__is_that_ballot_of_its_batch(audit: Audit) -> None:
    audit.vote()
    for position, voter in enumerate((0, 1, 2, 0)):
        name = f"{position}.json"
        got = audit.run("receipt", "get", audit.box, "--position", str(position), "-o", name, "--json").json
        assert (got["position_in_box"], got["voter"]) == (position, voter)
        audit.run("receipt", "verify", name, "--block-hash", got["block"]["hash"])
    assert "no ballot is at position 4" in audit.run("receipt", "get", audit.box, "--position", "4", status=2).stderr
    assert "no ballot of voter 3" in audit.run("receipt", "get", audit.box, "--voter", "3", status=2).stderr
    assert "expected one of them" in audit.run("receipt", "get", audit.box, status=2).stderr


def move_a_vote(text: str) -> str:
    """Make a vote for salad one for stew, in the batches and nowhere else."""
    start = text.index('{"kind":"batches"')
    # A batch ends with its last ballot.
    return text[:start] + text[start:].replace(f'{SALAD.hex()}"', f'{STEW.hex()}"', 1)


@dataclass
class Served:
    """What a server of files answers to a path."""

    status: int
    body: bytes


def test_verify__url__is_read_as_a_stream(audit: Audit) -> None:
    audit.vote()
    audit.collect()
    body = (audit.folder / "evidence.jsonl").read_bytes()
    problem = json.dumps({"type": "not_found", "detail": "no election has this box"}).encode()
    served = {"/evidence": Served(200, body), "/cut": Served(200, body[:-100]), "/none": Served(404, problem)}
    with serve_files(served) as url:
        audit.run("verify", f"{url}/evidence", status=4)
        audit.run("recount", f"{url}/evidence", status=4)
        assert "step 1, format" in audit.run("verify", f"{url}/cut", status=1).stderr
        assert "no election has this box" in audit.run("verify", f"{url}/none", status=1).stderr
    assert "the download failed" in audit.run("verify", f"{url}/evidence", status=1).stderr


@contextmanager
def serve_files(served: dict[str, Served]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = served[self.path]
            self.send_response(found.status)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def proxy(rpc: Rpc, change: Callable[[Any, Any], Any]) -> Iterator[str]:
    """Serve an endpoint that passes on what is asked, alone or in batches, and changes what it likes of the answers."""

    def ask(request: Any) -> Any:
        answer = {"jsonrpc": "2.0", "id": request["id"], "result": rpc.call(request["method"], request["params"])}
        return change(request, answer)

    def respond_to(request: Any) -> bytes:
        return respond(
            [ask(item) for item in request] if isinstance(request, list) else ask(request), "200 OK", request
        )

    with run_bad_endpoint(respond_to) as endpoint:
        yield endpoint.url


@contextmanager
def forge_block_hash(rpc: Rpc) -> Iterator[str]:
    """Serve an endpoint that names another hash for every block."""

    def forge(request: Any, answer: Any) -> Any:
        is_block = request["method"] == "eth_getBlockByNumber" and answer["result"]
        return {**answer, "result": {**answer["result"], "hash": "0x" + "66" * 32}} if is_block else answer

    with proxy(rpc, forge) as url:
        yield url
