"""Receipts: what a transaction did, its logs above all, proved against a header's receipts root.

A block's receipts stand in a trie under their transaction's index. A receipt is a list, behind one byte that names the
transaction's type unless that is 0:

    [status, gas used in the block up to here, bloom, [[address, [topic, …], data], …]]

Every type so far has this form, so a type that is not known here is read all the same: the root says if it differs.
Source: Ethereum Yellow Paper §4.4.1; EIP-658, EIP-2718.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from qballot.core.bloom import BLOOM_BYTES
from qballot.core.bounds import validate_uint
from qballot.core.proof.rlp import (
    decode_fixed,
    decode_string,
    decode_uint,
    encode_list,
    encode_string,
    encode_uint,
    split_fields,
    split_list,
)
from qballot.core.proof.trie import verify_trie_proof
from qballot.core.proof.trie_build import Trie, build_trie, build_trie_proof
from qballot.core.types import Address, Hash32
from qballot.errors import ProofError

MAX_RECEIPT_BYTES: Final = 2**23
"""Longest receipt that is read. A byte in a log costs 8 gas: with a transaction's 2**24 (EIP-7825) come 2**21 bytes."""

MAX_LOGS: Final = 2**17
"""Most logs that are read from a receipt. A log costs 375 gas: with a transaction's 2**24 come fewer than 2**16."""

MAX_TOPICS: Final = 4
"""Most topics of a log."""

MAX_TYPE: Final = 0x7F
"""Greatest type of a transaction (EIP-2718)."""


@dataclass(frozen=True, slots=True)
class Log:
    """One log. address: of the contract that wrote it. topics: at most 4."""

    address: Address
    topics: tuple[Hash32, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a transaction did.

    kind: the transaction's type, 0 … 127. succeeded: whether it was not reverted. cumulative_gas_used: of the block up
    to and with it. bloom: 256 bytes. logs: in their order.
    """

    kind: int
    succeeded: bool
    cumulative_gas_used: int
    bloom: bytes
    logs: tuple[Log, ...]


def encode_receipt(receipt: Receipt) -> bytes:
    """Encode a receipt as the trie has it."""
    body = encode_list(
        (
            encode_uint(receipt.succeeded),
            encode_uint(receipt.cumulative_gas_used),
            encode_string(receipt.bloom),
            encode_list(map(_encode_log, receipt.logs)),
        )
    )
    return bytes((receipt.kind,)) + body if receipt.kind else body


def decode_receipt(data: bytes) -> Receipt:
    """Read a receipt as the trie has it; encoding it gives the same bytes again. Raises ProofError, naming the part."""
    if len(data) > MAX_RECEIPT_BYTES:
        raise ProofError(f"found a receipt of {len(data)} bytes, expected at most {MAX_RECEIPT_BYTES}")
    kind = data[0] if data and 0 < data[0] <= MAX_TYPE else 0
    try:
        items = split_fields(data[1:] if kind else data, 4)
        return Receipt(
            kind=kind,
            succeeded=_decode_status(items[0]),
            cumulative_gas_used=decode_uint(items[1], 64),
            bloom=decode_fixed(items[2], BLOOM_BYTES),
            logs=tuple([_decode_log(place, item) for place, item in enumerate(split_list(items[3], MAX_LOGS))]),
        )
    except ProofError as error:
        raise ProofError(f"the receipt is malformed: {error}") from error


def build_receipts_trie(receipts: Sequence[Receipt]) -> Trie:
    """Build the trie of a block's receipts, all of them in their order: its root is the header's receipts root."""
    return build_trie({encode_uint(index): encode_receipt(receipt) for index, receipt in enumerate(receipts)})


def build_receipt_proof(trie: Trie, index: int) -> list[bytes]:
    """Collect the nodes that show the receipt of the transaction with this index in the block."""
    return build_trie_proof(trie, encode_uint(index))


def verify_receipt(receipts_root: Hash32, index: int, proof: Sequence[bytes]) -> Receipt:
    """Prove the receipt of the transaction with this index in the block, under a header's receipts root.

    Raises ProofError, naming the receipt and what failed, also when it is shown that there is no such transaction.
    """
    validate_uint("the transaction's index", index, 32)
    try:
        value = verify_trie_proof(receipts_root, encode_uint(index), proof)
        receipt = None if value is None else decode_receipt(value)
    except ProofError as error:
        raise ProofError(f"receipt proof of transaction {index}: {error}") from error
    if receipt is None:
        raise ProofError(f"receipt proof of transaction {index}: it shows that the block has no such transaction")
    return receipt


def _encode_log(log: Log) -> bytes:
    return encode_list(
        (encode_string(log.address), encode_list(map(encode_string, log.topics)), encode_string(log.data))
    )


def _decode_log(place: int, item: bytes) -> Log:
    try:
        parts = split_fields(item, 3)
        address = Address(decode_fixed(parts[0], 20))
        topics = tuple([Hash32(decode_fixed(topic, 32)) for topic in split_list(parts[1], MAX_TOPICS)])
        return Log(address, topics, decode_string(parts[2]))
    except ProofError as error:
        raise ProofError(f"log {place}: {error}") from error


def _decode_status(item: bytes) -> bool:
    status = decode_string(item)
    if status == b"\x01":
        return True
    if not status:
        return False
    raise ProofError(f"found a status of {len(status)} bytes, expected 0 or 1 as receipts have it since Byzantium")
