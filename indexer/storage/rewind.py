"""Taking back what a reorganisation took away: the index as it would be had it never read further than the fork.

                  fork              cursor
───────────────────┼──────────────────┼──    kept apart: elections, batches and their records
                   └──────┼──────┼───────    read next
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from indexer.storage.chain_tables import BLOCKS, ORPHANED_BATCHES, ORPHANED_ELECTIONS, REORGS
from indexer.storage.finality import load_finalized
from indexer.storage.keep_tally import compute_removal, write_groups
from indexer.storage.model import Block, Reorg, Rewound
from indexer.storage.proof_tables import LEDGER_PROOFS, NAMINGS, UNKNOWN_HEADERS
from indexer.storage.rows import block_values, read_record
from indexer.storage.tables import (
    BALLOT_GROUPS,
    BALLOTS,
    BATCHES,
    CHAIN_CURSOR,
    ELECTIONS,
    HEAD_CHECKS,
)
from qballot.core.address import checksum_address
from qballot.core.records import pack_records
from qballot.core.types import Address, BlockNumber, Hash32
from qballot.errors import FinalityError, StorageError

_SOURCE = ("block_number", "block_hash", "log_index", "transaction_hash")


def rewind_index(connection: Connection, fork: Block, *, after: Block, observed_at_unix: float) -> Rewound:
    """Take back everything above `fork` within the connection's transaction.

    after: what the cursor must be. Raises FinalityError when a final block would be taken back, StorageError when there
    is nothing above, or when the cursor is another one.
    """
    reorg = _save_reorg(connection, fork, after, observed_at_unix)
    _check_cancellations(connection, fork)
    batches = records = 0
    above = and_(BATCHES.c.block_number > fork.number, BATCHES.c.election_id == ELECTIONS.c.id)
    cut = select(
        ELECTIONS.c.id, ELECTIONS.c.box, ELECTIONS.c.block_number, func.min(BATCHES.c.sequence).label("sequence")
    ).where(above)
    for row in connection.execute(cut.group_by(ELECTIONS.c.id, ELECTIONS.c.box, ELECTIONS.c.block_number)).all():
        lost = _orphan_batches(connection, reorg, row.id, row.box, row.sequence)
        batches, records = batches + lost[0], records + lost[1]
        remove_batches(connection, row.id, row.sequence, keeps_tally=row.block_number <= fork.number)
    elections = _remove_elections(connection, reorg, fork)
    revived = and_(ELECTIONS.c.cancelled, ELECTIONS.c.cancelled_at_block > fork.number)
    for (number,) in connection.execute(select(ELECTIONS.c.id).where(revived)).all():
        values = {"cancelled": False, "cancelled_at_block": None}
        connection.execute(update(ELECTIONS).where(ELECTIONS.c.id == number).values(values))
        _restore_progress(connection, number)
    connection.execute(delete(HEAD_CHECKS).where(HEAD_CHECKS.c.block_number > fork.number))
    connection.execute(delete(LEDGER_PROOFS).where(LEDGER_PROOFS.c.block_number > fork.number))
    connection.execute(delete(NAMINGS).where(NAMINGS.c.block_number > fork.number))
    connection.execute(delete(UNKNOWN_HEADERS).where(UNKNOWN_HEADERS.c.block_number > fork.number))
    connection.execute(delete(BLOCKS).where(BLOCKS.c.number >= fork.number))
    connection.execute(insert(BLOCKS).values(number=fork.number, hash=fork.hash, timestamp=fork.timestamp))
    connection.execute(update(CHAIN_CURSOR).values(block_values(fork)))
    return Rewound(reorg, elections, batches, records)


def _save_reorg(connection: Connection, fork: Block, after: Block, observed_at_unix: float) -> Reorg:
    # Held until the end: whoever else moves the cursor waits, and then finds it moved.
    cursor = connection.execute(select(CHAIN_CURSOR).with_for_update()).mappings().one()
    finalized = load_finalized(connection)
    if finalized is not None and fork.number < finalized.number:
        raise FinalityError(fork_number=fork.number, finalized_number=finalized.number)
    if cursor["block_number"] is None or cursor["block_number"] <= fork.number:
        at = "empty" if cursor["block_number"] is None else f"at block {cursor['block_number']}"
        raise StorageError(f"found the index {at}, expected it above block {fork.number}, to which it is to go back")
    if bytes(cursor["block_hash"]) != after.hash:
        raise StorageError(
            f"found the index at block {cursor['block_number']}, expected it at block {after.number}, which the fork "
            "was looked for from: another indexer writes to it",
            retryable=True,
        )
    reorg = Reorg(
        number=(connection.scalar(select(func.max(REORGS.c.id))) or 0) + 1,
        observed_at_unix=observed_at_unix,
        fork_number=fork.number,
        fork_hash=fork.hash,
        old_number=BlockNumber(cursor["block_number"]),
        old_hash=Hash32(bytes(cursor["block_hash"])),
    )
    connection.execute(
        insert(REORGS).values(
            id=reorg.number,
            observed_at_unix=reorg.observed_at_unix,
            fork_number=reorg.fork_number,
            fork_hash=reorg.fork_hash,
            old_number=reorg.old_number,
            old_hash=reorg.old_hash,
            depth=reorg.depth,
        )
    )
    return reorg


def _check_cancellations(connection: Connection, fork: Block) -> None:
    """Refuse where it is not known whether an election was cancelled before the fork or after it.

    An election can be cancelled only before it opens, so that one which has opened at the fork was cancelled before.
    """
    unknown = and_(
        ELECTIONS.c.cancelled,
        ELECTIONS.c.cancelled_at_block.is_(None),
        ELECTIONS.c.block_number <= fork.number,
        ELECTIONS.c.opens_at > fork.timestamp,
    )
    box = connection.scalar(select(ELECTIONS.c.box).where(unknown).limit(1))
    if box is not None:
        raise StorageError(
            f"the index does not say when {checksum_address(Address(bytes(box)))} was cancelled, since an earlier "
            f"version has read it, and the chain was reorganised back to block {fork.number}: read all again with "
            "`qballot index --reset`"
        )


def _orphan_batches(connection: Connection, reorg: Reorg, number: int, box: bytes, sequence: int) -> tuple[int, int]:
    """Keep an election's batches from a sequence on apart. Returns how many they are, and how many records."""
    chosen = and_(BATCHES.c.election_id == number, BATCHES.c.sequence >= sequence)
    rows = connection.execute(select(BATCHES).where(chosen).order_by(BATCHES.c.sequence)).mappings().all()
    for row in rows:
        own = and_(BALLOTS.c.election_id == number, BALLOTS.c.position >= row["first_position"])
        query = select(BALLOTS).where(own).order_by(BALLOTS.c.position).limit(row["records"])
        records = [read_record(ballot) for ballot in connection.execute(query).mappings()]
        values: dict[str, Any] = {
            name: row[name] for name in ("sequence", *_SOURCE, "first_position", "records", "head")
        }
        packed = pack_records(records)
        connection.execute(insert(ORPHANED_BATCHES).values(reorg_id=reorg.number, box=box, packed=packed, **values))
    return len(rows), sum(row["records"] for row in rows)


def remove_batches(connection: Connection, number: int, sequence: int, *, keeps_tally: bool) -> None:
    """Remove an election's batches from a sequence on, and their records. keeps_tally: unless the election goes too."""
    chosen = and_(BATCHES.c.election_id == number, BATCHES.c.sequence == sequence)
    start = connection.scalar(select(BATCHES.c.first_position).where(chosen)) or 0
    if keeps_tally:
        change = compute_removal(connection, number, start)
        write_groups(connection, number, change)
        own = ELECTIONS.c.id == number
        cast, weight = connection.execute(select(ELECTIONS.c.voters_cast, ELECTIONS.c.weight_cast).where(own)).one()
        turnout = {"voters_cast": cast + change.voters, "weight_cast": str(int(weight) + change.weight)}
        connection.execute(update(ELECTIONS).where(own).values(turnout))
    connection.execute(delete(BALLOTS).where(BALLOTS.c.election_id == number, BALLOTS.c.position >= start))
    connection.execute(delete(BATCHES).where(BATCHES.c.election_id == number, BATCHES.c.sequence >= sequence))
    _restore_progress(connection, number)


def _restore_progress(connection: Connection, number: int) -> None:
    """Set an election's head and counts to those after its last batch."""
    query = select(BATCHES).where(BATCHES.c.election_id == number).order_by(BATCHES.c.sequence.desc()).limit(1)
    last = connection.execute(query).mappings().first()
    own = update(ELECTIONS).where(ELECTIONS.c.id == number)
    if last is None:
        connection.execute(own.values(head=ELECTIONS.c.definition_hash, batches=0, records=0))
        return
    records = last["first_position"] + last["records"]
    connection.execute(own.values(head=last["head"], batches=last["sequence"] + 1, records=records))


def _remove_elections(connection: Connection, reorg: Reorg, fork: Block) -> int:
    """Remove elections created above the fork, which have no batches left. Returns how many they are."""
    names = ("box", *_SOURCE, "organizer", "definition_hash")
    above = ELECTIONS.c.block_number > fork.number
    rows = connection.execute(select(ELECTIONS).where(above)).mappings().all()
    for row in rows:
        values = {name: row[name] for name in names}
        connection.execute(insert(ORPHANED_ELECTIONS).values(reorg_id=reorg.number, **values))
    gone = select(ELECTIONS.c.id).where(above)
    for table in (HEAD_CHECKS, BALLOT_GROUPS):
        connection.execute(delete(table).where(table.c.election_id.in_(gone)))
    connection.execute(delete(ELECTIONS).where(above))
    return len(rows)
