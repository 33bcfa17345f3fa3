"""A block's receipts from what a node answers to `eth_getBlockReceipts`."""

from __future__ import annotations

from typing import Final

from qballot.core.bloom import BLOOM_BYTES
from qballot.core.proof.json_values import read_bytes, read_fixed, read_list, read_object, read_uint
from qballot.core.proof.receipt import MAX_LOGS, MAX_RECEIPT_BYTES, MAX_TOPICS, MAX_TYPE, Log, Receipt
from qballot.core.types import Address, Hash32
from qballot.errors import ProofError

MAX_RECEIPTS: Final = 2**16
"""Most receipts that are read from one answer. A transaction costs 21,000 gas."""


def decode_receipt_answers(answer: object) -> list[Receipt]:
    """Read all receipts of a block in the order of their transactions; `answer` is the parsed `result`.

    Whether they are the block's is for `build_receipts_trie` to show. Raises ProofError, naming the receipt and field,
    when one is malformed or out of its place.
    """
    return [_decode(place, item) for place, item in enumerate(read_list(answer, "the receipts", MAX_RECEIPTS))]


def _decode(place: int, value: object) -> Receipt:
    name = f"receipt {place}"
    item = read_object(value, name)
    index = read_uint(item.get("transactionIndex"), f"{name}, transactionIndex")
    if index != place:
        raise ProofError(f"{name}: found the transaction's index {index}, expected {place}")
    if item.get("status") is None:
        raise ProofError(f"{name}: found no status, expected one as receipts have it since Byzantium")
    logs = read_list(item.get("logs"), f"{name}, logs", MAX_LOGS)
    return Receipt(
        kind=_read_small(item.get("type"), f"{name}, type", MAX_TYPE),
        succeeded=bool(_read_small(item["status"], f"{name}, status", 1)),
        cumulative_gas_used=_read_small(item.get("cumulativeGasUsed"), f"{name}, cumulativeGasUsed", 2**64 - 1),
        bloom=read_fixed(item.get("logsBloom"), f"{name}, logsBloom", BLOOM_BYTES),
        logs=tuple(_decode_log(f"{name}, log {number}", log) for number, log in enumerate(logs)),
    )


def _decode_log(name: str, value: object) -> Log:
    item = read_object(value, name)
    topics = read_list(item.get("topics"), f"{name}, topics", MAX_TOPICS)
    return Log(
        address=Address(read_fixed(item.get("address"), f"{name}, address", 20)),
        topics=tuple(Hash32(read_fixed(topic, f"{name}, topic", 32)) for topic in topics),
        data=read_bytes(item.get("data"), f"{name}, data", MAX_RECEIPT_BYTES),
    )


def _read_small(value: object, name: str, highest: int) -> int:
    number = read_uint(value, name)
    if number > highest:
        raise ProofError(f"{name}: found {number}, expected at most {highest}")
    return number
