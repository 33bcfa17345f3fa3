"""Tables about the followed chain: its latest blocks, what is final, and what reorganisations took away.

None of them is content: what they hold depends on when the chain was read, and an index made today has no
reorganisation of yesterday. `migrations/` creates them.
"""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field

from indexer.storage.table_base import Row, table_of


class BlockRow(Row, table=True):
    """A block of the followed chain, from the last final one up."""

    __tablename__ = "blocks"

    number: int = Field(primary_key=True, sa_type=BigInteger)
    hash: bytes
    timestamp: int = Field(sa_type=BigInteger)


class FinalityRow(Row, table=True):
    """The one row with the latest final block that the index has read up to. It moves forward only."""

    __tablename__ = "finality"

    id: int = Field(default=1, primary_key=True)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    block_timestamp: int = Field(sa_type=BigInteger)


class ReorgRow(Row, table=True):
    """A reorganisation: the last block that was kept, and the one that the index had read up to."""

    __tablename__ = "reorgs"

    id: int = Field(primary_key=True)
    observed_at_unix: float
    fork_number: int = Field(sa_type=BigInteger)
    fork_hash: bytes
    old_number: int = Field(sa_type=BigInteger)
    old_hash: bytes
    depth: int = Field(sa_type=BigInteger)


class OrphanedElectionRow(Row, table=True):
    """An election whose creation a reorganisation took away."""

    __tablename__ = "orphaned_elections"

    reorg_id: int = Field(primary_key=True, foreign_key="reorgs.id")
    box: bytes = Field(primary_key=True)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    log_index: int = Field(sa_type=BigInteger)
    transaction_hash: bytes
    organizer: bytes
    definition_hash: bytes


class OrphanedBatchRow(Row, table=True):
    """A batch that a reorganisation took away. `packed` are its records as in the log."""

    __tablename__ = "orphaned_batches"

    reorg_id: int = Field(primary_key=True, foreign_key="reorgs.id")
    box: bytes = Field(primary_key=True)
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes
    log_index: int = Field(sa_type=BigInteger)
    transaction_hash: bytes
    first_position: int = Field(sa_type=BigInteger)
    records: int
    head: bytes
    packed: bytes


BLOCKS = table_of(BlockRow)
FINALITY = table_of(FinalityRow)
REORGS = table_of(ReorgRow)
ORPHANED_ELECTIONS = table_of(OrphanedElectionRow)
ORPHANED_BATCHES = table_of(OrphanedBatchRow)
