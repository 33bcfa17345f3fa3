"""Who proves heads: the first endpoint whose proof follows from the block's hash.

One whose proof does not follow is passed over and named. One that gives none is not at fault; where it gives none of
any block, it is not asked for any for a while.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from indexer.journal import get_journal
from indexer.storage.model import Block
from indexer.storage.proof_model import DueBox, KeptProof
from indexer.sync.proving import prove_boxes
from qballot.chain.endpoints import Endpoints, Member
from qballot.chain.rpc import Rpc
from qballot.core.proof import Pins
from qballot.core.types import ChainId
from qballot.errors import (
    ChainError,
    EndpointError,
    FalseProofError,
    HeaderFormError,
    NoProofError,
    ProofError,
    UnknownHeaderError,
)

LACKING_SECONDS = 600.0
"""How long an endpoint that gives no proofs is not asked for any."""

T = TypeVar("T")

_log = get_journal("sync")


class Prover:
    """Proves heads by several endpoints, in order of preference. Safe to share between threads."""

    def __init__(self, endpoints: Endpoints, pins: Pins, chain_id: ChainId) -> None:
        self.pins = pins
        self.chain_id = chain_id
        self._endpoints = endpoints
        self._lock = threading.Lock()
        self._lacking: dict[Member, tuple[float, NoProofError]] = {}

    def prove(self, boxes: Sequence[DueBox], at: Block) -> list[KeptProof]:
        """Prove the heads of boxes at a block, in their order. Raises the errors of `ask`."""
        return self.ask(partial(self.prove_by, boxes, at))

    def prove_by(self, boxes: Sequence[DueBox], at: Block, member: Member, rpc: Rpc) -> list[KeptProof]:
        """Prove the heads of boxes at a block by one endpoint. Raises the errors of `prove_boxes`."""
        return prove_boxes(rpc, member.operator, boxes, at, self.pins, self.chain_id)

    def ask(self, question: Callable[[Member, Rpc], T]) -> T:
        """Put a question to the first endpoint that may be asked and gives proofs, and to the next ones while it fails.

        Where all fail: raises HeaderFormError if any has headers of an unknown form; else FalseProofError if any gave a
        false proof; else NoProofError if any gives none, lasting unless one has merely not this block's; else
        EndpointError.
        """
        errors: list[ChainError] = []
        for member in self._endpoints.members:
            lacking = self._recall(member)
            if lacking is not None:
                errors.append(lacking)
                continue
            try:
                return self._endpoints.ask(member, partial(_put, question, member), about="proofs")
            except NoProofError as error:
                errors.append(error)
                if error.lasting:
                    self._note(member, error)
            except FalseProofError as error:
                errors.append(error)
                _log.error(
                    "FALSE PROOF: an endpoint gave what does not follow from the block's hash", problem=str(error)
                )
            except ChainError as error:
                errors.append(error)
        raise _choose(errors)

    def _recall(self, member: Member) -> NoProofError | None:
        with self._lock:
            until, error = self._lacking.get(member, (0.0, None))
            return error if time.monotonic() < until else None

    def _note(self, member: Member, error: NoProofError) -> None:
        with self._lock:
            is_news = member not in self._lacking
            self._lacking[member] = (time.monotonic() + LACKING_SECONDS, error)
        if is_news:
            _log.warning("endpoint gives no proofs", endpoint=member.name, problem=str(error))


def _put(question: Callable[[Member, Rpc], T], member: Member, rpc: Rpc) -> T:
    try:
        return question(member, rpc)
    except UnknownHeaderError as error:
        raise HeaderFormError(rpc.endpoint, str(error), fields=error.fields) from error
    except ProofError as error:
        raise FalseProofError(rpc.endpoint, str(error)) from error


def _choose(errors: Sequence[ChainError]) -> ChainError:
    """Make one error of those of all endpoints."""
    if len(errors) == 1:
        return errors[0]
    false = [error for error in errors if isinstance(error, FalseProofError)]
    none = [error for error in errors if isinstance(error, NoProofError)]
    names = ", ".join(error.endpoint for error in errors if isinstance(error, EndpointError))
    said = "no endpoint proves it: " + "; ".join(str(error) for error in dict.fromkeys([*false, *errors]))
    unknown = next((error for error in none if isinstance(error, HeaderFormError)), None)
    if unknown is not None:
        # First of all: whoever leaves an unknown field out of a header seems to give a false one.
        return HeaderFormError(names, unknown.problem, fields=unknown.fields)
    if false:
        return FalseProofError(names, said)
    if none:
        return NoProofError(names, said, lasting=all(error.lasting for error in none))
    return EndpointError(names, said)
