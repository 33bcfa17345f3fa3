"""The collector of garbage, while very many objects are made that are none.

It looks through whatever was made lately each time that some hundreds of objects more are alive. Catching up makes
hundreds of thousands, all of which go by themselves: looking through them costs as much as decoding them.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (5_000, 5, 5)
"""Thresholds while catching up. Cycles hold whole ranges now and then: far higher ones cost a third more memory."""


GROWTH = 1.5
"""How many times as many objects as after the last whole look through them lead to the next one. What was set aside
counts as old afterwards without the collector's noticing that there is more of it, so that it would never look.
"""


class _Usual:
    """What the process had before, and how many threads are to leave until it has that again.

    looked_through: objects that were left by the last whole look through them.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.threshold = gc.get_threshold()
        self.looked_through = 0

    def set_aside(self) -> None:
        """Set aside all objects that there are; where they have become many more, without the garbage among them."""
        gc.freeze()
        if gc.get_freeze_count() > GROWTH * self.looked_through:
            if self.looked_through:
                gc.unfreeze()
                gc.collect()
                gc.freeze()
            self.looked_through = gc.get_freeze_count()


_USUAL = _Usual()


@contextmanager
def collect_seldom() -> Iterator[None]:
    """Let the collector of this process look through objects seldom, and not at all through those that there are.

    Where several threads are inside, the last one to leave restores what was before.
    """
    with _USUAL.lock:
        _USUAL.inside += 1
        if _USUAL.inside == 1:
            _USUAL.threshold = gc.get_threshold()
            _USUAL.set_aside()
            gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        with _USUAL.lock:
            _USUAL.inside -= 1
            if _USUAL.inside == 0:
                gc.set_threshold(*_USUAL.threshold)
                gc.unfreeze()
