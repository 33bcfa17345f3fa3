"""Every route over a real index of a real chain: right answers, one shape of errors, nothing that leaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from scenes import SALAD, SOUP, STEW, cancel, contradict_head, create_raw, follow, hold_election
from served import serve
from sqlalchemy import Engine, text

from indexer.api import build_app, examples, schema_parts, schemas, verification_schemas
from indexer.api.headers import SECURITY_HEADERS
from indexer.storage.repository import Repository
from indexer.storage.writer import reset_index
from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address
from qballot.core.definition import parse_definition
from qballot.core.effective import EffectiveBallots
from qballot.core.keccak import keccak
from qballot.core.tally import count_election
from qballot.testing import ElectionOnDevnet, make_election

pytestmark = pytest.mark.integration

NOBODY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


@pytest.fixture
def app(engine: Engine) -> FastAPI:
    return build_app(engine)


@pytest.fixture
def client(app: FastAPI) -> Iterator[httpx.Client]:
    with serve(app) as client:
        yield client


def address(scene: ElectionOnDevnet) -> str:
    return checksum_address(scene.deployment.box)


def get(client: httpx.Client, path: str, status: int = 200, **options: Any) -> Any:
    response = client.get(path, **options)
    assert response.status_code == status, response.text
    assert all(response.headers[name] == value for name, value in SECURITY_HEADERS.items())
    return response.json()


def test_results__from_creation_to_close__state_and_numbers_follow(
    devnet: Devnet, engine: Engine, client: httpx.Client
) -> None:
    scene = make_election(devnet, weights=[1, 2, 3, 4, 2**96 - 1])
    follower = follow(devnet, engine)
    path = f"/elections/{address(scene)}"

    def read() -> tuple[Any, Any]:
        follower.sync_once()
        result = get(client, f"{path}/results")
        schemas.ResultBody.model_validate_json(json.dumps(result))
        return get(client, path), result

    election, result = read()
    assert (election["phase"], result["state"], result["level"]) == ("upcoming", "partial", "proven")
    assert election["turnout"] == {"voters_cast": 0, "voters": 5, "weight_cast": "0"}
    assert result["contests"][0]["leading"] == []

    scene.open()
    scene.cast_signed([(0, SOUP), (4, SALAD)])
    election, result = read()
    contest = result["contests"][0]
    assert (election["phase"], result["state"], result["level"]) == ("open", "partial", "proven")
    assert (contest["winners"], contest["tied"], contest["leading"]) == ([], [], ["salad"])
    assert [entry["kind"] for entry in contest["log"]] == ["totals", "leading"]
    assert contest["log"][-1]["text"] == "Voting goes on: Salad leads, and nobody has won."
    assert "wins" not in json.dumps(contest["log"])
    assert contest["totals"] == {"soup": "1", "salad": str(2**96 - 1), "stew": "0"}
    assert result["turnout"] == {"voters_cast": 2, "voters": 5, "weight_cast": str(2**96)}

    # The others' votes come, and the heavy voter changes their mind by an own transaction.
    scene.cast_signed([(1, STEW), (2, STEW)])
    scene.cast(4, SOUP)
    election, result = read()
    assert result["contests"][0]["leading"] == ["soup"]
    assert result["contests"][0]["totals"] == {"soup": str(2**96), "salad": "0", "stew": "5"}
    assert (result["records"], result["turnout"]["voters_cast"], election["batches"]) == (5, 4, 3)

    scene.close()
    election, result = read()
    contest = result["contests"][0]
    assert (election["phase"], result["state"], result["level"]) == ("closed", "complete", "proven")
    assert (contest["winners"], contest["leading"]) == (["soup"], [])
    assert result["block"]["number"] == devnet.rpc.block("latest").number
    assert result["head"] == "0x" + scene.box.head("latest").hex()
    # What the answer says is what anyone counts from the ballots that the API gives away.
    with Repository(engine).snapshot() as snapshot:
        stored = snapshot.load_election(scene.deployment.box)
        assert stored is not None
        effective = EffectiveBallots()
        for record in snapshot.stream_records(stored):
            effective.apply(record)
    counted = count_election(parse_definition(scene.definition), effective.groups()).to_json()
    assert [{**contest, "leading": []} for contest in counted["contests"]] == result["contests"]  # type: ignore[union-attr,dict-item]

    # A complete result holds for ever: later blocks do not change it.
    devnet.mine(3)
    assert read()[1] == result


def test_results__head_contradicted__level_says_so_loudly(devnet: Devnet, engine: Engine, client: httpx.Client) -> None:
    scene = hold_election(devnet)
    other = contradict_head(devnet, engine, scene.deployment.box)
    result = get(client, f"/elections/{address(scene)}/results")
    assert result["level"] == "indexed"
    assert "CONTRADICTED by the chain" in result["level_text"]
    assert result["alarm"].startswith("MISMATCH")
    assert other.hex() in result["alarm"]
    assert result["alarm_kind"] == "mismatch"


def test_results__cancelled_and_invalid__are_never_counted(
    devnet: Devnet, engine: Engine, client: httpx.Client
) -> None:
    scene = make_election(devnet)
    cancel(scene)
    bad = checksum_address(create_raw(devnet, b'{"qballot":1}'))
    follow(devnet, engine).sync_once()
    cancelled = get(client, f"/elections/{address(scene)}/results")
    assert (cancelled["state"], cancelled["level"], cancelled["contests"]) == ("cancelled", "proven", [])
    assert cancelled["head"] == "0x" + keccak(b"QBallot: cancelled").hex()
    invalid = get(client, f"/elections/{bad}/results")
    assert (invalid["state"], invalid["contests"], invalid["turnout"], invalid["title"]) == ("invalid", [], None, None)
    assert "invalid definition" in invalid["state_text"]
    assert (invalid["level"], invalid["alarm"], invalid["named_by"]) == ("indexed", None, [])
    assert "nothing was compared with the chain" in invalid["next_level_text"]
    assert "No ballot is missing" not in invalid["level_text"]
    detail = get(client, f"/elections/{bad}")
    assert (detail["phase"], detail["definition"]) == ("invalid", None)
    assert (detail["unknown_version"], detail["text_ballots"]) == (None, False)
    assert detail["invalid_reason"].startswith("invalid definition")
    assert bytes.fromhex(detail["definition_bytes"][2:]) == b'{"qballot":1}'
    assert [item["phase"] for item in get(client, "/elections")["elections"]] == ["invalid", "cancelled"]


def test_results__etag__saves_the_answer_until_it_changes(devnet: Devnet, engine: Engine, client: httpx.Client) -> None:
    scene = hold_election(devnet)
    follower = follow(devnet, engine)
    follower.sync_once()
    path = f"/elections/{address(scene)}/results"
    etag = client.get(path).headers["etag"]
    for sent in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = client.get(path, headers={"if-none-match": sent})
        assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", etag)
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200
    scene.cast(1, STEW)
    follower.sync_once()
    response = client.get(path, headers={"if-none-match": etag})
    assert response.status_code == 200
    assert response.headers["etag"] != etag


def test_results__index_made_anew_under_the_server__counts_anew(
    devnet: Devnet, engine: Engine, client: httpx.Client
) -> None:
    scene = hold_election(devnet)
    path = f"/elections/{address(scene)}/results"
    follow(devnet, engine).sync_once()
    full = get(client, path)
    reset_index(engine)
    get(client, path, 404)
    follower = follow(devnet, engine)
    follower.sync_once(devnet.rpc.block("latest").number - 1)
    assert get(client, path)["records"] == 5
    follower.sync_once()
    assert get(client, path) == full


def test_election__valid__shows_all_that_defines_it(devnet: Devnet, engine: Engine, client: httpx.Client) -> None:
    scene = hold_election(devnet, voters=5, sheet_bits=1)
    follow(devnet, engine).sync_once()
    found = get(client, f"/elections/{address(scene)}")
    arguments = scene.deployment.arguments
    assert found["election"] == address(scene)
    assert found["definition"] == json.loads(scene.definition)
    assert keccak(bytes.fromhex(found["definition_bytes"][2:])).hex() == found["definition_hash"][2:]
    assert found["sheet_roots"] == ["0x" + root.hex() for root in arguments.sheet_roots]
    assert len(found["sheet_roots"]) == 3
    assert (found["opens_at"], found["closes_at"]) == (arguments.opens_at, arguments.closes_at)
    assert found["organizer"] == checksum_address(arguments.organizer)
    assert found["created"]["block_number"] == scene.deployment.block_number
    assert found["turnout"] == {"voters_cast": 5, "voters": 5, "weight_cast": "5"}
    assert found["chain_id"] == 31337


@pytest.mark.parametrize("write", [str.lower, str, lambda text: "0x" + text[2:].upper()])
def test_election__any_case_with_a_right_checksum__is_found(devnet: Devnet, sqlite_engine: Engine, write: Any) -> None:
    scene = make_election(devnet)
    follow(devnet, sqlite_engine).sync_once()
    with serve(build_app(sqlite_engine)) as client:
        assert get(client, f"/elections/{write(address(scene))}")["election"] == address(scene)


def test_elections__many__are_paged_newest_first(devnet: Devnet, engine: Engine, client: httpx.Client) -> None:
    assert get(client, "/elections") == {"block": None, "elections": [], "next": None}
    scenes = [make_election(devnet, salt=salt) for salt in range(5)]
    follow(devnet, engine).sync_once()
    found, after = [], None
    while True:
        page = get(client, "/elections", params={"limit": 2} | ({} if after is None else {"after": after}))
        found += [item["election"] for item in page["elections"]]
        after = page["next"]
        if after is None:
            break
    assert found == [address(scene) for scene in reversed(scenes)]
    assert page["block"]["number"] == devnet.rpc.block("latest").number


def test_ballots__by_page_and_voter__are_every_record(devnet: Devnet, engine: Engine, client: httpx.Client) -> None:
    scene = hold_election(devnet)
    follow(devnet, engine).sync_once()
    path = f"/elections/{address(scene)}/ballots"
    everything = get(client, path)
    assert everything["next"] is None
    assert [ballot["position"] for ballot in everything["ballots"]] == list(range(6))
    assert [ballot["batch"] for ballot in everything["ballots"]] == [0, 0, 0, 1, 1, 2]
    assert everything["ballots"][5] | {"source": None, "cast_at": 0} == {
        "position": 5, "batch": 2, "voter": 0, "cast_at": 0, "direct": True, "weight": "1", "ballot": "0x010000",
        "source": None,
    }  # fmt: skip
    first = get(client, path, params={"limit": 4})
    rest = get(client, path, params={"limit": 4, "after": first["next"]})
    assert first["ballots"] + rest["ballots"] == everything["ballots"]
    assert rest["next"] is None
    own = get(client, path, params={"voter": 0})
    assert [ballot["direct"] for ballot in own["ballots"]] == [False, True]
    assert get(client, path, params={"voter": 2**32 - 1})["ballots"] == []


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nothing/here", 404, "not_found"),
        ("GET", f"/elections/{NOBODY}", 404, "not_found"),
        ("GET", f"/elections/{NOBODY}/results", 404, "not_found"),
        ("GET", f"/elections/{NOBODY}/ballots", 404, "not_found"),
        ("GET", f"/elections/{NOBODY}/verification", 404, "not_found"),
        ("GET", f"/elections/{NOBODY}/evidence", 404, "not_found"),
        ("GET", f"/elections/{NOBODY}/ballots/0/receipt", 404, "not_found"),
        ("GET", f"/elections/{NOBODY}/ballots/x/receipt", 422, "invalid_request"),
        ("GET", "/elections/0x5FBDB2315678afecb367f032d93F642f64180aa3", 422, "invalid_request"),
        ("GET", "/elections/0x123", 422, "invalid_request"),
        ("GET", "/elections/0x" + "0" * 40, 422, "invalid_request"),
        ("GET", "/elections?limit=0", 422, "invalid_request"),
        ("GET", "/elections?limit=101", 422, "invalid_request"),
        ("GET", "/elections?after=x", 422, "invalid_request"),
        ("GET", f"/elections?after={2**63}", 422, "invalid_request"),
        ("GET", f"/elections/{NOBODY}/ballots?limit=1001", 422, "invalid_request"),
        ("GET", f"/elections/{NOBODY}/ballots?voter={2**32}", 422, "invalid_request"),
        ("GET", f"/elections/{NOBODY}/ballots?after=-1", 422, "invalid_request"),
        ("POST", "/elections", 405, "method_not_allowed"),
        ("DELETE", f"/elections/{NOBODY}", 405, "method_not_allowed"),
        ("GET", "/static/../app.py", 404, "not_found"),
        ("GET", "/static/nothing.css", 404, "not_found"),
        ("POST", "/static/style.css", 405, "method_not_allowed"),
    ],
)
def test_errors__of_every_kind__have_one_shape(
    sqlite_engine: Engine, method: str, path: str, status: int, kind: str
) -> None:
    with serve(build_app(sqlite_engine)) as client:
        response = client.request(method, path)
    assert response.status_code == status
    assert set(response.json()) == {"type", "detail"}
    assert response.json()["type"] == kind
    assert response.headers["content-security-policy"].startswith("default-src 'none'")


def test_errors__database_fails__says_nothing_about_it(engine: Engine, client: httpx.Client) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE chain_cursor RENAME TO secret_place"))
    for path in ("/elections", f"/elections/{NOBODY}/results", "/health/ready", "/"):
        response = client.get(path)
        assert response.status_code == 503
        if path == "/":
            assert "the index cannot be read at the moment" in response.text
        else:
            assert response.json() == {"type": "unavailable", "detail": "the index cannot be read at the moment"}
        assert "secret_place" not in response.text


def test_errors__of_our_own__is_500_in_the_same_shape(sqlite_engine: Engine) -> None:
    app = build_app(sqlite_engine)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the secret cause")

    with serve(app) as client:
        response = client.get("/broken")
    assert response.status_code == 500
    assert response.json() == {"type": "internal", "detail": "something went wrong here; it has been logged"}
    assert all(response.headers[name] == value for name, value in SECURITY_HEADERS.items())


def test_health__live__needs_no_index(sqlite_engine: Engine) -> None:
    with serve(build_app(sqlite_engine)) as client:
        assert get(client, "/health/live") == {"status": "alive"}


def test_health__ready__measures_the_lag_in_blocks_and_seconds(devnet: Devnet, engine: Engine) -> None:
    now = [1_000.0]
    clock = lambda: now[0]  # noqa: E731
    with serve(build_app(engine, max_lag_blocks=3, max_silence_seconds=60, clock=clock)) as client:
        assert get(client, "/health/ready", 503)["detail"] == "nothing is indexed yet"
        follower = follow(devnet, engine, clock=clock)
        follower.sync_once()
        latest = devnet.rpc.block("latest")
        ready = get(client, "/health/ready")
        assert ready == {
            "status": "ready", "indexed_block": latest.number, "chain_block": latest.number,
            "lag_blocks": 0, "lag_seconds": 0, "silent_seconds": 0.0,
        }  # fmt: skip
        for lag, status in ((3, 200), (4, 503)):
            devnet.mine(3 if lag == 3 else 1)
            follower.sync_once(latest.number)
            answer = get(client, "/health/ready", status)
            assert answer["lag_blocks"] == lag
            assert answer["lag_seconds"] == devnet.rpc.block("latest").timestamp - latest.timestamp
        assert answer["type"] == "unavailable"
        assert answer["detail"] == "the index is 4 blocks behind its chain"
        follower.sync_once()
        now[0] += 61
        silent = get(client, "/health/ready", 503)
        assert silent["silent_seconds"] == 61.0
        assert "has not looked at the chain for 61 seconds" in silent["detail"]


def test_openapi__every_operation__has_schema_and_example(sqlite_engine: Engine) -> None:
    document = build_app(sqlite_engine).openapi()
    operations = {path: item["get"] for path, item in document["paths"].items()}
    assert set(operations) == {
        "/elections", "/elections/{box}", "/elections/{box}/results", "/elections/{box}/ballots",
        "/elections/{box}/census/{address}", "/elections/{box}/verification", "/elections/{box}/evidence",
        "/elections/{box}/ballots/{position}/receipt",
        "/health/live", "/health/ready",
    }  # fmt: skip
    assert all(set(item) == {"get"} for item in document["paths"].values())
    for path, operation in operations.items():
        assert operation["summary"], path
        assert operation["description"], path
        for status, response in operation["responses"].items():
            if status == "304":
                continue
            if "application/jsonl" in response["content"]:
                assert response["content"]["application/jsonl"]["examples"]
                continue
            schema = response["content"]["application/json"]["schema"]
            names = [part["$ref"].rsplit("/", 1)[1] for part in schema.get("anyOf", [schema])]
            assert all(document["components"]["schemas"][name]["examples"] for name in names), (path, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        (schema_parts.ErrorBody, examples.ERROR),
        (schemas.AliveBody, examples.ALIVE),
        (schemas.ReadyBody, examples.READY),
        (schemas.NotReadyBody, examples.NOT_READY),
        (schemas.ElectionList, examples.ELECTION_LIST),
        (schemas.ElectionBody, examples.ELECTION),
        (schemas.ResultBody, examples.RESULT),
        (schemas.BallotList, examples.BALLOT_LIST),
        (schemas.VoterProofBody, examples.VOTER_PROOF),
        (verification_schemas.VerificationBody, examples.VERIFICATION),
        (verification_schemas.ReceiptBody, examples.RECEIPT),
    ],
)
def test_examples__each__fits_its_schema(schema: type[schema_parts.Schema], example: dict[str, Any]) -> None:
    assert json.loads(schema.model_validate(example).model_dump_json()) == example
