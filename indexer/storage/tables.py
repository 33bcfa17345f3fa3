"""The tables. Nothing outside `indexer/storage/` sees them; `migrations/` creates them.

No column holds a uint256 or uint96 as an SQL integer: weights are decimal text. Hashes and addresses are raw bytes.
Rows of the index hold nothing but what follows from the chain, so that a second run gives the same rows;
`head_checks` and `chain_observations` say what was observed on the way. Tables named `ledger_…` hold what cannot be had
again from the chain: reading it anew leaves them alone, and no row of theirs points to one of the index.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, MetaData, Table, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

_NAMES = {"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}


class _Row(SQLModel, registry=registry(metadata=MetaData(naming_convention=_NAMES))):
    """Base of our tables, with a registry of its own: programs that embed us may have SQLModel tables too."""


class ChainCursorRow(_Row, table=True):
    """The one row that says what this database serves and how far it has read."""

    __tablename__ = "chain_cursor"

    id: int = Field(default=1, primary_key=True)
    chain_id: int = Field(sa_type=BigInteger)
    factory: bytes
    block_number: int | None = Field(default=None, sa_type=BigInteger)
    block_hash: bytes | None = None
    block_timestamp: int | None = Field(default=None, sa_type=BigInteger)


class ElectionRow(_Row, table=True):
    """One ballot box. `ward_roots` are 32 bytes each, one after another."""

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
    ward_bits: int
    voters: int = Field(sa_type=BigInteger)
    max_ballot_bytes: int
    ward_roots: bytes
    head: bytes
    batches: int = Field(sa_type=BigInteger)
    records: int = Field(sa_type=BigInteger)
    cancelled: bool
    invalid_reason: str | None = None


class BatchRow(_Row, table=True):
    """One `BallotsCast` event of a box."""

    __tablename__ = "batches"
    __table_args__ = (UniqueConstraint("block_hash", "log_index"),)

    election_id: int = Field(primary_key=True, foreign_key="elections.id")
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    log_index: int = Field(sa_type=BigInteger)
    transaction_hash: bytes
    first_position: int = Field(sa_type=BigInteger)
    records: int
    head: bytes


class BallotRow(_Row, table=True):
    """One record: the table that grows. It has no foreign key, since checking one costs as much as writing the row.

    Batches and ballots are written by one function in one transaction, which is what the key would guard.
    """

    __tablename__ = "ballots"
    __table_args__ = (Index(None, "election_id", "voter", "position"),)

    election_id: int = Field(primary_key=True)
    position: int = Field(primary_key=True, sa_type=BigInteger)
    batch_sequence: int = Field(sa_type=BigInteger)
    voter: int = Field(sa_type=BigInteger)
    cast_at: int = Field(sa_type=BigInteger)
    weight: str
    ballot: bytes


class HeadCheckRow(_Row, table=True):
    """The last answer of `head()` for a box, and what the records gave at that block."""

    __tablename__ = "head_checks"

    election_id: int = Field(primary_key=True, foreign_key="elections.id")
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    block_timestamp: int = Field(sa_type=BigInteger)
    recomputed_head: bytes
    chain_head: bytes | None = None
    failure: str | None = None


class ChainObservationRow(_Row, table=True):
    """The one row with what the indexer last saw of the chain. The only table that knows a machine's clock."""

    __tablename__ = "chain_observations"

    id: int = Field(default=1, primary_key=True)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    block_timestamp: int = Field(sa_type=BigInteger)
    observed_at_unix: float


class LedgerCensusRow(_Row, table=True):
    """A census that was imported. `recipe` is its JSON as in the census file."""

    __tablename__ = "ledger_censuses"

    id: int = Field(primary_key=True)
    census_hash: bytes = Field(unique=True)
    voters: int = Field(sa_type=BigInteger)
    ward_bits: int
    recipe: bytes | None = None


class LedgerCensusVoterRow(_Row, table=True):
    """One voter of an imported census. Without a foreign key, like `ballots`: one function writes both."""

    __tablename__ = "ledger_census_voters"
    __table_args__ = (Index(None, "census_id", "address"),)

    census_id: int = Field(primary_key=True)
    voter: int = Field(primary_key=True, sa_type=BigInteger)
    address: bytes
    weight: str


class LedgerElectionCensusRow(_Row, table=True):
    """Which census a box was made with. By the box's address, which the same election has in every index."""

    __tablename__ = "ledger_election_censuses"

    box: bytes = Field(primary_key=True)
    census_id: int = Field(foreign_key="ledger_censuses.id")


METADATA = _Row.metadata


def _table(row: type[_Row]) -> Table:
    return METADATA.tables[str(row.__tablename__)]


CHAIN_CURSOR = _table(ChainCursorRow)
ELECTIONS = _table(ElectionRow)
BATCHES = _table(BatchRow)
BALLOTS = _table(BallotRow)
HEAD_CHECKS = _table(HeadCheckRow)
CHAIN_OBSERVATIONS = _table(ChainObservationRow)
LEDGER_CENSUSES = _table(LedgerCensusRow)
LEDGER_CENSUS_VOTERS = _table(LedgerCensusVoterRow)
LEDGER_ELECTION_CENSUSES = _table(LedgerElectionCensusRow)

CONTENT_TABLES = (CHAIN_CURSOR, ELECTIONS, BATCHES, BALLOTS)
"""What follows from the chain alone: equal, row for row, in every index of the same chain at the same block."""

INDEX_TABLES = (*CONTENT_TABLES, HEAD_CHECKS, CHAIN_OBSERVATIONS)
"""All that can be had again from the chain, a table before those that point to it."""

LEDGER_TABLES = (LEDGER_CENSUSES, LEDGER_CENSUS_VOTERS, LEDGER_ELECTION_CENSUSES)
"""All that cannot: to be backed up."""
