"""A box's ballots may be signed as text, and an election may be of a version that the indexer does not know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No earlier version's factory made boxes of text ballots.
    op.add_column("elections", sa.Column("text_ballots", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("elections", sa.Column("unknown_version", sa.BigInteger(), nullable=True))
