"""What a node gives of a block to be proven: headers, and by `eth_getProof` the nodes above a box's head."""

from __future__ import annotations

from collections.abc import Sequence

from qballot.chain.rpc import BlockId, Rpc
from qballot.core.proof import GetProofAnswer, Header, HeadProof, decode_get_proof, decode_header_answer
from qballot.core.proof.evidence import HEAD_SLOT
from qballot.core.types import Address
from qballot.errors import (
    ChainError,
    EndpointError,
    MissingBlockError,
    ProofError,
    QuotaExhaustedError,
    SlowDownError,
)

PROVEN_BLOCKS = 128
"""About how many of the last blocks nodes keep the state of, unless they are archives."""

SLOT = "0x" + HEAD_SLOT.to_bytes(32).hex()
"""Some nodes take a slot in no other form."""


def fetch_header(rpc: Rpc, block: BlockId) -> Header:
    """Fetch one header by number or tag; its hash is recomputed. Errors as of `fetch_headers`."""
    return fetch_headers(rpc, [block])[0]


def fetch_headers(rpc: Rpc, blocks: Sequence[BlockId]) -> list[Header]:
    """Fetch headers by number or tag, in their order, each with all that its hash is computed from.

    Raises MissingBlockError, EndpointError for a block that was not asked for, and ProofError, naming the endpoint, for
    one whose fields do not have its hash.
    """
    names = [hex(block) if isinstance(block, int) else block for block in blocks]
    answers = rpc.call_many([("eth_getBlockByNumber", [name, False]) for name in names])
    return [_read_header(rpc, block, answer) for block, answer in zip(blocks, answers, strict=True)]


def fetch_head_proof(rpc: Rpc, box: Address, implementation: Address, block: int) -> HeadProof:
    """Fetch the proofs of a box's account and head and of the implementation's account, as they are at a block.

    They are not verified. Raises ChainError that says what to do where the node does not have the state any more.
    """
    where = hex(block)
    try:
        found = rpc.call_many(
            [
                ("eth_getProof", ["0x" + box.hex(), [SLOT], where]),
                ("eth_getProof", ["0x" + implementation.hex(), [], where]),
            ]
        )
    except (SlowDownError, QuotaExhaustedError):
        raise
    except EndpointError as error:
        if error.code is None and not isinstance(error, MissingBlockError):
            raise
        raise ChainError(
            f"no proof of block {block}: {error}. Most nodes prove the last {PROVEN_BLOCKS} blocks alone: ask for a "
            "later block, since a box does not change after the close, or ask an archive's endpoint"
        ) from error
    return HeadProof.of(_read_proof(rpc, found[0]), _read_proof(rpc, found[1]))


def _read_header(rpc: Rpc, block: BlockId, answer: object) -> Header:
    if answer is None:
        raise MissingBlockError(rpc.endpoint, f"block {block} is not known")
    try:
        header = decode_header_answer(answer)
    except ProofError as error:
        raise ProofError(f"{rpc.endpoint}: block {block}: {error}") from error
    if isinstance(block, int) and header.number != block:
        raise EndpointError(rpc.endpoint, f"found block {header.number}, expected {block}")
    return header


def _read_proof(rpc: Rpc, answer: object) -> GetProofAnswer:
    try:
        return decode_get_proof(answer)
    except ProofError as error:
        raise ProofError(f"{rpc.endpoint}: eth_getProof: {error}") from error
