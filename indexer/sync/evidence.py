"""What endpoints have shown of their past: whether they have the chain's old states, and logs as old as these.

One that does not tell old states (`states.py`) has to show at least that it has old logs: a block near a range's start,
whose filter is not empty, must have some.
"""

from __future__ import annotations

import threading

from qballot.chain.answers import MAX_INDEX
from qballot.chain.rpc import MAX_BATCH_REQUESTS, Rpc
from qballot.errors import MissingBlockError

MAX_EMPTY_BLOCKS = 1_000
"""Headers that are looked through for a block that has any logs. A chain without any in so many has none to lose."""


class Evidence:
    """What endpoints have shown of their past. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: dict[str, int] = {}
        self._stateless: dict[str, int] = {}

    def asks_state(self, rpc: Rpc, end: int) -> bool:
        """Say whether an endpoint may have the chain's state at this height, as far as is known."""
        return end > self._stateless.get(rpc.endpoint, -1)

    def note_no_state(self, rpc: Rpc, end: int) -> None:
        """Note that an endpoint has no state at this height, and so none further back."""
        with self._lock:
            self._stateless[rpc.endpoint] = max(end, self._stateless.get(rpc.endpoint, -1))

    def distrust_state(self, rpc: Rpc) -> None:
        """Note that an endpoint says of old states what is not so."""
        self.note_no_state(rpc, MAX_INDEX)

    def check_age(self, rpc: Rpc, start: int, end: int) -> None:
        """Check that an endpoint has the logs of a range's first blocks. Raises MissingBlockError when it does not."""
        if self._shown.get(rpc.endpoint, end + 1) <= start:
            return
        last = min(end, start + MAX_EMPTY_BLOCKS - 1)
        for first in range(start, last + 1, MAX_BATCH_REQUESTS):
            for header in rpc.blocks(range(first, min(first + MAX_BATCH_REQUESTS - 1, last) + 1)):
                if any(header.logs_bloom):
                    if not rpc.logs(header.number, header.number, None):
                        raise MissingBlockError(
                            rpc.endpoint,
                            f"gives no logs of block {header.number}, which has some by its header: it has dropped "
                            "what is so old; name an endpoint in QBALLOT_RPC_URL that has the whole history",
                        )
                    with self._lock:
                        self._shown[rpc.endpoint] = min(start, self._shown.get(rpc.endpoint, start))
                    return
