"""`qballot index` in a process of its own, and the database that it writes to."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commands import start_process
from sqlalchemy import Engine

from indexer.storage.engine import open_database

WATCHDOG_SECONDS = 60.0


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    try:
        yield engine
    finally:
        engine.dispose()


class Indexer:
    """`qballot index` in a process of its own. said: the events of its log until now, where it is not at a terminal."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []

    def hear(self, event: str) -> dict[str, Any]:
        """Wait for an event in its log."""
        assert self.process.stderr is not None
        while line := self.process.stderr.readline():
            self.said.append(json.loads(line))
            if self.said[-1]["event"] == event:
                return self.said[-1]
        raise AssertionError(self.said)

    def stop(self, number: signal.Signals = signal.SIGTERM, *, status: int = 0) -> float:
        """Ask it to end; return how long that took."""
        started = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(20) == status
        return time.monotonic() - started


@contextmanager
def run_indexer(folder: Path, *arguments: str) -> Iterator[Indexer]:
    with start_process(folder, "index", *arguments, poll_seconds="0.2") as process:
        # What is waited for may never be said.
        watchdog = threading.Timer(WATCHDOG_SECONDS, process.kill)
        watchdog.start()
        try:
            yield Indexer(process)
        finally:
            watchdog.cancel()
