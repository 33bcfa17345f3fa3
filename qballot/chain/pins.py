"""What evidence is verified against: the factory, and the code that every box of it runs."""

from __future__ import annotations

from qballot.chain.artifacts import BALLOT_BOX, default_factory, load_artifact
from qballot.core.keccak import keccak
from qballot.core.proof import Pins
from qballot.core.types import Address


def default_pins(factory: Address | None = None) -> Pins:
    """Return the pins of this version of QBallot. factory: another than its own, as the settings may name it."""
    return Pins(factory or default_factory(), keccak(load_artifact(BALLOT_BOX).runtime_bytecode))
