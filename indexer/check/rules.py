"""An election's rules as its row keeps them, against its box's address, which follows from every one of them.

    address ◀── factory, organizer, salt, times, census, longest ballot, hash of the definition ◀── definition

So no endpoint is needed to tell whether any of them was changed, nor whether the election is to be counted.
"""

from __future__ import annotations

from indexer.check.faults import Fault
from indexer.storage.model import Election
from qballot.core.address import checksum_address
from qballot.core.keccak import keccak
from qballot.core.provenance import box_address, compute_implementation_address
from qballot.core.types import Address
from qballot.core.validity import read_valid_definition
from qballot.errors import DefinitionError, InvalidElectionError, UnknownVersionError


def find_wrong_rules(election: Election, factory: Address) -> Fault | None:
    """Find what of an election's rules is not as it was created, or whether it is wrongly called invalid or valid."""
    if not election.arguments.sheet_roots:
        # Kept of a box whose address did not follow from the code that an endpoint gave for it: the chain alone tells.
        return None if election.invalid_reason is not None else Fault("rules", "no root of its census is kept")
    recomputed = box_address(factory, compute_implementation_address(factory), election.salt, election.arguments)
    if recomputed != election.box:
        return Fault(
            "rules",
            f"its rules give the address {checksum_address(recomputed)}, expected its own: its organizer, salt, times, "
            "census, longest ballot or hash of the definition is not as it was created",
        )
    expected = election.arguments.definition_hash
    if keccak(election.definition) != expected:
        message = f"the definition hashes to 0x{keccak(election.definition).hex()}, expected 0x{expected.hex()}"
        return Fault("definition", message)
    return _find_wrong_verdict(election)


def _find_wrong_verdict(election: Election) -> Fault | None:
    """Compare whether an election is kept as valid, invalid or unknown with what its definition and rules give."""
    found, expected = _read_verdict(election), _compute_verdict(election)
    if found[0] == expected[0]:
        return None
    return Fault("validity", f"is kept as {found[0]}{found[1]}, expected {expected[0]}{expected[1]}")


def _read_verdict(election: Election) -> tuple[str, str]:
    """Return the verdict that is kept, and the reason."""
    if election.invalid_reason is None:
        return "valid", ""
    verdict = "invalid" if election.unknown_version is None else f"of the unknown version {election.unknown_version}"
    return verdict, f" ({election.invalid_reason!r})"


def _compute_verdict(election: Election) -> tuple[str, str]:
    try:
        read_valid_definition(election.definition, election.arguments)
    except (DefinitionError, InvalidElectionError) as error:
        return "invalid", f": {' '.join(str(error).splitlines())}"
    except UnknownVersionError as error:
        return f"of the unknown version {error.found}", ""
    return "valid", ", and counted"
