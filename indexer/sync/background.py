"""Following a chain in a thread beside something else, such as a server of the same index."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from indexer.journal import get_journal
from indexer.sync.follower import Follower

_log = get_journal("sync")


@contextmanager
def follow_beside(follower: Follower, stop: threading.Event) -> Iterator[None]:
    """Follow in a thread until the `with` is left, which sets `stop`.

    Where following ends by a failure, that is logged and `stop` is set at once, so that nothing goes on over an index
    that no longer moves; the failure is raised when the `with` is left, unless something else was.
    """

    def end(following: Future[None]) -> None:
        failure = following.exception()
        if failure is not None:
            _log.error("indexing ended", problem=str(failure))
            stop.set()

    with ThreadPoolExecutor(1, thread_name_prefix="follower") as executor:
        following = executor.submit(follower.follow, stop)
        following.add_done_callback(end)
        try:
            yield
        finally:
            stop.set()
    following.result()
