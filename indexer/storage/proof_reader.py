"""Everything that can be asked of what is proven."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Select, and_, func, literal_column, not_, or_, select

from indexer.storage.model import Block
from indexer.storage.proof_model import SPACING, DueBox, KeptProof, Naming, ProofMark, Repair, UnknownHeader
from indexer.storage.proof_rows import (
    read_due,
    read_mark,
    read_naming,
    read_proof,
    read_repair,
    read_unknown_header,
)
from indexer.storage.proof_tables import LEDGER_PROOFS, NAMINGS, REPAIRS, UNKNOWN_HEADERS, has_lot
from indexer.storage.rows import read_block
from indexer.storage.tables import ELECTIONS, HEAD_CHECKS
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.types import Address, BlockNumber, Hash32

_AT_ONCE = 500
_MARK = [
    *(LEDGER_PROOFS.c[name] for name in ("box", "block_number", "block_hash", "block_timestamp", "head", "operator")),
    has_lot().label("has_lot"),
]


class ProofReader:
    """Proofs, who names their blocks and what they have put right, at one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load_marks(self, box: Address) -> list[ProofMark]:
        """Load what a box's kept proofs are of, the newest first."""
        query = select(*_MARK).where(LEDGER_PROOFS.c.box == box).order_by(LEDGER_PROOFS.c.block_number.desc())
        return [read_mark(row) for row in self._connection.execute(query).mappings()]

    def load_proof(self, box: Address, block_hash: Hash32) -> KeptProof | None:
        """Load a box's proof at a block; None when none is kept."""
        chosen = and_(LEDGER_PROOFS.c.box == box, LEDGER_PROOFS.c.block_hash == block_hash)
        row = self._connection.execute(select(LEDGER_PROOFS).where(chosen)).mappings().first()
        return None if row is None else read_proof(row)

    def load_namings(self, hashes: Sequence[Hash32]) -> list[Naming]:
        """Load what operators say of the blocks with these hashes, by operator."""
        found: list[Naming] = []
        for start in range(0, len(hashes), _AT_ONCE):
            chosen = NAMINGS.c.block_hash.in_(hashes[start : start + _AT_ONCE])
            query = select(NAMINGS).where(chosen).order_by(NAMINGS.c.block_hash, NAMINGS.c.operator)
            found += map(read_naming, self._connection.execute(query).mappings())
        return found

    def load_waiting(self, needed: int, *, limit: int) -> list[Block]:
        """Load blocks of proofs, up to `limit`, the newest first, that are not settled.

        Fewer than `needed` operators call such a block final, or one names another block at its height.
        """
        finals = (
            select(NAMINGS.c.block_hash)
            .where(NAMINGS.c.is_final, NAMINGS.c.named_hash == NAMINGS.c.block_hash)
            .group_by(NAMINGS.c.block_hash)
            .having(func.count() >= needed)
        )
        columns = [LEDGER_PROOFS.c[name] for name in ("block_number", "block_hash", "block_timestamp")]
        contradicted = select(NAMINGS.c.block_hash).where(NAMINGS.c.named_hash != NAMINGS.c.block_hash)
        block_hash = LEDGER_PROOFS.c.block_hash
        query = select(*columns).distinct().where(or_(block_hash.not_in(finals), block_hash.in_(contradicted)))
        newest = query.order_by(LEDGER_PROOFS.c.block_number.desc()).limit(limit)
        return [read_block(row) for row in self._connection.execute(newest).mappings()]

    def load_contradictions(self, *, limit: int) -> list[Naming]:
        """Load up to `limit` words of operators that contradict a proof's block, of the newest blocks first."""
        query = select(NAMINGS).where(NAMINGS.c.named_hash != NAMINGS.c.block_hash)
        newest = query.order_by(NAMINGS.c.block_number.desc(), NAMINGS.c.operator).limit(limit)
        return [read_naming(row) for row in self._connection.execute(newest).mappings()]

    def load_witnessed(self, needed: int) -> BlockNumber | None:
        """Load the height of the newest proof's block that so many operators name; None without any."""
        named = (
            select(NAMINGS.c.block_number)
            .where(NAMINGS.c.named_hash == NAMINGS.c.block_hash)
            .group_by(NAMINGS.c.block_hash, NAMINGS.c.block_number)
            .having(func.count() >= needed)
        )
        found = self._connection.scalar(named.order_by(NAMINGS.c.block_number.desc()).limit(1))
        return None if found is None else BlockNumber(found)

    def load_repairs(self, box: Address, *, limit: int) -> list[Repair]:
        """Load up to `limit` repairs of a box's batches, the latest first."""
        query = select(REPAIRS).where(REPAIRS.c.box == box).order_by(REPAIRS.c.id.desc()).limit(limit)
        return [read_repair(row) for row in self._connection.execute(query).mappings()]

    def load_unknown_header(self) -> UnknownHeader | None:
        """Load the first block whose header has an unknown form; None while all are known."""
        row = self._connection.execute(select(UNKNOWN_HEADERS)).mappings().first()
        return None if row is None else read_unknown_header(row)

    def load_due(self, at: Block, *, watched: int) -> list[DueBox]:
        """Load the valid elections whose head should be proved at this block, the longest unproved first.

        They are those never looked at, or without success, those with records since, and those that have opened,
        closed or come to the time of lots since. Of those that are open and have had no record since, and of those
        whose head was answered without a proof SPACING blocks ago, up to `watched` more.
        """
        check, own = HEAD_CHECKS.c, ELECTIONS.c
        begun = [own.opens_at, own.closes_at, own.closes_at + LOT_DELAY_SECONDS]
        moved = and_(
            ~own.cancelled,
            or_(*(and_(check.block_timestamp < moment, moment <= at.timestamp) for moment in begun)),
        )
        unsettled = or_(check.chain_head.is_(None), check.chain_head != own.head, moved)
        due = or_(check.block_number.is_(None), and_(check.block_number < at.number, unsettled))
        is_open = and_(~own.cancelled, own.opens_at <= at.timestamp, own.closes_at > at.timestamp)
        unproven = and_(~check.is_proven, check.block_number <= at.number - SPACING)
        quiet = and_(check.block_number < at.number, or_(is_open, unproven), not_(unsettled))
        query = _boxes().where(own.invalid_reason.is_(None)).order_by(check.block_number.asc().nulls_first(), own.id)
        rows = [
            *self._connection.execute(query.where(due)).mappings(),
            *self._connection.execute(query.where(quiet).limit(watched)).mappings(),
        ]
        return [read_due(row) for row in rows]

    def load_lotless(self, at: Block, after: tuple[int, int], *, limit: int) -> list[DueBox]:
        """Load valid elections whose lots can be drawn at a block and whose proofs do not show that block yet.

        Their heads are proven at least. after: close and number of the last one that was loaded before; they come in
        the order of these.
        """
        own = ELECTIONS.c
        shown = select(LEDGER_PROOFS.c.box).where(LEDGER_PROOFS.c.head == own.head, has_lot())
        chosen = and_(
            own.invalid_reason.is_(None),
            ~own.cancelled,
            own.closes_at <= at.timestamp - LOT_DELAY_SECONDS,
            or_(own.closes_at > after[0], and_(own.closes_at == after[0], own.id > after[1])),
            HEAD_CHECKS.c.is_proven,
            HEAD_CHECKS.c.chain_head == own.head,
            own.box.not_in(shown),
        )
        query = _boxes().where(chosen).order_by(own.closes_at, own.id).limit(limit)
        return [read_due(row) for row in self._connection.execute(query).mappings()]

    def count_unproven(self) -> int:
        """Count the valid elections whose head, as their records give it, is not proven."""
        check, own = HEAD_CHECKS.c, ELECTIONS.c
        proven = and_(check.is_proven, check.chain_head == own.head)
        query = (
            select(func.count())
            .select_from(ELECTIONS)
            .outerjoin(HEAD_CHECKS, and_(check.election_id == own.id, proven))
            .where(own.invalid_reason.is_(None), check.election_id.is_(None))
        )
        return int(self._connection.scalar(query) or 0)


def _boxes() -> Select[tuple[object, ...]]:
    """Elections with their head checks and their newest proofs, whose columns are named `proof_…`."""
    names = (
        "id", "box", "head", "salt", "definition_hash", "organizer", "opens_at", "closes_at", "sheet_bits", "voters",
        "max_ballot_bytes", "sheet_roots", "text_ballots",
    )  # fmt: skip
    place = func.row_number().over(partition_by=LEDGER_PROOFS.c.box, order_by=LEDGER_PROOFS.c.block_number.desc())
    ranked = select(*_MARK, place.label("place")).subquery()
    marks = [column.label(f"proof_{column.name}") for column in ranked.columns if column.name != "place"]
    newest = and_(ranked.c.box == ELECTIONS.c.box, ranked.c.place == literal_column("1"))
    return (
        select(*(ELECTIONS.c[name] for name in names), *marks)
        .outerjoin(HEAD_CHECKS, HEAD_CHECKS.c.election_id == ELECTIONS.c.id)
        .outerjoin(ranked, newest)
    )
