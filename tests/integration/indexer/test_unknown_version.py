"""An election of a version that is not known: listed and kept, never judged, never counted, by every way of asking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from checking import check
from commands import Commands
from scenes import create_raw, follow
from served import serve
from sqlalchemy import Engine, text

from indexer.api import build_app
from indexer.storage.repository import Repository
from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address
from qballot.core.types import Address
from qballot.errors import UnknownVersionError
from qballot.evidence import collect_evidence

pytestmark = pytest.mark.integration

DEFINITION = b'{"quorum":{"of":1},"qballot":7,"title":"From another time"}'
MESSAGE = "made for a newer version of QBallot (found definition version 7, this one knows 1)"


@pytest.fixture
def box(devnet: Devnet, engine: Engine) -> Address:
    box = create_raw(devnet, DEFINITION)
    follow(devnet, engine).sync_once()
    return box


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    with serve(build_app(engine)) as client:
        yield client


def test_unknown__index__keeps_the_version_and_no_verdict(engine: Engine, box: Address) -> None:
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
        (listing,) = snapshot.load_elections(limit=5)
        assert snapshot.proofs.count_unproven() == 0
    assert election is not None
    assert (election.unknown_version, election.invalid_reason) == (7, MESSAGE)
    assert listing.unknown_version == 7


def test_unknown__index_check__agrees_and_notices_another_verdict(engine: Engine, box: Address) -> None:
    assert check(engine).faults == 0
    for statement, message in (
        ("unknown_version = 8", "is kept as of the unknown version 8"),
        ("unknown_version = NULL", "is kept as invalid"),
        ("unknown_version = NULL, invalid_reason = NULL", "is kept as valid"),
    ):
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE elections SET {statement}"))
        (found,) = check(engine).elections
        assert found.fault is not None
        assert (found.fault.what, found.box) == ("validity", box)
        assert message in found.fault.message
        assert found.fault.message.endswith("expected of the unknown version 7")


def test_unknown__api__has_no_state_and_no_result(client: httpx.Client, box: Address) -> None:
    path = f"/elections/{checksum_address(box)}"
    detail = client.get(path).json()
    assert (detail["phase"], detail["unknown_version"], detail["invalid_reason"]) == ("unknown", 7, None)
    assert (detail["title"], detail["definition"], detail["turnout"]) == (None, None, None)
    assert bytes.fromhex(detail["definition_bytes"][2:]) == DEFINITION
    assert [item["phase"] for item in client.get("/elections").json()["elections"]] == ["unknown"]
    result = client.get(f"{path}/results").json()
    assert (result["state"], result["contests"], result["turnout"], result["level"]) == (None, [], None, "indexed")
    assert result["state_text"] == f"Not judged, and not counted here: {MESSAGE}."
    assert "cannot judge the election" in result["next_level_text"]
    verification = client.get(f"{path}/verification").json()
    assert (verification["state"], verification["state_text"]) == (None, result["state_text"])
    refused = client.get(f"{path}/evidence")
    assert (refused.status_code, refused.json()["type"]) == (409, "not_proven")
    assert "nvalid" not in result["state_text"] + result["next_level_text"] + verification["level_text"]


def test_unknown__pages__say_so(client: httpx.Client, box: Address) -> None:
    page = client.get(f"/e/{checksum_address(box)}").text
    assert "Election of an unknown version" in page
    assert "Unknown version" in client.get("/").text
    assert 'class="state unknown"' in page
    assert "Invalid" not in page + client.get("/").text


def test_unknown__commands__end_with_status_1_and_judge_nothing(
    devnet: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    box = checksum_address(create_raw(devnet, DEFINITION))
    commands = Commands(tmp_path, devnet.url, monkeypatch, capsys)
    (tmp_path / "definition.json").write_bytes(DEFINITION)
    for arguments in (
        ("evidence", box),
        ("ballots", box, "--voter", "0"),
        ("deploy", "check", box),
        ("definition", "check", "definition.json"),
        ("definition", "hash", "definition.json"),
    ):
        done = commands.run(*arguments)
        assert (done.status, MESSAGE in done.stderr) == (1, True), (arguments, done)
        assert "nvalid" not in done.stdout + done.stderr


def test_unknown__collecting_evidence__is_not_called_a_contradiction(devnet: Devnet) -> None:
    box = create_raw(devnet, DEFINITION)
    with pytest.raises(UnknownVersionError):
        collect_evidence(devnet.rpc, box)
