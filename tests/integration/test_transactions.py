"""Transactions cost nothing when they would revert, are sent once, and say why they failed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from bad_endpoint import answer, result, run_bad_endpoint

from qballot.chain.accounts import LocalSigner, devnet_account
from qballot.chain.contracts import encode_cancel
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import (
    Call,
    Fees,
    Outgoing,
    SignedTransaction,
    fetch_fees,
    send,
    send_many,
    sign_transaction,
    submit,
    wait_for_receipts,
)
from qballot.core.address import checksum_address
from qballot.core.records import CANCELLED_HEAD
from qballot.core.types import Address
from qballot.errors import ChainError, ContractReverted, EndpointError
from qballot.testing import make_election

pytestmark = pytest.mark.integration

SOMEONE = Address(b"\x77" * 20)
BURNER = Address(b"\x88" * 20)


def sign(
    rpc: Rpc, account: LocalSigner, to: Address = SOMEONE, data: bytes = b"", gas: int = 100_000
) -> SignedTransaction:
    nonce = rpc.next_nonces([account.address])[0]
    return sign_transaction(account, Call(to, data), rpc.chain_id(), nonce=nonce, gas=gas, fees=fetch_fees(rpc))


def test_send__ordinary__is_in_a_block(rpc: Rpc, organizer: LocalSigner) -> None:
    before = rpc.block().number
    receipt = send(rpc, organizer, Call(SOMEONE, b"\x01\x02"))
    assert receipt.succeeded
    assert receipt.block_number == before + 1
    assert rpc.receipt(receipt.transaction_hash) == receipt
    sent = rpc.call("eth_getTransactionByHash", ["0x" + receipt.transaction_hash.hex()])
    assert (sent["type"], sent["input"], int(sent["gas"], 16)) == ("0x2", "0x0102", receipt.gas_used * 12 // 10)


def test_send_many__of_two_accounts__have_consecutive_nonces_and_keep_their_order(
    rpc: Rpc, organizer: LocalSigner, relayer: LocalSigner
) -> None:
    first = rpc.next_nonces([organizer.address, relayer.address])
    outgoing = [Outgoing((organizer, relayer)[n % 2], Call(SOMEONE, n.to_bytes(2))) for n in range(250)]
    receipts = send_many(rpc, outgoing)
    assert len({receipt.transaction_hash for receipt in receipts}) == 250
    sent = rpc.call_many([("eth_getTransactionByHash", ["0x" + item.transaction_hash.hex()]) for item in receipts])
    assert [int(item["input"], 16) for item in sent] == list(range(250))
    assert [int(item["nonce"], 16) for item in sent] == [first[n % 2] + n // 2 for n in range(250)]
    assert send_many(rpc, []) == []


def test_send__would_revert__is_not_sent(devnet: Devnet, rpc: Rpc, relayer: LocalSigner) -> None:
    election = make_election(devnet)
    before = rpc.block(), rpc.balance(relayer.address)
    with pytest.raises(ContractReverted) as caught:
        send(rpc, relayer, Call(election.deployment.box, encode_cancel()))
    assert caught.value.name == "BallotBoxNotOrganizer"
    assert caught.value.arguments == {
        "caller": checksum_address(relayer.address),
        "organizer": checksum_address(devnet_account(0).address),
    }
    assert (rpc.block(), rpc.balance(relayer.address)) == before


def test_send_many__one_would_revert__none_is_sent(devnet: Devnet, rpc: Rpc, relayer: LocalSigner) -> None:
    box = make_election(devnet).deployment.box
    before = rpc.block()
    with pytest.raises(ContractReverted):
        send_many(rpc, [Outgoing(relayer, Call(SOMEONE, b"")), Outgoing(relayer, Call(box, encode_cancel()))])
    assert rpc.block() == before


def test_send__too_much_gas__is_not_sent(devnet: Devnet, rpc: Rpc, organizer: LocalSigner) -> None:
    # Writes one word so far out in memory that this costs 17.5 million gas.
    rpc.call("anvil_setCode", ["0x" + BURNER.hex(), "0x600063002de6005200"])
    before = rpc.block()
    with pytest.raises(ChainError, match=r"needs 17\d{6} gas, expected at most 16777216 under the rules of Osaka"):
        send(rpc, organizer, Call(BURNER, b""))
    assert rpc.block() == before


def test_wait__reverted_in_a_block__is_replayed(devnet: Devnet, rpc: Rpc, relayer: LocalSigner) -> None:
    box = make_election(devnet).deployment.box
    signed = sign(rpc, relayer, box, encode_cancel())
    submit(rpc, [signed])
    with pytest.raises(ContractReverted, match="BallotBoxNotOrganizer"):
        wait_for_receipts(rpc, [signed], 10)


def test_wait__reverted_only_for_lack_of_gas__says_so(devnet: Devnet, rpc: Rpc, organizer: LocalSigner) -> None:
    election = make_election(devnet)
    signed = sign(rpc, organizer, election.deployment.box, encode_cancel(), gas=22_500)
    submit(rpc, [signed])
    with pytest.raises(ChainError, match="does not when it is replayed"):
        wait_for_receipts(rpc, [signed], 10)
    send(rpc, organizer, Call(election.deployment.box, encode_cancel()))
    assert election.box.head("latest") == CANCELLED_HEAD


def test_wait__never_in_a_block__ends_at_the_deadline(rpc: Rpc, organizer: LocalSigner) -> None:
    rpc.call("evm_setAutomine", [False])
    try:
        signed = sign(rpc, organizer)
        submit(rpc, [signed])
        with pytest.raises(ChainError, match=r"is in no block after 0\.2 s") as caught:
            wait_for_receipts(rpc, [signed], 0.2)
        assert caught.value.retryable
        rpc.call("evm_mine")
        assert wait_for_receipts(rpc, [signed], 10)[0].succeeded
    finally:
        rpc.call("evm_setAutomine", [True])


def test_submit__sent_twice__is_one_transaction(rpc: Rpc, organizer: LocalSigner) -> None:
    signed = sign(rpc, organizer)
    submit(rpc, [signed])
    submit(rpc, [signed])
    assert len(wait_for_receipts(rpc, [signed], 10)) == 1


def test_submit__refused__says_why(rpc: Rpc) -> None:
    poor = devnet_account(3)
    rpc.call("anvil_setBalance", ["0x" + poor.address.hex(), "0x0"])
    signed = sign_transaction(poor, Call(SOMEONE, b""), rpc.chain_id(), nonce=0, gas=21_000, fees=Fees(10**10, 1))
    with pytest.raises(EndpointError, match=r"(?i)insufficient funds") as caught:
        submit(rpc, [signed])
    assert not caught.value.retryable


def test_submit__answer_is_lost__hash_is_looked_up(rpc: Rpc, organizer: LocalSigner) -> None:
    signed = sign(rpc, organizer)
    gone = answer("<html>", "502 Bad Gateway")
    with run_bad_endpoint(gone, result({"hash": "0x"})) as endpoint, Rpc(endpoint.url) as broken:
        submit(broken, [signed])
        methods = [
            request[0]["method"] if isinstance(request, list) else request["method"] for request in endpoint.requests
        ]
        assert methods == ["eth_sendRawTransaction", "eth_getTransactionByHash"]
    with (
        run_bad_endpoint(gone, result(None)) as endpoint,
        Rpc(endpoint.url) as broken,
        pytest.raises(EndpointError, match="HTTP status 502"),
    ):
        submit(broken, [signed])


def test_submit__node_names_another_hash__is_refused(rpc: Rpc, organizer: LocalSigner) -> None:
    def other_hash(request: Any) -> bytes:
        body = msgspec.json.encode([{"id": request[0]["id"], "result": "0x" + "00" * 32}])
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    with (
        run_bad_endpoint(other_hash) as endpoint,
        Rpc(endpoint.url) as broken,
        pytest.raises(EndpointError, match="found transaction 0x0000"),
    ):
        submit(broken, [sign(rpc, organizer)])
