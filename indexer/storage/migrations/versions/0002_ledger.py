"""The ledger: what cannot be read again from the chain. First in it: imported censuses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_censuses",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("census_hash", sa.LargeBinary(), nullable=False),
        sa.Column("voters", sa.BigInteger(), nullable=False),
        sa.Column("ward_bits", sa.Integer(), nullable=False),
        sa.Column("recipe", sa.LargeBinary(), nullable=True),
        sa.UniqueConstraint("census_hash", name="uq_ledger_censuses_census_hash"),
    )
    op.create_table(
        "ledger_census_voters",
        sa.Column("census_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("voter", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("weight", sa.String(), nullable=False),
    )
    op.create_index("ix_ledger_census_voters_census_id_address", "ledger_census_voters", ["census_id", "address"])
    op.create_table(
        "ledger_election_censuses",
        sa.Column("box", sa.LargeBinary(), primary_key=True),
        sa.Column("census_id", sa.Integer(), sa.ForeignKey("ledger_censuses.id"), nullable=False),
    )
