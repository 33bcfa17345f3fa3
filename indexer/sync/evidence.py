"""What endpoints have shown of their past: whether they have the chain's old states, and logs as old as these.

One that does not tell old states (`states.py`) has to show at least that it has old logs: a block near a range's start,
whose filter is not empty, must have some.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from qballot.chain.answers import MAX_INDEX
from qballot.chain.rpc import MAX_BATCH_REQUESTS, Rpc
from qballot.errors import MissingBlockError

MAX_EMPTY_BLOCKS = 1_000
"""Headers that are looked through for a block that has any logs. A chain without any in so many has none to lose."""


STATE_SECONDS = 3_600.0
"""How long an endpoint is taken to have no old states, or wrong ones: another machine may answer in its name soon."""


class Evidence:
    """What endpoints have shown of their past. Safe to share between threads. clock: in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._shown: dict[str, int] = {}
        # The height up to which an endpoint has no states, and when that was noted.
        self._stateless: dict[str, tuple[int, float]] = {}

    def asks_state(self, rpc: Rpc, end: int) -> bool:
        """Say whether an endpoint may have the chain's state at this height, as far as is known."""
        with self._lock:
            return end > self._recall(rpc)

    def note_no_state(self, rpc: Rpc, end: int) -> None:
        """Note that an endpoint has no state at this height, and so none further back, for STATE_SECONDS."""
        with self._lock:
            self._stateless[rpc.endpoint] = (max(end, self._recall(rpc)), self._clock())

    def distrust_state(self, rpc: Rpc) -> None:
        """Note that an endpoint says of old states what is not so, for STATE_SECONDS."""
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

    def _recall(self, rpc: Rpc) -> int:
        """Return the height up to which an endpoint has no states, −1 for none, and forget what is old."""
        height, noted = self._stateless.get(rpc.endpoint, (-1, 0.0))
        if height >= 0 and self._clock() - noted >= STATE_SECONDS:
            del self._stateless[rpc.endpoint]
            return -1
        return height
