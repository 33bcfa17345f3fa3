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


WHOLE_EVERY = 100
"""Every how many times all objects are looked through first. What was set aside counts as old afterwards, without the
collector's noticing that there is more of it: by itself it would never look there again.
"""


class _Usual:
    """What the process had before, how many threads are to leave until it has that again, and how often it was left."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.times = 0
        self.threshold = gc.get_threshold()


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
            _USUAL.times += 1
            if _USUAL.times % WHOLE_EVERY == 0:
                gc.collect()
            gc.freeze()
            gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        with _USUAL.lock:
            _USUAL.inside -= 1
            if _USUAL.inside == 0:
                gc.set_threshold(*_USUAL.threshold)
                gc.unfreeze()
