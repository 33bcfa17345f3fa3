"""A box that lies: byte for byte a real one's code, made outside the factory, with ballots nobody cast in its head.

It takes real ballots like any other, and its proven head follows from all ballots that its maker tells of, the invented
one first. What it cannot have is the address.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commands import Commands
from fault_proxy import Call, Node, Reply, Result, run_proxy
from indexes import open_url

from indexer.results import Results
from indexer.storage.repository import Repository
from indexer.sync import Follower
from qballot.cast import cast_direct
from qballot.chain.contracts import BALLOTS_CAST, decode_ballots_cast
from qballot.chain.pins import default_pins
from qballot.chain.proofs import fetch_head_proof, fetch_header
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.proof import BoxOrigin, Evidence, EvidenceCheck, encode_header, verify_evidence, write_evidence
from qballot.core.proof.head import check_header, prove_box, read_head
from qballot.core.records import Record, compute_head, pack_records
from qballot.core.types import Address, Hash32, VoterIndex, Weight
from qballot.errors import ChainError
from qballot.testing import ElectionOnDevnet, make_definition

pytestmark = pytest.mark.integration

STUFFED = pack_records([Record(VoterIndex(voter), 5, Weight(1), b"\1\0\0") for voter in range(3)])
"""What its maker tells of first, and put into its head before anyone could vote."""

REAL = b"\0\1\0"


@dataclass(frozen=True)
class LyingBox:
    """The box beside the election that it imitates. evidence: all that its maker can show."""

    election: ElectionOnDevnet
    box: Address
    evidence: Evidence

    @property
    def rpc(self) -> Rpc:
        return self.election.devnet.rpc


@pytest.fixture
def lying_box(election: ElectionOnDevnet) -> LyingBox:
    """One with a real ballot behind the invented ones."""
    rpc, real = election.devnet.rpc, election.deployment
    code = rpc.code(real.box)
    forged = compute_head(real.arguments.definition_hash, [STUFFED])
    sent = {"from": "0x" + real.arguments.organizer.hex(), "data": "0x" + make_init_code(code, forged).hex()}
    rpc.call("anvil_autoImpersonateAccount", [True])
    sent_as = rpc.call("eth_sendTransaction", [{**sent, "gas": "0x4c4b40"}])
    # anvil answers before it mines what was sent.
    election.devnet.mine(1)
    receipt = rpc.call("eth_getTransactionReceipt", [sent_as])
    box = Address(bytes.fromhex(receipt["contractAddress"][2:]))
    assert rpc.code(box) == code
    election.open()
    cast_direct(rpc, election.account(0), box, election.census, REAL)
    number = rpc.block("latest").number
    batches = [decode_ballots_cast(log) for log in rpc.logs(0, number, [box], [BALLOTS_CAST])]
    header = fetch_header(rpc, number)
    return LyingBox(
        election,
        box,
        Evidence(
            origin=BoxOrigin(rpc.chain_id(), default_pins().factory, box, real.salt, code),
            definition=make_definition(),
            header=encode_header(header),
            proof=fetch_head_proof(rpc, box, default_pins().implementation, number),
            batches=[STUFFED, *batches],
        ),
    )


def make_init_code(code: bytes, head: Hash32) -> bytes:
    """Write the head into slot 0, then return the code: PUSH32 PUSH1 SSTORE, PUSH2 DUP1 PUSH1 PUSH0 CODECOPY …"""
    store = b"\x7f" + head + b"\x60\x00\x55"
    copy = b"\x61" + len(code).to_bytes(2) + b"\x80\x60" + bytes([len(store) + 10]) + b"\x5f\x39\x5f\xf3"
    return store + copy + code


def test_lying_box__by_its_code_and_proven_head_alone__looks_real(lying_box: LyingBox) -> None:
    evidence = lying_box.evidence
    header = check_header(evidence.header, evidence.block_hash)
    account = prove_box(header, evidence.origin, evidence.proof.box)
    arguments = lying_box.election.deployment.arguments
    assert read_head(account, evidence.proof.head) == compute_head(arguments.definition_hash, evidence.batches)


def test_lying_box__evidence_of_it__fails_at_the_address(lying_box: LyingBox) -> None:
    evidence = lying_box.evidence
    found = verify_evidence(evidence, evidence.block_hash, default_pins())
    assert not found.holds
    assert found.failure is not None
    assert found.failure.check is EvidenceCheck.ADDRESS
    assert found.result is None


def test_lying_box__a_salt_of_its_own__fails_as_well(lying_box: LyingBox) -> None:
    origin = lying_box.evidence.origin
    other = BoxOrigin(origin.chain_id, origin.factory, origin.box, Hash32(bytes(32)), origin.code)
    evidence = Evidence(
        other,
        lying_box.evidence.definition,
        lying_box.evidence.header,
        lying_box.evidence.proof,
        lying_box.evidence.batches,
    )
    failure = verify_evidence(evidence, evidence.block_hash, default_pins()).failure
    assert failure is not None
    assert failure.check is EvidenceCheck.ADDRESS


@pytest.fixture
def commands(
    lying_box: LyingBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    return Commands(tmp_path, lying_box.election.devnet.url, monkeypatch, capsys)


def test_evidence_command__of_the_lying_box__refuses_it(lying_box: LyingBox, commands: Commands) -> None:
    done = commands.run("evidence", checksum_address(lying_box.box))
    assert done.status == 3
    assert "look-alike" in done.stderr
    assert not list(commands.folder.iterdir())


def test_verify_command__of_the_lying_box__is_a_mismatch(lying_box: LyingBox, commands: Commands) -> None:
    path = commands.folder / "lying.jsonl"
    path.write_bytes(b"".join(write_evidence(lying_box.evidence)))
    done = commands.run("verify", "lying.jsonl", "--block-hash", "0x" + lying_box.evidence.block_hash.hex())
    assert done.status == 3
    assert checksum_address(lying_box.box) in done.stdout + done.stderr


def test_index__of_a_chain_with_the_lying_box__does_not_list_it(lying_box: LyingBox, tmp_path: Path) -> None:
    with open_url(f"sqlite:///{tmp_path / 'index.sqlite3'}") as engine:
        Follower(lying_box.rpc, engine).sync_once()
        results = Results(Repository(engine), needed=2)
        assert results.find_result(lying_box.box) is None
        real = results.find_result(lying_box.election.deployment.box)
        assert real is not None
        assert (real["level"], real["records"]) == ("proven", 0)


def test_index__from_an_endpoint_that_announces_the_lying_box__never_calls_it_consistent(
    lying_box: LyingBox, tmp_path: Path
) -> None:
    real = lying_box.election.deployment.box
    node = Node(lying_box.election.devnet.url)

    def announce(call: Call) -> Reply:
        """Tell of the factory's event for the real box once more, for the lying one, and of the invented ballots."""
        reply = node(call)
        if call.method != "eth_getLogs" or not isinstance(reply, Result):
            return reply
        logs: list[dict[str, Any]] = reply.value
        announced = [
            {
                **log,
                "topics": [word.replace(real.hex(), lying_box.box.hex()) for word in log["topics"]],
                "logIndex": "0x9",
            }
            for log in logs
            if real.hex() in "".join(log["topics"])
        ]
        return Result([*logs, *announced])

    with (
        open_url(f"sqlite:///{tmp_path / 'index.sqlite3'}") as engine,
        run_proxy(announce) as proxy,
        Rpc(proxy.url, attempts=1) as rpc,
    ):
        problem = ""
        try:
            Follower(rpc, engine).sync_once()
        except ChainError as error:
            problem = str(error)
        document = Results(Repository(engine), needed=2).find_result(lying_box.box)
    node.close()
    if document is None:
        assert problem
    else:
        assert (document["state"], document["level"], document["contests"]) == ("invalid", "indexed", [])
        assert "does not follow from its arguments" in document["state_text"]
