"""Where `qballot index` says how far it is: at the foot of a terminal, or in its log where nobody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from qballot.cli.index_progress import Progress

if TYPE_CHECKING:
    from indexer.storage.model import Block
    from indexer.sync import Observer

LOG_SECONDS = 10.0
"""Log lines while catching up come no more often than this."""

REFRESH_PER_SECOND = 4


class Observers:
    """Several observers of the indexer as one: each hears everything, in their order."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def chain_seen(self, latest: Block, indexed: Block | None, finalized: Block | None) -> None:
        """Tell all how far the chain is, and how far the index."""
        for observer in self._observers:
            observer.chain_seen(latest, indexed, finalized)

    def range_indexed(self, start: int, end: int, **measures: Any) -> None:
        """Tell all that a range of blocks was written."""
        for observer in self._observers:
            observer.range_indexed(start, end, **measures)

    def reorged(self, depth: int) -> None:
        """Tell all of a reorganisation."""
        for observer in self._observers:
            observer.reorged(depth)

    def heads_proven(self, at: Block, unproven: int) -> None:
        """Tell all how far heads are proven."""
        for observer in self._observers:
            observer.heads_proven(at, unproven)

    def headers_known(self, unknown_since: int | None) -> None:
        """Tell all since which block headers are unknown."""
        for observer in self._observers:
            observer.headers_known(unknown_since)

    def blocks_witnessed(self, newest: int | None, contradicted: int) -> None:
        """Tell all how far proofs are witnessed."""
        for observer in self._observers:
            observer.blocks_witnessed(newest, contradicted)

    def repaired(self, records: int) -> None:
        """Tell all of an election that was put right."""
        for observer in self._observers:
            observer.repaired(records)

    def leading(self, leads: bool) -> None:
        """Tell all whether this indexer writes."""
        for observer in self._observers:
            observer.leading(leads)

    def failed(self, what: str) -> None:
        """Tell all of a failure."""
        for observer in self._observers:
            observer.failed(what)


class ProgressLog:
    """Writes to a log how far the indexer is, as its observer, after `progress` has heard the same.

    log: of `get_journal`.
    """

    def __init__(self, progress: Progress, log: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress = progress
        self._log = log
        self._clock = clock
        self._quiet_since: float | None = None
        self._caught_up = False

    def chain_seen(self, latest: Block, indexed: Block | None, finalized: Block | None) -> None:  # noqa: ARG002
        """Hear how far the chain is, and how far the index."""
        self._say()

    def range_indexed(self, start: int, end: int, **_measures: Any) -> None:  # noqa: ARG002
        """Hear that a range of blocks was written."""
        self._say()

    def reorged(self, depth: int) -> None:
        """Hear of a reorganisation, which the follower logs itself."""

    def heads_proven(self, at: Block, unproven: int) -> None:
        """Hear how far heads are proven, which the follower logs itself where they are not."""

    def headers_known(self, unknown_since: int | None) -> None:
        """Hear whether all headers are known, which the follower logs itself where they are not."""

    def blocks_witnessed(self, newest: int | None, contradicted: int) -> None:
        """Hear how far proofs are witnessed, which the follower logs itself where they are contradicted."""

    def repaired(self, records: int) -> None:
        """Hear of an election that was put right, which the follower logs itself."""

    def leading(self, leads: bool) -> None:
        """Hear whether this indexer writes, which the follower logs itself."""

    def failed(self, what: str) -> None:
        """Hear of a failure, which the follower logs itself."""

    def _say(self) -> None:
        reading = self._progress.read()
        if reading is None:
            return
        now = self._clock()
        if not reading.behind:
            self._quiet_since = None
            if not self._caught_up:
                self._caught_up = True
                self._log.info("caught up", block=reading.block, final=reading.final, ballots=reading.ballots)
        elif self._quiet_since is None:
            self._quiet_since = now
        elif now - self._quiet_since >= LOG_SECONDS:
            self._caught_up = False
            self._quiet_since = now
            left = reading.seconds_left
            self._log.info(
                "catching up",
                block=reading.block,
                latest=reading.latest,
                behind=reading.behind,
                ballots=reading.ballots,
                ballots_per_second=round(reading.ballots_per_second),
                seconds_left=None if left is None else round(left),
            )


def shows_live_line() -> bool:
    """Say whether stderr is a terminal that can redraw a line."""
    from rich.console import Console

    console = Console(stderr=True)
    return console.is_terminal and not console.is_dumb_terminal


@contextmanager
def show_live_line(progress: Progress) -> Iterator[Any]:
    """Keep the line up to date at the foot of the terminal on stderr; give the stream that writes above it."""
    from rich.console import Console
    from rich.file_proxy import FileProxy
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)

    def render() -> Text:
        return Text(progress.describe(), no_wrap=True, overflow="ellipsis")

    with Live(
        console=console,
        get_renderable=render,
        refresh_per_second=REFRESH_PER_SECOND,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield FileProxy(console, sys.stderr)
