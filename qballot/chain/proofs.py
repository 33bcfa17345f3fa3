"""What a node gives of a block to be proven: headers, and by `eth_getProof` the nodes above a box's head."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from qballot.chain.rpc import BlockId, Rpc
from qballot.core.proof import GetProofAnswer, Header, HeadProof, decode_get_proof, decode_header_answer
from qballot.core.proof.evidence import HEAD_SLOT
from qballot.core.types import Address
from qballot.errors import (
    ChainError,
    EndpointError,
    MissingBlockError,
    NoProofError,
    ProofError,
    QuotaExhaustedError,
    SlowDownError,
    UnknownHeaderError,
)

PROVEN_BLOCKS = 128
"""About how many of the last blocks nodes keep the state of, unless they are archives."""

SLOT = "0x" + HEAD_SLOT.to_bytes(32).hex()
"""Some nodes take a slot in no other form."""

_STATE_GONE = re.compile(
    r"missing trie node|(?:state|block|header)[a-z0-9 ]* (?:is |are )?(?:not (?:available|found)|unavailable|pruned)"
    r"|pruned|too old|proof window|historical (?:state|proof)|distance to target",
    re.IGNORECASE,
)
"""Words by which nodes say that they do not have, or do not prove, the state of the block that was asked for: geth's
`missing trie node`, reth's `distance to target block exceeds maximum proof window`, erigon's and others'."""

_UNKNOWN_METHOD = re.compile(
    r"(?:unknown|unsupported|no such|invalid|disabled) method|unsupported|disabled"
    r"|not (?:found|exist|supported|available|allowed|implemented|whitelisted)",
    re.IGNORECASE,
)
_UNKNOWN_METHOD_CODES = frozenset({-32601, -32004})
"""JSON-RPC's `method not found`, and EIP-1474's `method not supported`."""


def fetch_header(rpc: Rpc, block: BlockId) -> Header:
    """Fetch one header by number or tag; its hash is recomputed. Errors as of `fetch_headers`."""
    return fetch_headers(rpc, [block])[0]


def fetch_headers(rpc: Rpc, blocks: Sequence[BlockId]) -> list[Header]:
    """Fetch headers by number or tag, in their order, each with all that its hash is computed from.

    Raises MissingBlockError, EndpointError for a block that was not asked for, and ProofError, naming the endpoint, for
    one whose fields do not have its hash; UnknownHeaderError, naming the endpoint too, for one of an unknown form.
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
    return HeadProof.of(read_proof(rpc, found[0]), read_proof(rpc, found[1]))


class ProofAnswers(NamedTuple):
    """What a node answers about one block, as JSON, not looked at yet. boxes: in the order asked."""

    header: Any
    implementation: Any
    boxes: list[Any]


def fetch_proof_answers(rpc: Rpc, boxes: Sequence[Address], implementation: Address, block: int) -> ProofAnswers:
    """Ask for a block's header and for the proofs of the implementation and of many boxes with their heads.

    Raises NoProofError where the node gives no proofs, or none of this block, and other EndpointErrors.
    """
    where = hex(block)
    requests: list[Any] = [
        ("eth_getBlockByNumber", [where, False]),
        ("eth_getProof", ["0x" + implementation.hex(), [], where]),
        *(("eth_getProof", ["0x" + box.hex(), [SLOT], where]) for box in boxes),
    ]
    try:
        header, first, *others = rpc.call_many(requests)
    except (SlowDownError, QuotaExhaustedError):
        raise
    except EndpointError as error:
        if error.code is None and not isinstance(error, MissingBlockError):
            raise
        raise _explain(rpc, error, block) from error
    return ProofAnswers(header, first, others)


def _explain(rpc: Rpc, error: EndpointError, block: int) -> NoProofError:
    said = str(error)
    lasting = not _STATE_GONE.search(said) and (
        error.code in _UNKNOWN_METHOD_CODES or _UNKNOWN_METHOD.search(said) is not None
    )
    what = "gives no proofs" if lasting else f"gives no proof of block {block}"
    return NoProofError(rpc.endpoint, f"{what}: {said}", lasting=lasting)


def _read_header(rpc: Rpc, block: BlockId, answer: object) -> Header:
    if answer is None:
        raise MissingBlockError(rpc.endpoint, f"block {block} is not known")
    try:
        header = decode_header_answer(answer)
    except UnknownHeaderError as error:
        raise UnknownHeaderError(f"{rpc.endpoint}: block {block}: {error}", fields=error.fields) from error
    except ProofError as error:
        raise ProofError(f"{rpc.endpoint}: block {block}: {error}") from error
    if isinstance(block, int) and header.number != block:
        raise EndpointError(rpc.endpoint, f"found block {header.number}, expected {block}")
    return header


def read_proof(rpc: Rpc, answer: object) -> GetProofAnswer:
    """Read an answer to `eth_getProof`. Raises ProofError that names the endpoint when it is malformed."""
    try:
        return decode_get_proof(answer)
    except ProofError as error:
        raise ProofError(f"{rpc.endpoint}: eth_getProof: {error}") from error
