"""A box of text ballots on a real chain: signed here and by other code, brought, indexed, and proven to be invalid.

No definition asks for text yet, so such an election is never counted. What is in its box is kept and shown anyway.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from commands import Commands
from eth_account import Account
from eth_account.messages import encode_typed_data
from sqlalchemy import Engine

from indexer.results.phase import State
from indexer.results.service import result_document
from indexer.storage.engine import open_database
from indexer.storage.repository import Repository
from indexer.sync import Follower
from qballot.cast import Batch, cast_batch
from qballot.chain.accounts import LocalSigner
from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address
from qballot.core.proof import EvidenceCheck, Outcome, ResultState
from qballot.core.records import Record, SignedRecord
from qballot.core.signed_ballot import SignedBallot
from qballot.core.signing import BallotForm, ballot_digest, compact_signature
from qballot.core.types import ChainId, VoterIndex, Weight
from qballot.deploy import check_address
from qballot.election import ChainElection, fetch_election
from qballot.errors import InvalidElectionError, ProofError
from qballot.evidence import collect_evidence
from qballot.testing import ElectionOnDevnet, make_election
from qballot.voting.bring import Delivery, Fate, plan_deliveries

pytestmark = pytest.mark.integration

SOUP, SALAD = b"lunch: soup", b"lunch: salad"


@pytest.fixture
def scene(devnet: Devnet) -> ElectionOnDevnet:
    scene = make_election(devnet, text_ballots=True, max_ballot_bytes=100)
    scene.open()
    return scene


@pytest.fixture
def index(tmp_path: Path) -> Any:
    engine = open_database(f"sqlite:///{tmp_path / 'index.sqlite3'}")
    yield engine
    engine.dispose()


def sign_by_eth_account(scene: ElectionOnDevnet, voter: int, ballot: str, cast_at: int) -> SignedRecord:
    """Sign as a wallet does that knows nothing of us: typed data, written by hand."""
    message = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Ballot": [
                {"name": "voter", "type": "uint32"},
                {"name": "castAt", "type": "uint40"},
                {"name": "ballot", "type": "string"},
            ],
        },
        "primaryType": "Ballot",
        "domain": {
            "name": "QBallot",
            "version": "1",
            "chainId": scene.devnet.rpc.chain_id(),
            "verifyingContract": "0x" + scene.deployment.box.hex(),
        },
        "message": {"voter": voter, "castAt": cast_at, "ballot": ballot},
    }
    signed = Account.sign_message(encode_typed_data(full_message=message), scene.keys[voter])
    compact = compact_signature(signed.r, signed.s, signed.v)
    record = Record(VoterIndex(voter), cast_at, Weight(1), ballot.encode())
    return SignedRecord(record, compact[:32], compact[32:])


def now(scene: ElectionOnDevnet) -> int:
    return scene.devnet.rpc.block("latest").timestamp


def test_text_box__ballots_signed_here_and_elsewhere__enter_in_one_batch(
    scene: ElectionOnDevnet, relayer: LocalSigner, index: Engine
) -> None:
    assert scene.box.text_ballots("latest") is True
    at = now(scene)
    batch = [scene.sign(0, SOUP, at), sign_by_eth_account(scene, 1, "lunch: salad", at), scene.sign(3, SALAD, at)]
    assert scene.sign(1, SALAD, at) == batch[1]
    receipt = cast_batch(scene.devnet.rpc, relayer, scene.deployment.box, scene.census, Batch(0, tuple(batch)))
    assert len(receipt.logs) == 1
    scene.cast(2, SOUP)
    scene.close()
    Follower(scene.devnet.rpc, index).sync_once()
    with Repository(index).snapshot() as snapshot:
        election = snapshot.load_election(scene.deployment.box)
        assert election is not None
        records = list(snapshot.stream_records(election))
    assert election.arguments == scene.deployment.arguments
    assert election.arguments.text_ballots
    assert [record.ballot for record in records] == [SOUP, SALAD, SALAD, SOUP]
    assert election.invalid_reason is not None
    assert election.invalid_reason.startswith("invalid election: the box takes ballots that are signed as text")
    assert election.unknown_version is None
    document = result_document(Repository(index), scene.deployment.box)
    assert document is not None
    assert (document["state"], document["contests"], document["records"]) == (State.INVALID.value, [], 4)


def test_text_box__digest__is_the_contracts(scene: ElectionOnDevnet) -> None:
    chain_id, box, at = scene.devnet.rpc.chain_id(), scene.deployment.box, now(scene)
    for ballot in (SOUP, b"", b"\xff\x00", b"0x1234"):
        digest = ballot_digest(chain_id, box, VoterIndex(4), at, ballot, form=BallotForm.TEXT)
        assert scene.box.hash_ballot(VoterIndex(4), at, ballot, "latest") == digest
        assert digest != ballot_digest(chain_id, box, VoterIndex(4), at, ballot)


def test_text_box__ballot_signed_as_bytes__is_refused_and_named(
    devnet: Devnet, scene: ElectionOnDevnet, relayer: LocalSigner
) -> None:
    box, at, chain_id = scene.deployment.box, now(scene), devnet.rpc.chain_id()
    signature = scene.voters[2].signer.sign_ballot(chain_id, box, VoterIndex(2), at, SOUP)
    wrong = SignedRecord(Record(VoterIndex(2), at, Weight(1), SOUP), signature[:32], signature[32:])
    batch = Batch(0, (scene.sign(1, SALAD, at), wrong))
    with pytest.raises(ProofError, match=r"these voters' ballots are not theirs: 2$"):
        cast_batch(devnet.rpc, relayer, box, scene.census, batch)


def test_text_box__evidence__proves_that_the_election_is_invalid(devnet: Devnet, scene: ElectionOnDevnet) -> None:
    scene.cast_signed([(0, SOUP), (1, SALAD)])
    scene.close()
    found = collect_evidence(devnet.rpc, scene.deployment.box, census=scene.census).verification
    assert [step.check for step in found.steps if step.outcome is Outcome.FAILS] == [EvidenceCheck.ARGUMENTS]
    assert (found.state, found.records, found.result, found.holds) == (ResultState.INVALID, 2, None, False)
    assert found.is_electorate_checked


def test_text_box__commands__say_that_it_is_proven_invalid(
    scene: ElectionOnDevnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.cast_signed([(0, SOUP), (1, SALAD)])
    commands = Commands(tmp_path, scene.devnet.url, monkeypatch, capsys)
    box = checksum_address(scene.deployment.box)
    written = commands.run("evidence", box, "--json")
    assert (written.status, written.json["state"]) == (0, "invalid")
    done = commands.run("verify", "evidence.jsonl", "--block-hash", written.json["block"]["hash"])
    assert done.status == 3
    assert "it is proven that this election is invalid" in done.stdout
    assert "step 3, arguments: invalid election: the box takes ballots that are signed as text" in done.stderr
    checked = commands.run("deploy", "check", box)
    assert checked.status == 3
    assert "ballots      signed as text, at most 100 bytes each" not in checked.stdout  # no facts of what failed
    assert "FAILED  the box's rules fit the definition" in checked.stdout
    voted = commands.run("ballots", box, "--voter", "0")
    assert (voted.status, "invalid election" in voted.stderr) == (3, True)


@pytest.mark.parametrize(
    ("rules", "misfit"),
    [
        ({"text_ballots": True}, "the box takes ballots that are signed as text, but by its definition"),
        ({"max_ballot_bytes": 2}, "at most 2 bytes, but the longest that its definition allows has 3"),
    ],
)
def test_box_that_does_not_fit_its_definition__is_refused_and_checked(
    devnet: Devnet, rules: dict[str, Any], misfit: str
) -> None:
    scene = make_election(devnet, **rules)
    with pytest.raises(InvalidElectionError, match=misfit):
        fetch_election(devnet.rpc, scene.deployment.box)
    report = check_address(devnet.rpc, scene.deployment.box)
    (failed,) = [check for check in report.checks if not check.passed]
    assert failed.what == "the box's rules fit the definition that the factory announced"
    assert misfit in failed.evidence


def test_bring__ballot_of_the_other_form__is_refused(devnet: Devnet) -> None:
    scene = make_election(devnet)
    scene.open()
    election: ChainElection = fetch_election(devnet.rpc, scene.deployment.box)
    chain_id, box, entry, at = ChainId(devnet.rpc.chain_id()), scene.deployment.box, scene.census.entry(0), now(scene)
    ballot = b"\x01\x00\x00"
    signature = scene.voters[0].signer.sign_ballot(chain_id, box, entry.index, at, ballot, form=BallotForm.TEXT)
    signed = SignedRecord(Record(entry.index, at, entry.weight, ballot), signature[:32], signature[32:])
    delivery = Delivery("text.json", SignedBallot(chain_id, box, entry.address, signed, form=BallotForm.TEXT))
    plan = plan_deliveries(devnet.rpc, election, scene.census, [delivery])
    assert (plan.batches, delivery.fate) == ((), Fate.REFUSED)
    assert delivery.note == "signed with a ballot of the type string, expected bytes, as the box says"
