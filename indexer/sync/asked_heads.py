"""Asking boxes for their heads where no endpoint proves them: an answer that contradicts the records is told by it, but
whoever invents the one can invent the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from indexer.storage.model import Block
from indexer.storage.proof_model import DueBox
from qballot.chain.abi import load_function
from qballot.chain.artifacts import BALLOT_BOX
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.core.types import Hash32
from qballot.errors import ContractReverted, EndpointError

HASH_BYTES = 32


def ask_heads(endpoints: Endpoints, boxes: Sequence[DueBox], at: Block) -> list[Hash32 | str]:
    """Ask for the heads of boxes at a block, in their order; where one does not tell it, give the reason.

    Raises EndpointError when no endpoint answers.
    """
    answers = endpoints.run(partial(_ask, boxes, at))
    return [_read(answer) for answer in answers]


def _ask(boxes: Sequence[DueBox], at: Block, rpc: Rpc) -> list[bytes | ContractReverted]:
    call = load_function(BALLOT_BOX, "head").encode()
    answers = rpc.call_contracts([(box.box, call) for box in boxes], at.number)
    # The call names a height: on another fork its answer would be about other ballots.
    found = rpc.block(at.number).hash
    if found != at.hash:
        raise EndpointError(rpc.endpoint, f"has block {at.number} as 0x{found.hex()}, the index as 0x{at.hash.hex()}")
    return answers


def _read(answer: bytes | ContractReverted) -> Hash32 | str:
    if isinstance(answer, ContractReverted):
        return str(answer)
    return Hash32(answer) if len(answer) == HASH_BYTES else f"head() gave {len(answer)} bytes, expected {HASH_BYTES}"
