"""Asking boxes for their heads, many in one request, and comparing them with what the records give."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

from indexer.journal import get_journal
from indexer.storage.model import Block, HeadCheck
from indexer.storage.proof_model import DueBox
from indexer.storage.proof_writer import ProofWriter
from indexer.storage.repository import Repository
from indexer.sync.aside import run_aside, wait_for
from indexer.sync.creation import make_printable
from qballot.chain.abi import load_function
from qballot.chain.artifacts import BALLOT_BOX
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import MAX_BATCH_REQUESTS, Rpc
from qballot.core.address import checksum_address
from qballot.core.types import Hash32
from qballot.errors import ChainError, ContractReverted, EndpointError

WATCHED = MAX_BATCH_REQUESTS
"""Open boxes without new records that are asked again at a new block: one request, however many are open."""

HASH_BYTES = 32

_log = get_journal("sync")


def check_heads(
    endpoints: Endpoints, repository: Repository, writer: ProofWriter, cursor: Block, stop: threading.Event | None
) -> None:
    """Read the heads that are due at the last indexed block, and keep the answers.

    stop: when set, end without waiting for an answer. What no endpoint answers is kept as that, and the rest is left
    for the next block. Raises StorageError, and Stopped.
    """
    with repository.snapshot() as snapshot:
        boxes = snapshot.proofs.load_due(cursor, watched=WATCHED)
    for start in range(0, len(boxes), MAX_BATCH_REQUESTS):
        part = boxes[start : start + MAX_BATCH_REQUESTS]
        try:
            asking = run_aside(partial(endpoints.run, partial(_ask, part, cursor)), name="heads")
            answers = wait_for(asking, stop)
        except ChainError as error:
            _log.warning("heads not read", boxes=len(part), block=cursor.number, problem=str(error))
            failure = make_printable(str(error))
            writer.save_heads({box.number: HeadCheck(cursor, box.head, None, failure) for box in part}, ())
            return
        checks = {box.number: _compare(box, answer, cursor) for box, answer in zip(part, answers, strict=True)}
        writer.save_heads(checks, ())


def _ask(boxes: Sequence[DueBox], at: Block, rpc: Rpc) -> list[bytes | ContractReverted]:
    call = load_function(BALLOT_BOX, "head").encode()
    answers = rpc.call_contracts([(box.box, call) for box in boxes], at.number)
    # The call names a height: on another fork its answer would be about other ballots.
    found = rpc.block(at.number).hash
    if found != at.hash:
        raise EndpointError(rpc.endpoint, f"has block {at.number} as 0x{found.hex()}, the index as 0x{at.hash.hex()}")
    return answers


def _compare(unchecked: DueBox, answer: bytes | ContractReverted, at: Block) -> HeadCheck:
    box = checksum_address(unchecked.box)
    if isinstance(answer, ContractReverted) or len(answer) != HASH_BYTES:
        problem = str(answer) if isinstance(answer, ContractReverted) else f"found {len(answer)} bytes, expected 32"
        _log.warning("head not read", box=box, block=at.number, problem=problem)
        return HeadCheck(at, unchecked.head, None, make_printable(problem))
    check = HeadCheck(at, unchecked.head, Hash32(answer))
    if not check.agrees:
        _log.error(
            "HEAD MISMATCH: the endpoint's logs and its head() contradict each other",
            box=box,
            block=at.number,
            found=f"0x{answer.hex()}",
            recomputed=f"0x{unchecked.head.hex()}",
        )
    return check
