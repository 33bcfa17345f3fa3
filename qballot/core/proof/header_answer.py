"""A header from what a node answers to `eth_getBlockByNumber` or `eth_getBlockByHash`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from qballot.core.forks import FIELDS, FORKS, Field, count_fields
from qballot.core.proof.header import Header, decode_header, hash_header, validate_fields
from qballot.core.proof.json_values import read_bytes, read_fixed, read_object, read_uint
from qballot.core.proof.rlp import encode_list, encode_string, encode_uint
from qballot.errors import ProofError, UnknownHeaderError

BESIDES: Final = frozenset({"hash", "size", "totalDifficulty", "transactions", "uncles", "withdrawals"})
"""What an answer holds besides the fields of the header."""

_MOST_NAMED = 8
"""Most fields that an error names."""

_MOST_LETTERS = 40
"""Most letters of each."""

_KNOWN = BESIDES | {field.name for field in FIELDS}
_FEWEST = count_fields(FORKS[0])
_NO_LETTER = re.compile(r"[^A-Za-z0-9_]")


def decode_header_answer(answer: object) -> Header:
    """Read the header from a block as JSON-RPC has it, and check that it has the hash that the answer gives it.

    answer: the parsed `result`. That the hash is the chain's is for the caller to know.
    Raises ProofError, naming what is wrong: a field that is malformed, or a hash that is not that of these fields;
    UnknownHeaderError where it looks like another kind of header: it has fields together that no fork has, or more
    extraData than Ethereum allows, or it has unknown fields and its known ones alone do not have its hash.
    """
    block = read_object(answer, "the block")
    unknown = _list_unknown(block)
    try:
        return _decode(block)
    except UnknownHeaderError as error:
        if error.fields or not unknown:
            raise
        raise UnknownHeaderError(f"{error}; {_explain(unknown)}", fields=unknown) from error
    except ProofError as error:
        if not unknown:
            raise
        raise UnknownHeaderError(f"{error}; {_explain(unknown)}", fields=unknown) from error


def _decode(block: Mapping[str, object]) -> Header:
    present = [block.get(field.name) is not None for field in FIELDS]
    count = sum(present)
    if count < _FEWEST or not all(present[:count]):
        # The first field that is missing, although a later one is there or every header has it.
        missing = FIELDS[present.index(False)].name
        raise UnknownHeaderError(f"header field {missing} is missing, expected it in a header of London or later")
    validate_fields(count)
    header = decode_header(encode_list(_encode_field(field, block[field.name]) for field in FIELDS[:count]))
    claimed = read_fixed(block.get("hash"), "block field hash", 32)
    if (found := hash_header(header)) != claimed:
        raise ProofError(
            f"the fields of block {header.number} hash to 0x{found.hex()}, but its hash is given as 0x{claimed.hex()}"
        )
    return header


def _encode_field(field: Field, value: object) -> bytes:
    name = f"header field {field.name}"
    if field.bits:
        return encode_uint(read_uint(value, name))
    if not field.is_fixed and isinstance(value, str) and len(value) > 2 + 2 * field.size:
        # Chains that are run by a few signers keep their signatures here.
        raise UnknownHeaderError(
            f"{name}: found {(len(value) - 2) // 2} bytes, expected at most {field.size}", fields=[field.name]
        )
    return encode_string(read_bytes(value, name, field.size))


def _list_unknown(block: Mapping[str, object]) -> list[str]:
    """Name the fields that are unknown here. Absent and null are the same to nodes."""
    names = sorted(name for name, value in block.items() if value is not None and name not in _KNOWN)
    return [_NO_LETTER.sub("?", name[:_MOST_LETTERS]) for name in names[:_MOST_NAMED]]


def _explain(unknown: list[str]) -> str:
    return (
        f"it also has {', '.join(unknown)}, unknown here: if that is a later fork's, update to a QBallot that knows it"
    )
