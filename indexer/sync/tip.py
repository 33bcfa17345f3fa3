"""How far the chain is: its latest block, and the latest final one, as one endpoint tells it."""

from __future__ import annotations

from typing import NamedTuple

from indexer.journal import get_journal
from indexer.storage.model import Block
from qballot.chain.answers import BlockHeader
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.errors import EndpointError, MissingBlockError, NoAnswerError, QuotaExhaustedError, SlowDownError

LOOKS_WITHOUT = 100
"""Looks at the chain before an endpoint is asked again what is final, which it did not say the last time."""

_log = get_journal("sync")


class Tip(NamedTuple):
    """The chain's end. finalized: None where the endpoint does not say. rpc: who told."""

    latest: BlockHeader
    finalized: BlockHeader | None
    rpc: Rpc


class TipReader:
    """Looks at the chain's end. Not to be shared between threads."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._without: dict[str, int] = {}

    def read(self, indexed: Block | None) -> Tip:
        """Ask the first endpoint that is not behind the index.

        indexed: the cursor. Where all that answer are behind it, the tip is the farthest of theirs: such a node lags,
        and what it lacks is no reason to go back. Raises EndpointError when none answers.
        """
        behind: list[Tip] = []

        def ask(rpc: Rpc) -> Tip:
            tip = self._ask(rpc)
            if indexed is not None and tip.latest.number < indexed.number:
                behind.append(tip)
                raise MissingBlockError(
                    rpc.endpoint, f"is at block {tip.latest.number}, and the index at {indexed.number}: it lags"
                )
            return tip

        try:
            return self._endpoints.run(ask)
        except EndpointError:
            if not behind:
                raise
            return max(behind, key=lambda tip: tip.latest.number)

    def _ask(self, rpc: Rpc) -> Tip:
        if self._without.get(rpc.endpoint, 0) > 0:
            self._without[rpc.endpoint] -= 1
            return Tip(rpc.block("latest"), None, rpc)
        try:
            latest, finalized = rpc.blocks(["latest", "finalized"])
        except (SlowDownError, QuotaExhaustedError, NoAnswerError):
            raise
        except EndpointError as error:
            if error.code is None and not isinstance(error, MissingBlockError):
                raise
            latest = rpc.block("latest")
            if rpc.endpoint not in self._without:
                _log.warning("endpoint does not say what is final", endpoint=rpc.endpoint, problem=str(error))
            self._without[rpc.endpoint] = LOOKS_WITHOUT
            return Tip(latest, None, rpc)
        # Behind a balancer the two may come from different nodes.
        return Tip(latest, finalized if finalized.number <= latest.number else None, rpc)
