"""Endpoints that refuse, slow down or fall silent: what they say is understood, and their keys are not repeated."""

from __future__ import annotations

import base64
import itertools
import re
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from bad_endpoint import Answer, answer, fault, respond, result, run_bad_endpoint

from qballot import http_exchange
from qballot.chain import transport
from qballot.chain.devnet import Devnet
from qballot.chain.masking import MAX_SAID
from qballot.chain.rpc import Rpc
from qballot.core.types import Address
from qballot.errors import (
    ChainError,
    EndpointError,
    MissingBlockError,
    NoAnswerError,
    QuotaExhaustedError,
    RangeTooWideError,
    SlowDownError,
)

pytestmark = pytest.mark.integration

NOBODY = Address(b"\x77" * 20)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_exchange, "FIRST_PAUSE_SECONDS", 0.01)


def say_nothing(_: Any) -> Iterator[bytes]:
    yield from itertools.repeat(b"", 200)


@pytest.mark.parametrize("most", [3, 1, 0])
def test_rpc__endpoint_that_takes_small_batches__is_asked_in_small_ones(most: int) -> None:
    def small(request: Any) -> bytes:
        if isinstance(request, dict):
            return respond({"id": request["id"], "result": request["params"][0]}, "200 OK", request)
        if len(request) > most:
            said = {"message": "Batch of more than 3 requests are not allowed on free tier", "code": 31}
            return respond(said, "500 Internal Server Error", request)
        return respond([{"id": item["id"], "result": item["params"][0]} for item in request], "200 OK", request)

    with run_bad_endpoint(small) as endpoint, Rpc(endpoint.url) as rpc:
        requests = [("eth_getBlockByNumber", [hex(number), False]) for number in range(250)]
        assert rpc.call_many(requests) == [hex(number) for number in range(250)]
        asked = len(endpoint.requests)
        assert rpc.call_many(requests[:3]) == ["0x0", "0x1", "0x2"]
        # What it takes is remembered.
        assert len(endpoint.requests) - asked <= 3


def test_rpc__batch_refused_once__grows_back() -> None:
    refusals = [True]

    def sometimes(request: Any) -> bytes:
        if refusals and refusals.pop():
            said = {"message": "batch size too large", "code": 31}
            return respond(said, "500 Internal Server Error", request)
        return respond([{"id": item["id"], "result": item["params"][0]} for item in request], "200 OK", request)

    with run_bad_endpoint(sometimes) as endpoint, Rpc(endpoint.url) as rpc:
        requests = [("eth_getBlockByNumber", [hex(number), False]) for number in range(3_000)]
        assert rpc.call_many(requests) == [hex(number) for number in range(3_000)]
        sizes = [len(request) for request in endpoint.requests]
        assert sizes[:2] == [100, 50]
        assert sizes[-1] == 100


def test_rpc__whole_batch_refused_by_code__is_asked_singly() -> None:
    def single(request: Any) -> bytes:
        if isinstance(request, list):
            refusal = {"id": None, "error": {"code": -32600, "message": "Invalid request"}}
            return respond(refusal, "400 Bad Request", request)
        return respond({"id": request["id"], "result": "0x1"}, "200 OK", request)

    with run_bad_endpoint(single) as endpoint, Rpc(endpoint.url) as rpc:
        assert rpc.next_nonces([NOBODY] * 5) == [1] * 5


def test_rpc__send__is_never_split() -> None:
    refusal = answer({"code": 31, "message": "Batch of more than 3 requests are not allowed"}, "500 Error")
    with run_bad_endpoint(refusal) as endpoint, Rpc(endpoint.url) as rpc:
        with pytest.raises(EndpointError, match="Batch of more than 3"):
            rpc.send_raw([b"\x02"] * 5)
        assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (
            fault(-32614, "eth_getLogs is limited to a 10,000 range", status="413 Too Large"),
            RangeTooWideError,
            "10,000",
        ),
        (answer({"message": "block range too large"}, "400 Bad Request"), RangeTooWideError, "block range too large"),
        (answer("log response size exceeded", "400 Bad Request"), RangeTooWideError, "size exceeded"),
        (answer("<html>413</html>", "413 Too Large"), RangeTooWideError, "HTTP status 413"),
        (fault(-32600, "Monthly capacity limit exceeded", status="403 Forbidden"), QuotaExhaustedError, "quota"),
        (answer({"error": "pay"}, "402 Payment Required"), QuotaExhaustedError, "pay"),
        (fault(-32000, "header not found"), MissingBlockError, "header not found"),
    ],
)
def test_rpc__refusal_whatever_its_status__is_read_for_its_words(reply: Any, kind: type[Exception], said: str) -> None:
    with run_bad_endpoint(reply) as endpoint, Rpc(endpoint.url) as rpc, pytest.raises(kind, match=said):
        rpc.logs(0, 100_000, None)


def test_rpc__slow_down_with_retry_after__waits_as_long() -> None:
    busy = answer("<html>busy</html>", "429 Too Many Requests\r\nRetry-After: 1")
    with run_bad_endpoint(busy, result("0x1")) as endpoint, Rpc(endpoint.url) as rpc:
        start = time.monotonic()
        assert rpc.chain_id() == 1
        assert 1 <= time.monotonic() - start < 5


def test_rpc__slow_down_beyond_the_deadline__is_told_at_once() -> None:
    busy = fault(-32005, "project ID request rate exceeded", {"rate": {"backoff_seconds": 30}}, "429 Too Many")
    with run_bad_endpoint(busy) as endpoint, Rpc(endpoint.url, 5) as rpc:
        start = time.monotonic()
        with pytest.raises(SlowDownError, match="wait 30 s") as caught:
            rpc.chain_id()
        assert time.monotonic() - start < 2
        assert caught.value.retry_after_seconds == 30
        assert len(endpoint.requests) == 1


def test_rpc__endpoint_that_repeats_its_key__is_not_quoted() -> None:
    said = "no project PROJECTKEY1 or PROJECT%20KEY2 here"
    for reply in (fault(-32000, said), answer({"message": said}, "401 Unauthorized"), answer(said, "401 No")):
        with run_bad_endpoint(reply) as endpoint:
            url = endpoint.url.replace("SECRET", "PROJECTKEY1?key=PROJECT%20KEY2")
            with Rpc(url, attempts=1) as rpc, pytest.raises(EndpointError, match="no project") as caught:
                rpc.chain_id()
            assert "PROJECT" not in str(caught.value)


KEY = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
DEEP = "[" * 100_000 + "]" * 100_000


def say(tail: str, reply: Answer, user: str = "") -> str:
    """Return the message of the error when an endpoint at this path answers so."""
    with run_bad_endpoint(reply) as endpoint:
        url = endpoint.url.replace("/v3/SECRET", tail).replace("http://", f"http://{user}")
        with Rpc(url, attempts=1) as rpc, pytest.raises(EndpointError) as caught:
            rpc.chain_id()
        return str(caught.value)


@pytest.mark.parametrize("shown", [1, 2, 8, 31])
def test_rpc__key_where_a_message_is_cut__is_not_quoted_in_part(shown: int) -> None:
    said = "x" * (MAX_SAID - shown) + KEY + " is not allowed"
    many = f"{KEY} " * 100 + said
    for words in (said, many):
        for reply in (fault(-32000, words), answer({"message": words}, "401 No"), answer(words, "401 No")):
            message = say(f"/v3/{KEY}", reply)
            assert not re.search("x" + KEY[:shown], message)
            assert KEY[:8] not in message
            assert len(message) < MAX_SAID + 300


@pytest.mark.parametrize(
    ("tail", "user", "said", "secret"),
    [
        ("/", "me:verysecretpassword@", base64.b64encode(b"me:verysecretpassword").decode(), "bWU6"),
        ("/", "me:verysecretpassword@", "verysecretpassword", "verysecret"),
        ("/", "me:pw1@", "of pw1 nothing is known", "pw1"),
        ("/", "me:p%2Bw%2F1@", base64.b64encode(b"me:p+w/1").decode().rstrip("="), "bWU6"),
        (f"/v3/{KEY}", "", KEY.upper(), KEY.upper()),
        ("/v3/abc1234", "", "of abc1234 nothing is known", "abc1234"),
        ("/v3/?k=a1", "", "of a1 nothing is known", " a1 "),
        ("/v3/?abc1234", "", "of abc1234 nothing is known", "abc1234"),
        ("/v3/?key=a%20KEY+b", "", "of a KEY b and a%20KEY%20b nothing is known", "KEY"),
    ],
)
def test_rpc__key_in_another_form__is_not_quoted(tail: str, user: str, said: str, secret: str) -> None:
    message = say(tail, answer(f"no project: {said}", "401 Unauthorized"), user)
    assert "no project" in message
    assert secret not in message


def test_rpc__words_of_the_path_that_are_no_key__may_be_said() -> None:
    assert "rpc v3 mainnet" in say("/rpc/v3/mainnet/" + KEY, answer("rpc v3 mainnet is down", "401 No"))


@pytest.mark.parametrize(
    "reply",
    [
        answer({"id": f"https://host/v3/{KEY}", "result": None}),
        answer({"id": "z" * 1_000_000, "result": None}),
        result(f"https://host/v3/{KEY}"),
        result("0x" + KEY + "z" * 1_000_000),
    ],
)
def test_rpc__key_as_the_answers_id_or_result__is_not_quoted(reply: Answer) -> None:
    message = say(f"/v3/{KEY}", reply)
    assert KEY not in message
    assert len(message) < MAX_SAID + 100


def test_rpc__key_in_the_host__is_in_no_message_and_no_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("DEBUG")
    with run_bad_endpoint(answer(f"{KEY} is not allowed", "401 No")) as endpoint:
        port = int(endpoint.url.split(":")[2].split("/")[0])
        here = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [here])
        with Rpc(f"http://{KEY}.eth.example.org:{port}", attempts=1) as rpc, pytest.raises(EndpointError) as caught:
            rpc.chain_id()
        assert rpc.endpoint == f"http://***.eth.example.org:{port}"
        assert "is not allowed" in str(caught.value)
        assert KEY not in str(caught.value) + caplog.text


@pytest.mark.parametrize("limit", [1_000, 100_000])
@pytest.mark.parametrize(
    "reply",
    [
        answer('{"id":"$id","result":' + DEEP + "}"),
        answer('{"id":"$id","result":' + DEEP[10_000:-10_000] + "}"),
        answer('{"id":"$id","error":{"code":-32000,"message":"x","data":' + DEEP + "}}"),
        answer(DEEP),
        answer(DEEP, "400 Bad Request"),
        answer('{"message":' + DEEP + "}", "401 Unauthorized"),
        answer("busy", "429 Too Many Requests\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 -0100"),
    ],
    ids=["result", "result_passed_over", "data", "list", "list_refused", "words", "wait"],
)
def test_rpc__answer_that_no_reader_can_take__is_an_error_like_any_other(reply: Answer, limit: int) -> None:
    before = sys.getrecursionlimit()
    # Some libraries lift it, for the whole process.
    sys.setrecursionlimit(limit)
    try:
        ask_everything(reply)
    finally:
        sys.setrecursionlimit(before)


def ask_everything(reply: Answer) -> None:
    with run_bad_endpoint(reply) as endpoint, Rpc(endpoint.url, 2, attempts=1) as rpc:
        for ask in (rpc.chain_id, lambda: rpc.next_nonces([NOBODY] * 2), lambda: rpc.call("eth_chainId")):
            with pytest.raises(EndpointError):
                ask()


@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden", "404 Not Found", "422 Unprocessable"])
@pytest.mark.parametrize("body", ['{"error":"span of query excessive"}', "<html>blocked</html>", "window", ""])
def test_rpc__unknown_refusal_of_a_range__may_be_about_the_range(status: str, body: str) -> None:
    with run_bad_endpoint(answer(body, status)) as endpoint, Rpc(endpoint.url, attempts=1) as rpc:
        with pytest.raises(EndpointError, match=f"HTTP status {status[:3]}") as caught:
            rpc.logs(1, 2, None)
        assert (caught.value.code, caught.value.retryable) == (int(status[:3]), True)
        for ask in (lambda: rpc.logs(2, 2, None), rpc.chain_id):
            with pytest.raises(EndpointError, match=f"HTTP status {status[:3]}") as caught:
                ask()
            assert (caught.value.code, caught.value.retryable) == (None, False)


def test_rpc__length_that_is_not_the_answers__is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", 1_000)
    chunked = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n"
    long = chunked + b"800\r\n" + b" " * 0x800 + b"\r\n0\r\n\r\n"
    with (
        run_bad_endpoint(lambda _: long) as endpoint,
        Rpc(endpoint.url, attempts=1) as rpc,
        pytest.raises(EndpointError, match="more than 1000 bytes"),
    ):
        rpc.chain_id()
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n{}"
    with (
        run_bad_endpoint(lambda _: huge) as endpoint,
        Rpc(endpoint.url, 2, attempts=1) as rpc,
        pytest.raises(EndpointError),
    ):
        rpc.chain_id()


def test_rpc__answer_of_odd_form__leaves_no_key_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    odd = b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\n{}"
    with run_bad_endpoint(lambda request: odd) as endpoint, Rpc(endpoint.url) as rpc, pytest.raises(EndpointError):
        rpc.chain_id()
    assert "SECRET" not in caplog.text


def test_rpc__observer__is_told_of_every_request() -> None:
    told: list[tuple[str, str, str]] = []

    def watch(endpoint: str, method: str, outcome: str, seconds: float) -> None:
        assert 0 <= seconds < 5
        told.append((endpoint, method, outcome))

    replies = [
        answer("", "502 Bad Gateway"),
        result("0x1"),
        fault(-32005, "rate limit", status="429 No"),
        fault(-32005, "query returned more than 10000 results"),
        fault(3, "execution reverted"),
        fault(-32000, "unknown block"),
        fault(-32600, "Monthly capacity limit exceeded"),
        lambda request: respond([{"id": item["id"], "result": "0x1"} for item in request], "200 OK", request),
        lambda request: respond([{"id": item["id"], "result": "0x1"} for item in request], "200 OK", request),
    ]
    with run_bad_endpoint(*replies) as endpoint:
        with Rpc(endpoint.url, name="home", on_request=watch) as rpc:
            assert rpc.chain_id() == 1
        with Rpc(endpoint.url, name="home", attempts=1, on_request=watch) as rpc:
            for ask in (rpc.chain_id, lambda: rpc.logs(0, 9, None), lambda: rpc.call_contract(NOBODY, b"")):
                with pytest.raises(ChainError):
                    ask()
            for number in (1, 2):
                with pytest.raises(EndpointError):
                    rpc.block(number)
            rpc.next_nonces([NOBODY] * 2)
            rpc.call_many([("eth_chainId", []), ("eth_blockNumber", [])])
    with Rpc(endpoint.url, name="home", attempts=1, on_request=watch) as rpc, pytest.raises(EndpointError):
        rpc.chain_id()
    with (
        run_bad_endpoint(say_nothing) as endpoint,
        Rpc(endpoint.url, 0.2, name="home", on_request=watch) as rpc,
        pytest.raises(NoAnswerError),
    ):
        rpc.chain_id()
    assert told == [
        ("home", "eth_chainId", "error"),
        ("home", "eth_chainId", "ok"),
        ("home", "eth_chainId", "rate_limited"),
        ("home", "eth_getLogs", "too_wide"),
        ("home", "eth_call", "reverted"),
        ("home", "eth_getBlockByNumber", "missing_block"),
        ("home", "eth_getBlockByNumber", "quota"),
        ("home", "eth_getTransactionCount", "ok"),
        ("home", "batch", "ok"),
        ("home", "eth_chainId", "error"),
        ("home", "eth_chainId", "timeout"),
    ]


def test_rpc__host_of_many_silent_addresses__ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    # A listener whose queue is full lets connections wait without an answer, as a dropped packet does.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for item in waiting:
            item.setblocking(False)
            item.connect_ex(address)
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)] * 4
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        start = time.monotonic()
        with Rpc(f"http://node.example:{address[1]}", 0.6) as rpc, pytest.raises(NoAnswerError):
            rpc.chain_id()
        assert time.monotonic() - start < 1.2
        for item in waiting:
            item.close()


def test_rpc__server_that_hangs_up_instead_of_answering__is_asked_once_more_but_for_sends() -> None:
    with run_bad_endpoint(lambda _: b"", result("0x1")) as endpoint, Rpc(endpoint.url, attempts=1) as rpc:
        assert rpc.chain_id() == 1
        assert len(endpoint.requests) == 2
    with run_bad_endpoint(lambda _: b"") as endpoint, Rpc(endpoint.url, attempts=1) as rpc:
        with pytest.raises(EndpointError, match="the connection failed"):
            rpc.chain_id()
        assert len(endpoint.requests) == 2
        with pytest.raises(EndpointError, match="the connection failed"):
            rpc.send_raw([b"\x02"])
        assert len(endpoint.requests) == 3


@pytest.mark.parametrize("takes_batches", [True, False])
def test_find_blocks__not_there_or_not_understood__is_none(devnet: Devnet, takes_batches: bool) -> None:
    def ask(call: dict[str, Any]) -> dict[str, Any]:
        if call["params"][0] == "finalized":
            return {"id": call["id"], "error": {"code": -32602, "message": "invalid argument 0"}}
        return {"id": call["id"], "result": devnet.rpc.call(call["method"], call["params"])}

    def some(request: Any) -> bytes:
        if isinstance(request, dict):
            return respond(ask(request), "200 OK", request)
        if not takes_batches:
            return respond({"message": "batches are not allowed", "code": 31}, "500 Internal Server Error", request)
        return respond([ask(call) for call in request], "200 OK", request)

    with run_bad_endpoint(some) as endpoint, Rpc(endpoint.url) as rpc:
        latest = devnet.rpc.block("latest")
        found = rpc.find_blocks([latest.number, latest.number + 1, "finalized", "latest"])
        assert found == [latest, None, None, latest]


def test_find_blocks__other_block_or_no_answer__is_an_error(devnet: Devnet) -> None:
    other = devnet.rpc.call("eth_getBlockByNumber", ["0x0", False])

    def give_other(request: Any) -> bytes:
        return respond([{"id": call["id"], "result": other} for call in request], "200 OK", request)

    busy, used_up = answer("", "429 Too Many Requests"), fault(-32600, "Monthly capacity limit exceeded")
    for said in (give_other, busy, used_up):
        with run_bad_endpoint(said) as endpoint, Rpc(endpoint.url, 1) as rpc, pytest.raises(EndpointError):
            rpc.find_blocks([1])
