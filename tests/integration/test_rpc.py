"""What a node answers is checked before it is believed; a real node's answers pass."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest
from bad_endpoint import answer, fault, respond, result, run_bad_endpoint

from qballot import http_exchange
from qballot.chain import transport
from qballot.chain.contracts import BALLOT_BOX_CREATED
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import MAX_BATCH_REQUESTS, Rpc
from qballot.core.bloom import compute_bloom, may_contain
from qballot.core.types import Address, Hash32
from qballot.errors import (
    AnswerTooLargeError,
    ChainError,
    ContractReverted,
    EndpointError,
    MissingBlockError,
    WrongChainError,
)
from qballot.testing import make_election

pytestmark = pytest.mark.integration

NOBODY = Address(b"\x77" * 20)
BLOCK = {"number": "0x5", "hash": "0x" + "05" * 32, "parentHash": "0x" + "04" * 32, "timestamp": "0x64"}
LOG = {
    "address": "0x" + "11" * 20,
    "topics": ["0x" + "22" * 32],
    "data": "0x",
    "blockNumber": "0x5",
    "blockHash": "0x" + "05" * 32,
    "transactionHash": "0x" + "66" * 32,
    "logIndex": "0x0",
}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_exchange, "FIRST_PAUSE_SECONDS", 0.01)


def test_rpc__real_node__answers_are_typed(rpc: Rpc) -> None:
    assert rpc.chain_id() == rpc.check_chain(31337) == rpc.check_chain(None) == 31337
    latest = rpc.block("latest")
    assert rpc.block(latest.number) == rpc.block(latest.hash) == latest
    assert rpc.block(latest.number - 1).hash == latest.parent_hash
    assert latest.base_fee_per_gas > 0
    assert rpc.code(NOBODY) == b""
    assert rpc.balance(NOBODY) == 0
    assert rpc.next_nonces([NOBODY, NOBODY]) == [0, 0]
    assert rpc.receipt(Hash32(bytes(32))) is None
    assert rpc.receipts([Hash32(bytes(32))]) == [None]
    assert not rpc.knows_transaction(Hash32(bytes(32)))
    assert rpc.call("web3_clientVersion").startswith("anvil")


def test_rpc__other_chain__is_named(rpc: Rpc) -> None:
    with pytest.raises(WrongChainError, match="serves chain 31337, expected chain 1"):
        rpc.check_chain(1)


def test_rpc__unknown_block_or_method__is_an_error(rpc: Rpc) -> None:
    with pytest.raises(EndpointError, match="block 0x3b9aca00 is not known") as caught:
        rpc.block(10**9)
    assert caught.value.retryable
    with pytest.raises(EndpointError) as other:
        rpc.call("eth_noSuchThing")
    assert (other.value.code, other.value.retryable) == (-32601, False)


def test_rpc__more_requests_than_a_batch_holds__come_in_order(rpc: Rpc) -> None:
    addresses = [Address(number.to_bytes(20)) for number in range(1, 2 * MAX_BATCH_REQUESTS + 2)]
    assert rpc.next_nonces(addresses) == [0] * len(addresses)
    requests = [("eth_getBlockByNumber", [hex(number % 2), False]) for number in range(len(addresses))]
    assert [block["number"] for block in rpc.call_many(requests)] == [hex(n % 2) for n in range(len(addresses))]
    assert rpc.call_many([]) == []


def test_rpc__logs__are_those_of_the_interval(devnet: Devnet, rpc: Rpc) -> None:
    elections = [make_election(devnet, salt=salt) for salt in range(3)]
    factory = elections[0].deployment.factory
    blocks = [election.deployment.block_number for election in elections]
    found = rpc.logs(blocks[0], blocks[2], [factory], [BALLOT_BOX_CREATED])
    assert [log.block_number for log in found] == blocks
    assert rpc.logs(blocks[0], blocks[2], None, [[BALLOT_BOX_CREATED, Hash32(bytes(32))]]) == found
    assert rpc.logs(blocks[1], blocks[1], [factory, NOBODY]) == found[1:2]
    assert rpc.logs(blocks[0], blocks[2], [NOBODY]) == []
    assert rpc.logs(blocks[0], blocks[2], [factory], [None, None, Hash32(b"\x01" * 32)]) == []


def test_rpc__no_addresses_or_reversed_interval__asks_nothing() -> None:
    with run_bad_endpoint(result([LOG])) as endpoint, Rpc(endpoint.url) as rpc:
        assert rpc.logs(5, 5, []) == []
        assert rpc.logs(6, 5, None) == []
        assert endpoint.requests == []
        assert len(rpc.logs(5, 5, None)) == 1


def test_rpc__contract_refuses__error_is_decoded(devnet: Devnet, rpc: Rpc) -> None:
    election = make_election(devnet)
    with pytest.raises(ContractReverted) as caught:
        election.box.sheet_root(7, "latest")
    assert (caught.value.name, caught.value.arguments) == ("BallotBoxSheetOutOfRange", {"sheet": 7, "sheets": 1})
    with pytest.raises(ContractReverted, match="EmptyRevert"):
        rpc.call_contract(election.deployment.box, b"\xff\xff\xff\xff")


@pytest.mark.parametrize(
    ("body", "status", "retryable"),
    [
        ("<html>Bad Gateway</html>", "502 Bad Gateway", True),
        ("<html>Not Found</html>", "404 Not Found", False),
        ("<html>Welcome</html>", "200 OK", True),
        ("", "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id","result":{"number":"0x', "200 OK", True),
        ("[]", "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id"}', "200 OK", True),
        ('{"jsonrpc":"2.0","id":999999,"result":"0x1"}', "200 OK", True),
        ('{"jsonrpc":"2.0","result":"0x1"}', "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id","result":null}', "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id","result":5}', "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id","result":"0x"}', "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id","result":"0x-1"}', "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id","result":"0xzz"}', "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id","result":"0x1_0"}', "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id","result":"0x 1"}', "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id","result":"1"}', "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id","result":"0x8000000000000000"}', "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id","result":"0x1' + "0" * 5_000 + '"}', "200 OK", True),
        ('{"jsonrpc":"2.0","id":"$id","result":"\xff"}', "200 OK", True),
        ("moved", "301 Moved Permanently\r\nLocation: http://example.invalid/", False),
    ],
)
def test_rpc__broken_answer__is_an_endpoint_error(body: str, status: str, retryable: bool) -> None:
    with run_bad_endpoint(answer(body, status)) as endpoint, Rpc(endpoint.url) as rpc:
        with pytest.raises(EndpointError) as caught:
            rpc.chain_id()
        assert caught.value.retryable is retryable
        assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "status", "retryable"),
    [
        (-32005, "200 OK", True),
        (-32005, "429 Too Many Requests", True),
        (-32600, "403 Forbidden", False),
        (-32602, "400 Bad Request", False),
        (-32603, "500 Internal Server Error", True),
        (-32000, "200 OK", True),
        (-32601, "200 OK", False),
    ],
)
def test_rpc__json_rpc_error__keeps_its_code(code: int, status: str, retryable: bool) -> None:
    with run_bad_endpoint(fault(code, "no", status=status)) as endpoint, Rpc(endpoint.url) as rpc:
        with pytest.raises(EndpointError, match="eth_chainId: no") as caught:
            rpc.chain_id()
        assert (caught.value.code, caught.value.retryable) == (code, retryable)
        assert len(endpoint.requests) == (3 if retryable else 1)


@pytest.mark.parametrize("data", ["0x4e487b71" + "11".rjust(64, "0"), {"data": "0x4e487b71" + "11".rjust(64, "0")}])
def test_rpc__revert_in_the_ways_of_nodes__is_decoded(data: Any) -> None:
    with run_bad_endpoint(fault(-32000, "execution reverted", data)) as endpoint, Rpc(endpoint.url) as rpc:
        with pytest.raises(ContractReverted) as caught:
            rpc.call_contract(NOBODY, b"")
        assert (caught.value.name, caught.value.arguments) == ("Panic", {"code": 17})


def test_rpc__failure_that_passes__is_tried_again() -> None:
    busy = fault(-32005, "slow down", status="429 Too Many Requests")
    with run_bad_endpoint(busy, answer("torn"), result("0x7a69")) as endpoint, Rpc(endpoint.url) as rpc:
        assert rpc.chain_id() == 31337
        assert len(endpoint.requests) == 3
        assert len({request["id"] for request in endpoint.requests}) == 3


def test_rpc__send__is_never_tried_again() -> None:
    with run_bad_endpoint(answer("", "502 Bad Gateway")) as endpoint, Rpc(endpoint.url) as rpc:
        with pytest.raises(EndpointError):
            rpc.send_raw([b"\x02"])
        with pytest.raises(EndpointError):
            rpc.call("eth_sendRawTransaction", ["0x02"])
        with pytest.raises(EndpointError):
            rpc.call("evm_mine")
        assert len(endpoint.requests) == 3


def drip_headers(_: Any) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX-Slow: "
    yield from itertools.repeat(b"x", 200)


def drip_body(request: Any) -> Iterator[bytes]:
    whole = respond({"jsonrpc": "2.0", "id": "$id", "result": "0x" + "0" * 300 + "1"}, "200 OK", request)
    return (bytes([byte]) for byte in whole)


def drip_chunks(_: Any) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield from itertools.repeat(b"1\r\n \r\n", 200)


def say_nothing(_: Any) -> Iterator[bytes]:
    yield from itertools.repeat(b"", 200)


@pytest.mark.parametrize("slow", [drip_headers, drip_body, drip_chunks, say_nothing])
def test_rpc__answer_that_drips__ends_at_the_deadline(slow: Any) -> None:
    with run_bad_endpoint(slow) as endpoint, Rpc(endpoint.url, timeout_seconds=0.4) as rpc:
        start = time.monotonic()
        with pytest.raises(EndpointError, match=r"no answer within 0\.4 s"):
            rpc.chain_id()
        assert time.monotonic() - start < 3, "200 pieces take longer"


def test_rpc__nobody_listens__is_an_endpoint_error() -> None:
    with run_bad_endpoint(result(None)) as endpoint:
        url = endpoint.url
    with Rpc(url) as rpc, pytest.raises(EndpointError, match="the connection failed") as caught:
        rpc.chain_id()
    assert caught.value.retryable
    assert "SECRET" not in str(caught.value)


def test_rpc__torn_connection__is_an_endpoint_error() -> None:
    with (
        run_bad_endpoint(lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}") as endpoint,
        Rpc(endpoint.url) as rpc,
        pytest.raises(EndpointError, match="the connection failed"),
    ):
        rpc.chain_id()


def test_rpc__credentials_in_the_url__become_a_header() -> None:
    with run_bad_endpoint(result("0x1")) as endpoint:
        url = endpoint.url.replace("http://", "http://user:p%40ss@")
        with Rpc(url) as rpc:
            assert rpc.chain_id() == 1
        assert "Basic dXNlcjpwQHNz" in endpoint.headers[0]
        assert endpoint.headers[0].startswith("POST /v3/SECRET HTTP/1.1")


@pytest.mark.parametrize(
    "change",
    [
        {"blockNumber": "0x6"},
        {"blockNumber": "5"},
        {"blockNumber": "0x_5"},
        {"logIndex": "0x1_0"},
        {"logIndex": "0x8000000000000000"},
        {"logIndex": "0"},
        {"data": "0x 05"},
        {"address": "0x" + "12" * 20},
        {"address": "0x" + "11" * 19},
        {"removed": True},
        {"blockHash": "0x05"},
        {"data": "05"},
        {"topics": ["0x" + "23" * 32]},
        {"topics": None},
    ],
)
def test_rpc__log_that_was_not_asked_for__is_refused(change: dict[str, Any]) -> None:
    box, topic = Address(b"\x11" * 20), Hash32(b"\x22" * 32)
    with run_bad_endpoint(result([LOG])) as endpoint, Rpc(endpoint.url) as rpc:
        assert len(rpc.logs(5, 5, [box], [topic])) == 1
    with (
        run_bad_endpoint(result([LOG | change])) as endpoint,
        Rpc(endpoint.url) as rpc,
        pytest.raises(EndpointError, match="eth_getLogs"),
    ):
        rpc.logs(5, 5, [box], [topic])


@pytest.mark.parametrize("name", ["number", "timestamp"])
def test_rpc__block_beyond_what_can_be_kept__is_refused(name: str) -> None:
    for value, known in ((2**63 - 1, True), (2**63, False), (2**256, False)):
        with run_bad_endpoint(result(BLOCK | {name: hex(value)})) as endpoint, Rpc(endpoint.url) as rpc:
            if known:
                assert value in (rpc.block("latest").number, rpc.block("latest").timestamp)
                continue
            with pytest.raises(EndpointError, match="expected a number below 2"):
                rpc.block("latest")


def test_rpc__answer_larger_than_any_that_is_read__is_about_a_range_or_the_endpoints_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", 1_000)
    with run_bad_endpoint(result("0x" + "00" * 1_000)) as endpoint, Rpc(endpoint.url, attempts=1) as rpc:
        with pytest.raises(AnswerTooLargeError, match="more than 1000 bytes") as about:
            rpc.logs(5, 6, None)
        assert not about.value.retryable
        for ask, may_pass in ((lambda: rpc.code(NOBODY), True), (lambda: rpc.logs(5, 5, None), False)):
            with pytest.raises(EndpointError, match="more than 1000 bytes") as caught:
                ask()
            assert not isinstance(caught.value, AnswerTooLargeError)
            assert caught.value.retryable == may_pass
        assert len(endpoint.requests) == 3


def test_rpc__batch_with_an_answer_larger_than_any_that_is_read__is_asked_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", 1_000)

    def answer_at_length(request: Any) -> bytes:
        return respond([{"id": item["id"], "result": "0x" + "00" * 200} for item in request], "200 OK", request)

    with run_bad_endpoint(answer_at_length) as endpoint, Rpc(endpoint.url, attempts=1) as rpc:
        assert rpc.codes([NOBODY] * 4) == [bytes(200)] * 4
        assert [len(request) for request in endpoint.requests] == [4, 2, 2]


def test_rpc__other_block_than_asked_for__is_refused() -> None:
    with run_bad_endpoint(result(BLOCK)) as endpoint, Rpc(endpoint.url) as rpc:
        assert rpc.block(5).timestamp == rpc.block(b"\x05" * 32).timestamp == 100
        for asked in (4, b"\x06" * 32):
            with pytest.raises(EndpointError, match="found block 5"):
                rpc.block(asked)


def test_rpc__batch_answered_out_of_order__is_put_in_order() -> None:
    def backwards(request: Any) -> bytes:
        answers = [{"id": item["id"], "result": hex(index)} for index, item in enumerate(request)]
        return respond(answers[::-1], "200 OK", request)

    with run_bad_endpoint(backwards) as endpoint, Rpc(endpoint.url) as rpc:
        assert rpc.next_nonces([NOBODY] * 3) == [0, 1, 2]


@pytest.mark.parametrize("keep", [slice(0, 1), slice(0, 0), None])
def test_rpc__batch_answered_in_part__is_refused(keep: slice | None) -> None:
    def partly(request: Any) -> bytes:
        answers = [{"id": item["id"], "result": "0x1"} for item in request]
        return respond([answers[0]] * 2 if keep is None else answers[keep], "200 OK", request)

    with (
        run_bad_endpoint(partly) as endpoint,
        Rpc(endpoint.url) as rpc,
        pytest.raises(EndpointError, match="answers to a batch, expected"),
    ):
        rpc.next_nonces([NOBODY] * 2)


def test_rpc__batch_not_supported__is_named() -> None:
    refusal = answer({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no batches here"}})
    with (
        run_bad_endpoint(refusal) as endpoint,
        Rpc(endpoint.url) as rpc,
        pytest.raises(ChainError, match="no batches here"),
    ):
        rpc.next_nonces([NOBODY])


def test_rpc__many_blocks__are_those_asked_for(devnet: Devnet, rpc: Rpc) -> None:
    devnet.mine(3)
    latest = rpc.block("latest").number
    numbers = [latest, 0, latest - 1]
    assert rpc.blocks(numbers) == [rpc.block(number) for number in numbers]
    assert rpc.blocks([]) == []
    with pytest.raises(MissingBlockError, match="is not known"):
        rpc.blocks([latest, latest + 1_000])

    def say_five(request: Any) -> bytes:
        return respond([{"id": item["id"], "result": BLOCK} for item in request], "200 OK", request)

    with (
        run_bad_endpoint(say_five) as endpoint,
        Rpc(endpoint.url) as liar,
        pytest.raises(EndpointError, match="found block 5"),
    ):
        liar.blocks([5, 6])


def test_rpc__block_receipts_and_bloom__are_the_blocks(devnet: Devnet, rpc: Rpc) -> None:
    number = make_election(devnet).deployment.block_number
    block = rpc.block(number)
    receipts = rpc.block_receipts(block.hash)
    logs = [log for receipt in receipts for log in receipt.logs]
    assert logs == rpc.logs(number, number, None)
    assert block.logs_bloom == compute_bloom(item for log in logs for item in (log.address, *log.topics))
    assert may_contain(block.logs_bloom, logs[0].address)
    assert not may_contain(block.logs_bloom, NOBODY)
    assert rpc.block(0).logs_bloom == bytes(256)
    with pytest.raises(MissingBlockError):
        rpc.block_receipts(Hash32(bytes(32)))


def test_rpc__receipt_of_another_block__is_refused() -> None:
    receipt = {
        "transactionHash": "0x" + "66" * 32,
        "blockNumber": "0x5",
        "blockHash": "0x" + "05" * 32,
        "status": "0x1",
        "gasUsed": "0x1",
        "logs": [LOG],
    }
    good, bad = result([receipt]), result([receipt | {"logs": [LOG | {"blockHash": "0x" + "06" * 32}]}])
    with run_bad_endpoint(good, bad) as endpoint, Rpc(endpoint.url) as rpc:
        assert len(rpc.block_receipts(Hash32(b"\x05" * 32))) == 1
        with pytest.raises(EndpointError, match="another block"):
            rpc.block_receipts(Hash32(b"\x05" * 32))
    with run_bad_endpoint(good) as endpoint, Rpc(endpoint.url) as rpc, pytest.raises(EndpointError):
        rpc.block_receipts(Hash32(b"\x06" * 32))


@pytest.mark.parametrize("bloom", ["0x", "0x00", "0x" + "00" * 257, 5])
def test_rpc__filter_of_another_length__is_refused(bloom: Any) -> None:
    with (
        run_bad_endpoint(result(BLOCK | {"logsBloom": bloom})) as endpoint,
        Rpc(endpoint.url) as rpc,
        pytest.raises(EndpointError, match="result is not as it should be"),
    ):
        rpc.block(5)
    with run_bad_endpoint(result(BLOCK)) as endpoint, Rpc(endpoint.url) as rpc:
        assert rpc.block(5).logs_bloom == b""
