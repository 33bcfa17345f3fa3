"""A block's header, whose hash is the block's hash: what everything else is proved against.

A header is a list whose fields are told by their places alone, and each fork since London only ever added some at the
end. So the number of fields says which fork's rules they follow, and a number that is none of these is a later fork's,
which is refused rather than guessed.

    fields  since      what was added
    16      London     baseFeePerGas
    17      Shanghai   withdrawalsRoot
    20      Cancun     blobGasUsed, excessBlobGas, parentBeaconBlockRoot
    21      Prague     requestsHash                                                 (Osaka adds none)

Source: Ethereum Yellow Paper §4.4.3; EIP-1559, EIP-4399, EIP-4895, EIP-4844, EIP-4788, EIP-7685.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from qballot.core.bloom import BLOOM_BYTES
from qballot.core.keccak import keccak
from qballot.core.proof.rlp import (
    decode_fixed,
    decode_string,
    decode_uint,
    encode_list,
    encode_string,
    encode_uint,
    split_list,
)
from qballot.core.types import Address, BlockNumber, Hash32, UnixSeconds
from qballot.errors import ProofError

MAX_EXTRA_BYTES: Final = 32
"""Longest extraData."""

FORKS: Final = {16: "London", 17: "Shanghai", 20: "Cancun", 21: "Prague"}
"""The fork that first had headers of so many fields."""


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a header in their order; those that its fork does not have are None.

    timestamp: unix seconds. mix_hash: since the merge the block's RANDAO mix, the randomness that a lot is drawn from.
    logs_bloom: 256 bytes. difficulty: 0 since the merge. base_fee_per_gas: in wei.
    """

    parent_hash: Hash32
    uncles_hash: Hash32
    fee_recipient: Address
    state_root: Hash32
    transactions_root: Hash32
    receipts_root: Hash32
    logs_bloom: bytes
    difficulty: int
    number: BlockNumber
    gas_limit: int
    gas_used: int
    timestamp: UnixSeconds
    extra_data: bytes
    mix_hash: Hash32
    nonce: bytes
    base_fee_per_gas: int
    withdrawals_root: Hash32 | None = None
    blob_gas_used: int | None = None
    excess_blob_gas: int | None = None
    parent_beacon_block_root: Hash32 | None = None
    requests_hash: Hash32 | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a header.

    name: that of JSON-RPC. size: of a string, in bytes. bits: of a number, 0 where it is a string. is_fixed: whether a
    string has exactly `size` bytes; otherwise it has at most so many.
    """

    name: str
    size: int = 32
    bits: int = 0
    is_fixed: bool = True


FIELDS: Final = (
    Field("parentHash"),
    Field("sha3Uncles"),
    Field("miner", 20),
    Field("stateRoot"),
    Field("transactionsRoot"),
    Field("receiptsRoot"),
    Field("logsBloom", BLOOM_BYTES),
    Field("difficulty", 0, 256),
    Field("number", 0, 63),
    Field("gasLimit", 0, 64),
    Field("gasUsed", 0, 64),
    Field("timestamp", 0, 63),
    Field("extraData", MAX_EXTRA_BYTES, is_fixed=False),
    Field("mixHash"),
    Field("nonce", 8),
    Field("baseFeePerGas", 0, 256),
    Field("withdrawalsRoot"),
    Field("blobGasUsed", 0, 64),
    Field("excessBlobGas", 0, 64),
    Field("parentBeaconBlockRoot"),
    Field("requestsHash"),
)
"""The fields of `Header`, in the same order."""

MAX_HEADER_BYTES: Final = 1024
"""Longer than any header of these fields."""

_values = attrgetter(*Header.__slots__)


def encode_header(header: Header) -> bytes:
    """Encode a header as it is hashed."""
    values: tuple[int | bytes | None, ...] = _values(header)
    return encode_list(
        encode_uint(value) if isinstance(value, int) else encode_string(value) for value in values if value is not None
    )


def hash_header(header: Header) -> Hash32:
    """Compute the block's hash."""
    return keccak(encode_header(header))


def decode_header(data: bytes) -> Header:
    """Read an encoded header; encoding it gives the same bytes again.

    Raises ProofError, naming the field, when the bytes are not a header of one of the forks in `FORKS`.
    """
    if len(data) > MAX_HEADER_BYTES:
        raise ProofError(f"found a header of {len(data)} bytes, expected at most {MAX_HEADER_BYTES}")
    try:
        items = split_list(data, MAX_HEADER_BYTES)
    except ProofError as error:
        raise ProofError(f"the header is not a list of fields: {error}") from error
    validate_fields(len(items))
    return Header(*map(_decode_field, FIELDS, items))  # type: ignore[arg-type]  # each field knows its own type


def validate_fields(count: int) -> None:
    """Raise ProofError unless headers of so many fields belong to a fork that is known here."""
    if count in FORKS:
        return
    known = ", ".join(f"{fields} since {fork}" for fields, fork in FORKS.items())
    advice = ": it is of a later fork, take a newer QBallot that knows it" if count > max(FORKS) else ""
    raise ProofError(f"found a header of {count} fields, expected {known}{advice}")


def _decode_field(field: Field, item: bytes) -> bytes | int:
    try:
        if field.bits:
            return decode_uint(item, field.bits)
        if field.is_fixed:
            return decode_fixed(item, field.size)
        value = decode_string(item)
    except ProofError as error:
        raise ProofError(f"header field {field.name}: {error}") from error
    if len(value) > field.size:
        raise ProofError(f"header field {field.name}: found {len(value)} bytes, expected at most {field.size}")
    return value
