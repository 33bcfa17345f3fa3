"""Everything that is written of what is proven: heads and their proofs, and who names their blocks.

Of a box these proofs are kept: the newest; the newest final one; the newest that shows the block that lots are drawn
from; and of those between, which wait to become final, one every SPACING blocks, so that finality does not go back to
the start with every new ballot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, and_, delete, func, insert, select, update

from indexer.storage.chain_tables import BLOCKS, FINALITY
from indexer.storage.engine import begin_write, storage_errors
from indexer.storage.model import Block, HeadCheck
from indexer.storage.proof_model import SPACING, KeptProof, Naming, UnknownHeader
from indexer.storage.proof_rows import naming_values, proof_values, unknown_header_values
from indexer.storage.proof_tables import LEDGER_PROOFS, NAMINGS, UNKNOWN_HEADERS, has_lot
from indexer.storage.rows import head_check_values
from indexer.storage.tables import CHAIN_CURSOR, HEAD_CHECKS
from qballot.core.types import Address, Hash32


class ProofWriter:
    """Write access to what is proven.

    needed: how many operators must call a block final for it to be so.
    """

    def __init__(self, engine: Engine, *, needed: int) -> None:
        self._engine = engine
        self._needed = needed

    def save_heads(
        self, checks: Mapping[int, HeadCheck], proofs: Sequence[KeptProof], namings: Iterable[Naming] = ()
    ) -> None:
        """Keep boxes' heads, by the election's number, in place of earlier ones, and proofs, in one transaction.

        namings: by those who gave the proofs; where they have named the same before, that stays.
        """
        with storage_errors("cannot write the index"), begin_write(self._engine) as connection:
            for number, check in checks.items():
                connection.execute(delete(HEAD_CHECKS).where(HEAD_CHECKS.c.election_id == number))
                connection.execute(insert(HEAD_CHECKS).values(head_check_values(check, number)))
            for kept in proofs:
                _remove(connection, kept.box, [kept.block.hash])
                connection.execute(insert(LEDGER_PROOFS).values(proof_values(kept)))
            for naming in namings:
                if not _has_named(connection, naming):
                    _replace_naming(connection, naming)
            for box in dict.fromkeys(kept.box for kept in proofs):
                self._prune(connection, box)

    def save_namings(self, namings: Iterable[Naming]) -> None:
        """Keep what operators say of blocks, in place of what they said of the same ones, and let go what is no longer
        needed of the boxes that are proved at them.
        """
        with storage_errors("cannot write the index"), begin_write(self._engine) as connection:
            blocks = set()
            for naming in namings:
                _replace_naming(connection, naming)
                blocks.add(naming.block_hash)
            for block in blocks:
                own_boxes = select(LEDGER_PROOFS.c.box).where(LEDGER_PROOFS.c.block_hash == block)
                for box in connection.scalars(own_boxes).all():
                    self._prune(connection, Address(bytes(box)))
            kept = select(LEDGER_PROOFS.c.block_hash)
            connection.execute(delete(NAMINGS).where(NAMINGS.c.block_hash.not_in(kept)))

    def correct_time(self, block: Block) -> None:
        """Give a block that the index has by its hash the time that was proved, wherever it stands."""
        with storage_errors("cannot write the index"), begin_write(self._engine) as connection:
            for table in (CHAIN_CURSOR, FINALITY):
                own = update(table).where(table.c.block_hash == block.hash)
                connection.execute(own.values(block_timestamp=block.timestamp))
            connection.execute(update(BLOCKS).where(BLOCKS.c.hash == block.hash).values(timestamp=block.timestamp))

    def save_unknown_header(self, unknown: UnknownHeader | None) -> None:
        """Keep since which block headers are unknown; None: they are all known."""
        with storage_errors("cannot write the index"), begin_write(self._engine) as connection:
            connection.execute(delete(UNKNOWN_HEADERS))
            if unknown is not None:
                connection.execute(insert(UNKNOWN_HEADERS).values(id=1, **unknown_header_values(unknown)))

    def drop_block(self, block_hash: Hash32) -> int:
        """Forget the proofs at a block that is no longer in the chain, and the heads read there. Returns how many."""
        with storage_errors("cannot write the index"), begin_write(self._engine) as connection:
            dropped = connection.execute(delete(LEDGER_PROOFS).where(LEDGER_PROOFS.c.block_hash == block_hash))
            connection.execute(delete(NAMINGS).where(NAMINGS.c.block_hash == block_hash))
            connection.execute(delete(HEAD_CHECKS).where(HEAD_CHECKS.c.block_hash == block_hash))
            return dropped.rowcount

    def _prune(self, connection: Connection, box: Address) -> None:
        finals = (
            select(func.count())
            .where(
                NAMINGS.c.block_hash == LEDGER_PROOFS.c.block_hash,
                NAMINGS.c.named_hash == LEDGER_PROOFS.c.block_hash,
                NAMINGS.c.is_final,
            )
            .scalar_subquery()
        )
        columns = LEDGER_PROOFS.c
        query = (
            select(columns.block_number, columns.block_hash, finals >= self._needed, has_lot())
            .where(columns.box == box)
            .order_by(columns.block_number)
        )
        rows = connection.execute(query).all()
        kept = choose_kept([Place(number, bool(is_final), bool(lot)) for number, _, is_final, lot in rows])
        _remove(connection, box, [Hash32(bytes(row[1])) for place, row in enumerate(rows) if place not in kept])


class Place(NamedTuple):
    """A kept proof among others of its box. number: of its block. has_lot: whether it shows the lot's block."""

    number: int
    is_final: bool
    has_lot: bool


def choose_kept(proofs: Sequence[Place]) -> set[int]:
    """Choose which of a box's proofs, which are given by ascending blocks, are kept. Returns their indices."""
    if not proofs:
        return set()
    last_final = max((at for at, place in enumerate(proofs) if place.is_final), default=None)
    last_lot = max((at for at, place in enumerate(proofs) if place.has_lot), default=None)
    kept = {len(proofs) - 1} | {at for at in (last_final, last_lot) if at is not None}
    last = None if last_final is None else proofs[last_final].number
    for at in range(0 if last_final is None else last_final + 1, len(proofs)):
        if last is None or proofs[at].number - last >= SPACING:
            kept.add(at)
            last = proofs[at].number
    return kept


def _has_named(connection: Connection, naming: Naming) -> bool:
    own = and_(NAMINGS.c.block_hash == naming.block_hash, NAMINGS.c.operator == naming.operator)
    return connection.scalar(select(NAMINGS.c.named_hash).where(own)) == naming.named_hash


def _replace_naming(connection: Connection, naming: Naming) -> None:
    own = and_(NAMINGS.c.block_hash == naming.block_hash, NAMINGS.c.operator == naming.operator)
    connection.execute(delete(NAMINGS).where(own))
    connection.execute(insert(NAMINGS).values(naming_values(naming)))


def _remove(connection: Connection, box: Address, hashes: Sequence[Hash32]) -> None:
    if hashes:
        chosen = and_(LEDGER_PROOFS.c.box == box, LEDGER_PROOFS.c.block_hash.in_(hashes))
        connection.execute(delete(LEDGER_PROOFS).where(chosen))
