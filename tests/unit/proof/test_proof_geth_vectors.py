"""Headers, proofs and receipts made by Geth, where its vectors lie beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qballot.core.proof import (
    EMPTY_ROOT,
    build_receipt_proof,
    build_receipts_trie,
    decode_get_proof,
    decode_header,
    decode_header_answer,
    decode_receipt_answers,
    encode_header,
    hash_header,
    verify_get_proof,
    verify_receipt,
)
from qballot.errors import ProofError

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "execution-apis"

pytestmark = [pytest.mark.unit, pytest.mark.skipif(not VECTORS.is_dir(), reason="Geth's vectors are not here")]

FORKS = {"london": 16, "merge": 16, "shanghai": 17, "cancun": 20, "prague": 21}
"""The forks that these vectors have a block of, and how many fields its header has."""


def read_exchange(path: Path) -> tuple[dict[str, Any], Any]:
    """The request and the result of one exchange."""
    lines = path.read_text(encoding="utf-8").splitlines()
    request = next(json.loads(line[3:]) for line in lines if line.startswith(">> "))
    response = next(json.loads(line[3:]) for line in lines if line.startswith("<< "))
    return request, response.get("result")


def results(method: str) -> list[Any]:
    """Every result of a method that is not null, named by its file."""
    exchanges = [(path.stem, read_exchange(path)[1]) for path in sorted((VECTORS / method).glob("*.io"))]
    return [pytest.param(result, id=name) for name, result in exchanges if result is not None]


def latest() -> Any:
    return read_exchange(VECTORS / "eth_getBlockByNumber" / "get-latest.io")[1]


@pytest.mark.parametrize("block", results("eth_getBlockByNumber"))
def test_geth__header__has_its_hash(block: Any) -> None:
    if "baseFeePerGas" not in block:
        with pytest.raises(ProofError, match="baseFeePerGas is missing, expected it in a header of London or later"):
            decode_header_answer(block)
        return
    header = decode_header_answer(block)
    assert hash_header(header).hex() == block["hash"][2:]
    assert decode_header(encode_header(header)) == header
    assert header.number == int(block["number"], 16)
    assert header.timestamp == int(block["timestamp"], 16)
    assert header.mix_hash.hex() == block["mixHash"][2:]
    assert header.logs_bloom.hex() == block["logsBloom"][2:]


@pytest.mark.parametrize("fork", FORKS)
def test_geth__header_of_each_fork__has_the_fork_s_fields(fork: str) -> None:
    _, block = read_exchange(VECTORS / "eth_getBlockByNumber" / f"get-block-{fork}-fork.io")
    header = decode_header_answer(block)
    values = [getattr(header, name) for name in type(header).__slots__]
    assert sum(value is not None for value in values) == FORKS[fork]


@pytest.mark.parametrize("answer", results("eth_getProof"))
def test_geth__proof__is_proven_under_the_block_s_state_root(answer: Any) -> None:
    proven = verify_get_proof(decode_header_answer(latest()).state_root, decode_get_proof(answer))
    assert proven.account is not None
    assert proven.account.balance == int(answer["balance"], 16)
    assert [int.from_bytes(word) for word in proven.words.values()] == [
        int(slot["value"], 16) for slot in answer["storageProof"]
    ]


@pytest.mark.parametrize("answer", results("eth_getBlockReceipts"))
def test_geth__receipts__have_the_root_of_their_block(answer: Any) -> None:
    if any("root" in receipt for receipt in answer):
        with pytest.raises(ProofError, match="as receipts have it since Byzantium"):
            decode_receipt_answers(answer)
        return
    receipts = decode_receipt_answers(answer)
    trie = build_receipts_trie(receipts)
    if not receipts:
        assert trie.root == EMPTY_ROOT
        return
    header = decode_header_answer(latest())
    assert answer[0]["blockHash"] == latest()["hash"]
    assert trie.root == header.receipts_root
    for index, receipt in enumerate(receipts):
        assert verify_receipt(header.receipts_root, index, build_receipt_proof(trie, index)) == receipt
        assert [log.data.hex() for log in receipt.logs] == [log["data"][2:] for log in answer[index]["logs"]]
