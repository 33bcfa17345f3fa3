"""Voters and those who bring their ballots, with the commands as they run them, on a real chain."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from bad_endpoint import respond, run_bad_endpoint

from qballot.chain.accounts import LocalSigner
from qballot.chain.answers import Receipt
from qballot.chain.artifacts import default_implementation
from qballot.chain.contracts import encode_cancel
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import Call, quote_many, send, send_quoted
from qballot.cli import main
from qballot.core.address import checksum_address
from qballot.core.census_file import dump_census
from qballot.core.census_proof import build_voter_proof, dump_voter_proof
from qballot.core.definition import parse_definition_document
from qballot.core.provenance import clone_runtime_code
from qballot.core.records import DIRECT_BIT
from qballot.core.signed_ballot import SignedBallot
from qballot.election import fetch_election
from qballot.local_chain import example_definition
from qballot.testing import ElectionOnDevnet, make_election
from qballot.voting.bring import Delivery, Fate, PlannedBatch, deliver, plan_deliveries

pytestmark = pytest.mark.integration

NO = 0x80


@dataclass
class Done:
    """A command that ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Scene:
    """The example election on the shared chain, with its census file, and a way to run commands on it."""

    election: ElectionOnDevnet
    folder: Path
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    @property
    def box(self) -> str:
        return checksum_address(self.election.deployment.box)

    def run(self, *arguments: str, voter: int | None = None, **environment: str) -> Done:
        """Run a command as a voter who has ether, or as nobody; without a terminal."""
        settings = {"QBALLOT_RPC_URL": self.election.devnet.url}
        if voter is not None:
            self.election.account(voter)
            settings["QBALLOT_PRIVATE_KEY"] = "0x" + self.election.keys[voter].hex()
        self.capture.readouterr()
        with self.patch.context() as patch:
            for name in [name for name in os.environ if name.startswith("QBALLOT_")]:
                patch.delenv(name)
            for name, value in {**settings, **environment}.items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["qballot", *arguments])
            patch.setattr(sys, "stdin", io.StringIO())
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = self.capture.readouterr()
        code = ended.value.code
        return Done(code if isinstance(code, int) else int(code is not None), out, err)

    def vote(self, *choices: str, voter: int, **environment: str) -> Done:
        return self.run("vote", self.box, *choices, "--census", "census.json", "--yes", voter=voter, **environment)

    def sign(self, file: str, *choices: str, voter: int) -> Done:
        return self.run("sign", self.box, *choices, "--census", "census.json", "-o", file, voter=voter)

    def bring(self, *arguments: str, relayer: int = 0) -> Done:
        return self.run("cast-signed", *arguments, "--census", "census.json", voter=relayer)

    def ballots(self, voter: int) -> list[dict[str, Any]]:
        done = self.run("ballots", self.box, "--voter", str(voter), "--json")
        assert done.returncode == 0, done.stderr
        ballots: list[dict[str, Any]] = json.loads(done.stdout)["ballots"]
        return ballots


@pytest.fixture
def closed(
    devnet: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Scene:
    """Not open yet. Six voters in sheets of four."""
    definition = parse_definition_document(example_definition())[1]
    made = make_election(devnet, voters=6, weights=[1, 2, 3, 4, 5, 6], sheet_bits=2, definition=definition)
    (tmp_path / "census.json").write_bytes(dump_census(made.census))
    return Scene(made, tmp_path, monkeypatch, capsys)


@pytest.fixture
def scene(closed: Scene) -> Scene:
    """The same, open."""
    closed.election.open()
    return closed


def _refuse(done: Done, said: str, status: int = 2) -> None:
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr


def test_vote__every_kind_of_contest__is_the_ballot_in_the_box(scene: Scene) -> None:
    choices = ["--choose", "park", "--rank", "ben,ada", "--score", "music=3,food=-2", "--approve", "friday"]
    done = scene.vote(*choices, voter=4)
    assert done.returncode == 0, done.stderr
    ballot = bytes([1, 0, 0, 2, 1, 0, 3, 0xFE, NO, 1, 0, 0])
    for text in (done.stdout, done.stderr):
        assert "Where shall it be? In the park" in text
        assert "1. Ben, 2. Ada" in text
    assert ballot.hex() in done.stderr
    assert f"qballot ballots {scene.box} --voter 4" in done.stdout
    (found,) = scene.ballots(4)
    assert (found["ballot"], found["counts"], found["direct"]) == ("0x" + ballot.hex(), True, True)
    assert [contest["text"] for contest in found["contests"]][:2] == ["In the park", "1. Ben, 2. Ada"]


def test_vote__own_proof_instead_of_the_census__is_taken(scene: Scene) -> None:
    address = scene.election.voters[5].address
    (scene.folder / "proof.json").write_bytes(dump_voter_proof(build_voter_proof(scene.election.census, address)))
    arguments = ["vote", scene.box, "--choose", "park", "--proof", "proof.json", "--yes", "--json"]
    done = scene.run(*arguments, voter=5)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["voter"], report["weight"], report["contests"][1]["use"]) == (5, "6", "blank")
    _refuse(scene.run(*arguments, voter=4), "the proof is that of")
    other = make_election(scene.election.devnet, voters=6, sheet_bits=2, salt=1).census
    (scene.folder / "proof.json").write_bytes(dump_voter_proof(build_voter_proof(other, address)))
    _refuse(scene.run(*arguments, voter=5), "the proof is not for the election at", status=3)
    both = [*arguments, "--census", "census.json"]
    _refuse(scene.run(*both, voter=5), "found --census and --proof")
    _refuse(scene.run("vote", scene.box, "--choose", "park", voter=5), "found no --census")


def test_vote__dry_run_and_unsigned__spend_nothing(scene: Scene) -> None:
    before = scene.election.devnet.rpc.block().number
    address = checksum_address(scene.election.voters[2].address)
    common = ["vote", scene.box, "--choose", "park", "--census", "census.json"]
    done = scene.run(*common, "--dry-run", "--from", address)
    assert done.returncode == 0, done.stderr
    assert "call         cast" in done.stdout
    assert "In the park" in done.stdout
    done = scene.run(*common, "--unsigned", "--from", address)
    transaction = json.loads(done.stdout)
    assert (transaction["from"], transaction["to"], transaction["chainId"]) == (address, scene.box, 31_337)
    assert "In the park" in done.stderr
    _refuse(scene.run(*common, voter=2), "add --yes to spend")
    assert scene.election.devnet.rpc.block().number == before


def test_vote__what_is_wrong_with_a_ballot__is_said_before_anything_is_spent(scene: Scene) -> None:
    before = scene.election.devnet.rpc.block().number
    _refuse(scene.vote("--choose", "park,library", voter=0), "this ballot would be spoiled: Where shall it be?")
    _refuse(scene.vote("--choose", "prak", voter=0), 'did you mean "park"?')
    _refuse(scene.vote("--choose", "ada", voter=0), "say --rank host/ada")
    _refuse(scene.vote("--score", "music=4", voter=0), "min_score -3, max_score 3")
    _refuse(scene.vote(voter=0), "nothing is chosen: say --choose place/park")
    assert scene.election.devnet.rpc.block().number == before
    done = scene.vote("--choose", "park,library", "--spoil", "--blank", "host", voter=0)
    assert done.returncode == 0, done.stderr
    (found,) = scene.ballots(0)
    assert [contest["use"] for contest in found["contests"]] == ["spoiled", "blank", "blank", "blank"]
    assert found["contests"][0]["reason"] == "too_many_choices"


def test_vote__who_may_not__is_told_what_to_do(closed: Scene) -> None:
    scene = closed
    _refuse(scene.vote("--choose", "park", voter=0), "is not open yet", status=1)
    scene.election.open()
    stranger = make_election(scene.election.devnet, voters=7, salt=1)
    (scene.folder / "other.json").write_bytes(dump_census(stranger.census))
    key = "0x" + stranger.keys[6].hex()
    _refuse(scene.vote("--choose", "park", voter=0, QBALLOT_PRIVATE_KEY=key), "is not in the census")
    arguments = ["vote", scene.box, "--choose", "park", "--census", "other.json", "--yes"]
    _refuse(scene.run(*arguments, voter=0), "the census is not that of the election at", status=3)
    _refuse(scene.vote("--choose", "park", "--network", "sepolia", voter=0), "expected chain 11155111", status=1)
    scene.election.close()
    _refuse(scene.vote("--choose", "park", voter=0), "is closed", status=1)
    _refuse(scene.sign("b.json", "--choose", "park", voter=0), "is closed", status=1)


def test_vote__cancelled_election__is_named(closed: Scene, organizer: LocalSigner) -> None:
    send(closed.election.devnet.rpc, organizer, Call(closed.election.deployment.box, encode_cancel()))
    closed.election.open()
    _refuse(closed.vote("--choose", "park", voter=0), "was cancelled by its organizer", status=1)
    _refuse(closed.sign("b.json", "--choose", "park", voter=0), "was cancelled by its organizer", status=1)
    done = closed.run("ballots", closed.box, "--voter", "0")
    assert "cancelled this election" in done.stdout


def test_vote__box_that_is_none_or_a_look_alike__is_refused(scene: Scene) -> None:
    devnet, nowhere = scene.election.devnet, "0x" + "12" * 20
    common = ["--choose", "park", "--census", "census.json", "--yes"]
    _refuse(scene.run("vote", nowhere, *common, voter=0), "no contract stands at")
    factory = checksum_address(scene.election.deployment.factory)
    _refuse(scene.run("vote", factory, *common, voter=0), "is no ballot box")
    code = clone_runtime_code(default_implementation(), scene.election.deployment.arguments)
    devnet.rpc.call("anvil_setCode", [nowhere, "0x" + code.hex()])
    done = scene.run("vote", nowhere, *common, voter=0)
    _refuse(done, "it may be a look-alike, so give it no ballot", status=3)
    late = str(devnet.rpc.block().number)
    _refuse(scene.vote("--choose", "park", voter=0, QBALLOT_FROM_BLOCK=late), "QBALLOT_FROM_BLOCK", status=3)


def test_sign__again_and_again__each_counts_before_the_earlier(scene: Scene) -> None:
    now = scene.election.devnet.rpc.block().timestamp
    assert scene.sign("one.json", "--choose", "park", voter=1).returncode == 0
    one = json.loads((scene.folder / "one.json").read_text())
    assert (one["qballot_signed_ballot"], one["chain_id"], one["box"], one["voter"]) == (1, 31_337, scene.box, 1)
    assert one["words"][0] == "Where shall it be? In the park"
    assert len(one["proof"]) == 2
    done = scene.run(
        "sign", scene.box, "--choose", "library", "--census", "census.json", "--after", "one.json", voter=1
    )
    two = json.loads(done.stdout)
    assert (one["cast_at"], two["cast_at"]) == (now, now + 1)
    done = scene.bring("one.json", "--yes")
    assert done.returncode == 0, done.stderr
    latest = scene.election.devnet.rpc.block().timestamp
    assert scene.sign("three.json", "--choose", "library", voter=1).returncode == 0
    assert json.loads((scene.folder / "three.json").read_text())["cast_at"] == max(latest, now + 1)
    _refuse(scene.sign("three.json", "--choose", "park", voter=1), "three.json exists and is another file")
    assert scene.vote("--choose", "harbour", voter=1).returncode == 0
    _refuse(scene.sign("four.json", "--choose", "park", voter=1), "which outranks every signed ballot")


def test_cast_signed__many_files__each_is_accounted_for(scene: Scene) -> None:
    for voter in (0, 2, 5):
        assert scene.sign(f"{voter}.json", "--choose", "park", "--rank", "cem", voter=voter).returncode == 0
    altered = json.loads((scene.folder / "2.json").read_text())
    (scene.folder / "altered.json").write_text(json.dumps({**altered, "ballot": "0x" + "00" * 12}))
    (scene.folder / "heavy.json").write_text(json.dumps({**altered, "weight": "9"}))
    (scene.folder / "copy.json").write_text(json.dumps(altered))
    files = ["0.json", "2.json", "5.json", "altered.json", "heavy.json", "copy.json", "missing.json"]
    done = scene.bring(*files, "--dry-run")
    assert (done.returncode, done.stdout.count("castSigned")) == (1, 2), done.stderr
    done = scene.bring(*files, "--yes", "--json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    fates = {item["file"]: (item["fate"], item["note"]) for item in report["files"]}
    assert [fates[name][0] for name in files] == ["cast", "cast", "cast", "refused", "refused", "skipped", "refused"]
    assert "the signature is not that of" in fates["altered.json"][1]
    assert "found the weight 9, expected 3" in fates["heavy.json"][1]
    assert fates["copy.json"][1] == "the same ballot as 2.json"
    assert "cannot be read" in fates["missing.json"][1]
    assert len(report["transactions"]) == 2
    assert report["files"][0]["contests"][1]["text"] == "1. Cem"
    again = scene.bring("0.json", "2.json", "5.json", "--yes")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("in the box already, since block") == 3
    for voter in (0, 2, 5):
        (found,) = scene.ballots(voter)
        assert (found["counts"], found["direct"], found["weight"]) == (True, False, str(voter + 1))


def test_cast_signed__ballots_that_cannot_count_any_more__are_skipped_unless_asked(scene: Scene) -> None:
    assert scene.sign("early.json", "--choose", "park", voter=3).returncode == 0
    assert scene.vote("--choose", "library", voter=3).returncode == 0
    done = scene.bring("early.json", "--yes")
    assert done.returncode == 0
    assert "the voter voted by their own transaction in block" in done.stdout
    assert len(scene.ballots(3)) == 1
    assert scene.bring("early.json", "--yes", "--all").returncode == 0
    first, second = scene.ballots(3)
    assert (first["reason"], second["reason"], second["because_of"]) == ("latest", "outranked", 0)
    done = scene.run("ballots", scene.box, "--voter", "3")
    assert "1. COUNTS: the latest of this voter" in done.stdout
    assert "2. does not count: outranked by the voter's own transaction, ballot 1" in done.stdout
    assert "2 records in 2 batches lead to the box's head" in done.stdout


def test_cast_signed__another_election_or_none__is_refused(scene: Scene) -> None:
    assert scene.sign("one.json", "--choose", "park", voter=0).returncode == 0
    other = make_election(scene.election.devnet, voters=6, sheet_bits=2, salt=1)
    other.open()
    moved = replace(scene, election=other)
    (scene.folder / "census.json").write_bytes(dump_census(other.census))
    assert moved.sign("two.json", "--choose", "soup", voter=0).returncode == 0
    _refuse(scene.bring("one.json", "two.json", "--yes"), "the ballots are for 2 boxes")
    done = scene.bring("one.json", "two.json", "--box", moved.box, "--yes")
    assert done.returncode == 1
    assert f"signed for the box {scene.box}, expected {moved.box}" in done.stdout
    assert len(moved.ballots(0)) == 1
    _refuse(scene.bring("census.json", "--yes"), "none of the files is a signed ballot")


def test_cast_signed__signed_for_later__is_refused_until_then(scene: Scene) -> None:
    later = scene.election.devnet.rpc.block().timestamp + 1_000
    signed = scene.election.sign(1, bytes([1] + [0] * 5 + [NO] * 3 + [0] * 3), cast_at=later)
    assert scene.sign("now.json", "--choose", "park", voter=1).returncode == 0
    document = json.loads((scene.folder / "now.json").read_text())
    document |= {"cast_at": later, "signature": "0x" + (signed.r + signed.vs).hex()}
    (scene.folder / "later.json").write_text(json.dumps(document))
    done = scene.bring("later.json", "--yes")
    assert done.returncode == 1
    assert "the chain's time: bring it then" in done.stdout
    scene.election.devnet.warp(later)
    assert scene.bring("later.json", "--yes").returncode == 0


def test_cast_signed__relayer_without_ether__is_told_so(scene: Scene) -> None:
    assert scene.sign("one.json", "--choose", "park", voter=0).returncode == 0
    key = "0x" + (10**41).to_bytes(32).hex()
    done = scene.run("cast-signed", "one.json", "--census", "census.json", "--yes", QBALLOT_PRIVATE_KEY=key)
    _refuse(done, "has 0 ETH", status=1)


def test_ballots__voter_by_address__is_found_in_the_census(scene: Scene) -> None:
    address = checksum_address(scene.election.voters[2].address)
    assert scene.vote("--choose", "park", voter=2).returncode == 0
    done = scene.run("ballots", scene.box, "--voter", address, "--census", "census.json", "--json")
    report = json.loads(done.stdout)
    assert (report["voter"], report["records_in_box"], len(report["ballots"])) == (2, 1, 1)
    assert report["ballots"][0]["cast_at"] < DIRECT_BIT
    _refuse(scene.run("ballots", scene.box, "--voter", address), "found no --census")
    _refuse(scene.run("ballots", scene.box, "--voter", "6"), "there is no voter 6")
    assert "No ballot of this voter" in scene.run("ballots", scene.box, "--voter", "5").stdout


def _forward(devnet: Devnet, request: Any) -> Any:
    """Ask the real chain and return its answer."""
    posted = urllib.request.Request(devnet.url, json.dumps(request).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(posted) as answered:
        return json.load(answered)


def test_ballots__endpoint_that_refuses_wide_ranges__is_asked_in_narrow_ones(scene: Scene) -> None:
    devnet, widths = scene.election.devnet, set()
    assert scene.vote("--choose", "park", voter=2).returncode == 0
    devnet.mine(40)
    assert scene.vote("--choose", "library", voter=2).returncode == 0

    def relay(request: Any) -> bytes:
        if request["method"] == "eth_getLogs":
            query = request["params"][0]
            width = int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1
            widths.add(width)
            if width > 5:
                error = {"code": -32600, "message": "block range is too wide"}
                return respond({"jsonrpc": "2.0", "id": request["id"], "error": error}, "200 OK", request)
        return respond(_forward(devnet, request), "200 OK", request)

    with run_bad_endpoint(relay) as endpoint:
        arguments = ["ballots", scene.box, "--voter", "2", "--rpc-url", endpoint.url]
        done = scene.run(*arguments, QBALLOT_BLOCK_RANGE="8")
    assert done.returncode == 0, done.stderr
    assert "2. COUNTS: the latest" in done.stdout
    assert max(widths) > 40
    assert {4, 8} <= widths


def test_ballots__endpoint_that_leaves_a_ballot_out__is_caught(scene: Scene) -> None:
    devnet = scene.election.devnet
    assert scene.vote("--choose", "park", voter=2).returncode == 0
    assert scene.vote("--choose", "library", voter=3).returncode == 0

    def relay(request: Any) -> bytes:
        answered = _forward(devnet, request)
        if request["method"] == "eth_getLogs" and len(answered["result"]) == 2:
            answered["result"].pop()
        return respond(answered, "200 OK", request)

    with run_bad_endpoint(relay) as endpoint:
        done = scene.run("ballots", scene.box, "--voter", "2", "--rpc-url", endpoint.url)
    _refuse(done, "the endpoint left something out", status=3)


def test_deliver__a_batch_that_fails__is_told_for_its_files_and_the_rest(scene: Scene, relayer: LocalSigner) -> None:
    rpc, made = scene.election.devnet.rpc, scene.election
    election = fetch_election(rpc, made.deployment.box)
    ballot = bytes([1] + [0] * 5 + [NO] * 3 + [0] * 3)
    first = made.deployment.arguments.opens_at

    def give(names: str) -> list[Delivery]:
        """A file for each voter's digit, signed a second after the one before."""
        return [
            Delivery(name, SignedBallot(election.chain_id, election.box, made.voters[int(name)].address, signed))
            for place, name in enumerate(names)
            for signed in [made.sign(int(name), ballot, cast_at=first + place)]
        ]

    made.devnet.warp(first + 100)
    plan = plan_deliveries(rpc, election, made.census, give("0150"))
    assert [[item.name for item in planned.deliveries] for planned in plan.batches] == [["0", "1"], ["5"], ["0"]]
    quotes = iter(quote_many(rpc, [(relayer.address, planned.call) for planned in plan.batches]))

    def send_late(planned: PlannedBatch) -> Receipt:
        receipt = send_quoted(rpc, [relayer], [next(quotes)])[0]
        made.close()
        return receipt

    receipts = deliver(plan, send_late)
    assert len(receipts) == 1
    assert [item.fate for item in plan.deliveries] == [Fate.CAST, Fate.CAST, Fate.FAILED, Fate.FAILED]
    assert "BallotBoxNotOpen" in plan.deliveries[2].note
    assert plan.deliveries[2].transaction_hash is None


def test_deliver__endpoint_that_goes_away__stops_and_says_what_was_not_sent(scene: Scene, relayer: LocalSigner) -> None:
    rpc, made = scene.election.devnet.rpc, scene.election
    election = fetch_election(rpc, made.deployment.box)
    deliveries = [
        Delivery(str(voter), SignedBallot(election.chain_id, election.box, made.voters[voter].address, signed))
        for voter in (0, 5)
        for signed in [made.sign(voter, bytes(12))]
    ]
    plan = plan_deliveries(rpc, election, made.census, deliveries)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with Rpc(f"http://127.0.0.1:{port}", timeout_seconds=1) as gone:
        assert deliver(plan, lambda planned: send(gone, relayer, planned.call)) == []
    assert [item.fate for item in deliveries] == [Fate.FAILED, Fate.FAILED]
    assert "the connection failed" in deliveries[0].note
    assert deliveries[1].note.startswith("not sent, since an earlier batch failed")
