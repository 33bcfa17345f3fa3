"""`qballot index --once`: up to the latest block and no further, for cron, whose only word of it is the exit status."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from qballot.cli.index_progress import Progress
from qballot.errors import ChainError, QballotError

if TYPE_CHECKING:
    from indexer.sync import Follower, Observer
    from qballot.chain.endpoints import Endpoints

PATIENCE_SECONDS = 60.0
"""How long endpoints that fail are waited for in all, while the index does not get on."""

PAUSE_SECONDS = 1.0
"""Least pause before all endpoints that may be asked are asked again."""


def read_once(
    follower: Follower, endpoints: Endpoints, observer: Observer, progress: Progress, stop: threading.Event
) -> None:
    """Index up to the latest block. Endpoints that ask for patience are given it, once any has told of the chain.

    progress: hears the follower too. Raises what `Follower.sync_once` raises, and QballotError where it was stopped
    before it was through.
    """
    waited, place = 0.0, None
    while True:
        try:
            follower.sync_once(stop=stop)
        except ChainError as error:
            reading = progress.read()
            if reading is None or not error.retryable:
                raise
            if reading.block != place:
                waited, place = 0.0, reading.block
            pause = max(PAUSE_SECONDS, endpoints.wait_seconds())
            waited += pause
            if waited > PATIENCE_SECONDS:
                raise
            _report(error, pause, observer)
            if not stop.wait(pause):
                continue
        if stop.is_set():
            raise QballotError(describe_stop(progress))
        return


def describe_stop(progress: Progress) -> str:
    """Say where it was stopped, and what to do."""
    reading = progress.read()
    if reading is None:
        where = "before it had seen the chain"
    else:
        block = "no block" if reading.block is None else f"block {reading.block:,}"
        where = f"at {block} of {reading.latest:,}"
    return f"stopped {where}: the index is whole as far as it goes; run the same again to go on from there"


def _report(error: ChainError, pause: float, observer: Observer) -> None:
    from indexer.journal import get_journal

    what = "endpoint failed"
    get_journal("index").warning(what, problem=str(error), retry_in_seconds=round(pause, 1))
    observer.failed(what)
