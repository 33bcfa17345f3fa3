"""The compiled contracts that come with the package, so that nobody needs a compiler to deploy or to check."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from qballot.core.provenance import compute_factory_address, compute_implementation_address
from qballot.core.types import Address

BALLOT_BOX = "BallotBox"
BALLOT_BOX_FACTORY = "BallotBoxFactory"
CONTRACTS = (BALLOT_BOX, BALLOT_BOX_FACTORY)


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract.

    contract: its name. source: its source's name as the compiler saw it (part of the metadata, thus of the bytecode).
    abi: JSON ABI. bytecode: creation code. runtime_bytecode: what stands on chain after creation.
    compiler: version and settings. metadata: the compiler's own JSON about it all, as text.
    """

    contract: str
    source: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    runtime_bytecode: bytes
    compiler: dict[str, Any]
    metadata: str

    def to_json(self) -> dict[str, Any]:
        """Return the artifact as it is kept in a file: bytes as 0x-hex."""
        return {
            "contract": self.contract,
            "source": self.source,
            "abi": self.abi,
            "bytecode": "0x" + self.bytecode.hex(),
            "runtime_bytecode": "0x" + self.runtime_bytecode.hex(),
            "compiler": self.compiler,
            "metadata": self.metadata,
        }


@cache
def load_artifact(contract: str) -> Artifact:
    """Load one of `CONTRACTS` as committed in the package."""
    document = msgspec.json.decode((files(__package__) / "compiled" / f"{contract}.json").read_bytes())
    return Artifact(
        contract=document["contract"],
        source=document["source"],
        abi=document["abi"],
        bytecode=bytes.fromhex(document["bytecode"].removeprefix("0x")),
        runtime_bytecode=bytes.fromhex(document["runtime_bytecode"].removeprefix("0x")),
        compiler=document["compiler"],
        metadata=document["metadata"],
    )


@cache
def default_factory() -> Address:
    """Address of this version's factory, the same on every chain (it follows from the factory's own init code)."""
    return compute_factory_address(load_artifact(BALLOT_BOX_FACTORY).bytecode)


@cache
def default_implementation() -> Address:
    """Address of the box implementation that this version's factory deploys in its constructor."""
    return compute_implementation_address(default_factory())
