"""What a node answers, decoded: hex text into bytes and integers, with the fields that we use and no others.

msgspec decodes JSON straight into the small `_…Json` structures; a fixed conversion follows. This is the hot path of
reading logs: web3.py's formatters cost some fifty times more.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from qballot.chain.amounts import format_ether, format_gwei
from qballot.chain.plain_json import decode_plain
from qballot.core.bloom import BLOOM_BYTES
from qballot.core.types import Address, BlockNumber, ChainId, Hash32, UnixSeconds

MAX_INDEX = 2**63 - 1
"""Greatest height, time, place or chain id that is believed: what databases hold, and more than any chain has."""

MAX_QUOTED = 1_000
"""Characters of a wrong value that an error repeats: more than are shown, since a key has to be whole to be masked."""

K = TypeVar("K")
T = TypeVar("T")

_QUANTITY = re.compile("0x[0-9a-fA-F]{1,64}")


class BlockHeader(msgspec.Struct, frozen=True):
    """One block, as far as we use it.

    base_fee_per_gas: in wei, 0 on a chain without EIP-1559. logs_bloom: the filter of the block's logs (core/bloom.py),
    256 bytes, or none where the node does not give it.
    """

    number: BlockNumber
    hash: Hash32
    parent_hash: Hash32
    timestamp: UnixSeconds
    base_fee_per_gas: int = 0
    logs_bloom: bytes = b""


class Log(msgspec.Struct, frozen=True, gc=False):
    """One event that a contract emitted, in a block that the chain held when it was read."""

    address: Address
    topics: tuple[Hash32, ...]
    data: bytes
    block_number: BlockNumber
    block_hash: Hash32
    transaction_hash: Hash32
    log_index: int


class Receipt(msgspec.Struct, frozen=True):
    """What became of a transaction. succeeded: False when it reverted. effective_gas_price: in wei."""

    transaction_hash: Hash32
    block_number: BlockNumber
    block_hash: Hash32
    succeeded: bool
    gas_used: int
    effective_gas_price: int
    logs: tuple[Log, ...]

    def describe(self) -> list[str]:
        """Describe the transaction for people, a line a fact."""
        cost = self.gas_used * self.effective_gas_price
        return [
            f"transaction  0x{self.transaction_hash.hex()}",
            f"block        {self.block_number}",
            f"gas used     {self.gas_used:,} at {format_gwei(self.effective_gas_price)}, {format_ether(cost)} in all",
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the transaction ready for JSON, without its logs."""
        return {
            "transaction": "0x" + self.transaction_hash.hex(),
            "block": self.block_number,
            "gas_used": self.gas_used,
            "gas_price_wei": str(self.effective_gas_price),
        }


class _BlockJson(msgspec.Struct, rename="camel"):
    number: str
    hash: str
    parent_hash: str
    timestamp: str
    base_fee_per_gas: str = "0x0"
    logs_bloom: str | None = None


class _LogJson(msgspec.Struct, rename="camel", gc=False):
    address: str
    topics: tuple[str, ...]
    data: str
    block_number: str
    block_hash: str
    transaction_hash: str
    log_index: str
    removed: bool = False


class _ReceiptJson(msgspec.Struct, rename="camel"):
    transaction_hash: str
    block_number: str
    block_hash: str
    status: str
    gas_used: str
    logs: list[_LogJson]
    effective_gas_price: str = "0x0"


_TEXT = msgspec.json.Decoder(str)
_BLOCK = msgspec.json.Decoder(_BlockJson | None)
_LOGS = msgspec.json.Decoder(list[_LogJson])
_RECEIPT = msgspec.json.Decoder(_ReceiptJson | None)
_RECEIPTS = msgspec.json.Decoder(list[_ReceiptJson] | None)

# Every decode_… below raises msgspec.DecodeError or ValueError for an answer of another form.


def decode_quantity(raw: msgspec.Raw | bytes) -> int:
    """Decode a number, 0x-hex in JSON."""
    return _quantity(_TEXT.decode(raw))


def decode_chain_id(raw: msgspec.Raw | bytes) -> ChainId:
    """Decode a chain's id, 0x-hex in JSON."""
    return ChainId(_index(_TEXT.decode(raw)))


def decode_bytes(raw: msgspec.Raw | bytes) -> bytes:
    """Decode bytes of any length, 0x-hex in JSON."""
    return _bytes(_TEXT.decode(raw))


def decode_hash(raw: msgspec.Raw | bytes) -> Hash32:
    """Decode 32 bytes, 0x-hex in JSON."""
    return _hash(_TEXT.decode(raw))


def decode_block(raw: msgspec.Raw | bytes) -> BlockHeader | None:
    """Decode a block; None when the node does not have it."""
    found = _BLOCK.decode(raw)
    if found is None:
        return None
    return BlockHeader(
        number=BlockNumber(_index(found.number)),
        hash=_hash(found.hash),
        parent_hash=_hash(found.parent_hash),
        timestamp=UnixSeconds(_index(found.timestamp)),
        base_fee_per_gas=_quantity(found.base_fee_per_gas),
        logs_bloom=b"" if found.logs_bloom is None else _bloom(found.logs_bloom),
    )


def decode_logs(raw: msgspec.Raw | bytes) -> list[Log]:
    """Decode a list of logs."""
    return _read_logs(_LOGS.decode(raw))


def decode_receipt(raw: msgspec.Raw | bytes) -> Receipt | None:
    """Decode a receipt; None when the transaction is in no block that the node has."""
    found = _RECEIPT.decode(raw)
    return None if found is None else _receipt(found)


def decode_receipts(raw: msgspec.Raw | bytes) -> list[Receipt] | None:
    """Decode the receipts of one block; None when the node does not have the block."""
    found = _RECEIPTS.decode(raw)
    return None if found is None else [_receipt(item) for item in found]


def decode_any(raw: msgspec.Raw | bytes) -> Any:
    """Decode any JSON value."""
    return decode_plain(raw)


def _receipt(found: _ReceiptJson) -> Receipt:
    return Receipt(
        transaction_hash=_hash(found.transaction_hash),
        block_number=BlockNumber(_index(found.block_number)),
        block_hash=_hash(found.block_hash),
        succeeded=_quantity(found.status) == 1,
        gas_used=_quantity(found.gas_used),
        effective_gas_price=_quantity(found.effective_gas_price),
        logs=tuple(_read_logs(found.logs)),
    )


class _Memo(dict[K, T]):
    """What texts mean, each worked out once."""

    def __init__(self, decode: Callable[[K], T]) -> None:
        super().__init__()
        self._decode = decode

    def __missing__(self, text: K) -> T:
        value = self[text] = self._decode(text)
        return value


def _read_logs(found: Sequence[_LogJson]) -> list[Log]:
    # Most texts of a long list come again and again: blocks, boxes, topics, places in a block.
    hash_of, address_of, index_of, topics_of = _Memo(_hash), _Memo(_address), _Memo(_index), _Memo(_topics)
    logs = []
    for item in found:
        if item.removed:
            raise ValueError("found a log that was removed by a reorganisation, expected logs of the chain")
        logs.append(
            Log(
                address_of[item.address],
                topics_of[item.topics],
                _bytes(item.data),
                BlockNumber(index_of[item.block_number]),
                hash_of[item.block_hash],
                _hash(item.transaction_hash),
                index_of[item.log_index],
            )
        )
    return logs


def _topics(texts: tuple[str, ...]) -> tuple[Hash32, ...]:
    return tuple(map(_hash, texts))


def _quantity(text: str) -> int:
    # int() alone would take underscores, signs and blanks too.
    if not _QUANTITY.fullmatch(text):
        raise ValueError(f"found {text[:MAX_QUOTED]!r}, expected a number below 2**256 as 0x-hex")
    return int(text, 16)


def _index(text: str) -> int:
    value = _quantity(text)
    if value > MAX_INDEX:
        raise ValueError(f"found {text[:MAX_QUOTED]!r}, expected a number below 2**63")
    return value


def _bytes(text: str) -> bytes:
    if text[:2] != "0x":
        raise ValueError(f"found {text[:MAX_QUOTED]!r}, expected bytes as 0x-hex")
    # Unlike bytes.fromhex(), this does not pass over blanks.
    return unhexlify(text[2:])


def _hash(text: str) -> Hash32:
    value = _bytes(text)
    if len(value) != 32:
        raise ValueError(f"found {len(value)} bytes, expected 32")
    return Hash32(value)


def _bloom(text: str) -> bytes:
    value = _bytes(text)
    if len(value) != BLOOM_BYTES:
        raise ValueError(f"found a filter of {len(value)} bytes, expected {BLOOM_BYTES}")
    return value


def _address(text: str) -> Address:
    value = _bytes(text)
    if len(value) != 20:
        raise ValueError(f"found an address of {len(value)} bytes, expected 20")
    return Address(value)
