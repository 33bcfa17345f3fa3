"""The followed chain's blocks, what is final, what reorganisations took away; and every election's tally, kept up.

The tally of the ballots that are there already is counted here. On SQLite batches and ballots are laid out anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from qballot.core.effective import VoterBallots
from qballot.core.records import Record

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KEY_BYTES = 32
_ROWS_AT_ONCE = 5_000


def _bytes(name: str, *, primary_key: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), primary_key=primary_key, nullable=False)


def _big(name: str, *, primary_key: bool = False, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), primary_key=primary_key, autoincrement=False, nullable=nullable)


def _number(name: str, *foreign: sa.ForeignKey) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), *foreign, primary_key=True, autoincrement=False)


def _source_columns() -> list[sa.Column[int] | sa.Column[bytes]]:
    return [_big("block_number"), _bytes("block_hash"), _big("log_index"), _bytes("transaction_hash")]


def upgrade() -> None:
    _create_chain_tables()
    _create_orphan_tables()
    _create_tally()
    connection = op.get_bind()
    for (election,) in connection.execute(sa.text("SELECT id FROM elections WHERE records > 0")).all():
        _count(connection, election)
    if connection.dialect.name == "sqlite":
        _lay_out_sqlite()


def _create_chain_tables() -> None:
    op.create_table("blocks", _big("number", primary_key=True), _bytes("hash"), _big("timestamp"))
    op.create_table(
        "finality",
        _number("id"),
        _big("block_number"),
        _bytes("block_hash"),
        _big("block_timestamp"),
    )
    op.execute(
        "INSERT INTO blocks (number, hash, timestamp) "
        "SELECT block_number, block_hash, block_timestamp FROM chain_cursor WHERE block_number IS NOT NULL"
    )
    op.create_table(
        "reorgs",
        _number("id"),
        sa.Column("observed_at_unix", sa.Float(), nullable=False),
        _big("fork_number"),
        _bytes("fork_hash"),
        _big("old_number"),
        _bytes("old_hash"),
        _big("depth"),
    )


def _create_orphan_tables() -> None:
    op.create_table(
        "orphaned_elections",
        _number("reorg_id", sa.ForeignKey("reorgs.id")),
        _bytes("box", primary_key=True),
        *_source_columns(),
        _bytes("organizer"),
        _bytes("definition_hash"),
    )
    op.create_table(
        "orphaned_batches",
        _number("reorg_id", sa.ForeignKey("reorgs.id")),
        _bytes("box", primary_key=True),
        _big("sequence", primary_key=True),
        *_source_columns(),
        _big("first_position"),
        sa.Column("records", sa.Integer(), nullable=False),
        _bytes("head"),
        _bytes("packed"),
    )


def _create_tally() -> None:
    # The defaults are for the rows that are there; the program always says what it writes.
    op.add_column("elections", _big("cancelled_at_block", nullable=True))
    op.add_column("elections", sa.Column("voters_cast", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("elections", sa.Column("weight_cast", sa.String(), nullable=False, server_default="0"))
    op.create_table(
        "ballot_groups",
        _number("election_id", sa.ForeignKey("elections.id")),
        _bytes("key", primary_key=True),
        _bytes("ballot"),
        _big("ballots"),
        sa.Column("weight", sa.String(), nullable=False),
    )


def _count(connection: sa.Connection, election: int) -> None:
    """Count an election's ballots, one voter's after another's, and write its groups and turnout."""
    voters, groups = 0, dict[bytes, tuple[int, int]]()
    for record in _stream_counting(connection, election):
        ballots, weight = groups.get(record.ballot, (0, 0))
        groups[record.ballot] = (ballots + 1, weight + record.weight)
        voters += 1
    insert = sa.text(
        "INSERT INTO ballot_groups (election_id, key, ballot, ballots, weight) VALUES (:id, :key, :ballot, :n, :weight)"
    )
    for ballot, (number, weight) in groups.items():
        key = ballot if len(ballot) < _KEY_BYTES else sha256(ballot).digest()
        values = {"id": election, "key": key, "ballot": ballot, "n": number, "weight": str(weight)}
        connection.execute(insert, values)
    total = sum(weight for _, weight in groups.values())
    update = sa.text("UPDATE elections SET voters_cast = :voters, weight_cast = :weight WHERE id = :id")
    connection.execute(update, {"id": election, "voters": voters, "weight": str(total)})


def _stream_counting(connection: sa.Connection, election: int) -> Iterator[Record]:
    """Give the record that counts of every voter."""
    query = sa.text(
        "SELECT voter, cast_at, weight, ballot FROM ballots WHERE election_id = :id ORDER BY voter, position"
    )
    rows: Any = connection.execute(query, {"id": election}, execution_options={"yield_per": _ROWS_AT_ONCE})
    for _, own in groupby(rows, key=lambda row: row.voter):
        records = map(_read, own)
        voter = VoterBallots(next(records))
        for record in records:
            voter.apply(record)
        yield voter.counting


def _read(row: Any) -> Record:
    return Record(row.voter, row.cast_at, int(row.weight), bytes(row.ballot))  # type: ignore[arg-type]


def _lay_out_sqlite() -> None:
    """Keep batches and ballots by their primary key. Only a new table can be laid out otherwise."""
    for table in ("batches", "ballots"):
        definition = op.get_bind().scalar(
            sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name"), {"name": table}
        )
        op.rename_table(table, f"{table}_before")
        op.execute(f"{definition} WITHOUT ROWID")
        op.execute(f"INSERT INTO {table} SELECT * FROM {table}_before")  # noqa: S608
        op.drop_table(f"{table}_before")
    op.create_index("ix_ballots_election_id_voter_position", "ballots", ["election_id", "voter", "position"])
