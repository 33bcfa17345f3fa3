"""Whose word a block's hash is: all of evidence follows from it, and nothing in the evidence proves it.

One endpoint can invent a whole chain. Several of different operators would have to invent the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qballot.chain.rpc import DEFAULT_TIMEOUT_SECONDS, Rpc
from qballot.core.types import ChainId, Hash32
from qballot.endpoint_list import EndpointAddress
from qballot.errors import ChainError, EndpointError, ProofError, WrongChainError


@dataclass(frozen=True, slots=True)
class Naming:
    """What one endpoint says of a block. block_hash: None where it does not name one, and `problem` says why.

    is_final: whether it calls the block finalized.
    """

    operator: str
    endpoint: str
    block_hash: Hash32 | None = None
    is_final: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class BlockNames:
    """What several endpoints, all of one chain, say of the block of one height. They do not contradict each other.

    block_hash: that they name.
    """

    chain_id: ChainId
    number: int
    block_hash: Hash32
    namings: tuple[Naming, ...]

    @property
    def operators(self) -> tuple[str, ...]:
        """Who names the hash, each once."""
        return tuple(dict.fromkeys(naming.operator for naming in self.namings if naming.block_hash is not None))

    @property
    def is_final(self) -> bool:
        """Whether all who name the hash call the block finalized."""
        return all(naming.is_final for naming in self.namings if naming.block_hash is not None)


def name_block(
    addresses: Sequence[EndpointAddress], number: int, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
) -> BlockNames:
    """Ask every endpoint for the hash of the block of this height. Websockets are left out.

    Raises ProofError that names all hashes where endpoints name different ones, WrongChainError where they serve
    different chains, and EndpointError where none of them names any.
    """
    chain_id: ChainId | None = None
    namings: list[Naming] = []
    for address in addresses:
        if address.is_websocket:
            continue
        with Rpc(address.url, timeout_seconds) as rpc:
            try:
                found = rpc.check_chain(chain_id)
            except WrongChainError as error:
                raise WrongChainError(found=error.found, expected=error.expected, endpoint=address.name) from error
            except ChainError as error:
                namings.append(Naming(address.operator, address.name, problem=str(error)))
                continue
            chain_id = found
            namings.append(_name(rpc, address, number))
    hashes = list(dict.fromkeys(naming.block_hash for naming in namings if naming.block_hash is not None))
    if len(hashes) > 1:
        raise ProofError(_describe_disagreement(number, namings))
    if not hashes or chain_id is None:
        raise EndpointError(
            ", ".join(naming.endpoint for naming in namings),
            f"nobody names the hash of block {number}: " + "; ".join(naming.problem for naming in namings),
        )
    return BlockNames(chain_id, number, hashes[0], tuple(namings))


def _name(rpc: Rpc, address: EndpointAddress, number: int) -> Naming:
    try:
        block_hash = rpc.block(number).hash
    except ChainError as error:
        return Naming(address.operator, address.name, problem=str(error))
    try:
        is_final = rpc.block("finalized").number >= number
    except ChainError:
        is_final = False
    return Naming(address.operator, address.name, block_hash, is_final)


def _describe_disagreement(number: int, namings: Sequence[Naming]) -> str:
    lines = [
        f"  {naming.operator} ({naming.endpoint})  "
        + (naming.problem if naming.block_hash is None else "0x" + naming.block_hash.hex())
        for naming in namings
    ]
    return "\n".join(
        [
            f"THE ENDPOINTS DISAGREE ABOUT BLOCK {number}:",
            *lines,
            "One of them lies, serves another chain or lags in a reorganisation: nothing was verified. Ask for a block "
            "that is finalized, and ask further operators",
        ]
    )
