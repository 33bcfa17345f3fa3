"""Everything that can be asked of the index. Questions of one answer are asked of one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Select, and_, or_, select

from indexer.storage.engine import storage_errors
from indexer.storage.model import Ballot, Batch, Block, ChainCursor, ChainObservation, Election
from indexer.storage.rows import read_ballot, read_batch, read_block, read_cursor, read_election, read_record
from indexer.storage.tables import BALLOTS, BATCHES, CHAIN_CURSOR, CHAIN_OBSERVATIONS, ELECTIONS, HEAD_CHECKS
from qballot.core.records import Record
from qballot.core.types import Address, VoterIndex

_STREAMED_ROWS = 5_000


class Repository:
    """Read access to one index."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Give a view that no write changes: what it says about cursor, elections and ballots belongs together.

        Raises StorageError when the database does not answer.
        """
        with storage_errors("cannot read the index"):
            connection = self._engine.connect()
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection:
                yield Snapshot(connection)


class Snapshot:
    """The index at one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load_cursor(self) -> ChainCursor | None:
        """Load what the database serves and how far it has read; None when nothing was ever indexed into it."""
        row = self._connection.execute(select(CHAIN_CURSOR)).mappings().first()
        return None if row is None else read_cursor(row)

    def load_observation(self) -> ChainObservation | None:
        """Load what the indexer last saw of the chain."""
        row = self._connection.execute(select(CHAIN_OBSERVATIONS)).mappings().first()
        return None if row is None else ChainObservation(read_block(row), row["observed_at_unix"])

    def load_boxes(self) -> list[Address]:
        """Load the addresses of all boxes, in the order of their creation."""
        return [
            Address(bytes(box)) for box in self._connection.scalars(select(ELECTIONS.c.box).order_by(ELECTIONS.c.id))
        ]

    def load_election(self, box: Address) -> Election | None:
        """Load one election; None when this index has none at this address."""
        row = self._connection.execute(_elections().where(ELECTIONS.c.box == box)).mappings().first()
        return None if row is None else read_election(row)

    def load_elections(self, *, limit: int, before: int | None = None) -> list[Election]:
        """Load up to `limit` elections, the newest first, those with a number below `before`."""
        query = _elections().order_by(ELECTIONS.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(ELECTIONS.c.id < before)
        return [read_election(row) for row in self._connection.execute(query).mappings()]

    def load_unchecked(self, at: Block) -> list[Election]:
        """Load the elections whose head should be read at this block.

        They are those never read or read before without success, those with records since, those open, and those
        closed by this block but not yet by the one of their last check.
        """
        check = HEAD_CHECKS.c
        moving = and_(
            ~ELECTIONS.c.cancelled, check.block_timestamp < ELECTIONS.c.closes_at, ELECTIONS.c.opens_at <= at.timestamp
        )
        unsettled = or_(check.chain_head.is_(None), check.chain_head != ELECTIONS.c.head, moving)
        stale = or_(check.block_number.is_(None), and_(check.block_number < at.number, unsettled))
        query = _elections().where(stale).order_by(ELECTIONS.c.id)
        return [read_election(row) for row in self._connection.execute(query).mappings()]

    def load_batch(self, election: Election, sequence: int) -> Batch | None:
        """Load the batch with this place among the election's."""
        chosen = and_(BATCHES.c.election_id == election.number, BATCHES.c.sequence == sequence)
        row = self._connection.execute(select(BATCHES).where(chosen)).mappings().first()
        return None if row is None else read_batch(row)

    def load_ballots(
        self, election: Election, *, limit: int, after: int | None = None, voter: VoterIndex | None = None
    ) -> Sequence[Ballot]:
        """Load up to `limit` ballots of an election in the order of the chain, those with a position above `after`.

        voter: only this voter's.
        """
        join = and_(BATCHES.c.election_id == BALLOTS.c.election_id, BATCHES.c.sequence == BALLOTS.c.batch_sequence)
        query = select(BALLOTS, BATCHES).join(BATCHES, join).where(BALLOTS.c.election_id == election.number)
        if after is not None:
            query = query.where(BALLOTS.c.position > after)
        if voter is not None:
            query = query.where(BALLOTS.c.voter == voter)
        rows = self._connection.execute(query.order_by(BALLOTS.c.position).limit(limit)).mappings()
        return [read_ballot(row) for row in rows]

    def stream_records(self, election: Election, *, start: int = 0) -> Iterator[Record]:
        """Give the election's records in the order of the chain from the position `start`, some thousands at a time."""
        columns = (BALLOTS.c.voter, BALLOTS.c.cast_at, BALLOTS.c.weight, BALLOTS.c.ballot)
        chosen = and_(BALLOTS.c.election_id == election.number, BALLOTS.c.position >= start)
        query = select(*columns).where(chosen).order_by(BALLOTS.c.position)
        streamed = self._connection.execution_options(yield_per=_STREAMED_ROWS).execute(query)
        for row in streamed.mappings():
            yield read_record(row)


def _elections() -> Select[tuple[object, ...]]:
    checks = [column.label(f"check_{column.name}") for column in HEAD_CHECKS.columns]
    return select(ELECTIONS, *checks).outerjoin(HEAD_CHECKS, HEAD_CHECKS.c.election_id == ELECTIONS.c.id)
