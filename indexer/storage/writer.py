"""Everything that is ever written: ranges of blocks with their cursor, and observations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat

from sqlalchemy import Connection, Engine, Table, and_, bindparam, delete, func, insert, select, update

from indexer.storage.bulk import BallotPart, insert_ballots, insert_batches
from indexer.storage.engine import begin_write, describe, lift_statement_limit, storage_errors
from indexer.storage.finality import keep_blocks
from indexer.storage.keep_tally import TallyKeeper, write_groups
from indexer.storage.model import Block, ChainObservation, Election, NewBatch, RangeChange, Rewound
from indexer.storage.proof_model import Repair
from indexer.storage.replace import Replacement, remove_wrong, save_repair
from indexer.storage.rewind import rewind_index
from indexer.storage.rows import (
    batch_values,
    block_values,
    election_values,
    progress_values,
    read_cursor,
)
from indexer.storage.tables import CHAIN_CURSOR, CHAIN_OBSERVATIONS, ELECTIONS, INDEX_TABLES
from qballot.core.address import checksum_address
from qballot.core.records import join_columns, unpack_columns
from qballot.core.types import Address, ChainId
from qballot.errors import StorageError

_BOXES_AT_ONCE = 500
_BYTES_AT_ONCE = 32 * 1024


class IndexWriter:
    """Write access to the index of one factory on one chain.

    Making one claims an empty database for this chain and factory.
    Raises StorageError when the database already serves another.
    """

    def __init__(self, engine: Engine, *, chain_id: ChainId, factory: Address) -> None:
        self._engine = engine
        self._tally = TallyKeeper()
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

        The elections' groups and turnout are brought up to date, and finality is moved forward, in the same one.
        after: the cursor that the range was read from. Raises StorageError when it is no longer the database's:
        another indexer has written meanwhile; nothing is written then.
        """
        writing = storage_errors("cannot write the index")
        with writing, self._tally.moving(after, change.until), begin_write(self._engine) as connection:
            self._move_cursor(connection, after, change.until)
            _insert_elections(connection, change.created)
            self._write_growth(connection, change)
            keep_blocks(connection, change)

    def rewind(self, fork: Block, *, after: Block, observed_at_unix: float) -> Rewound:
        """Take back all that was read above `fork`, in one transaction; it is kept apart, with the reorganisation.

        fork: the last block that the index and the chain agree on. after: the cursor that it was found for.
        observed_at_unix: when, by the machine's clock.
        Afterwards the index is as if it had never read further, but for what it says of its past.
        Raises FinalityError when `fork` is below the final block, StorageError when the index has read no further, or
        when `after` is no longer its cursor: another indexer has written meanwhile.
        """
        self._tally.forget()
        with storage_errors("cannot rewind the index"), begin_write(self._engine) as connection:
            return rewind_index(connection, fork, after=after, observed_at_unix=observed_at_unix)

    def replace(self, replacements: Sequence[Replacement], *, observed_at_unix: float) -> list[Repair]:
        """Write elections' right batches in place of their wrong ones, all in one transaction.

        observed_at_unix: when, by the machine's clock. All are as of one cursor. Raises PlaceTakenError where a batch
        would stand at a log that another election's batch was read from, StorageError when the cursor is no longer
        where the right ones were read up to; nothing is written then.
        """
        at = replacements[0].at
        self._tally.forget()
        writing = storage_errors("cannot repair the index")
        with writing, self._tally.moving(at, at), begin_write(self._engine) as connection:
            # It stays where it is, and held until the end.
            self._move_cursor(connection, at, at)
            remove_wrong(connection, replacements)
            for replacement in replacements:
                self._write_growth(connection, replacement.change)
            return [save_repair(connection, replacement, observed_at_unix) for replacement in replacements]

    def save_observation(self, observation: ChainObservation) -> None:
        """Keep what was last seen of the chain."""
        values = {**block_values(observation.head), "observed_at_unix": observation.observed_at_unix}
        with storage_errors("cannot write the index"), begin_write(self._engine) as connection:
            _replace_only_row(connection, CHAIN_OBSERVATIONS, values)

    def _write_growth(self, connection: Connection, change: RangeChange) -> None:
        """Write what elections, all of which are there, have grown by."""
        elections = {**change.updated, **{election.box: election for election in change.created}}
        progresses = {kept.box: kept for kept in _load_progress(connection, elections)}
        self._write_batches(connection, change.batches, progresses)
        _update_elections(connection, change.updated, progresses)

    def _write_batches(
        self, connection: Connection, batches: Sequence[NewBatch], progresses: Mapping[Address, _Progress]
    ) -> None:
        """Write batches and their records, and what they change in the tallies of their elections."""
        own: dict[Address, list[NewBatch]] = {}
        for new in batches:
            own.setdefault(new.box, []).append(new)
        parts = [_unpack(progresses[box].number, news) for box, news in own.items()]
        taken = []
        for box, part in zip(own, parts, strict=True):
            progress = progresses[box]
            start, records = part.first_position, part.records
            taken.append(
                (progress, *self._tally.take(connection, progress.number, progress.voters_cast, start, records))
            )
        insert_batches(connection, [batch_values(new.batch, progresses[new.box].number) for new in batches])
        insert_ballots(connection, parts)
        for progress, change, again in taken:
            if again:
                self._tally.take_again(connection, progress.number, again, change)
            write_groups(connection, progress.number, change)
            progress.voters_cast += change.voters
            progress.weight_cast += change.weight

    def _move_cursor(self, connection: Connection, after: Block | None, until: Block) -> None:
        cursor = CHAIN_CURSOR.c
        expected = cursor.block_hash.is_(None) if after is None else cursor.block_hash == after.hash
        moved = connection.execute(
            update(CHAIN_CURSOR).where(and_(cursor.id == 1, expected)).values(block_values(until))
        )
        if moved.rowcount != 1:
            place = "empty" if after is None else f"at block {after.number}"
            raise StorageError(
                f"the database {describe(self._engine)} is no longer {place}: another indexer writes to it",
                retryable=True,
            )


def reset_index(engine: Engine) -> None:
    """Forget everything that was read from the chain, in one transaction; the ledger stays. Raises StorageError."""
    with storage_errors("cannot reset the index"), begin_write(engine) as connection:
        lift_statement_limit(connection)
        for table in reversed(INDEX_TABLES):
            connection.execute(delete(table))


@dataclass(slots=True)
class _Progress:
    """What storage keeps up of an election that is being written to."""

    number: int
    box: Address
    voters_cast: int
    weight_cast: int


def _insert_elections(connection: Connection, created: Sequence[Election]) -> None:
    if created:
        last = connection.scalar(select(func.max(ELECTIONS.c.id))) or 0
        rows = [election_values(election, number) for number, election in enumerate(created, start=last + 1)]
        connection.execute(insert(ELECTIONS), rows)


def _load_progress(connection: Connection, boxes: Iterable[Address]) -> Iterator[_Progress]:
    columns = (ELECTIONS.c.id, ELECTIONS.c.box, ELECTIONS.c.voters_cast, ELECTIONS.c.weight_cast)
    rest = iter(boxes)
    while part := list(islice(rest, _BOXES_AT_ONCE)):
        found = connection.execute(select(*columns).where(ELECTIONS.c.box.in_(part))).all()
        if len(found) != len(part):
            raise StorageError(f"found {len(found)} of {len(part)} elections that the index should hold")
        for number, box, voters_cast, weight_cast in found:
            yield _Progress(number, Address(bytes(box)), voters_cast, int(weight_cast))


def _update_elections(
    connection: Connection, updated: Mapping[Address, Election], progresses: Mapping[Address, _Progress]
) -> None:
    """Write what has changed of elections: those of earlier ranges, and the turnout of new ones."""
    rows = [
        {
            "number": progress.number,
            "voters_cast": progress.voters_cast,
            "weight_cast": str(progress.weight_cast),
            **(progress_values(updated[box]) if box in updated else {}),
        }
        for box, progress in progresses.items()
    ]
    for known in (True, False):
        part = [row for row in rows if ("head" in row) is known]
        if part:
            connection.execute(update(ELECTIONS).where(ELECTIONS.c.id == bindparam("number")), part)


def _unpack(number: int, batches: Sequence[NewBatch]) -> BallotPart:
    """Read an election's batches, which follow one another."""
    sequences = chain.from_iterable(repeat(new.batch.sequence, new.batch.records) for new in batches)
    records = join_columns(map(unpack_columns, _lay_together(batches)))
    return BallotPart(number, batches[0].batch.first_position, list(sequences), records)


def _lay_together(batches: Sequence[NewBatch]) -> Iterator[bytes]:
    """Lay short batches end to end: reading each by itself costs more, and so does reading very many at once."""
    together: list[bytes] = []
    size = 0
    for new in batches:
        together.append(new.packed)
        size += len(new.packed)
        if size >= _BYTES_AT_ONCE:
            yield b"".join(together)
            together, size = [], 0
    yield b"".join(together)


def _replace_only_row(connection: Connection, table: Table, values: Mapping[str, object]) -> None:
    connection.execute(delete(table))
    connection.execute(insert(table).values(id=1, **values))
