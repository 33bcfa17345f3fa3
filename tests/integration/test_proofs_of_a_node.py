"""What a running node answers is proven by the pure core: its headers, accounts, slots and receipts."""

from __future__ import annotations

from typing import Any

import pytest

from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.keccak import keccak
from qballot.core.proof import (
    EMPTY_CODE_HASH,
    EMPTY_ROOT,
    Account,
    Header,
    build_receipt_proof,
    build_receipts_trie,
    decode_get_proof,
    decode_header_answer,
    decode_receipt_answers,
    hash_header,
    verify_account_proof,
    verify_get_proof,
    verify_receipt,
)
from qballot.core.types import Address, BlockNumber, Hash32
from qballot.errors import ProofError
from qballot.testing import ElectionOnDevnet

pytestmark = pytest.mark.integration

NOBODY = Address(b"\xd1" * 20)
SOMEONE = Address(b"\xd2" * 20)
SLOT_0 = "0x" + "00" * 32
SLOT_1 = "0x" + "00" * 31 + "01"


def fetch_header(rpc: Rpc, block: str = "latest") -> Header:
    return decode_header_answer(rpc.call("eth_getBlockByNumber", [block, False]))


def fetch_proof(rpc: Rpc, address: Address, slots: list[str], block: int) -> Any:
    return rpc.call("eth_getProof", [checksum_address(address), slots, hex(block)])


def test_node__headers_of_all_blocks__hash_to_each_other(election: ElectionOnDevnet) -> None:
    rpc = election.devnet.rpc
    election.open()
    election.cast(0, b"\x01\x00\x00")
    election.devnet.mine(3)
    last = fetch_header(rpc)
    assert last.requests_hash is not None
    parent: Hash32 | None = None
    for number in range(max(0, last.number - 20), last.number + 1):
        header = fetch_header(rpc, hex(number))
        assert header.number == number
        assert parent in (None, header.parent_hash)
        parent = hash_header(header)
    assert parent == rpc.block("latest").hash


def test_node__a_box__is_proven_with_its_head_at_every_block(election: ElectionOnDevnet) -> None:
    rpc, box = election.devnet.rpc, election.deployment.box
    created = rpc.block("latest").number
    election.open()
    for voter in range(3):
        # By a relayer: giving voters ether, anvil changes the state of a block that is there already, not its header.
        election.cast_signed([(voter, b"\x00\x01\x00")])
    code_hash = keccak(rpc.code(box))
    heads = set()
    for number in range(created, rpc.block("latest").number + 1):
        header = fetch_header(rpc, hex(number))
        answer = decode_get_proof(fetch_proof(rpc, box, [SLOT_0, SLOT_1], number))
        proven = verify_get_proof(header.state_root, answer)
        assert proven.address == box
        assert proven.account is not None
        assert proven.account.code_hash == code_hash
        assert proven.words == {0: election.box.head(BlockNumber(number)), 1: bytes(32)}
        heads.add(proven.words[0])
        with pytest.raises(ProofError, match="node 0 hashes to"):
            verify_account_proof(header.parent_hash, answer.proof)
    assert len(heads) == 4
    assert election.deployment.arguments.definition_hash in heads


def test_node__accounts_without_code_or_storage_or_at_all__are_proven(devnet: Devnet) -> None:
    rpc = devnet.rpc
    devnet.set_balances({SOMEONE: 5})
    devnet.mine()
    header = fetch_header(rpc)
    answer = fetch_proof(rpc, SOMEONE, [SLOT_0], header.number)
    # How anvil proves that a trie is empty; Geth gives no node at all.
    assert answer["storageProof"][0]["proof"] in (["0x80"], [])
    proven = verify_get_proof(header.state_root, decode_get_proof(answer))
    assert proven.account == Account(0, 5, EMPTY_ROOT, EMPTY_CODE_HASH)
    assert proven.words == {0: bytes(32)}
    answer = fetch_proof(rpc, NOBODY, [SLOT_0], header.number)
    proven = verify_get_proof(header.state_root, decode_get_proof(answer))
    assert proven.account is None
    assert proven.words == {0: bytes(32)}


def test_node__receipts_of_many_kinds__have_the_root_of_their_block(election: ElectionOnDevnet) -> None:
    rpc = election.devnet.rpc
    first = rpc.block("latest").number
    election.open()
    election.cast_signed([(voter, b"\x01\x00\x00") for voter in range(5)])
    send_in_one_block(rpc, 140)
    kinds, longest, ballots = set(), 0, 0
    for number in range(first, rpc.block("latest").number + 1):
        header = fetch_header(rpc, hex(number))
        receipts = decode_receipt_answers(rpc.call("eth_getBlockReceipts", [hex(number)]))
        trie = build_receipts_trie(receipts)
        assert trie.root == header.receipts_root
        for index, receipt in enumerate(receipts):
            assert verify_receipt(header.receipts_root, index, build_receipt_proof(trie, index)) == receipt
            ballots += sum(log.address == election.deployment.box for log in receipt.logs)
            kinds.add(receipt.kind)
        longest = max(longest, len(receipts))
        with pytest.raises(ProofError, match="it shows that the block has no such transaction"):
            verify_receipt(header.receipts_root, len(receipts), build_receipt_proof(trie, len(receipts)))
    assert kinds == {0, 1, 2}
    assert longest == 140
    assert ballots == 1


def send_in_one_block(rpc: Rpc, count: int) -> None:
    """Send ether from one of the chain's unlocked accounts to another, in transactions of several types."""
    sender, receiver = rpc.call("eth_accounts")[2:4]
    rpc.call("evm_setAutomine", [False])
    try:
        for place in range(count):
            transaction = {"from": sender, "to": receiver, "value": "0x1", "gas": "0x7530"}
            more: dict[str, object] = [
                {"gasPrice": "0x77359400"},
                {"gasPrice": "0x77359400", "accessList": []},
                {"maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x1"},
            ][place % 3]
            rpc.call("eth_sendTransaction", [transaction | more])
        rpc.call("evm_mine")
    finally:
        rpc.call("evm_setAutomine", [True])
