"""A header from what a node answers to `eth_getBlockByNumber` or `eth_getBlockByHash`."""

from __future__ import annotations

from typing import Final

from qballot.core.proof.header import FIELDS, FORKS, Field, Header, decode_header, hash_header, validate_fields
from qballot.core.proof.json_values import read_bytes, read_fixed, read_object, read_uint
from qballot.core.proof.rlp import encode_list, encode_string, encode_uint
from qballot.errors import ProofError

BESIDES: Final = frozenset({"hash", "size", "totalDifficulty", "transactions", "uncles", "withdrawals"})
"""What an answer holds besides the fields of the header."""

_MOST_NAMED = 8
"""Fields that a message names at most."""


def decode_header_answer(answer: object) -> Header:
    """Read the header from a block as JSON-RPC has it, and check that it has the hash that the answer gives it.

    answer: the parsed `result`. That the hash is the chain's is for the caller to know.
    Raises ProofError, naming what is wrong: a field that is missing or malformed, fields that no fork has together, or
    a hash that is not that of these fields; then the fields that are unknown here are named, for a later fork's header
    would look like this.
    """
    block = read_object(answer, "the block")
    present = [block.get(field.name) is not None for field in FIELDS]
    count = sum(present)
    if count < min(FORKS) or not all(present[:count]):
        # The first field that is missing, although a later one is there or every header has it.
        missing = FIELDS[present.index(False)].name
        raise ProofError(f"header field {missing} is missing, expected it in a header of London or later")
    validate_fields(count)
    header = decode_header(encode_list(_encode_field(field, block[field.name]) for field in FIELDS[:count]))
    claimed = read_fixed(block.get("hash"), "block field hash", 32)
    if (found := hash_header(header)) != claimed:
        raise ProofError(
            f"the fields of block {header.number} hash to 0x{found.hex()}, but its hash is given as "
            f"0x{claimed.hex()}{_name_unknown(set(block))}"
        )
    return header


def _encode_field(field: Field, value: object) -> bytes:
    name = f"header field {field.name}"
    return encode_uint(read_uint(value, name)) if field.bits else encode_string(read_bytes(value, name, field.size))


def _name_unknown(found: set[str]) -> str:
    unknown = sorted(found - BESIDES - {field.name for field in FIELDS})[:_MOST_NAMED]
    if not unknown:
        return ""
    names = ", ".join(name[:40] for name in unknown)
    return f"; it also has {names}, unknown here: if these are a later fork's, take a newer QBallot that knows it"
