"""Between the rows of `proof_tables.py` and the values of `proof_model.py`, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping

from indexer.storage.proof_model import DueBox, KeptProof, Naming, ProofMark, Repair, UnknownHeader
from indexer.storage.rows import block_values, read_arguments, read_block
from qballot.core.proof import HeadProof
from qballot.core.proof.rlp import decode_string, encode_list, encode_string, split_fields, split_list
from qballot.core.types import Address, BlockNumber, Hash32

_MOST_NODES = 1_000
_MOST_HEADERS = 100_000


def proof_values(kept: KeptProof) -> dict[str, Any]:
    """Give all columns of a proof."""
    proof = kept.proof
    return {
        "box": kept.box,
        **block_values(kept.block),
        "head": kept.head,
        "header": kept.header,
        "nodes": encode_list(map(_encode_strings, (proof.box, proof.implementation, proof.head))),
        "lot": _encode_strings(kept.lot),
        "operator": kept.operator,
    }


def naming_values(naming: Naming) -> dict[str, Any]:
    """Give all columns of what an operator said."""
    return {
        "block_hash": naming.block_hash,
        "operator": naming.operator,
        "block_number": naming.block_number,
        "named_hash": naming.named_hash,
        "is_final": naming.is_final,
        "named_at_unix": naming.named_at_unix,
    }


def repair_values(repair: Repair) -> dict[str, Any]:
    """Give all columns of a repair."""
    return {
        "id": repair.number,
        "box": repair.box,
        "observed_at_unix": repair.observed_at_unix,
        "block_number": repair.block_number,
        "first_sequence": repair.first_sequence,
        "removed_batches": repair.removed_batches,
        "removed_records": repair.removed_records,
        "added_batches": repair.added_batches,
        "added_records": repair.added_records,
        "source": repair.source,
    }


def unknown_header_values(unknown: UnknownHeader) -> dict[str, Any]:
    """Give all columns of a header that is unknown."""
    return {**block_values(unknown.block), "fields": ",".join(unknown.fields), "problem": unknown.problem}


def read_proof(row: RowMapping) -> KeptProof:
    """Read a proof's columns."""
    box, implementation, head = (_decode_strings(part, _MOST_NODES) for part in split_fields(bytes(row["nodes"]), 3))
    return KeptProof(
        box=Address(bytes(row["box"])),
        block=read_block(row),
        head=Hash32(bytes(row["head"])),
        header=bytes(row["header"]),
        proof=HeadProof(box, implementation, head),
        operator=row["operator"],
        lot=_decode_strings(bytes(row["lot"]), _MOST_HEADERS),
    )


def read_mark(row: RowMapping, prefix: str = "") -> ProofMark:
    """Read the columns of a proof that say what it is of, whose names begin with `prefix`."""
    return ProofMark(
        box=Address(bytes(row[f"{prefix}box"])),
        block=read_block(row, f"{prefix}block_"),
        head=Hash32(bytes(row[f"{prefix}head"])),
        operator=row[f"{prefix}operator"],
        has_lot=row[f"{prefix}has_lot"],
    )


def read_due(row: RowMapping) -> DueBox:
    """Read an election's row joined with its newest proof's, whose columns are named `proof_…`."""
    return DueBox(
        number=row["id"],
        box=Address(bytes(row["box"])),
        head=Hash32(bytes(row["head"])),
        salt=Hash32(bytes(row["salt"])),
        arguments=read_arguments(row),
        newest=None if row["proof_box"] is None else read_mark(row, "proof_"),
    )


def read_naming(row: RowMapping) -> Naming:
    """Read the columns of what an operator said."""
    return Naming(
        block_number=BlockNumber(row["block_number"]),
        block_hash=Hash32(bytes(row["block_hash"])),
        operator=row["operator"],
        named_hash=Hash32(bytes(row["named_hash"])),
        is_final=row["is_final"],
        named_at_unix=row["named_at_unix"],
    )


def read_repair(row: RowMapping) -> Repair:
    """Read a repair's columns."""
    return Repair(
        number=row["id"],
        box=Address(bytes(row["box"])),
        observed_at_unix=row["observed_at_unix"],
        block_number=BlockNumber(row["block_number"]),
        first_sequence=row["first_sequence"],
        removed_batches=row["removed_batches"],
        removed_records=row["removed_records"],
        added_batches=row["added_batches"],
        added_records=row["added_records"],
        source=row["source"],
    )


def read_unknown_header(row: RowMapping) -> UnknownHeader:
    """Read the columns of a header that is unknown."""
    fields = row["fields"]
    return UnknownHeader(read_block(row), tuple(fields.split(",")) if fields else (), row["problem"])


def _encode_strings(strings: Sequence[bytes]) -> bytes:
    return encode_list(map(encode_string, strings))


def _decode_strings(data: bytes, most: int) -> tuple[bytes, ...]:
    return tuple(map(decode_string, split_list(data, most)))
