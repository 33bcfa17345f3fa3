"""Everything that is ever written: ranges of blocks with their cursor, and observations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, Engine, Table, and_, delete, func, insert, select, update

from indexer.storage.bulk import BallotValues, insert_ballots
from indexer.storage.engine import begin_write, describe, storage_errors
from indexer.storage.model import Block, ChainObservation, HeadCheck, NewBatch, RangeChange
from indexer.storage.rows import (
    batch_values,
    block_values,
    election_values,
    head_check_values,
    progress_values,
    read_cursor,
)
from indexer.storage.tables import BATCHES, CHAIN_CURSOR, CHAIN_OBSERVATIONS, ELECTIONS, HEAD_CHECKS, INDEX_TABLES
from qballot.core.address import checksum_address
from qballot.core.types import Address, ChainId
from qballot.errors import StorageError


class IndexWriter:
    """Write access to the index of one factory on one chain.

    Making one claims an empty database for this chain and factory.
    Raises StorageError when the database already serves another.
    """

    def __init__(self, engine: Engine, *, chain_id: ChainId, factory: Address) -> None:
        self._engine = engine
        with storage_errors("cannot claim the database"), begin_write(engine) as connection:
            row = connection.execute(select(CHAIN_CURSOR)).mappings().first()
            if row is None:
                connection.execute(insert(CHAIN_CURSOR).values(id=1, chain_id=chain_id, factory=factory))
                return
            found = read_cursor(row)
        if (found.chain_id, found.factory) != (chain_id, factory):
            raise StorageError(
                f"the database {describe(engine)} serves chain {found.chain_id} and the factory "
                f"{checksum_address(found.factory)}; expected chain {chain_id} and the factory "
                f"{checksum_address(factory)}: one database serves one factory on one chain"
            )

    def apply(self, change: RangeChange, *, after: Block | None) -> None:
        """Write all that a range of blocks adds and move the cursor from `after` to its end, in one transaction.

        after: the cursor that the range was read from. Raises StorageError when it is no longer the database's:
        another indexer has written meanwhile; nothing is written then.
        """
        with storage_errors("cannot write the index"), begin_write(self._engine) as connection:
            self._move_cursor(connection, after, change.until)
            numbers = _insert_elections(connection, change)
            for box, election in change.updated.items():
                numbers[box] = election.number
                chosen = ELECTIONS.c.id == election.number
                connection.execute(update(ELECTIONS).where(chosen).values(progress_values(election)))
            if change.batches:
                rows = [batch_values(new.batch, numbers[new.box]) for new in change.batches]
                connection.execute(insert(BATCHES), rows)
                insert_ballots(connection, _ballot_rows(change.batches, numbers))

    def save_head_checks(self, checks: Mapping[int, HeadCheck]) -> None:
        """Keep what `head()` answered, by the election's number, in place of its earlier answer."""
        with storage_errors("cannot write the index"), begin_write(self._engine) as connection:
            for number, check in checks.items():
                connection.execute(delete(HEAD_CHECKS).where(HEAD_CHECKS.c.election_id == number))
                connection.execute(insert(HEAD_CHECKS).values(head_check_values(check, number)))

    def save_observation(self, observation: ChainObservation) -> None:
        """Keep what was last seen of the chain."""
        values = {**block_values(observation.head), "observed_at_unix": observation.observed_at_unix}
        with storage_errors("cannot write the index"), begin_write(self._engine) as connection:
            _replace_only_row(connection, CHAIN_OBSERVATIONS, values)

    def _move_cursor(self, connection: Connection, after: Block | None, until: Block) -> None:
        cursor = CHAIN_CURSOR.c
        expected = cursor.block_hash.is_(None) if after is None else cursor.block_hash == after.hash
        moved = connection.execute(
            update(CHAIN_CURSOR).where(and_(cursor.id == 1, expected)).values(block_values(until))
        )
        if moved.rowcount != 1:
            place = "empty" if after is None else f"at block {after.number}"
            raise StorageError(
                f"the database {describe(self._engine)} is no longer {place}: another indexer writes to it"
            )


def reset_index(engine: Engine) -> None:
    """Forget everything that was read from the chain, in one transaction; the ledger stays. Raises StorageError."""
    with storage_errors("cannot reset the index"), begin_write(engine) as connection:
        for table in reversed(INDEX_TABLES):
            connection.execute(delete(table))


def _insert_elections(connection: Connection, change: RangeChange) -> dict[Address, int]:
    if not change.created:
        return {}
    last = connection.scalar(select(func.max(ELECTIONS.c.id))) or 0
    numbers = {election.box: number for number, election in enumerate(change.created, start=last + 1)}
    rows = [election_values(election, numbers[election.box]) for election in change.created]
    connection.execute(insert(ELECTIONS), rows)
    return numbers


def _ballot_rows(batches: Sequence[NewBatch], numbers: Mapping[Address, int]) -> Iterator[BallotValues]:
    for new in batches:
        number, batch = numbers[new.box], new.batch
        for position, record in enumerate(new.records, start=batch.first_position):
            yield number, position, batch.sequence, record.voter, record.cast_at, str(record.weight), record.ballot


def _replace_only_row(connection: Connection, table: Table, values: Mapping[str, object]) -> None:
    connection.execute(delete(table))
    connection.execute(insert(table).values(id=1, **values))
