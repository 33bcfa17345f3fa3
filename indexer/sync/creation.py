"""Is a new box what the factory's event says? Its address is recomputed, its definition read.

A box that fails is kept with the reason, shown as invalid and never counted: only its endpoint, its organizer or its
definition can be at fault, and none of them should stop the other elections. One whose definition is of an unknown
version is kept likewise, and not called invalid.
"""

from __future__ import annotations

from indexer.storage.model import Election, Source
from qballot.chain.contracts import BallotBoxCreated
from qballot.chain.creation import check_provenance, read_event_arguments
from qballot.core.types import Address
from qballot.core.validity import read_valid_definition
from qballot.errors import DefinitionError, ProofError, UnknownVersionError

MAX_REASON_CHARACTERS = 2_000


def build_election(
    event: BallotBoxCreated, source: Source, code: bytes, *, factory: Address, implementation: Address
) -> Election:
    """Make the election that a creation event announces, with the reason if it is not counted.

    code: what stands on chain at the box's address. Its number is given when it is written.
    """
    reason: str | None = None
    unknown_version: int | None = None
    arguments = read_event_arguments(event)
    try:
        arguments = check_provenance(event, code, factory=factory, implementation=implementation)
        read_valid_definition(event.definition, arguments)
    except (ProofError, DefinitionError) as error:
        reason = make_printable(str(error))
    except UnknownVersionError as error:
        reason, unknown_version = str(error), int(error.found)
    return Election(
        number=0,
        box=event.box,
        salt=event.salt,
        source=source,
        arguments=arguments,
        definition=event.definition,
        head=event.definition_hash,
        batches=0,
        records=0,
        cancelled=False,
        invalid_reason=reason,
        unknown_version=unknown_version,
    )


def is_founded(election: Election) -> bool:
    """Say whether a new election's box is what its creation says. That of the factory's own always is.

    Where it is not, the endpoint is at fault; an invalid definition is its organizer's.
    """
    # Only the code that stands at the box's address tells the roots, and it is believed only where the address follows.
    return bool(election.arguments.sheet_roots)


def make_printable(text: str) -> str:
    """Shorten a text that may quote an organizer's bytes, and escape what cannot be shown, or kept in a database."""
    shown = "".join(mark if mark.isprintable() or mark == "\n" else f"\\u{ord(mark):04x}" for mark in text)
    return shown if len(shown) <= MAX_REASON_CHARACTERS else shown[: MAX_REASON_CHARACTERS - 1] + "…"
