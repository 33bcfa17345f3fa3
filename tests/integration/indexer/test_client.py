"""The Python client against the real application, and against servers that are not as they should be."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from bad_endpoint import run_bad_endpoint
from fastapi import FastAPI
from proving import forget_proofs
from scenes import SALAD, SOUP, cancel, create_raw, follow, hold_election
from served import serve
from sqlalchemy import Engine, text

from indexer.api import build_app, examples
from indexer.ledger import import_census
from qballot.chain.accounts import LocalSigner
from qballot.chain.artifacts import default_factory
from qballot.chain.devnet import Devnet
from qballot.chain.endpoints import Endpoints
from qballot.chain.pins import default_pins
from qballot.chain.rpc import Rpc
from qballot.client import Client, answers
from qballot.core.address import checksum_address
from qballot.core.census_file import dump_census
from qballot.core.census_proof import build_voter_proof, check_voter_proof
from qballot.core.keccak import keccak
from qballot.core.proof import verify_evidence_file, verify_receipt_file
from qballot.errors import ApiError, ApiNotFoundError, ApiRequestError, InputError
from qballot.testing import ElectionOnDevnet, make_election

pytestmark = pytest.mark.integration

NOBODY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"

METHODS = {
    "/elections": Client.elections_page,
    "/elections/{box}": Client.election,
    "/elections/{box}/results": Client.result,
    "/elections/{box}/ballots": Client.ballots_page,
    "/elections/{box}/verification": Client.verification,
    "/elections/{box}/evidence": Client.evidence,
    "/elections/{box}/ballots/{position}/receipt": Client.receipt,
    "/elections/{box}/census/{address}": Client.voter_proof,
    "/health/live": Client.live,
    "/health/ready": Client.ready,
}
"""The method for each route of the API. Whoever adds a route adds a method."""


@pytest.fixture
def app(sqlite_engine: Engine) -> FastAPI:
    return build_app(sqlite_engine)


@pytest.fixture
def client(app: FastAPI) -> Iterator[Client]:
    with serve(app) as http, Client(str(http.base_url)) as client:
        yield client


@pytest.fixture
def election(devnet: Devnet, sqlite_engine: Engine) -> ElectionOnDevnet:
    """An election that is over and indexed."""
    held = hold_election(devnet)
    held.close()
    follow(devnet, sqlite_engine).sync_once()
    return held


def test_client__every_route_of_the_description__has_a_method(app: FastAPI) -> None:
    assert set(app.openapi()["paths"]) == set(METHODS)
    assert all(set(operations) == {"get"} for operations in app.openapi()["paths"].values())


OWN_FORMS = {
    "/elections/{box}/census/{address}",
    "/elections/{box}/evidence",
    "/elections/{box}/ballots/{position}/receipt",
}
"""Files of forms of their own, which the core reads."""


@pytest.mark.parametrize("path", sorted(set(METHODS) - OWN_FORMS))
def test_client__method__takes_and_returns_what_the_description_says(app: FastAPI, path: str) -> None:
    operation = app.openapi()["paths"][path]["get"]
    parameters = {item["name"] for item in operation["parameters"]} if "parameters" in operation else set()
    taken = set(inspect.signature(METHODS[path]).parameters) - {"self"}
    assert taken == parameters - {"if-none-match"}  # the client's own business
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    if "$ref" not in answer:
        answer = next(choice for choice in answer["anyOf"] if choice["$ref"].endswith("ReadyBody"))
    _compare(app.openapi(), answer["$ref"], get_type_hints(METHODS[path])["return"])


def _compare(description: Any, reference: str, kind: type[answers.Answer]) -> None:
    """Hold an answer's fields against those of the description, and theirs, all the way down."""
    schema = description["components"]["schemas"][reference.rsplit("/", 1)[1]]
    own = set(kind.model_fields) - ({"detail"} if kind is answers.Readiness else set())
    assert own == set(schema["properties"]), kind.__name__
    for name, field in schema["properties"].items():
        inner = field.get("items") or next((one for one in field.get("anyOf", []) if "$ref" in one), field)
        if "$ref" in inner and inner["$ref"].rsplit("/", 1)[1].endswith("Body"):
            _compare(description, inner["$ref"], _answer_in(kind.model_fields[name].annotation))


def _answer_in(annotation: Any) -> type[answers.Answer]:
    """Find the answer in `X`, `X | None` or `tuple[X, ...]`."""
    candidates = [annotation, *getattr(annotation, "__args__", ())]
    found: type[answers.Answer] = next(
        one for one in candidates if isinstance(one, type) and issubclass(one, answers.Answer)
    )
    return found


@pytest.mark.parametrize(
    ("example", "kind"),
    [
        (examples.ELECTION_LIST, answers.ElectionPage),
        (examples.ELECTION, answers.Election),
        (examples.RESULT, answers.Result),
        (examples.VERIFICATION, answers.Verification),
        (examples.BALLOT_LIST, answers.BallotPage),
        (examples.ALIVE, answers.Alive),
        (examples.READY, answers.Readiness),
    ],
)
def test_client__examples_of_the_description__are_read(example: Any, kind: type[answers.Answer]) -> None:
    kind.model_validate_json(json.dumps(example))
    kind.model_validate_json(json.dumps({**example, "something_new": 1}))


def test_client__an_election_that_is_over__is_all_there(client: Client, election: ElectionOnDevnet) -> None:
    arguments = election.deployment.arguments
    box = election.deployment.box
    (summary,) = client.elections()
    assert (summary.election, summary.title, summary.phase, summary.records) == (box, "Lunch", "closed", 6)
    found = client.election(box)
    assert (found.definition_bytes, found.definition_hash) == (election.definition, arguments.definition_hash)
    assert (found.organizer, found.factory, found.salt) == (arguments.organizer, default_factory(), bytes(32))
    assert found.sheet_roots == arguments.sheet_roots
    assert found.head == election.box.head("latest")
    assert found.created.block_number == election.deployment.block_number
    assert found.turnout is not None
    assert found.turnout.weight_cast == 5
    result = client.result(checksum_address(box))
    assert (result.state, result.level) == ("complete", "proven")
    (contest,) = result.contests
    assert contest.winners == ("soup",)
    assert contest.totals == {"soup": Fraction(2), "salad": Fraction(1), "stew": Fraction(0)}
    assert (contest.blank, sum(contest.spoiled.values()), contest.ballots_weight) == (1, 1, 5)
    assert client.live().status == "alive"
    ready = client.ready()
    assert (ready.is_ready, ready.lag_blocks) == (True, 0)


def test_client__voters_proof__is_the_cores(
    client: Client, election: ElectionOnDevnet, sqlite_engine: Engine, organizer: LocalSigner
) -> None:
    box, voter = election.deployment.box, election.voters[3]
    with pytest.raises(ApiNotFoundError, match="the census of this election was not imported here"):
        client.voter_proof(box, voter.address)
    import_census(sqlite_engine, box, dump_census(election.census))
    proof = client.voter_proof(box, checksum_address(voter.address))
    assert proof == build_voter_proof(election.census, voter.address)
    check_voter_proof(proof, election.deployment.arguments)
    with pytest.raises(ApiNotFoundError, match="no voter with this address"):
        client.voter_proof(box, organizer.address)


def test_client__evidence_and_receipt__verify_without_the_server(
    devnet: Devnet, sqlite_engine: Engine, election: ElectionOnDevnet, tmp_path: Path
) -> None:
    box, file = election.deployment.box, tmp_path / "evidence.jsonl"
    import_census(sqlite_engine, box, dump_census(election.census))
    app = build_app(sqlite_engine, endpoints=Endpoints([Rpc(devnet.url)]))
    with serve(app) as http, Client(str(http.base_url) + "/") as client:
        found = client.verification(box)
        assert (found.level, found.state, found.alarm, found.repaired) == ("proven", "complete", None, ())
        assert found.proof is not None
        sizes = [client.evidence(box, file, census=False), client.evidence(checksum_address(box), file)]
        receipt = client.receipt(box, 5)
        with pytest.raises(ApiNotFoundError, match="no ballot at this position"):
            client.receipt(box, 6)
        with pytest.raises(ApiNotFoundError, match="no election"):
            client.evidence(NOBODY, tmp_path / "none")
        with pytest.raises(InputError, match="cannot be written"):
            client.evidence(box, tmp_path / "no" / "folder")
        forget_proofs(sqlite_engine)
        with pytest.raises(ApiError, match="not proven") as refused:
            client.evidence(box, tmp_path / "none")
    assert (refused.value.kind, refused.value.retryable) == ("not_proven", False)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".sqlite3" and "sqlite" not in path.name] == [
        "evidence.jsonl"
    ]
    data = file.read_bytes()
    assert sizes[0] < sizes[1] == len(data)
    verified = verify_evidence_file([data], found.proof.block.hash, default_pins(), chain_id=31337)
    assert (verified.failure, verified.is_electorate_checked) == (None, True)
    assert verify_receipt_file(receipt, None, box=box).record is not None


def test_client__evidence_that_is_still_written__is_waited_for(tmp_path: Path) -> None:
    later = (
        b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 42\r\n\r\n"
        + b'{"type":"unavailable","detail":"ask again"}'
    )
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"
    given = iter([later, later, whole, cut])
    file = tmp_path / "evidence.jsonl"
    with run_bad_endpoint(lambda _: next(given)) as endpoint, Client(endpoint.url) as client:
        assert client.evidence(NOBODY, file) == 3
        with pytest.raises(ApiError, match="the download failed"):
            client.evidence(NOBODY, file)
    assert file.read_bytes() == b"abc"
    assert [path.name for path in tmp_path.iterdir()] == ["evidence.jsonl"]


def test_client__ballots_in_pages__come_once_and_in_order(client: Client, election: ElectionOnDevnet) -> None:
    box = election.deployment.box
    whole = client.ballots_page(box)
    assert (whole.next, [ballot.voter for ballot in whole.ballots]) == (None, [0, 1, 2, 3, 4, 0])
    assert list(client.ballots(box, page_size=4)) == list(whole.ballots)
    assert list(client.ballots(box, page_size=1)) == list(whole.ballots)
    own = list(client.ballots(box, voter=0, page_size=1))
    assert [(ballot.ballot, ballot.direct, ballot.weight) for ballot in own] == [(SALAD, False, 1), (SOUP, True, 1)]
    assert list(client.ballots(box, voter=9)) == []


def test_client__elections_in_pages__come_once_newest_first(
    devnet: Devnet, sqlite_engine: Engine, client: Client
) -> None:
    assert client.elections_page().block is None
    assert list(client.elections()) == []
    made = [make_election(devnet, salt=salt).deployment.box for salt in range(5)]
    invalid = create_raw(devnet, b"no definition")
    follow(devnet, sqlite_engine).sync_once()
    assert [found.election for found in client.elections(page_size=2)] == [invalid, *reversed(made)]
    assert client.election(invalid).definition is None
    assert client.election(invalid).invalid_reason
    assert (client.result(invalid).state, client.result(invalid).contests) == ("invalid", ())


def test_client__cancelled__says_so(devnet: Devnet, sqlite_engine: Engine, client: Client) -> None:
    election = make_election(devnet)
    cancel(election)
    follow(devnet, sqlite_engine).sync_once()
    found = client.election(election.deployment.box)
    assert (found.phase, found.head) == ("cancelled", keccak(b"QBallot: cancelled"))


def test_client__result_asked_for_again__is_sent_only_when_it_changed(
    devnet: Devnet, sqlite_engine: Engine, app: FastAPI
) -> None:
    election = make_election(devnet)
    election.open()
    follower = follow(devnet, sqlite_engine)
    follower.sync_once()
    sent: list[tuple[str, int]] = []

    @app.middleware("http")
    async def note(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        sent.append((request.headers.get("if-none-match", ""), response.status_code))
        return response

    with serve(app) as http, Client(str(http.base_url)) as client:
        first = client.result(election.deployment.box)
        assert client.result(election.deployment.box) == first
        election.cast_signed([(0, SOUP)])
        follower.sync_once()
        assert client.result(election.deployment.box).records == 1
    assert [status for _, status in sent] == [200, 304, 200]
    assert sent[0][0] == ""
    assert sent[1][0] == sent[2][0] != ""


def test_client__what_the_server_refuses__is_an_error_of_ours(client: Client, election: ElectionOnDevnet) -> None:
    with pytest.raises(ApiNotFoundError, match="this index holds no election at this address") as missing:
        client.election(NOBODY)
    assert (missing.value.kind, missing.value.retryable) == ("not_found", False)
    with pytest.raises(ApiRequestError, match="limit") as refused:
        client.ballots_page(election.deployment.box, limit=100_000)
    assert refused.value.kind == "invalid_request"
    assert isinstance(refused.value, InputError)
    with pytest.raises(InputError, match="found"):
        client.election("0x12")


def test_client__index_not_readable__is_tried_again_then_said(
    client: Client, election: ElectionOnDevnet, sqlite_engine: Engine
) -> None:
    with sqlite_engine.begin() as connection:
        connection.execute(text("DROP TABLE ballots"))
    with pytest.raises(ApiError, match="the index cannot be read at the moment") as caught:
        client.ballots_page(election.deployment.box)
    assert (caught.value.kind, caught.value.retryable) == ("unavailable", True)


def test_client__index_behind_or_empty__is_not_ready(devnet: Devnet, sqlite_engine: Engine, client: Client) -> None:
    empty = client.ready()
    assert (empty.is_ready, empty.detail, empty.indexed_block) == (False, "nothing is indexed yet", None)
    devnet.mine(20)
    follow(devnet, sqlite_engine).sync_once(5)
    behind = client.ready()
    assert behind.lag_blocks is not None
    assert behind.lag_blocks >= 15
    assert not behind.is_ready
    assert "blocks behind its chain" in behind.detail


def test_client__server_under_a_prefix__is_asked_there(client: Client) -> None:
    def redirected(_request: Any) -> bytes:
        return b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"

    with pytest.raises(InputError, match="found an API URL"):
        Client("ftp://host")
    with run_bad_endpoint(redirected) as endpoint, Client(endpoint.url + "/") as other:
        assert "SECRET" not in repr(other)
        with pytest.raises(ApiError, match="found HTTP status 301 and no error of QBallot's API"):
            other.live()
        assert endpoint.headers[0].startswith("GET /v3/SECRET/health/live ")


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "unreadable", "the answer is not as it should be"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"status":1}', "unreadable", "status: "),
        (b"HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>", "unreadable", "found HTTP status 502"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"st', "unreachable", "the connection failed"),
        (b"nonsense", "unreachable", "the connection failed"),
    ],
)
def test_client__server_that_is_none__is_an_error_of_ours(answer: bytes, kind: str, message: str) -> None:
    with run_bad_endpoint(lambda _: answer) as endpoint, Client(endpoint.url) as client:
        with pytest.raises(ApiError, match=message) as caught:
            client.live()
        assert caught.value.kind == kind


def test_client__voters_proof_of_another_form__is_an_error_of_ours() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with run_bad_endpoint(lambda _: answer) as endpoint, Client(endpoint.url) as client:
        with pytest.raises(ApiError, match="the answer is not as it should be: not a voter's proof") as caught:
            client.voter_proof(NOBODY, NOBODY)
        assert caught.value.kind == "unreadable"


def test_client__bytes_that_drip__end_at_the_deadline() -> None:
    def drip(_request: Any) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        for _ in range(1000):
            yield b" "

    with run_bad_endpoint(drip) as endpoint, Client(endpoint.url, 0.3) as client:
        with pytest.raises(ApiError, match=r"no answer within 0\.3 s") as caught:
            client.live()
        assert caught.value.kind == "unreachable"


def test_client__nobody_listens__is_an_error_of_ours() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(ApiError, match="the connection failed") as caught:
        client.ready()
    assert caught.value.retryable
