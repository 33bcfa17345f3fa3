"""Runs revisions over the connection, and within the transaction, that `indexer.storage.migrate` passes."""

from __future__ import annotations

from alembic import context

from indexer.storage import ledger_tables, tables  # noqa: F401 -- they fill METADATA
from indexer.storage.migrate import VERSION_TABLE
from indexer.storage.table_base import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=VERSION_TABLE
)
context.run_migrations()
