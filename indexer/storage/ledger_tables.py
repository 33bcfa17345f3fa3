"""The ledger's tables: what cannot be had again from the chain, to be backed up. `migrations/` creates them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from indexer.storage.proof_tables import LEDGER_PROOFS
from indexer.storage.table_base import Row, table_of


class LedgerCensusRow(Row, table=True):
    """A census that was imported. `recipe` is its JSON as in the census file."""

    __tablename__ = "ledger_censuses"

    id: int = Field(primary_key=True)
    census_hash: bytes = Field(unique=True)
    voters: int = Field(sa_type=BigInteger)
    sheet_bits: int
    recipe: bytes | None = None


class LedgerCensusVoterRow(Row, table=True):
    """One voter of an imported census. Without a foreign key, like `ballots`: one function writes both."""

    __tablename__ = "ledger_census_voters"
    __table_args__ = (Index(None, "census_id", "address"),)

    census_id: int = Field(primary_key=True)
    voter: int = Field(primary_key=True, sa_type=BigInteger)
    address: bytes
    weight: str


class LedgerElectionCensusRow(Row, table=True):
    """Which census a box was made with. By the box's address, which the same election has in every index."""

    __tablename__ = "ledger_election_censuses"

    box: bytes = Field(primary_key=True)
    census_id: int = Field(foreign_key="ledger_censuses.id")


LEDGER_CENSUSES = table_of(LedgerCensusRow)
LEDGER_CENSUS_VOTERS = table_of(LedgerCensusVoterRow)
LEDGER_ELECTION_CENSUSES = table_of(LedgerElectionCensusRow)

LEDGER_TABLES = (LEDGER_CENSUSES, LEDGER_CENSUS_VOTERS, LEDGER_ELECTION_CENSUSES, LEDGER_PROOFS)
"""All that cannot be had again from the chain."""
