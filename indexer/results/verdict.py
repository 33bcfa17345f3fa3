"""What a result is worth: its state, its level, the block that it holds at, and all of that in words.

Pure functions of what is in the index; time is the chain's alone.

    opens_at            closes_at
       │                    │
    ───┼────────────────────┼──────────▶ timestamp of the block
    upcoming     open       closed        phase
         partial            complete      state
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from indexer.storage.model import Block, Election, HeadCheck, Listing
from qballot.core.types import UnixSeconds


class Phase(StrEnum):
    """Where an election stands at a block."""

    UPCOMING = "upcoming"
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    INVALID = "invalid"


class State(StrEnum):
    """What a result says, apart from how well it is verified."""

    PARTIAL = "partial"
    """At a block before the close: shows who leads, names no winner."""

    COMPLETE = "complete"
    """At a block at or after the close: no ballot can follow."""

    CANCELLED = "cancelled"
    """Cancelled by its organizer before the opening: nobody could vote."""

    INVALID = "invalid"
    """Something about the election is not as it must be: never counted."""


class Level(StrEnum):
    """How far a result is verified."""

    INDEXED = "indexed"
    """Read from logs."""

    CONSISTENT = "consistent"
    """And the head recomputed from the records equals what `head()` answered at a block."""


PHASE_BEGINS = {Phase.OPEN: "opened", Phase.CLOSED: "closed"}

NEVER_COMPARED = (
    "Indexed: read from the logs that one endpoint gave. Nothing was compared with the chain, since an invalid "
    "election is never counted."
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a result is worth. block: the block that it holds at. alarm: what contradicts it, None when nothing does."""

    state: State
    state_text: str
    level: Level
    level_text: str
    alarm: str | None
    block: Block


def compute_phase(election: Election | Listing, now: UnixSeconds) -> Phase:
    """Say where an election stands at a block with this timestamp."""
    if election.invalid_reason is not None:
        return Phase.INVALID
    if election.cancelled:
        return Phase.CANCELLED
    if now < election.opens_at:
        return Phase.UPCOMING
    return Phase.OPEN if now < election.closes_at else Phase.CLOSED


def compute_state(election: Election, now: UnixSeconds) -> State:
    """Say what a result of the election can be at a block with this timestamp."""
    phase = compute_phase(election, now)
    if phase is Phase.INVALID:
        return State.INVALID
    if phase is Phase.CANCELLED:
        return State.CANCELLED
    return State.COMPLETE if phase is Phase.CLOSED else State.PARTIAL


def judge(election: Election, indexed: Block) -> Verdict:
    """Judge an election's result. indexed: the last block that the index holds.

    A consistent result holds at the block that `head()` was read at, any other at the last indexed one.
    """
    if election.invalid_reason is not None:
        return _judge_as(election, indexed, Level.INDEXED, NEVER_COMPARED)
    check = election.head_check
    alarm = _find_alarm(check)
    if alarm is not None:
        return _judge_as(election, indexed, Level.INDEXED, _describe_indexed(alarm), alarm)
    problem = _find_level_problem(election, indexed)
    if problem is not None or check is None:
        text = (
            f"{_describe_indexed(problem or '')} An endpoint that leaves out or invents ballots would not be noticed."
        )
        return _judge_as(election, indexed, Level.INDEXED, text)
    return _judge_as(election, check.block, Level.CONSISTENT, _describe_consistent(election, check.block, indexed))


def describe_time(seconds: UnixSeconds) -> str:
    """Write a time of the chain for people; a uint40 reaches beyond the years that calendars here know."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError):
        return f"second {seconds} since 1970"


def _judge_as(election: Election, block: Block, level: Level, level_text: str, alarm: str | None = None) -> Verdict:
    return Verdict(
        state=compute_state(election, block.timestamp),
        state_text=_describe_state(election, block),
        level=level,
        level_text=level_text,
        alarm=alarm,
        block=block,
    )


def _find_alarm(check: HeadCheck | None) -> str | None:
    """Say what the chain contradicts; None when it contradicts nothing, or was not asked."""
    if check is None or check.chain_head is None or check.agrees:
        return None
    return (
        f"MISMATCH: at block {check.block.number} the box's head() is 0x{check.chain_head.hex()}, and the records give "
        f"0x{check.recomputed_head.hex()}. Records are missing, forged or out of order: do not rely on this result"
    )


def _find_level_problem(election: Election, indexed: Block) -> str | None:
    """Say why the level is not `consistent`, where nothing contradicts it; None when it is."""
    check = election.head_check
    if check is None:
        return "head() of the box has not been read yet"
    if check.chain_head is None:
        return f"the endpoint gave no head() of the box at block {check.block.number}"
    if check.recomputed_head != election.head:
        return f"the box has changed since head() was read at block {check.block.number}"
    phase = compute_phase(election, indexed.timestamp)
    if compute_phase(election, check.block.timestamp) is not phase:
        return f"head() of the box has not been read since the election {PHASE_BEGINS[phase]}"
    return None


def _describe_indexed(problem: str) -> str:
    return f"Indexed: read from the logs that one endpoint gave. Not consistent, because {problem}."


def _describe_consistent(election: Election, block: Block, indexed: Block) -> str:
    later = ""
    if compute_state(election, block.timestamp) is State.PARTIAL and indexed.number > block.number:
        later = f" Up to block {indexed.number} the logs hold no later ballot; head() was not read again since."
    return (
        f"Consistent: the hash chain recomputed from all ballots equals head() of the box at block {block.number}. "
        "No ballot is missing, added or moved if the endpoint told the truth about head(). Not proven: that value and "
        f"the block's hash were taken from the endpoint without a state proof, and no second endpoint was asked.{later}"
    )


def _describe_state(election: Election, block: Block) -> str:
    opens_at, closes_at = (describe_time(at) for at in (election.opens_at, election.closes_at))
    match compute_phase(election, block.timestamp):
        case Phase.INVALID:
            return f"Invalid, and never counted: {election.invalid_reason}"
        case Phase.CANCELLED:
            return "Cancelled by its organizer before the opening: nobody could vote."
        case Phase.UPCOMING:
            return f"Not open yet at block {block.number}: ballots can be cast from {opens_at} until {closes_at}."
        case Phase.OPEN:
            return f"Partial until {closes_at}: shows who leads at block {block.number}, names no winner."
        case Phase.CLOSED:
            return f"Complete: the election closed at {closes_at}, and at block {block.number} no ballot can follow."
