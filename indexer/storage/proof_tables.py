"""Tables about what is proven: proofs, who names their blocks, what proofs have put right, and why none follow.

A node gives proofs of its last blocks alone, so that they are the ledger's; what an endpoint says of a block can be
asked again. `migrations/` creates them.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, func
from sqlmodel import Field

from indexer.storage.table_base import Row, table_of


class LedgerProofRow(Row, table=True):
    """A box's head proved at a block. By the box's address, which the same election has in every index.

    `nodes` is the RLP of three lists of trie nodes, `lot` that of a list of headers: see `proof_rows.py`.
    """

    __tablename__ = "ledger_proofs"

    box: bytes = Field(primary_key=True)
    block_hash: bytes = Field(primary_key=True)
    block_number: int = Field(sa_type=BigInteger)
    block_timestamp: int = Field(sa_type=BigInteger)
    head: bytes
    header: bytes
    nodes: bytes
    lot: bytes
    operator: str


class NamingRow(Row, table=True):
    """What an operator says of the block that a proof is of."""

    __tablename__ = "namings"

    block_hash: bytes = Field(primary_key=True)
    operator: str = Field(primary_key=True)
    block_number: int = Field(sa_type=BigInteger)
    named_hash: bytes
    is_final: bool
    named_at_unix: float


class RepairRow(Row, table=True):
    """A box's batches that were replaced by those that its proven head follows from."""

    __tablename__ = "repairs"

    id: int = Field(primary_key=True)
    box: bytes = Field(index=True)
    observed_at_unix: float
    block_number: int = Field(sa_type=BigInteger)
    first_sequence: int = Field(sa_type=BigInteger)
    removed_batches: int = Field(sa_type=BigInteger)
    removed_records: int = Field(sa_type=BigInteger)
    added_batches: int = Field(sa_type=BigInteger)
    added_records: int = Field(sa_type=BigInteger)
    source: str


class UnknownHeaderRow(Row, table=True):
    """The one row with the first block whose header this version cannot read; none while it reads all of them.

    `fields` are names joined by commas.
    """

    __tablename__ = "unknown_headers"

    id: int = Field(default=1, primary_key=True)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    block_timestamp: int = Field(sa_type=BigInteger)
    fields: str
    problem: str


LEDGER_PROOFS = table_of(LedgerProofRow)
NAMINGS = table_of(NamingRow)
REPAIRS = table_of(RepairRow)
UNKNOWN_HEADERS = table_of(UnknownHeaderRow)


def has_lot() -> ColumnElement[bool]:
    """Whether a proof shows the block that lots are drawn from: the RLP of an empty list is one byte."""
    return func.length(LEDGER_PROOFS.c.lot) > 1
