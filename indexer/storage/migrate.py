"""Bringing a database's schema up to date with the program, by Alembic's revisions in `migrations/versions/`."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from qballot.errors import StorageError

VERSION_TABLE = "qballot_schema"
"""Name of the table with the schema's revision: our own, since Alembic's usual one may be another program's."""

_POSTGRESQL_LOCK = 0x7142616C6C6F74  # "qBallot": any constant does; two programs must not migrate at once


def upgrade_schema(connection: Connection) -> None:
    """Run the revisions that the database lacks, within the connection's transaction.

    Raises StorageError when the database is of a revision that this program does not know.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
    config = _configure(connection)
    found, latest = _find_revisions(connection, config)
    if found != (latest,):
        command.upgrade(config, "head")


def check_schema(connection: Connection, name: str) -> None:
    """Check that a database has this program's schema, and change nothing. name: the database's, for people.

    Raises StorageError when it has none, an older one, or one that this program does not know.
    """
    found, latest = _find_revisions(connection, _configure(connection))
    if not found:
        raise StorageError(f"nothing is indexed yet in {name}: run `qballot index` first")
    if found != (latest,):
        raise StorageError(
            f"found a database with the schema {', '.join(found)}, expected {latest}: an older qballot has made it; "
            "start `qballot index`, which brings it up to date, or run that version"
        )


def _configure(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "indexer.storage:migrations")
    config.attributes["connection"] = connection
    return config


def _find_revisions(connection: Connection, config: Config) -> tuple[tuple[str, ...], str]:
    """Return the revisions that the database has, and the latest that there is. Raises StorageError for unknown."""
    known = [revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()]
    found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_heads()
    unknown = [revision for revision in found if revision not in known]
    if unknown:
        raise StorageError(
            f"found a database with the schema {', '.join(unknown)}, expected at most {known[0]}: "
            "a newer qballot has changed it; run that version, or index again into a new database"
        )
    return found, known[0]
