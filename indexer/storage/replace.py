"""Putting right an election whose records contradict its proven head.

    batches   0 … first − 1   kept: they are the chain's
              first …         removed, with their part of the tally, and the chain's own written in their place

Which ones are the chain's is for `indexer/sync/repair.py` to find; here they are written. What was proved of the box
stays, and its head check goes, so that the head is proved anew against the records that now stand here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, and_, delete, func, insert, select, update

from indexer.storage.engine import begin_write, storage_errors
from indexer.storage.model import Batch, Block, Election, RangeChange
from indexer.storage.proof_model import Repair
from indexer.storage.proof_rows import repair_values
from indexer.storage.proof_tables import REPAIRS
from indexer.storage.repository import Repository
from indexer.storage.rewind import remove_batches
from indexer.storage.rows import read_batch
from indexer.storage.tables import BATCHES, ELECTIONS, HEAD_CHECKS
from qballot.core.address import checksum_address
from qballot.core.types import Address, Hash32
from qballot.errors import ProofError

_PLACES_AT_ONCE = 500


class PlaceTakenError(ProofError):
    """What is to be written contradicts another election's batches."""


@dataclass(frozen=True, slots=True)
class Contradicted:
    """An election whose records contradict its proven head. batches: all that the index has of it, in their order.

    proven: the box's head at the block that was asked about.
    """

    election: Election
    proven: Hash32
    batches: tuple[Batch, ...]


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is to stand in an election's place from a batch on.

    number: of the election. at: the cursor, up to which all of the box's batches are in it. first_sequence: of the
    first batch that is wrong or missing. removed_batches, removed_records: from there on. change: the right batches
    from there on, and the election as it stands after them. source: where they come from, for people.
    """

    number: int
    box: Address
    at: Block
    first_sequence: int
    removed_batches: int
    removed_records: int
    change: RangeChange
    source: str


def load_contradicted(engine: Engine, at: Block) -> list[Contradicted]:
    """Load the elections whose proven head at this block, the cursor, is not what their records give.

    Raises StorageError.
    """
    check = HEAD_CHECKS.c
    chosen = and_(check.is_proven, check.block_hash == at.hash, check.chain_head != check.recomputed_head)
    stands = and_(check.election_id == ELECTIONS.c.id, check.recomputed_head == ELECTIONS.c.head)
    query = select(ELECTIONS.c.box, ELECTIONS.c.id, check.chain_head).where(chosen, stands).order_by(ELECTIONS.c.id)
    with storage_errors("cannot read the index"), engine.connect() as connection:
        rows = connection.execute(query).all()
        batches = [_load_batches(connection, row.id) for row in rows]
    with Repository(engine).snapshot() as snapshot:
        elections = [snapshot.load_election(Address(bytes(row.box))) for row in rows]
    return [
        Contradicted(election, Hash32(bytes(row.chain_head)), own)
        for row, election, own in zip(rows, elections, batches, strict=True)
        if election is not None
    ]


def save_failure(engine: Engine, number: int, at: Block, failure: str) -> None:
    """Note at an election's head check at a block why its records were not put right. Raises StorageError."""
    chosen = and_(HEAD_CHECKS.c.election_id == number, HEAD_CHECKS.c.block_hash == at.hash)
    with storage_errors("cannot write the index"), begin_write(engine) as connection:
        connection.execute(update(HEAD_CHECKS).where(chosen).values(failure=failure))


def remove_wrong(connection: Connection, replacements: Sequence[Replacement]) -> None:
    """Remove what is to be replaced, with its part of the tallies, within the connection's transaction.

    Of all elections before any is written: what was told of one may be another's. Raises PlaceTakenError.
    """
    for replacement in replacements:
        if replacement.removed_batches:
            remove_batches(connection, replacement.number, replacement.first_sequence, keeps_tally=True)
    for replacement in replacements:
        _check_places(connection, replacement)


def _check_places(connection: Connection, replacement: Replacement) -> None:
    """Check that no batch that stays was read from a log that one of the new ones is said to come from."""
    sources = [new.batch.source for new in replacement.change.batches]
    for start in range(0, len(sources), _PLACES_AT_ONCE):
        part = sources[start : start + _PLACES_AT_ONCE]
        places = {(source.block_hash, source.log_index) for source in part}
        chosen = BATCHES.c.block_hash.in_({source.block_hash for source in part})
        columns = (BATCHES.c.block_hash, BATCHES.c.log_index, BATCHES.c.block_number, ELECTIONS.c.box)
        query = select(*columns).where(chosen, BATCHES.c.election_id == ELECTIONS.c.id)
        for block_hash, log_index, number, box in connection.execute(query):
            if (bytes(block_hash), log_index) in places:
                raise PlaceTakenError(
                    f"log {log_index} of block {number} is said to be a batch of this box, and the index has it as one "
                    f"of {checksum_address(Address(bytes(box)))}, which nothing contradicts"
                )


def save_repair(connection: Connection, replacement: Replacement, observed_at_unix: float) -> Repair:
    """Keep that it was done, and let the head be proved anew, within the connection's transaction."""
    added = replacement.change.batches
    repair = Repair(
        number=(connection.scalar(select(func.max(REPAIRS.c.id))) or 0) + 1,
        box=replacement.box,
        observed_at_unix=observed_at_unix,
        block_number=replacement.at.number,
        first_sequence=replacement.first_sequence,
        removed_batches=replacement.removed_batches,
        removed_records=replacement.removed_records,
        added_batches=len(added),
        added_records=sum(new.batch.records for new in added),
        source=replacement.source,
    )
    connection.execute(insert(REPAIRS).values(repair_values(repair)))
    connection.execute(delete(HEAD_CHECKS).where(HEAD_CHECKS.c.election_id == replacement.number))
    return repair


def _load_batches(connection: Connection, number: int) -> tuple[Batch, ...]:
    query = select(BATCHES).where(BATCHES.c.election_id == number).order_by(BATCHES.c.sequence)
    return tuple(map(read_batch, connection.execute(query).mappings()))
