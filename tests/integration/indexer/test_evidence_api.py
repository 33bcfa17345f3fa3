"""How far a result is verified, and its evidence, from the API over a real index of a real chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from proving import OPERATOR, keep_proof, load, say
from scenes import SALAD, SOUP, cancel, contradict_head, create_raw, follow, hold_election
from served import serve
from sqlalchemy import Engine, text

from indexer.api import build_app, verification_schemas
from indexer.ledger import import_census
from qballot.chain.devnet import Devnet
from qballot.chain.pins import default_pins
from qballot.core.address import checksum_address
from qballot.core.census_file import dump_census
from qballot.core.definition import parse_definition_document
from qballot.core.keccak import keccak
from qballot.core.proof import EvidenceCheck, Outcome, ResultState, Verification, verify_evidence_file
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.types import Hash32
from qballot.testing import ElectionOnDevnet, make_election

pytestmark = pytest.mark.integration

NOBODY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OTHERS = {OPERATOR: None, "b.example": None}


@pytest.fixture
def app(engine: Engine) -> FastAPI:
    return build_app(engine)


@pytest.fixture
def client(app: FastAPI) -> Iterator[httpx.Client]:
    with serve(app) as client:
        yield client


@pytest.fixture
def held(devnet: Devnet, engine: Engine) -> ElectionOnDevnet:
    """An election that is over and indexed."""
    scene = hold_election(devnet)
    scene.close()
    follow(devnet, engine).sync_once()
    return scene


def path(scene: ElectionOnDevnet, what: str) -> str:
    return f"/elections/{checksum_address(scene.deployment.box)}/{what}"


def get(client: httpx.Client, path: str, status: int = 200) -> Any:
    response = client.get(path)
    assert response.status_code == status, response.text
    return response.json()


def read_level(client: httpx.Client, scene: ElectionOnDevnet) -> tuple[Any, Any]:
    """Ask for the verification and the result, which must say the same of the level."""
    found = get(client, path(scene, "verification"))
    verification_schemas.VerificationBody.model_validate_json(json.dumps(found))
    result = get(client, path(scene, "results"))
    common = set(found) & set(result)
    assert {"level", "level_text", "next_level_text", "named_by", "alarm", "alarm_kind", "repaired", "block"} <= common
    assert {name: found[name] for name in common} == {name: result[name] for name in common}
    return found, result


def verify(data: bytes, block_hash: Hash32) -> Verification:
    found = verify_evidence_file([data], block_hash, default_pins(), chain_id=31337)
    assert found.failure is None or found.failure.check is EvidenceCheck.DEFINITION, found.failure
    return found


def test_verification__proof_then_operators_then_finality__each_level_and_why_not_the_next(
    devnet: Devnet, engine: Engine, client: httpx.Client, held: ElectionOnDevnet
) -> None:
    block = keep_proof(devnet, engine, held.deployment.box)
    found, _ = read_level(client, held)
    assert (found["level"], found["state"], found["named_by"]) == ("proven", "complete", [])
    assert "nobody has named" in found["next_level_text"]
    assert found["proof"]["block"]["hash"] == found["block"]["hash"] == "0x" + block.hash.hex()
    assert found["head"] == "0x" + held.box.head("latest").hex()

    say(engine, block, {OPERATOR: None})
    found, _ = read_level(client, held)
    assert found["level"] == "proven"
    assert "one endpoint can invent a whole chain" in found["next_level_text"]
    assert "operator=URL" in found["next_level_text"]
    assert "verified" not in found["level_text"].lower() + found["next_level_text"].lower()

    say(engine, block, OTHERS)
    found, _ = read_level(client, held)
    assert (found["level"], found["needed"]) == ("witnessed", 2)
    assert "which a.example and b.example name." in found["level_text"]
    assert "do not call block" in found["next_level_text"]
    assert found["named_by"] == [
        {"operator": name, "hash": "0x" + block.hash.hex(), "agrees": True, "final": False} for name in OTHERS
    ]

    say(engine, block, OTHERS, final=True)
    found, result = read_level(client, held)
    assert (found["level"], found["next_level_text"], found["alarm"]) == ("final", None, None)
    assert result["contests"][0]["winners"] == ["soup"]


def test_verification__operators_disagree__is_an_alarm_and_not_witnessed(
    devnet: Devnet, engine: Engine, client: httpx.Client, held: ElectionOnDevnet
) -> None:
    block = keep_proof(devnet, engine, held.deployment.box)
    say(engine, block, {**OTHERS, "c.example": keccak(b"another block")}, final=True)
    found, _ = read_level(client, held)
    assert (found["level"], found["alarm_kind"]) == ("proven", "disagreement")
    assert found["alarm"].startswith("DISAGREEMENT: a.example and b.example name 0x")
    assert keccak(b"another block").hex() in found["alarm"]
    assert [item["agrees"] for item in found["named_by"]] == [True, True, False]


def test_verification__proof_of_another_head__is_a_mismatch_without_evidence(
    devnet: Devnet, engine: Engine, client: httpx.Client, held: ElectionOnDevnet
) -> None:
    contradict_head(devnet, engine, held.deployment.box)
    found, _ = read_level(client, held)
    assert (found["level"], found["alarm_kind"], found["proof"]) == ("indexed", "mismatch", None)
    error = get(client, path(held, "evidence"), 409)
    assert error["type"] == "not_proven"
    assert "the box's head does not follow from the records" in error["detail"]


def test_verification__more_operators_asked_for__waits_for_them(
    devnet: Devnet, engine: Engine, held: ElectionOnDevnet
) -> None:
    block = keep_proof(devnet, engine, held.deployment.box)
    say(engine, block, OTHERS, final=True)
    with serve(build_app(engine, needed=3)) as client:
        found, _ = read_level(client, held)
    assert (found["level"], found["needed"]) == ("proven", 3)
    assert "3 different operators must" in found["next_level_text"]


def test_evidence__closed_election__verifies_and_is_the_same_bytes_again(
    devnet: Devnet, engine: Engine, client: httpx.Client, held: ElectionOnDevnet
) -> None:
    import_census(engine, held.deployment.box, dump_census(held.census))
    block = keep_proof(devnet, engine, held.deployment.box)
    answer = client.get(path(held, "evidence"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["content-disposition"].endswith(f'"evidence-{checksum_address(held.deployment.box)}.jsonl"')
    assert int(answer.headers["content-length"]) == len(answer.content)
    found = verify(answer.content, block.hash)
    assert (found.state, found.is_electorate_checked, found.records, found.batches) == (
        ResultState.COMPLETE,
        True,
        6,
        3,
    )
    assert found.result is not None
    assert all(step.outcome is Outcome.HOLDS for step in found.steps if step.check is not EvidenceCheck.LOT)
    counted = get(client, path(held, "results"))["contests"]
    assert [{**contest, "leading": []} for contest in found.result.to_json()["contests"]] == counted  # type: ignore[union-attr,dict-item]
    assert client.get(path(held, "evidence")).content == answer.content
    # Another server over the same database writes the same file under the same name.
    with serve(build_app(engine)) as other:
        again = other.get(path(held, "evidence"))
    assert (again.content, again.headers["etag"]) == (answer.content, answer.headers["etag"])
    assert answer.headers["etag"].startswith('"')
    for sent in (answer.headers["etag"], "*"):
        unchanged = client.get(path(held, "evidence"), headers={"if-none-match": sent})
        assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_evidence__without_the_census__names_its_file_or_nothing(
    devnet: Devnet, engine: Engine, client: httpx.Client, held: ElectionOnDevnet
) -> None:
    block = keep_proof(devnet, engine, held.deployment.box)
    unknown = client.get(path(held, "evidence"))
    assert b'"census"' not in unknown.content
    census_file = dump_census(held.census)
    import_census(engine, held.deployment.box, census_file)
    named = client.get(path(held, "evidence?census=false"))
    assert f'{{"kind":"census","hash":"0x{keccak(census_file).hex()}"}}'.encode() in named.content
    full = client.get(path(held, "evidence"))
    assert b'{"kind":"census","hash":null}' in full.content
    assert len({answer.headers["etag"] for answer in (unknown, named, full)}) == 3
    assert [verify(answer.content, block.hash).is_electorate_checked for answer in (unknown, named, full)] == [
        False,
        False,
        True,
    ]


def test_evidence__while_voting_goes_on__is_partial_and_follows_the_ballots(
    devnet: Devnet, engine: Engine, client: httpx.Client
) -> None:
    scene = make_election(devnet)
    follower = follow(devnet, engine)
    scene.open()
    scene.cast_signed([(0, SOUP)])
    follower.sync_once()
    block = keep_proof(devnet, engine, scene.deployment.box)
    first = client.get(path(scene, "evidence"))
    assert verify(first.content, block.hash).state is ResultState.PARTIAL
    scene.cast_signed([(1, SALAD)])
    follower.sync_once()
    block = keep_proof(devnet, engine, scene.deployment.box)
    second = client.get(path(scene, "evidence"))
    assert verify(second.content, block.hash).records == 2
    assert first.headers["etag"] != second.headers["etag"]


def test_evidence__cancelled__is_proven_with_nothing_in_it(
    devnet: Devnet, engine: Engine, client: httpx.Client
) -> None:
    scene = make_election(devnet)
    cancel(scene)
    follow(devnet, engine).sync_once()
    block = keep_proof(devnet, engine, scene.deployment.box)
    assert get(client, path(scene, "verification"))["level"] == "proven"
    assert verify(client.get(path(scene, "evidence")).content, block.hash).state is ResultState.CANCELLED


def test_evidence__nothing_proven__is_refused_with_the_reason(
    devnet: Devnet, engine: Engine, client: httpx.Client, held: ElectionOnDevnet
) -> None:
    with engine.begin() as connection:
        for table in ("ledger_proofs", "head_checks"):
            connection.execute(text(f"DELETE FROM {table}"))  # our own names
    error = get(client, path(held, "evidence"), 409)
    assert set(error) == {"type", "detail"}
    assert error["type"] == "not_proven"
    assert "the box's head has not been read yet" in error["detail"]
    assert get(client, f"/elections/{NOBODY}/evidence", 404)["type"] == "not_found"
    assert get(client, f"/elections/{NOBODY}/verification", 404)["type"] == "not_found"
    assert get(client, "/elections/0x12/evidence", 422)["type"] == "invalid_request"
    assert get(client, path(held, "evidence?census=perhaps"), 422)["type"] == "invalid_request"
    invalid = create_raw(devnet, b"no definition")
    follow(devnet, engine).sync_once()
    error = get(client, f"/elections/{checksum_address(invalid)}/evidence", 409)
    assert "never counted" in error["detail"]


@pytest.mark.parametrize("change", ["weight = '7'", "voter = -1", "batch_sequence = 1", "position = 100"])
def test_evidence__database_altered__is_never_given_out(
    devnet: Devnet, engine: Engine, client: httpx.Client, held: ElectionOnDevnet, change: str
) -> None:
    keep_proof(devnet, engine, held.deployment.box)
    number = load(engine, held.deployment.box).number
    with engine.begin() as connection:
        altered = text(f"UPDATE ballots SET {change} WHERE election_id = :number AND position = 0")
        connection.execute(altered, {"number": number})
    error = get(client, path(held, "evidence"), 503)
    assert error == {"type": "unavailable", "detail": "the index cannot be read at the moment"}


def test_results__tie_that_waits_for_the_lot__is_decided_by_it_as_the_evidence_is(
    devnet: Devnet, engine: Engine, client: httpx.Client
) -> None:
    options = [{"id": name, "title": name.upper()} for name in ("soup", "salad", "stew")]
    contest = {"id": "dish", "title": "Dish", "method": "plurality", "options": options, "tie": "lot"}
    _, definition = parse_definition_document(json.dumps({"qballot": 1, "title": "Tie", "contests": [contest]}))
    scene = make_election(devnet, definition=definition)
    follower = follow(devnet, engine)
    scene.open()
    scene.cast_signed([(0, SOUP), (1, SALAD)])
    scene.close()
    follower.sync_once()
    (waiting,) = get(client, path(scene, "results"))["contests"]
    assert (waiting["waits_for_lot"], waiting["winners"], waiting["tied"]) == (True, [], ["soup", "salad"])
    before = client.get(path(scene, "evidence"))

    late = scene.deployment.arguments.closes_at + LOT_DELAY_SECONDS
    devnet.warp(late)
    devnet.mine(3)
    follower.sync_once()
    result = get(client, path(scene, "results"))
    (decided,) = result["contests"]
    assert (decided["waits_for_lot"], len(decided["winners"])) == (False, 1)
    found = get(client, path(scene, "verification"))
    assert found["proof"]["has_lot"]
    after = client.get(path(scene, "evidence"))
    assert after.headers["etag"] != before.headers["etag"]
    verified = verify(after.content, Hash32(bytes.fromhex(found["block"]["hash"][2:])))
    assert verified.result is not None
    assert verified.lot is not None
    assert list(verified.result.contests[0].winners) == decided["winners"]
    # What was counted without the lot is not kept for what is counted with it.
    assert get(client, path(scene, "results")) == result
