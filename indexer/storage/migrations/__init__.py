"""Alembic revisions, in `versions/`. They are run by `indexer.storage.migrate` whenever a database is opened."""
