"""What a census is cut into is called a sheet."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

RENAMED = (
    ("elections", "ward_bits", "sheet_bits"),
    ("elections", "ward_roots", "sheet_roots"),
    ("ledger_censuses", "ward_bits", "sheet_bits"),
)


def upgrade() -> None:
    for table, before, after in RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {before} TO {after}")
