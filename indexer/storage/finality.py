"""The followed chain's latest blocks, and which of them is final."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from indexer.storage.chain_tables import BLOCKS, FINALITY
from indexer.storage.model import Block, RangeChange
from indexer.storage.rows import block_values, read_block

KEPT_BLOCKS = 10_000
"""How many blocks are kept where none is final: more than any reorganisation that a chain has got over."""


def load_finalized(connection: Connection) -> Block | None:
    """Load the latest final block that the index has read up to."""
    row = connection.execute(select(FINALITY)).mappings().first()
    return None if row is None else read_block(row)


def keep_blocks(connection: Connection, change: RangeChange) -> None:
    """Keep the blocks of a range above the final one, and move finality forward where the endpoint says so.

    A final block after the range says that all of the range is final.
    """
    blocks = {block.number: block for block in (*change.blocks, change.until)}
    connection.execute(delete(BLOCKS).where(BLOCKS.c.number >= min(blocks)))
    connection.execute(insert(BLOCKS), [_values(block) for block in blocks.values()])
    oldest = change.until.number - KEPT_BLOCKS
    if change.finalized is not None:
        latest = min(change.finalized, change.until, key=lambda block: block.number)
        finalized = _move_finality(connection, latest)
        oldest = oldest if finalized is None else max(oldest, finalized.number)
    connection.execute(delete(BLOCKS).where(BLOCKS.c.number < oldest))


def _move_finality(connection: Connection, latest: Block) -> Block | None:
    """Move finality to a block of the followed chain, never back. Returns the block that is final now, if any."""
    before = load_finalized(connection)
    if before is not None and before.number >= latest.number:
        return before
    kept = connection.execute(select(BLOCKS).where(BLOCKS.c.number == latest.number)).mappings().first()
    if kept is None:
        connection.execute(insert(BLOCKS).values(_values(latest)))
    elif bytes(kept["hash"]) != latest.hash:
        # What is final is another block than the one that was followed: that is for the next look at the chain.
        return before
    if before is None:
        connection.execute(insert(FINALITY).values(id=1, **block_values(latest)))
    else:
        connection.execute(update(FINALITY).values(block_values(latest)))
    return latest


def _values(block: Block) -> dict[str, object]:
    return {"number": block.number, "hash": block.hash, "timestamp": block.timestamp}
