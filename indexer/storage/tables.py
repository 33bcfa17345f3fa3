"""The tables. Nothing outside `indexer/storage/` sees them; `migrations/` creates them.

No column holds a uint256 or uint96 as an SQL integer: weights are decimal text. Hashes and addresses are raw bytes.
Rows of the index hold nothing but what follows from the chain, so that a second run gives the same rows;
`head_checks`, `chain_observations` and the tables of `chain_tables.py` and `proof_tables.py` say what was observed on
the way. Tables named `ledger_…` hold what cannot be had again from the chain: reading it anew leaves them alone, and no
row of theirs points to one of the index.

Batches and ballots are kept by their primary key on SQLite too, as one tree instead of two.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from indexer.storage.chain_tables import BLOCKS, FINALITY, ORPHANED_BATCHES, ORPHANED_ELECTIONS, REORGS
from indexer.storage.proof_tables import NAMINGS, REPAIRS, UNKNOWN_HEADERS
from indexer.storage.table_base import Row, table_of


class ChainCursorRow(Row, table=True):
    """The one row that says what this database serves and how far it has read."""

    __tablename__ = "chain_cursor"

    id: int = Field(default=1, primary_key=True)
    chain_id: int = Field(sa_type=BigInteger)
    factory: bytes
    block_number: int | None = Field(default=None, sa_type=BigInteger)
    block_hash: bytes | None = None
    block_timestamp: int | None = Field(default=None, sa_type=BigInteger)


class ElectionRow(Row, table=True):
    """One ballot box. `sheet_roots` are 32 bytes each, one after another."""

    __tablename__ = "elections"
    __table_args__ = (UniqueConstraint("block_hash", "log_index"),)

    id: int = Field(primary_key=True)
    box: bytes = Field(unique=True)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    log_index: int = Field(sa_type=BigInteger)
    transaction_hash: bytes
    salt: bytes
    organizer: bytes
    definition_hash: bytes
    definition: bytes
    opens_at: int = Field(sa_type=BigInteger)
    closes_at: int = Field(sa_type=BigInteger)
    sheet_bits: int
    voters: int = Field(sa_type=BigInteger)
    max_ballot_bytes: int
    sheet_roots: bytes
    head: bytes
    batches: int = Field(sa_type=BigInteger)
    records: int = Field(sa_type=BigInteger)
    cancelled: bool
    invalid_reason: str | None = None
    cancelled_at_block: int | None = Field(default=None, sa_type=BigInteger)
    voters_cast: int = Field(sa_type=BigInteger)
    weight_cast: str
    text_ballots: bool
    unknown_version: int | None = Field(default=None, sa_type=BigInteger)


class BatchRow(Row, table=True):
    """One `BallotsCast` event of a box. Without a foreign key, like `BallotRow` and for its reason."""

    __tablename__ = "batches"
    __table_args__ = (UniqueConstraint("block_hash", "log_index"), {"sqlite_with_rowid": False})

    election_id: int = Field(primary_key=True)
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    log_index: int = Field(sa_type=BigInteger)
    transaction_hash: bytes
    first_position: int = Field(sa_type=BigInteger)
    records: int
    head: bytes


class BallotRow(Row, table=True):
    """One record: the table that grows. It has no foreign key, since checking one costs as much as writing the row.

    Batches and ballots are written by one function in one transaction, which is what the key would guard.
    """

    __tablename__ = "ballots"
    __table_args__ = (Index(None, "election_id", "voter", "position"), {"sqlite_with_rowid": False})

    election_id: int = Field(primary_key=True)
    position: int = Field(primary_key=True, sa_type=BigInteger)
    batch_sequence: int = Field(sa_type=BigInteger)
    voter: int = Field(sa_type=BigInteger)
    cast_at: int = Field(sa_type=BigInteger)
    weight: str
    ballot: bytes


class BallotGroupRow(Row, table=True):
    """The ballots of an election that count and are equal byte for byte: how many, and their weight.

    `key` is the ballot itself where that is short, else its hash: see `keep_tally.py`.
    """

    __tablename__ = "ballot_groups"

    election_id: int = Field(primary_key=True, foreign_key="elections.id")
    key: bytes = Field(primary_key=True)
    ballot: bytes
    ballots: int = Field(sa_type=BigInteger)
    weight: str


class HeadCheckRow(Row, table=True):
    """What a box's head was last proved or said to be, and what the records gave at that block."""

    __tablename__ = "head_checks"

    election_id: int = Field(primary_key=True, foreign_key="elections.id")
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    block_timestamp: int = Field(sa_type=BigInteger)
    recomputed_head: bytes
    chain_head: bytes | None = None
    failure: str | None = None
    is_proven: bool


class ChainObservationRow(Row, table=True):
    """The one row with what the indexer last saw of the chain. The only table that knows a machine's clock."""

    __tablename__ = "chain_observations"

    id: int = Field(default=1, primary_key=True)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    block_timestamp: int = Field(sa_type=BigInteger)
    observed_at_unix: float


CHAIN_CURSOR = table_of(ChainCursorRow)
ELECTIONS = table_of(ElectionRow)
BATCHES = table_of(BatchRow)
BALLOTS = table_of(BallotRow)
BALLOT_GROUPS = table_of(BallotGroupRow)
HEAD_CHECKS = table_of(HeadCheckRow)
CHAIN_OBSERVATIONS = table_of(ChainObservationRow)

CONTENT_TABLES = (CHAIN_CURSOR, ELECTIONS, BATCHES, BALLOTS, BALLOT_GROUPS)
"""What follows from the chain alone: equal, row for row, in every index of the same chain at the same block."""

INDEX_TABLES = (
    *CONTENT_TABLES,
    HEAD_CHECKS,
    CHAIN_OBSERVATIONS,
    BLOCKS,
    FINALITY,
    REORGS,
    ORPHANED_ELECTIONS,
    ORPHANED_BATCHES,
    NAMINGS,
    REPAIRS,
    UNKNOWN_HEADERS,
)
"""All that can be had again from the chain, or was true of how it was read; a table before those that point to it."""
