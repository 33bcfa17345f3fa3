"""Everything that is written of what is proven: heads and their proofs, and who names their blocks.

Of a box these proofs are kept: the newest; the newest final one; and of those between, which wait to become final, one
every SPACING blocks, so that finality does not go back to the start with every new ballot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, Engine, and_, delete, func, insert, select

from indexer.storage.engine import begin_write, storage_errors
from indexer.storage.model import HeadCheck
from indexer.storage.proof_model import KeptProof, Naming
from indexer.storage.proof_rows import naming_values, proof_values
from indexer.storage.proof_tables import LEDGER_PROOFS, NAMINGS
from indexer.storage.rows import head_check_values
from indexer.storage.tables import HEAD_CHECKS
from qballot.core.types import Address, Hash32

SPACING = 32
"""Blocks between proofs that wait to become final: an epoch, by which Ethereum's finality moves."""


class ProofWriter:
    """Write access to what is proven.

    needed: how many operators must call a block final for it to be so.
    """

    def __init__(self, engine: Engine, *, needed: int) -> None:
        self._engine = engine
        self._needed = needed

    def save_heads(self, checks: Mapping[int, HeadCheck], proofs: Sequence[KeptProof]) -> None:
        """Keep boxes' heads, by the election's number, in place of earlier ones, and proofs, in one transaction."""
        with storage_errors("cannot write the index"), begin_write(self._engine) as connection:
            for number, check in checks.items():
                connection.execute(delete(HEAD_CHECKS).where(HEAD_CHECKS.c.election_id == number))
                connection.execute(insert(HEAD_CHECKS).values(head_check_values(check, number)))
            for kept in proofs:
                _remove(connection, kept.box, [kept.block.hash])
                connection.execute(insert(LEDGER_PROOFS).values(proof_values(kept)))
                self._prune(connection, kept.box)

    def save_namings(self, namings: Iterable[Naming]) -> None:
        """Keep what operators say of blocks, in place of what they said of the same ones, and let go what is no longer
        needed of the boxes that are proved at them.
        """
        with storage_errors("cannot write the index"), begin_write(self._engine) as connection:
            blocks = set()
            for naming in namings:
                own = and_(NAMINGS.c.block_hash == naming.block_hash, NAMINGS.c.operator == naming.operator)
                connection.execute(delete(NAMINGS).where(own))
                connection.execute(insert(NAMINGS).values(naming_values(naming)))
                blocks.add(naming.block_hash)
            for block in blocks:
                own_boxes = select(LEDGER_PROOFS.c.box).where(LEDGER_PROOFS.c.block_hash == block)
                for box in connection.scalars(own_boxes).all():
                    self._prune(connection, Address(bytes(box)))
            kept = select(LEDGER_PROOFS.c.block_hash)
            connection.execute(delete(NAMINGS).where(NAMINGS.c.block_hash.not_in(kept)))

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
        query = (
            select(LEDGER_PROOFS.c.block_number, LEDGER_PROOFS.c.block_hash, finals >= self._needed)
            .where(LEDGER_PROOFS.c.box == box)
            .order_by(LEDGER_PROOFS.c.block_number)
        )
        rows = [(number, Hash32(bytes(found)), bool(final)) for number, found, final in connection.execute(query)]
        kept = choose_kept([(number, final) for number, _, final in rows])
        _remove(connection, box, [found for place, (_, found, _) in enumerate(rows) if place not in kept])


def choose_kept(proofs: Sequence[tuple[int, bool]]) -> set[int]:
    """Choose which of a box's proofs are kept, by their place.

    proofs: ascending, of each its block's number and whether that is final.
    """
    last_final = max((place for place, (_, final) in enumerate(proofs) if final), default=None)
    kept = set() if last_final is None else {last_final}
    last = None if last_final is None else proofs[last_final][0]
    for place in range(0 if last_final is None else last_final + 1, len(proofs)):
        number = proofs[place][0]
        if last is None or number - last >= SPACING:
            kept.add(place)
            last = number
    return kept | {len(proofs) - 1} if proofs else set()


def _remove(connection: Connection, box: Address, hashes: Sequence[Hash32]) -> None:
    if hashes:
        chosen = and_(LEDGER_PROOFS.c.box == box, LEDGER_PROOFS.c.block_hash.in_(hashes))
        connection.execute(delete(LEDGER_PROOFS).where(chosen))
