"""The heads of many boxes at one block, proved by what one endpoint gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from indexer.storage.model import Block
from indexer.storage.proof_model import DueBox, KeptProof
from qballot.chain.proofs import fetch_proof_answers, read_proof
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.proof import BoxOrigin, Header, HeadProof, Pins, decode_header_answer, encode_header
from qballot.core.proof.head import check_address, check_header, prove_box, prove_implementation, read_head
from qballot.core.provenance import clone_runtime_code
from qballot.core.types import ChainId
from qballot.errors import (
    DecodeError,
    EndpointError,
    FalseProofError,
    HeaderFormError,
    MissingBlockError,
    ProofError,
    UnknownHeaderError,
)


def prove_boxes(  # noqa: PLR0917 # what they are proved by
    rpc: Rpc, operator: str, boxes: Sequence[DueBox], at: Block, pins: Pins, chain_id: ChainId
) -> list[KeptProof]:
    """Fetch and verify the heads of boxes at a block, in their order. operator: who runs the endpoint.

    The proofs' block has the time that follows from its hash, which `at` may have wrong.
    Raises NoProofError where the endpoint does not prove them, the HeaderFormError among these where this version does
    not know the header's form; FalseProofError where what it gives does not follow from the block's hash; and
    EndpointError, also where it has another block at this height.
    """
    answers = fetch_proof_answers(rpc, [box.box for box in boxes], pins.implementation, at.number)
    header = encode_header(_read_header(rpc, answers.header, at))
    box: DueBox | None = None
    try:
        block = check_header(header, at.hash)
        # The hash stands for the time as well: what the index has of it was an endpoint's word.
        at = replace(at, timestamp=block.timestamp)
        implementation = read_proof(rpc, answers.implementation)
        prove_implementation(block, pins, implementation.proof.nodes)
        proofs = []
        for box, answer in zip(boxes, answers.boxes, strict=True):
            proof = HeadProof.of(read_proof(rpc, answer), implementation)
            account = prove_box(block, _origin(box, pins, chain_id), proof.box)
            head = read_head(account, proof.head)
            proofs.append(KeptProof(box.box, at, head, header, proof, operator))
    except (ProofError, DecodeError) as error:
        _check_same(rpc, at)
        whose = "" if box is None else f" of the head of {checksum_address(box.box)}"
        raise FalseProofError(rpc.endpoint, f"gave a false proof{whose} at block {at.number}: {error}") from error
    return proofs


def _origin(box: DueBox, pins: Pins, chain_id: ChainId) -> BoxOrigin:
    """Say where a box comes from, and check that its address follows from it. Raises ProofError."""
    code = clone_runtime_code(pins.implementation, box.arguments)
    origin = BoxOrigin(chain_id, pins.factory, box.box, box.salt, code)
    check_address(origin, pins.implementation, box.arguments, pins)
    return origin


def _read_header(rpc: Rpc, answer: object, at: Block) -> Header:
    """Read the header that a block's hash is of. Raises the errors of `prove_boxes`."""
    if answer is None:
        raise MissingBlockError(rpc.endpoint, f"does not have block {at.number}")
    claimed = answer.get("hash") if isinstance(answer, dict) else None
    if claimed != f"0x{at.hash.hex()}":
        # The proofs would be about other ballots.
        shown = claimed if isinstance(claimed, str) else "nothing"
        raise EndpointError(rpc.endpoint, f"has block {at.number} as {shown[:66]!a}, the index as 0x{at.hash.hex()}")
    try:
        return decode_header_answer(answer)
    except UnknownHeaderError as error:
        raise HeaderFormError(rpc.endpoint, str(error), fields=error.fields) from error
    except ProofError as error:
        raise FalseProofError(rpc.endpoint, f"gave a false header of block {at.number}: {error}") from error


def _check_same(rpc: Rpc, at: Block) -> None:
    """Check that a block is still there: else the state that was proven is another block's, and nobody lies."""
    found = rpc.block(at.number).hash
    if found != at.hash:
        raise EndpointError(rpc.endpoint, f"reorganised block {at.number} while it was asked about it")
