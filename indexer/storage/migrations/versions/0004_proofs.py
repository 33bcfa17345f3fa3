"""Proofs of boxes' heads, who names their blocks, and what they have put right.

Batches lose their foreign key: PostgreSQL checks it row by row, which is a third of what writing a batch costs.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_FOREIGN_KEY = re.compile(r",\s*FOREIGN KEY\s*\(election_id\)\s*REFERENCES\s+elections\s*\(id\)")


def _bytes(name: str, *, primary_key: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), primary_key=primary_key, nullable=False)


def _big(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _free_batches(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        op.drop_constraint("batches_election_id_fkey", "batches", type_="foreignkey")
        return
    # SQLite drops no constraint: a new table is made without it.
    made_by = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'batches'")
    definition, found = _FOREIGN_KEY.subn("", connection.scalar(made_by) or "")
    if found != 1:
        raise RuntimeError(f"found {found} foreign keys of batches, expected 1")
    op.rename_table("batches", "batches_before")
    op.execute(definition)
    op.execute("INSERT INTO batches SELECT * FROM batches_before")
    op.drop_table("batches_before")


def upgrade() -> None:
    _free_batches(op.get_bind())
    # The default is for the rows that are there, which no proof stands behind.
    op.add_column("head_checks", sa.Column("is_proven", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "ledger_proofs",
        _bytes("box", primary_key=True),
        _bytes("block_hash", primary_key=True),
        _big("block_number"),
        _big("block_timestamp"),
        *(_bytes(name) for name in ("head", "header", "nodes", "lot")),
        sa.Column("operator", sa.String(), nullable=False),
    )
    op.create_table(
        "namings",
        _bytes("block_hash", primary_key=True),
        sa.Column("operator", sa.String(), primary_key=True),
        _big("block_number"),
        _bytes("named_hash"),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("named_at_unix", sa.Float(), nullable=False),
    )
    op.create_table(
        "repairs",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        _bytes("box"),
        sa.Column("observed_at_unix", sa.Float(), nullable=False),
        *(
            _big(name)
            for name in (
                "block_number", "first_sequence", "removed_batches", "removed_records", "added_batches",
                "added_records",
            )
        ),
        sa.Column("source", sa.String(), nullable=False),
    )  # fmt: skip
    op.create_index("ix_repairs_box", "repairs", ["box"])
