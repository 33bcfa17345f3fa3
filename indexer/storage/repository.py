"""Everything that can be asked of the index. Questions of one answer are asked of one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection, Engine, Select, and_, func, or_, select

from indexer.storage.chain_tables import BLOCKS, FINALITY, REORGS
from indexer.storage.engine import storage_errors
from indexer.storage.model import (
    Ballot,
    Batch,
    Block,
    ChainCursor,
    ChainObservation,
    Contents,
    Election,
    Listing,
    Reorg,
)
from indexer.storage.proof_reader import ProofReader
from indexer.storage.rows import (
    read_ballot,
    read_batch,
    read_block,
    read_cursor,
    read_election,
    read_listing,
    read_record,
    read_reorg,
)
from indexer.storage.tables import (
    BALLOT_GROUPS,
    BALLOTS,
    BATCHES,
    CHAIN_CURSOR,
    CHAIN_OBSERVATIONS,
    ELECTIONS,
    HEAD_CHECKS,
)
from qballot.core.ballot import Group
from qballot.core.records import Record, pack_records
from qballot.core.types import Address, VoterIndex, Weight

MAX_NUMBER = 2**31 - 1
"""Greatest number that an election can have: its column is an SQL INTEGER."""

_STREAMED_ROWS = 5_000
_STREAMED_BALLOTS = 50
_LISTED = [
    ELECTIONS.c[name]
    for name in (
        "id", "box", "definition_hash", "opens_at", "closes_at", "voters", "records", "cancelled", "invalid_reason",
        "unknown_version",
    )
]  # fmt: skip


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

    def load_finalized(self) -> Block | None:
        """Load the latest block that the index has read up to and that is final; None while none is."""
        row = self._connection.execute(select(FINALITY)).mappings().first()
        return None if row is None else read_block(row)

    def load_blocks(self) -> list[Block]:
        """Load the blocks of the followed chain that the index knows by their hash, ascending.

        They begin with the final one, where there is one, and end with the cursor's. Blocks may be missing in between.
        """
        query = select(BLOCKS).order_by(BLOCKS.c.number)
        return [read_block(row, "") for row in self._connection.execute(query).mappings()]

    def load_reorgs(self, limit: int) -> list[Reorg]:
        """Load up to `limit` reorganisations, the latest first."""
        query = select(REORGS).order_by(REORGS.c.id.desc()).limit(limit)
        return [read_reorg(row) for row in self._connection.execute(query).mappings()]

    def count_contents(self) -> Contents:
        """Count what the index holds."""
        sums = [func.coalesce(func.sum(ELECTIONS.c[name]), 0) for name in ("batches", "records")]
        reorgs = select(func.count()).select_from(REORGS).scalar_subquery()
        row = self._connection.execute(select(func.count(ELECTIONS.c.id), *sums, reorgs)).one()
        return Contents(*map(int, row))

    def load_observation(self) -> ChainObservation | None:
        """Load what the indexer last saw of the chain."""
        row = self._connection.execute(select(CHAIN_OBSERVATIONS)).mappings().first()
        return None if row is None else ChainObservation(read_block(row), row["observed_at_unix"])

    def load_open_boxes(self) -> list[Address]:
        """Load the addresses of the boxes that may still emit something, in the order of their creation.

        They are all but the cancelled ones and those that had closed at the last indexed block.
        """
        boxes = select(ELECTIONS.c.box).where(~ELECTIONS.c.cancelled).order_by(ELECTIONS.c.id)
        block = select(CHAIN_CURSOR.c.block_timestamp).scalar_subquery()
        open_boxes = boxes.where(or_(block.is_(None), ELECTIONS.c.closes_at > block))
        return [Address(bytes(box)) for box in self._connection.scalars(open_boxes)]

    def load_election(self, box: Address) -> Election | None:
        """Load one election; None when this index has none at this address."""
        row = self._connection.execute(_elections().where(ELECTIONS.c.box == box)).mappings().first()
        return None if row is None else read_election(row)

    def load_elections(self, *, limit: int, before: int | None = None) -> list[Listing]:
        """Load up to `limit` elections, the newest first, those with a number below `before`."""
        query = select(*_LISTED).order_by(ELECTIONS.c.id.desc()).limit(limit)
        # No election has a greater number, and PostgreSQL takes none for comparison.
        if before is not None and before <= MAX_NUMBER:
            query = query.where(ELECTIONS.c.id < before)
        return [read_listing(row) for row in self._connection.execute(query).mappings()]

    def load_definitions(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Load the bytes of some elections' definitions, by the elections' numbers."""
        query = select(ELECTIONS.c.id, ELECTIONS.c.definition).where(ELECTIONS.c.id.in_(numbers))
        return {number: bytes(definition) for number, definition in self._connection.execute(query)}

    @property
    def proofs(self) -> ProofReader:
        """What is proven, at the same moment."""
        return ProofReader(self._connection)

    def load_groups(self, election: Election) -> dict[bytes, Group]:
        """Load an election's ballots that count, grouped by their bytes."""
        columns = (BALLOT_GROUPS.c.ballot, BALLOT_GROUPS.c.ballots, BALLOT_GROUPS.c.weight)
        rows = self._connection.execute(select(*columns).where(BALLOT_GROUPS.c.election_id == election.number))
        return {bytes(ballot): Group(ballots, int(weight)) for ballot, ballots, weight in rows}

    def load_batch(self, election: Election, sequence: int) -> Batch | None:
        """Load the batch with this place among the election's."""
        chosen = and_(BATCHES.c.election_id == election.number, BATCHES.c.sequence == sequence)
        row = self._connection.execute(select(BATCHES).where(chosen)).mappings().first()
        return None if row is None else read_batch(row)

    def stream_ballots(
        self, election: Election, *, limit: int, after: int | None = None, voter: VoterIndex | None = None
    ) -> Iterator[Ballot]:
        """Give up to `limit` ballots of an election in the order of the chain, those with a position above `after`.

        voter: only this voter's. A few are loaded at a time: a ballot may have 65,535 bytes.
        """
        join = and_(BATCHES.c.election_id == BALLOTS.c.election_id, BATCHES.c.sequence == BALLOTS.c.batch_sequence)
        query = select(BALLOTS, BATCHES).join(BATCHES, join).where(BALLOTS.c.election_id == election.number)
        if after is not None:
            query = query.where(BALLOTS.c.position > after)
        if voter is not None:
            query = query.where(BALLOTS.c.voter == voter)
        query = query.order_by(BALLOTS.c.position).limit(limit)
        with self._connection.execution_options(yield_per=_STREAMED_BALLOTS).execute(query) as streamed:
            for row in streamed.mappings():
                yield read_ballot(row)

    def stream_records(self, election: Election, *, start: int = 0) -> Iterator[Record]:
        """Give the election's records in the order of the chain from the position `start`, some thousands at a time."""
        columns = (BALLOTS.c.voter, BALLOTS.c.cast_at, BALLOTS.c.weight, BALLOTS.c.ballot)
        chosen = and_(BALLOTS.c.election_id == election.number, BALLOTS.c.position >= start)
        query = select(*columns).where(chosen).order_by(BALLOTS.c.position)
        streamed = self._connection.execution_options(yield_per=_STREAMED_ROWS).execute(query)
        for row in streamed.mappings():
            yield read_record(row)

    def stream_packed(self, election: Election) -> Iterator[bytes]:
        """Give the records of each of the election's batches, packed as in its log, in the order of the chain.

        Some thousands of records are loaded at a time; a batch is held as a whole.
        """
        columns = (BALLOTS.c.batch_sequence, BALLOTS.c.voter, BALLOTS.c.cast_at, BALLOTS.c.weight, BALLOTS.c.ballot)
        query = select(*columns).where(BALLOTS.c.election_id == election.number).order_by(BALLOTS.c.position)
        with self._connection.execution_options(yield_per=_STREAMED_ROWS).execute(query) as streamed:
            for _, rows in groupby(streamed, key=itemgetter(0)):
                yield pack_records(
                    Record(voter, at, Weight(int(weight)), bytes(data)) for _, voter, at, weight, data in rows
                )


def _elections() -> Select[tuple[object, ...]]:
    checks = [column.label(f"check_{column.name}") for column in HEAD_CHECKS.columns]
    return select(ELECTIONS, *checks).outerjoin(HEAD_CHECKS, HEAD_CHECKS.c.election_id == ELECTIONS.c.id)
