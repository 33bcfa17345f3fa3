"""Runs revisions over the connection, and within the transaction, that `indexer.storage.migrate` passes."""

from __future__ import annotations

from alembic import context

from indexer.storage.migrate import VERSION_TABLE
from indexer.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=VERSION_TABLE
)
context.run_migrations()
