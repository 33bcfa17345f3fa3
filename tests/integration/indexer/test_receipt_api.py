"""A ballot's receipt from the API: made of what an endpoint gives, and never of what does not follow from the index."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from scenes import SALAD, SOUP, Tamper, follow, hold_election, lying_endpoint
from served import serve
from sqlalchemy import Engine

from indexer.api import build_app, verification_schemas
from indexer.storage.repository import Repository
from qballot.chain.devnet import Devnet
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.proof import verify_receipt_file
from qballot.testing import ElectionOnDevnet

pytestmark = pytest.mark.integration

NOBODY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


@pytest.fixture
def held(devnet: Devnet, engine: Engine) -> ElectionOnDevnet:
    """An election of six ballots in three batches, indexed."""
    scene = hold_election(devnet)
    follow(devnet, engine).sync_once()
    return scene


@contextmanager
def served(engine: Engine, *rpcs: Rpc) -> Iterator[httpx.Client]:
    with serve(build_app(engine, endpoints=Endpoints([Rpc(rpc.endpoint) for rpc in rpcs]))) as client:
        yield client


def path(scene: ElectionOnDevnet, position: object) -> str:
    return f"/elections/{checksum_address(scene.deployment.box)}/ballots/{position}/receipt"


def test_receipt__every_ballot__is_verified_against_its_blocks_hash(
    devnet: Devnet, engine: Engine, held: ElectionOnDevnet
) -> None:
    box = held.deployment.box
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
        assert election is not None
        ballots = list(snapshot.stream_ballots(election, limit=10))
    assert len(ballots) == 6
    with served(engine, devnet.rpc) as client:
        for ballot in ballots:
            answer = client.get(path(held, ballot.position))
            assert answer.status_code == 200, answer.text
            verification_schemas.ReceiptBody.model_validate_json(answer.content)
            found = verify_receipt_file(answer.content, ballot.batch.source.block_hash, box=box, chain_id=31337)
            assert found.failure is None
            assert found.record == ballot.record
            named = f'"receipt-{ballot.position}-{checksum_address(box)}.json"'
            assert answer.headers["content-disposition"].endswith(named)
            assert client.get(path(held, ballot.position)).content == answer.content


def test_receipt__no_such_ballot_or_election__is_404_and_nonsense_422(
    devnet: Devnet, engine: Engine, held: ElectionOnDevnet
) -> None:
    with served(engine, devnet.rpc) as client:
        beyond = [client.get(path(held, position)) for position in (6, 2**31, 2**63 - 2)]
        nobody = client.get(f"/elections/{NOBODY}/ballots/0/receipt")
        nonsense = [client.get(path(held, position)) for position in (-1, "x", 2**63)]
    assert [answer.status_code for answer in beyond] == [404] * 3
    assert {answer.json()["detail"] for answer in beyond} == {"this election has no ballot at this position"}
    assert (nobody.status_code, nobody.json()["detail"]) == (404, "this index holds no election at this address")
    assert [(answer.status_code, answer.json()["type"]) for answer in nonsense] == [(422, "invalid_request")] * 3


def test_receipt__no_endpoint__is_503_that_says_so(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    follow(devnet, sqlite_engine).sync_once()
    with serve(build_app(sqlite_engine)) as client:
        alone = client.get(path(scene, 0))
    with Rpc("http://127.0.0.1:1") as nobody, served(sqlite_engine, nobody) as client:
        unreachable = client.get(path(scene, 0))
    for answer in (alone, unreachable):
        assert (answer.status_code, answer.json()["type"]) == (503, "unavailable")
        assert "qballot receipt get" in answer.json()["detail"]
        assert "127.0.0.1" not in answer.text
    assert "asks no endpoint" in alone.json()["detail"]


def forge_log(method: str, _params: list[Any], result: Any) -> Any:
    if method == "eth_getBlockReceipts":
        log = result[-1]["logs"][-1]
        log["data"] = log["data"][:-1] + ("0" if log["data"][-1] != "0" else "1")
    return result


def drop_receipt(method: str, _params: list[Any], result: Any) -> Any:
    return result[:-1] if method == "eth_getBlockReceipts" else result


def forge_header(method: str, _params: list[Any], result: Any) -> Any:
    return {**result, "timestamp": "0x1"} if method == "eth_getBlockByNumber" else result


def other_block(method: str, _params: list[Any], result: Any) -> Any:
    return None if method == "eth_getBlockReceipts" else result


def babble(method: str, _params: list[Any], result: Any) -> Any:
    return "the secret cause" if method == "eth_getBlockReceipts" else result


@pytest.mark.parametrize("tamper", [forge_log, drop_receipt, forge_header, other_block, babble])
def test_receipt__lying_endpoint__is_passed_over_or_refused(
    devnet: Devnet, sqlite_engine: Engine, tamper: Tamper
) -> None:
    scene = hold_election(devnet)
    follow(devnet, sqlite_engine).sync_once()
    with lying_endpoint(devnet, tamper) as liar:
        with served(sqlite_engine, liar) as client:
            refused = client.get(path(scene, 3))
        with served(sqlite_engine, liar, devnet.rpc) as client:
            answer = client.get(path(scene, 3))
    assert refused.status_code == 503
    assert "secret" not in refused.text
    assert answer.status_code == 200
    assert verify_receipt_file(answer.content, None, box=scene.deployment.box).failure is None


def test_receipt__ballots_of_one_block__ask_the_endpoint_once(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    follow(devnet, sqlite_engine).sync_once()
    asked: Counter[str] = Counter()

    def count(method: str, _params: list[Any], result: Any) -> Any:
        asked[method] += 1
        return result

    with lying_endpoint(devnet, count) as rpc, served(sqlite_engine, rpc) as client:
        first = [json.loads(client.get(path(scene, position)).content) for position in range(3)]
        assert [receipt["position"] for receipt in first] == [0, 1, 2]
        assert asked["eth_getBlockReceipts"] == 1
        with ThreadPoolExecutor(12) as executor:
            answers = list(executor.map(lambda _: client.get(path(scene, 5)), range(24)))
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert answers[-1].status_code == 200
    assert asked["eth_getBlockReceipts"] <= 25


def test_receipt__of_a_ballot_that_was_replaced__is_of_that_ballot(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    follow(devnet, sqlite_engine).sync_once()
    with served(sqlite_engine, devnet.rpc) as client:
        records = [verify_receipt_file(client.get(path(scene, place)).content, None).record for place in (0, 5)]
    assert [record.ballot for record in records if record is not None] == [SALAD, SOUP]
    assert [record.is_direct for record in records if record is not None] == [False, True]
