"""The index of elections, batches and ballots, and what was observed of the chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _source_columns() -> list[sa.Column[int] | sa.Column[bytes]]:
    return [_big("block_number"), _bytes("block_hash"), _big("log_index"), _bytes("transaction_hash")]


def upgrade() -> None:
    _create_index_tables()
    _create_observation_tables()


def _create_index_tables() -> None:
    op.create_table(
        "chain_cursor",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        _big("chain_id"),
        _bytes("factory"),
        _big("block_number", nullable=True),
        sa.Column("block_hash", sa.LargeBinary(), nullable=True),
        _big("block_timestamp", nullable=True),
    )
    op.create_table(
        "elections",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        _bytes("box"),
        *_source_columns(),
        *[_bytes(name) for name in ("salt", "organizer", "definition_hash", "definition")],
        *[_big(name) for name in ("opens_at", "closes_at")],
        sa.Column("ward_bits", sa.Integer(), nullable=False),
        _big("voters"),
        sa.Column("max_ballot_bytes", sa.Integer(), nullable=False),
        *[_bytes(name) for name in ("ward_roots", "head")],
        *[_big(name) for name in ("batches", "records")],
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("invalid_reason", sa.String(), nullable=True),
        sa.UniqueConstraint("box", name="uq_elections_box"),
        sa.UniqueConstraint("block_hash", "log_index", name="uq_elections_block_hash_log_index"),
    )
    op.create_table(
        "batches",
        sa.Column("election_id", sa.Integer(), sa.ForeignKey("elections.id"), primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger(), primary_key=True, autoincrement=False),
        *_source_columns(),
        _big("first_position"),
        sa.Column("records", sa.Integer(), nullable=False),
        _bytes("head"),
        sa.UniqueConstraint("block_hash", "log_index", name="uq_batches_block_hash_log_index"),
    )
    op.create_table(
        "ballots",
        sa.Column("election_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
        *[_big(name) for name in ("batch_sequence", "voter", "cast_at")],
        sa.Column("weight", sa.String(), nullable=False),
        _bytes("ballot"),
    )
    op.create_index("ix_ballots_election_id_voter_position", "ballots", ["election_id", "voter", "position"])


def _create_observation_tables() -> None:
    op.create_table(
        "head_checks",
        sa.Column("election_id", sa.Integer(), sa.ForeignKey("elections.id"), primary_key=True, autoincrement=False),
        _big("block_number"),
        _bytes("block_hash"),
        _big("block_timestamp"),
        _bytes("recomputed_head"),
        sa.Column("chain_head", sa.LargeBinary(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
    )
    op.create_table(
        "chain_observations",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        _big("block_number"),
        _bytes("block_hash"),
        _big("block_timestamp"),
        sa.Column("observed_at_unix", sa.Float(), nullable=False),
    )
