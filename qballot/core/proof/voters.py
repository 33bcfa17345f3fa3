"""The electorate of some evidence, compared with what the box's code says of it; step 12.

As `build_census`, but of voters that somebody claims, and keeping no tree.
"""

from __future__ import annotations

from collections.abc import Sequence

from qballot.core.address import ZERO_ADDRESS, checksum_address
from qballot.core.census import MAX_WEIGHT, count_sheets, hash_leaves
from qballot.core.merkle import build_tree
from qballot.core.proof.evidence import Voters
from qballot.core.provenance import BoxArguments
from qballot.core.types import Address, Hash32
from qballot.errors import ProofError


def check_voters(voters: Voters, arguments: BoxArguments) -> int:
    """Check that these are the voters whom a box admits. Returns the weight of all of them together.

    Raises ProofError that names the voter or the sheet: another number of voters, an address that is zero, repeated or
    not of 20 bytes, a weight that is not 1 … 2**96 - 1, a root that is not the one in the box's code.
    """
    expected = arguments.voters
    if (len(voters.addresses), len(voters.weights)) != (expected, expected):
        raise ProofError(f"found {len(voters.addresses)} voters, expected {expected}, as the box's code says")
    sheets = count_sheets(expected, arguments.sheet_bits)
    if len(arguments.sheet_roots) != sheets:
        raise ProofError(
            f"the box's code has {len(arguments.sheet_roots)} sheet roots, expected {sheets} of its voters"
        )
    _check_addresses(voters.addresses)
    if not (min(voters.weights) > 0 and max(voters.weights) <= MAX_WEIGHT):
        index = next(index for index, weight in enumerate(voters.weights) if not 0 < weight <= MAX_WEIGHT)
        raise ProofError(f"voter {index} has the weight {voters.weights[index]}, expected 1 … 2**96 - 1")
    for sheet, root in enumerate(arguments.sheet_roots):
        found = _compute_root(voters, sheet << arguments.sheet_bits, (sheet + 1) << arguments.sheet_bits)
        if found != root:
            raise ProofError(
                f"sheet {sheet}, of the voters from {sheet << arguments.sheet_bits} on, has the root 0x{found.hex()}; "
                f"the box's code says 0x{root.hex()}: an address or a weight is not the one that was published"
            )
    return sum(voters.weights)


def _check_addresses(addresses: Sequence[Address]) -> None:
    different = set(addresses)
    if len(different) == len(addresses) and ZERO_ADDRESS not in different and set(map(len, different)) == {20}:
        return
    first: dict[Address, int] = {}
    for index, address in enumerate(addresses):
        if len(address) != 20:
            raise ProofError(f"the address of voter {index} has {len(address)} bytes, expected 20")
        if address == ZERO_ADDRESS:
            raise ProofError(f"voter {index} has the zero address")
        if first.setdefault(address, index) != index:
            raise ProofError(f"voter {index} has the address of voter {first[address]}: {checksum_address(address)}")


def _compute_root(voters: Voters, start: int, stop: int) -> Hash32:
    return build_tree(hash_leaves(start, voters.addresses[start:stop], voters.weights[start:stop]))[0]
