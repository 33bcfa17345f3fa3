"""How far the chain is: its latest block, and the latest final one, as one endpoint tells it.

The preferred endpoint is believed as long as its chain moves. One that stands still, or contradicts the index at the
index's own height, is compared with the others, and the one that is farthest is believed instead. So an endpoint that
is not preferred is heard only where the preferred one has nothing new to say.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from indexer.journal import get_journal
from indexer.storage.model import Block
from indexer.sync.survey import ask_all
from qballot.chain.answers import BlockHeader
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.errors import EndpointError, MissingBlockError, NoAnswerError, QuotaExhaustedError, SlowDownError

LOOKS_WITHOUT = 100
"""Looks at the chain before an endpoint is asked again what is final, which it did not say the last time."""

LOOKS_IN_DOUBT = 100
"""Looks for which it is checked that an endpoint has the latest block that it tells of, once it did not have one."""

BLOCKS_STILL = 3
"""An endpoint stands still when it has told of no new block for as long as the chain takes for so many."""

MIN_STILL_SECONDS = 5.0
MAX_STILL_SECONDS = 60.0
STILL_SECONDS = 20.0
"""How long that is where nothing tells how long the chain takes for a block."""

OLD_SECONDS = 300.0
"""A latest block that is so old by the machine's clock is compared at once: whoever gives it may long stand still."""

_log = get_journal("sync")


class Tip(NamedTuple):
    """The chain's end. finalized: None where the endpoint does not say. rpc: who told."""

    latest: BlockHeader
    finalized: BlockHeader | None
    rpc: Rpc


class _Stand(NamedTuple):
    """Where an endpoint is, and since when, by the clock that only goes forward."""

    number: int
    since: float


class TipReader:
    """Looks at the chain's end. Not to be shared between threads.

    clock: the machine's. monotonic: seconds that only go forward.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoints = endpoints
        self._clock = clock
        self._monotonic = monotonic
        self._without: dict[str, int] = {}
        self._in_doubt: dict[str, int] = {}
        self._stands: dict[str, _Stand] = {}
        self._lagging: dict[str, int] = {}
        self._compared_at: float | None = None

    def read(self, indexed: Block | None) -> Tip:
        """Ask the first endpoint that is not behind the index, nor behind another endpoint.

        indexed: the cursor. Where all that answer are behind it, the tip is the farthest of theirs: such a node lags,
        and what it lacks is no reason to go back. Raises EndpointError when none answers.
        """
        refused: list[Tip] = []

        def ask(rpc: Rpc) -> Tip:
            tip = self._ask(rpc)
            fault = self._find_fault(tip, indexed)
            if fault is not None:
                refused.append(tip)
                raise MissingBlockError(rpc.endpoint, fault)
            return tip

        try:
            tip = self._endpoints.run(ask)
        except EndpointError:
            if not refused:
                raise
            return max(refused, key=lambda tip: tip.latest.number)
        return self._compare(tip, indexed) if self._is_to_be_compared(tip, indexed) else tip

    def doubt(self, tip: Tip) -> bool:
        """Note that no endpoint has the latest block of this tip: whoever told of it is not believed without a check.

        Returns whether that is new.
        """
        name = tip.rpc.endpoint
        is_new = name not in self._in_doubt
        self._in_doubt[name] = LOOKS_IN_DOUBT
        return is_new

    def _find_fault(self, tip: Tip, indexed: Block | None) -> str | None:
        """Say why an endpoint is not to be followed now; None for no reason."""
        name, number = tip.rpc.endpoint, tip.latest.number
        if indexed is not None and number < indexed.number:
            return f"is at block {number}, and the index at {indexed.number}: it lags"
        if number <= self._lagging.get(name, -1):
            return f"is still at block {number}, which another endpoint has passed: it lags"
        self._lagging.pop(name, None)
        if name in self._in_doubt:
            if not _has(tip):
                return f"tells of a latest block {number}, and does not have it"
            self._in_doubt[name] -= 1
            if not self._in_doubt[name]:
                del self._in_doubt[name]
        return None

    def _is_to_be_compared(self, tip: Tip, indexed: Block | None) -> bool:
        now = self._monotonic()
        stand = self._stands.get(tip.rpc.endpoint)
        if stand is None or stand.number != tip.latest.number:
            stand = self._stands[tip.rpc.endpoint] = _Stand(tip.latest.number, now)
        if len(self._endpoints.members) == 1:
            return False
        if _contradicts(tip, indexed):
            return True
        patience = _compute_patience(tip)
        if self._compared_at is not None and now - self._compared_at < patience:
            return False
        return now - stand.since >= patience or self._clock() - tip.latest.timestamp > OLD_SECONDS

    def _compare(self, tip: Tip, indexed: Block | None) -> Tip:
        """Ask the others too, and return the farthest tip; of those that are as far, one that agrees with the index."""
        self._compared_at = self._monotonic()
        found = ask_all(self._endpoints, self._ask_surely, without=[tip.rpc])
        tips = [tip, *(answer.value for answer in found.answers)]
        best = max(tips, key=lambda one: (one.latest.number, not _contradicts(one, indexed)))
        if best.latest.number > tip.latest.number:
            self._lagging[tip.rpc.endpoint] = tip.latest.number
            _log.warning(
                "endpoint lags behind another",
                endpoint=tip.rpc.endpoint,
                endpoint_block=tip.latest.number,
                other=best.rpc.endpoint,
                other_block=best.latest.number,
            )
        return best

    def _ask_surely(self, rpc: Rpc) -> Tip:
        tip = self._ask(rpc)
        if not _has(tip):
            raise MissingBlockError(rpc.endpoint, f"tells of a latest block {tip.latest.number}, and does not have it")
        return tip

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


def _has(tip: Tip) -> bool:
    """Ask an endpoint for its latest block by its number."""
    try:
        return tip.rpc.block(tip.latest.number).hash == tip.latest.hash
    except MissingBlockError:
        return False


def _contradicts(tip: Tip, indexed: Block | None) -> bool:
    """Whether another block is the chain's latest than the index's last, at the same height."""
    return indexed is not None and tip.latest.number == indexed.number and tip.latest.hash != indexed.hash


def _compute_patience(tip: Tip) -> float:
    """Compute after how many seconds without a new block an endpoint stands still."""
    if tip.finalized is None or tip.finalized.number >= tip.latest.number:
        return STILL_SECONDS
    blocks = tip.latest.number - tip.finalized.number
    block_seconds = (tip.latest.timestamp - tip.finalized.timestamp) / blocks
    return min(max(BLOCKS_STILL * block_seconds, MIN_STILL_SECONDS), MAX_STILL_SECONDS)
