"""Receipts and their trie."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from random import Random

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st
from proof_samples import random_receipt
from properties import examples
from trie import HexaryTrie

from qballot.core.proof import (
    EMPTY_ROOT,
    Log,
    Receipt,
    build_receipt_proof,
    build_receipts_trie,
    build_trie,
    decode_receipt,
    decode_receipt_answers,
    encode_receipt,
    verify_receipt,
)
from qballot.core.proof.rlp import encode_list, encode_uint
from qballot.core.types import Address, Hash32
from qballot.errors import InputError, ProofError

pytestmark = pytest.mark.unit

LOG = Log(Address(b"\xaa" * 20), (Hash32(b"\x01" * 32),), b"data")
RECEIPT = Receipt(2, True, 21_000, bytes(256), (LOG,))


def make_answer(receipts: list[Receipt]) -> list[dict[str, object]]:
    return [
        {
            "transactionIndex": hex(index),
            "type": hex(receipt.kind),
            "status": hex(receipt.succeeded),
            "cumulativeGasUsed": hex(receipt.cumulative_gas_used),
            "logsBloom": "0x" + receipt.bloom.hex(),
            "logs": [
                {
                    "address": "0x" + log.address.hex(),
                    "topics": ["0x" + topic.hex() for topic in log.topics],
                    "data": "0x" + log.data.hex(),
                }
                for log in receipt.logs
            ],
        }
        for index, receipt in enumerate(receipts)
    ]


def encode_by_package(receipt: Receipt) -> bytes:
    logs = [[log.address, list(log.topics), log.data] for log in receipt.logs]
    body: bytes = rlp.encode([b"\x01" if receipt.succeeded else b"", receipt.cumulative_gas_used, receipt.bloom, logs])
    return bytes([receipt.kind]) * bool(receipt.kind) + body


# 128 and 256 are where the keys of the trie grow longer, and sort otherwise than their numbers.
@pytest.mark.parametrize("count", [0, 1, 2, 127, 128, 129, 130, 260])
def test_receipts__of_blocks_of_any_size__have_the_root_of_the_package(count: int) -> None:
    random = Random(count)
    receipts = [random_receipt(random, index) for index in range(count)]
    trie = build_receipts_trie(receipts)
    other = HexaryTrie({})
    for index, receipt in enumerate(receipts):
        other[rlp.encode(index)] = encode_by_package(receipt)
    assert trie.root == other.root_hash
    for index, receipt in enumerate(receipts):
        assert verify_receipt(trie.root, index, build_receipt_proof(trie, index)) == receipt
    with pytest.raises(ProofError, match=f"transaction {count}: it shows that the block has no such transaction"):
        verify_receipt(trie.root, count, build_receipt_proof(trie, count))


def test_receipts__none__is_the_empty_root() -> None:
    assert build_receipts_trie([]).root == EMPTY_ROOT
    with pytest.raises(InputError, match="the transaction's index must be"):
        verify_receipt(EMPTY_ROOT, -1, [])


@given(st.integers(0, 2**32), st.integers(0, 127))
def test_receipt__any_type__is_read_and_written_the_same(seed: int, kind: int) -> None:
    receipt = replace(random_receipt(Random(seed), 0), kind=kind)
    data = encode_receipt(receipt)
    assert data == encode_by_package(receipt)
    assert decode_receipt(data) == receipt


@given(st.binary(max_size=40), st.integers(0, 500), st.integers(0, 40))
@examples(200)
def test_decode_receipt__any_change__is_refused_or_read_as_other_bytes(new: bytes, place: int, removed: int) -> None:
    data = encode_receipt(RECEIPT)
    data = data[:place] + new + data[place + removed :]
    try:
        receipt = decode_receipt(data)
    except ProofError:
        return
    assert encode_receipt(receipt) == data


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (0, b"\x02", "a status of 1 bytes, expected 0 or 1"),
        (0, bytes(32), "a status of 32 bytes, expected 0 or 1 as receipts have it since Byzantium"),
        (1, b"\x00", "leading zero"),
        (1, b"\x01" * 9, "below 2"),
        (2, bytes(255), "found 255 bytes, expected 256"),
        (3, b"", "expected a list"),
        (3, [[b"\xaa" * 20, [], b""], [b"\xaa" * 19, [], b""]], "log 1: found 19 bytes, expected 20"),
        (3, [[b"\xaa" * 20, [bytes(32)] * 5, b""]], "log 0: .*more than 4 items"),
        (3, [[b"\xaa" * 20, [bytes(31)], b""]], "log 0: found 31 bytes, expected 32"),
        (3, [[b"\xaa" * 20, []]], "log 0: found an RLP list of 2 items, expected 3"),
        (3, [[b"\xaa" * 20, [], []]], "log 0: .*expected a string"),
    ],
)
def test_decode_receipt__malformed__is_named(place: int, value: object, words: str) -> None:
    parts = rlp.decode(encode_receipt(RECEIPT)[1:])
    parts[place] = value
    with pytest.raises(ProofError, match=f"the receipt is malformed: .*{words}"):
        decode_receipt(b"\x02" + rlp.encode(parts))


def test_decode_receipt__no_list__is_refused() -> None:
    for data in (b"", b"\x02", b"\x80", b"\x00" + encode_receipt(RECEIPT)[1:], b"\x02" + encode_receipt(RECEIPT)):
        with pytest.raises(ProofError, match="the receipt is malformed"):
            decode_receipt(data)
    with pytest.raises(ProofError, match="found a receipt of 8388609 bytes"):
        decode_receipt(bytes(2**23 + 1))


def test_decode_receipt__many_empty_logs__are_refused_at_the_first() -> None:
    parts = rlp.decode(encode_receipt(RECEIPT)[1:])
    for item in (b"\xc0", b"\xc1\xc0", b"\x80"):
        logs = encode_list([item * 2**16])
        data = b"\x02" + encode_list([b"\x01", b"\x01", b"\xb9\x01\x00" + parts[2], logs])
        tracemalloc.start()
        try:
            with pytest.raises(ProofError, match="log 0"):
                decode_receipt(data)
            assert tracemalloc.get_traced_memory()[1] < 64 * 2**16
        finally:
            tracemalloc.stop()


def test_verify_receipt__malformed_under_a_good_proof__is_refused() -> None:
    trie = build_trie({encode_uint(0): b"\x02no receipt" * 5})
    with pytest.raises(ProofError, match="receipt proof of transaction 0: the receipt is malformed"):
        verify_receipt(trie.root, 0, build_receipt_proof(trie, 0))


def test_answers__of_a_block__are_its_receipts() -> None:
    receipts = [random_receipt(Random(index), index) for index in range(20)]
    assert decode_receipt_answers(make_answer(receipts)) == receipts
    assert decode_receipt_answers([]) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"transactionIndex": "0x1"}, "receipt 0: found the transaction's index 1, expected 0"),
        ({"status": None}, "receipt 0: found no status, expected one as receipts have it since Byzantium"),
        ({"status": "0x2"}, "receipt 0, status: found 2, expected at most 1"),
        ({"type": "0x80"}, "receipt 0, type: found 128, expected at most 127"),
        ({"cumulativeGasUsed": "0x1" + "0" * 16}, "cumulativeGasUsed: found 18446744073709551616"),
        ({"logsBloom": "0x00"}, "logsBloom: found 1 bytes, expected 256"),
        ({"logs": None}, "receipt 0, logs: found a value of type NoneType, expected a list"),
        ({"logs": [{"address": "0x", "topics": [], "data": "0x"}]}, "receipt 0, log 0, address: found 0 bytes"),
        ({"logs": [{"address": "0x" + "00" * 20, "topics": ["0x"] * 5, "data": "0x"}]}, "log 0, topics: found 5 items"),
        ({"logs": [{"address": "0x" + "00" * 20, "topics": ["0x1"], "data": "0x"}]}, "log 0, topic: found"),
        ({"logs": [{"address": "0x" + "00" * 20, "topics": []}]}, "log 0, data: found a value of type NoneType"),
    ],
)
def test_answers__malformed__names_the_field(changes: dict[str, object], words: str) -> None:
    answer = make_answer([RECEIPT])
    with pytest.raises(ProofError, match=words):
        decode_receipt_answers([answer[0] | changes])
    with pytest.raises(ProofError, match="the receipts: found a value of type NoneType, expected a list"):
        decode_receipt_answers(None)
