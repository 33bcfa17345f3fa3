"""A block's header, whose hash is the block's hash: what everything else is proved against.

A header is a list whose fields are known by their places alone. `qballot.core.forks` has one row for each fork and says
which fields its headers have; a number of fields that no fork has is refused rather than guessed.

Source: Ethereum Yellow Paper §4.4.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from qballot.core.forks import FIELDS, FORKS, Field, count_fields, find_fork
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
from qballot.errors import ProofError, UnknownHeaderError

MAX_HEADER_BYTES: Final = 1024
"""Longer than any header of these fields."""


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a header, in the order of `FIELDS`; those that its fork does not have are None.

    timestamp: unix seconds. mix_hash: since the merge the block's RANDAO mix, the randomness that a lot is drawn from.
    logs_bloom: 256 bytes. difficulty: 0 since the merge. base_fee_per_gas: in wei. gas_used: since Amsterdam not the
    last receipt's cumulative gas (EIP-7778, EIP-8037). slot_number: of the beacon chain.
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
    block_access_list_hash: Hash32 | None = None
    slot_number: int | None = None


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

    Raises ProofError, naming the field, when the bytes are no header; UnknownHeaderError when no fork in `FORKS` has so
    many fields.
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
    """Raise UnknownHeaderError unless some fork that is known here has headers of so many fields."""
    if find_fork(count) is not None:
        return
    added = [fork for fork in FORKS if fork.added_fields]
    known = ", ".join(f"{count_fields(fork)} since {fork.name}" for fork in added)
    advice = ": it is of a later fork, update to a QBallot that knows it" if count > len(FIELDS) else ""
    raise UnknownHeaderError(f"found a header of {count} fields, expected {known}{advice}")


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
