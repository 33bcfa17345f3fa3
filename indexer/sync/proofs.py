"""Proving boxes' heads at the last indexed block, and comparing them with what the records give.

due boxes ──▶ header, eth_getProof of many ──▶ verified against the block's hash ──▶ head checks, proofs to be kept
                  └ where no endpoint gives proofs: head(), which proves nothing
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from indexer.journal import get_journal
from indexer.storage.model import Block, HeadCheck
from indexer.storage.proof_model import SPACING, DueBox, KeptProof, Naming, UnknownHeader
from indexer.storage.proof_writer import ProofWriter
from indexer.storage.repository import Repository
from indexer.sync.aside import run_aside, wait_for
from indexer.sync.asked_heads import ask_heads
from indexer.sync.creation import make_printable
from indexer.sync.prover import Prover
from qballot.chain.endpoints import Endpoints
from qballot.core.address import checksum_address
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.types import Hash32, UnixSeconds
from qballot.errors import ChainError, HeaderFormError, NoProofError

BOXES_AT_ONCE = 50
"""Boxes that are proved by one request; each takes some 10 kB of its answer."""

WATCHED = 50
"""Open boxes without new records that are proved again at a new block: one request, however many are open."""

_log = get_journal("sync")


class _Found(NamedTuple):
    """What came of asking for some boxes' heads, in their order; none of them where no endpoint answered.

    proofs: of the heads, none where they were merely answered. failure: why they are not proven, or not even known.
    unknown: set where the failure is that the block's header has an unknown form.
    """

    heads: Sequence[Hash32 | str]
    proofs: Sequence[KeptProof] = ()
    failure: str | None = None
    unknown: UnknownHeader | None = None


class HeadDesk:
    """Has the heads of an index proved. Not to be shared between threads. clock: the machine's."""

    def __init__(
        self,
        endpoints: Endpoints,
        repository: Repository,
        writer: ProofWriter,
        prover: Prover,
        clock: Callable[[], float],
    ) -> None:
        self._endpoints = endpoints
        self._repository = repository
        self._writer = writer
        self._prover = prover
        self._clock = clock

    def run(self, cursor: Block, stop: threading.Event | None) -> bool:
        """Prove the heads that are due at the last indexed block, and keep what comes of it.

        stop: when set, end without waiting for an answer. What no endpoint answers is kept as that, and the rest is
        left for the next block. Returns whether any is proven to be another than its records give. Raises StorageError,
        and Stopped.
        """
        with self._repository.snapshot() as snapshot:
            boxes = snapshot.proofs.load_due(cursor, watched=WATCHED)
            unknown = snapshot.proofs.load_unknown_header()
        is_contradicted = False
        for start in range(0, len(boxes), BOXES_AT_ONCE):
            part = boxes[start : start + BOXES_AT_ONCE]
            found = wait_for(run_aside(partial(self._find, part, cursor), name="proofs"), stop)
            unknown = self._note_form(unknown, found, cursor)
            if not found.heads:
                _log.warning("heads not read", boxes=len(part), block=cursor.number, problem=found.failure)
                self._writer.save_heads(
                    {box.number: HeadCheck(cursor, box.head, None, found.failure) for box in part}, ()
                )
                break
            if found.proofs and found.proofs[0].block != cursor:
                cursor = self._correct_time(cursor, found.proofs[0].block)
            is_contradicted |= self._keep(part, found, cursor)
        return is_contradicted

    def _find(self, boxes: Sequence[DueBox], at: Block) -> _Found:
        try:
            proofs = self._prover.prove(boxes, at)
            return _Found([kept.head for kept in proofs], proofs)
        except NoProofError as error:
            failure, unknown = make_printable(str(error)), _read_form(error, at)
            if not error.lasting:
                return _Found((), failure=failure)
        except ChainError as error:
            return _Found((), failure=make_printable(str(error)))
        try:
            return _Found(ask_heads(self._endpoints, boxes, at), failure=failure, unknown=unknown)
        except ChainError as error:
            return _Found((), failure=make_printable(str(error)), unknown=unknown)

    def _note_form(self, known: UnknownHeader | None, found: _Found, at: Block) -> UnknownHeader | None:
        """Keep since which block headers are unknown, and forget it once one from there on was read.

        known: what is kept of it. Returns what is kept now.
        """
        if known is None and found.unknown is not None:
            self._writer.save_unknown_header(found.unknown)
            _log.error(
                "UNKNOWN HEADER: no state is proven from this block on; update to a QBallot that knows the fork",
                block=at.number,
                fields=list(found.unknown.fields),
                problem=found.unknown.problem,
            )
            return found.unknown
        if known is not None and found.proofs and at.number >= known.block.number:
            self._writer.save_unknown_header(None)
            _log.info("headers are known again", block=at.number, unknown_since=known.block.number)
            return None
        return known

    def _correct_time(self, wrong: Block, proven: Block) -> Block:
        """Put the last indexed block's time right, by which elections open and close. Returns the block."""
        _log.error(
            "FALSE TIME: the block's time that was indexed is not the one that its hash stands for",
            block=proven.number,
            found=wrong.timestamp,
            proven=proven.timestamp,
        )
        self._writer.correct_time(proven)
        return proven

    def _keep(self, boxes: Sequence[DueBox], found: _Found, at: Block) -> bool:
        """Keep the heads, and the proofs that say more than those that are kept. Returns whether one contradicts."""
        checks = [_compare(box, head, at, found) for box, head in zip(boxes, found.heads, strict=True)]
        kept = [proof for box, proof in zip(boxes, found.proofs, strict=False) if _is_news(box, proof)]
        self._writer.save_heads(
            {box.number: check for box, check in zip(boxes, checks, strict=True)},
            kept,
            name_blocks(kept, self._clock()),
        )
        return any(check.is_proven and not check.agrees for check in checks)


def _read_form(error: NoProofError, at: Block) -> UnknownHeader | None:
    """Say what is unknown of a block's header, where that is why nothing is proven."""
    if not isinstance(error, HeaderFormError):
        return None
    return UnknownHeader(at, error.fields, make_printable(error.problem))


def _compare(box: DueBox, head: Hash32 | str, at: Block, found: _Found) -> HeadCheck:
    shown = checksum_address(box.box)
    if isinstance(head, str):
        _log.warning("head not read", box=shown, block=at.number, problem=head)
        return HeadCheck(at, box.head, None, make_printable(head))
    check = HeadCheck(at, box.head, head, found.failure, is_proven=bool(found.proofs))
    if not check.agrees:
        _log.error(
            "HEAD MISMATCH: the logs that were indexed and the box's head contradict each other",
            box=shown,
            block=at.number,
            found=f"0x{head.hex()}",
            recomputed=f"0x{box.head.hex()}",
            proven=check.is_proven,
        )
    return check


def name_blocks(proofs: Iterable[KeptProof], now: float) -> list[Naming]:
    """Say that whoever gave proofs names their blocks."""
    return [
        Naming(block.number, block.hash, operator, block.hash, is_final=False, named_at_unix=now)
        for block, operator in dict.fromkeys((kept.block, kept.operator) for kept in proofs)
    ]


def _is_news(box: DueBox, proof: KeptProof) -> bool:
    """Whether a proof says more than the newest kept one: another head, a later phase, or the same long after."""
    newest = box.newest
    if newest is None or newest.head != proof.head:
        return True
    if count_phases(box, newest.block.timestamp) != count_phases(box, proof.block.timestamp):
        return True
    return proof.block.number - newest.block.number >= SPACING


def count_phases(box: DueBox, now: UnixSeconds) -> int:
    """Count what has happened to an election by a second: it opened, it closed, its lots could be drawn."""
    own = box.arguments
    return sum(moment <= now for moment in (own.opens_at, own.closes_at, own.closes_at + LOT_DELAY_SECONDS))
