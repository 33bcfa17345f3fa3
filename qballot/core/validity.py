"""Do the rules in a box's code fit its definition? Where they do not, the election is invalid: it is never counted.

The factory does not read the definition, so an organizer can make such a box. With a limit that is too short, ballots
for some options could not be cast.
"""

from __future__ import annotations

from qballot.core.definition import parse_definition
from qballot.core.election import Definition
from qballot.core.provenance import BoxArguments
from qballot.errors import InvalidElectionError


def find_misfit(definition: Definition, arguments: BoxArguments) -> str | None:
    """Say why a box's rules do not fit its definition; None where they do."""
    if arguments.text_ballots:
        return "the box takes ballots that are signed as text, but by its definition a ballot is bytes"
    longest = definition.longest_ballot
    if arguments.max_ballot_bytes < longest:
        return (
            f"the box takes ballots of at most {arguments.max_ballot_bytes} bytes, but the longest that its definition "
            f"allows has {longest}"
        )
    return None


def read_valid_definition(data: bytes, arguments: BoxArguments) -> Definition:
    """Read the definition that a box was made for, of an election that can be counted.

    data: its bytes. Raises DefinitionError or InvalidElectionError where the election is invalid, UnknownVersionError
    where that cannot be said.
    """
    definition = parse_definition(data)
    misfit = find_misfit(definition, arguments)
    if misfit is not None:
        raise InvalidElectionError(f"invalid election: {misfit}")
    return definition
