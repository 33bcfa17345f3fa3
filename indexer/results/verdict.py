"""What a result is worth: its state, its level, the block that it holds at, and all of that in words.

Pure functions of what is in the index. `phase.py` says where an election stands at a block, `proven.py` which proof a
result rests on, and `words.py` says it for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from indexer.results.phase import PHASE_BEGINS, State, compute_phase, compute_state, describe_state
from indexer.results.proven import Proofs, Proven, choose_proven, find_usable
from indexer.results.words import (
    CONTRADICTED,
    INDEXED,
    NEVER_COMPARED,
    NOT_CONSISTENT,
    NOT_JUDGED,
    describe_consistent,
    describe_disagreement,
    describe_mismatch,
    describe_proven,
    describe_repair,
    explain_consistent,
    explain_indexed,
    explain_proven,
)
from indexer.storage.model import Block, Election, HeadCheck


class Level(StrEnum):
    """How far a result is verified, each level above the one before."""

    INDEXED = "indexed"
    """Read from logs."""

    CONSISTENT = "consistent"
    """And the head recomputed from the records equals what `head()` answered at a block."""

    PROVEN = "proven"
    """And that head follows from the block's hash, by Merkle proofs."""

    WITNESSED = "witnessed"
    """And enough different operators name that hash."""

    FINAL = "final"
    """And they call the block finalized."""


class AlarmKind(StrEnum):
    """What an alarm is about."""

    MISMATCH = "mismatch"
    """The chain contradicts the records: the result is not to be relied on."""

    DISAGREEMENT = "disagreement"
    """Operators name different blocks: one of them is not to be relied on."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What contradicts a result, or the chain that it rests on."""

    kind: AlarmKind
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a result is worth.

    state: None for an election of an unknown version, which has no result. level_text: what the level shows.
    next_level_text: why the next one is not reached; None for the highest. alarm: None when nothing is contradicted.
    block: the block that all of it holds at. proven: what it rests on from `proven` on, None below. repaired: what
    proofs have put right among its records, the latest first.
    """

    state: State | None
    state_text: str
    level: Level
    level_text: str
    next_level_text: str | None
    alarm: Alarm | None
    block: Block
    proven: Proven | None = None
    repaired: tuple[str, ...] = ()


def judge(election: Election, indexed: Block, proofs: Proofs, *, draws_lots: bool = False) -> Verdict:
    """Judge an election's result. indexed: the last block that the index holds. draws_lots: as of `choose_proven`.

    A result that is proven holds at the block of its proof, a consistent one at the block that `head()` was read at,
    any other at the last indexed one.
    """
    repaired = tuple(map(describe_repair, proofs.repairs))
    if election.invalid_reason is not None:
        why = NEVER_COMPARED if election.unknown_version is None else NOT_JUDGED
        return _judge_as(election, indexed, Level.INDEXED, INDEXED, why)
    check = election.head_check
    usable = find_usable(election, indexed, proofs)
    if check is not None and _is_mismatch(election, check, usable):
        mismatch = Alarm(AlarmKind.MISMATCH, describe_mismatch(check))
        texts = (CONTRADICTED, NOT_CONSISTENT)
        return _judge_as(election, indexed, Level.INDEXED, *texts, mismatch, repaired=repaired)
    alarm = _find_disagreement(usable)
    proven = choose_proven(usable, draws_lots=draws_lots)
    if proven is not None:
        shown, why_not = describe_proven(election, proven, indexed), explain_proven(proven)
        return _judge_as(
            election, proven.mark.block, _find_level(proven), shown, why_not, alarm, proven, repaired=repaired
        )
    problem = _find_problem(election, indexed)
    if problem is not None or check is None:
        why = explain_indexed(problem or "")
        return _judge_as(election, indexed, Level.INDEXED, INDEXED, why, repaired=repaired)
    shown, why_not = (
        describe_consistent(election, check.block, indexed),
        explain_consistent(check, proofs.unknown_header),
    )
    return _judge_as(election, check.block, Level.CONSISTENT, shown, why_not, repaired=repaired)


def _judge_as(  # noqa: PLR0917 # the parts of a verdict in their order
    election: Election,
    block: Block,
    level: Level,
    level_text: str,
    next_level_text: str | None,
    alarm: Alarm | None = None,
    proven: Proven | None = None,
    repaired: tuple[str, ...] = (),
) -> Verdict:
    return Verdict(
        state=compute_state(election, block.timestamp),
        state_text=describe_state(election, block),
        level=level,
        level_text=level_text,
        next_level_text=next_level_text,
        alarm=alarm,
        block=block,
        proven=proven,
        repaired=repaired,
    )


def _is_mismatch(election: Election, check: HeadCheck, usable: list[Proven]) -> bool:
    """Whether the chain contradicts the records. A later proof of what the records give settles it."""
    if check.chain_head in (None, check.recomputed_head, election.head):
        return False
    return all(proven.mark.block.number <= check.block.number for proven in usable)


def _find_disagreement(usable: list[Proven]) -> Alarm | None:
    contradicted = next((proven for proven in usable if proven.contradicted_by), None)
    return None if contradicted is None else Alarm(AlarmKind.DISAGREEMENT, describe_disagreement(contradicted))


def _find_level(proven: Proven) -> Level:
    if proven.is_final:
        return Level.FINAL
    return Level.WITNESSED if proven.is_witnessed else Level.PROVEN


def _find_problem(election: Election, indexed: Block) -> str | None:
    """Say why the level is not `consistent`, where nothing contradicts it; None when it is."""
    check = election.head_check
    if check is None:
        return "the box's head has not been read yet"
    if check.chain_head is None:
        return f"no endpoint gave the box's head at block {check.block.number}"
    if check.recomputed_head != election.head:
        return f"the box has changed since its head was read at block {check.block.number}"
    phase = compute_phase(election, indexed.timestamp)
    if compute_phase(election, check.block.timestamp) is not phase:
        return f"the box's head has not been read since the election {PHASE_BEGINS[phase]}"
    return None
