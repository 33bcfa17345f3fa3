"""A voter's receipt: the batch that a ballot went in with, and that the block with this hash has it.

    {"kind":"receipt","version":1,"chain_id":1,"box":"0x…","header":"0x…","transaction":3,"nodes":["0x…",…],"log":0,
     "position":5}

in one line and one form, as the lines of evidence. It shows that the contract at this address wrote the batch into its
log; that this contract is a ballot box, and that the batch was counted, is shown by the election's evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from qballot.core.bounds import validate_length
from qballot.core.proof.header import MAX_HEADER_BYTES
from qballot.core.proof.hex_values import encode_hex, read_all_hex, read_fixed_hex, read_hex
from qballot.core.proof.receipt import MAX_LOGS, MAX_RECEIPT_BYTES
from qballot.core.types import Address, ChainId
from qballot.core.versions import refuse_unknown_file
from qballot.errors import DecodeError

RECEIPT_VERSION: Final = 1
"""Value of `version`; a change of the form is a new number."""

MAX_RECEIPT_FILE_BYTES: Final = 2 * MAX_RECEIPT_BYTES + 2**16
"""Longest receipt file: the longest receipt in hex, with the nodes above it and a header."""


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """One ballot's receipt, not verified yet.

    chain_id: claimed. box: whose log it is. header: encoded. transaction_index: in the block. nodes: of the receipts
    trie, root first. log_index: in the transaction's receipt. position: of the record in its batch, from 0.
    """

    chain_id: ChainId
    box: Address
    header: bytes = field(repr=False)
    transaction_index: int
    nodes: tuple[bytes, ...] = field(repr=False)
    log_index: int
    position: int

    def __post_init__(self) -> None:
        validate_length("box", self.box, 20)


class _Document(msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", tag="receipt"):
    """The file's JSON, its keys in their order."""

    version: int
    chain_id: int
    box: str
    header: str
    transaction: int
    nodes: list[str]
    log: int
    position: int


def write_receipt_file(receipt: ReceiptFile) -> bytes:
    """Write the file's bytes, in the one form that it has, with a line's end."""
    return _encode(
        _Document(
            RECEIPT_VERSION,
            receipt.chain_id,
            encode_hex(receipt.box),
            encode_hex(receipt.header),
            receipt.transaction_index,
            [encode_hex(node) for node in receipt.nodes],
            receipt.log_index,
            receipt.position,
        )
    )


def read_receipt_file(data: bytes) -> ReceiptFile:
    """Read the file's bytes; whether it proves is not said.

    Raises UnknownVersionError for a later version's, DecodeError when they are not in the one form.
    """
    if len(data) > MAX_RECEIPT_FILE_BYTES:
        raise DecodeError(f"found a receipt file of {len(data)} bytes, expected at most {MAX_RECEIPT_FILE_BYTES}")
    refuse_unknown_file(data, "receipt", RECEIPT_VERSION)
    try:
        document = msgspec.json.decode(data, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"this is no receipt: {error}") from error
    if _encode(document) != data:
        raise DecodeError("the receipt is not in its one form: keys in their order, no blanks, one line with its end")
    for name, value, limit in (
        ("chain_id", document.chain_id, 2**63),
        ("transaction", document.transaction, 2**32),
        ("log", document.log, MAX_LOGS),
        ("position", document.position, 2**32),
    ):
        if not 0 <= value < limit:
            raise DecodeError(f"{name}: found {value}, expected 0 … {limit - 1}")
    return ReceiptFile(
        ChainId(document.chain_id),
        Address(read_fixed_hex(document.box, "box", 20)),
        read_hex(document.header, "header", MAX_HEADER_BYTES),
        document.transaction,
        tuple(read_all_hex(document.nodes, "node", MAX_RECEIPT_FILE_BYTES)),
        document.log,
        document.position,
    )


def _encode(document: _Document) -> bytes:
    return msgspec.json.encode(document) + b"\n"
