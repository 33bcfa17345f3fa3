"""Where an election stands at a block, and what a result can say there; time is the chain's alone.

opens_at            closes_at
   │                    │
───┼────────────────────┼──────────▶ timestamp of the block
upcoming     open       closed        phase
     partial            complete      state
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from indexer.storage.model import Block, Election, Listing
from qballot.core.types import UnixSeconds


class Phase(StrEnum):
    """Where an election stands at a block."""

    UPCOMING = "upcoming"
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    INVALID = "invalid"
    UNKNOWN = "unknown"
    """Of a version that this program does not know: it is not judged, and not counted here."""


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


PHASE_BEGINS = {Phase.OPEN: "opened", Phase.CLOSED: "closed"}


def compute_phase(election: Election | Listing, now: UnixSeconds) -> Phase:
    """Say where an election stands at a block with this timestamp."""
    if election.unknown_version is not None:
        return Phase.UNKNOWN
    if election.invalid_reason is not None:
        return Phase.INVALID
    if election.cancelled:
        return Phase.CANCELLED
    if now < election.opens_at:
        return Phase.UPCOMING
    return Phase.OPEN if now < election.closes_at else Phase.CLOSED


def compute_state(election: Election, now: UnixSeconds) -> State | None:
    """Say what a result of the election can be at a block with this timestamp; None for one of an unknown version."""
    phase = compute_phase(election, now)
    if phase is Phase.UNKNOWN:
        return None
    if phase is Phase.INVALID:
        return State.INVALID
    if phase is Phase.CANCELLED:
        return State.CANCELLED
    return State.COMPLETE if phase is Phase.CLOSED else State.PARTIAL


def describe_state(election: Election, block: Block) -> str:
    """Say in words what a result of the election is at a block."""
    opens_at, closes_at = (describe_time(at) for at in (election.opens_at, election.closes_at))
    match compute_phase(election, block.timestamp):
        case Phase.UNKNOWN:
            return f"Not judged, and not counted here: {election.invalid_reason}."
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


def describe_time(seconds: UnixSeconds) -> str:
    """Write a time of the chain for people; a uint40 reaches beyond the years that calendars here know."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError):
        return f"second {seconds} since 1970"
