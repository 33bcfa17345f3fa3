"""Runs `qballot` commands as real processes that begin at once, to be killed at any moment.

Starting Python and importing everything takes longer than most of what a test wants to interrupt. So one process does
it once and forks off the commands, each a process of its own. It runs this file:

    python spawning.py      reads a JSON object a line, `{"start": …}` or `{"wait": pid}`, and answers each by a line
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

WAIT_SECONDS = 30.0


@dataclass
class Running:
    """A command that was started. log: the file with what it says on stdout and stderr."""

    spawner: Spawner
    pid: int
    log: Path
    status: int | None = None

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def has_ended(self) -> bool:
        return self.poll() is not None

    def poll(self) -> int | None:
        """Return its status when it has ended: the exit code, or the signal's number below zero."""
        if self.status is None:
            self.status = self.spawner.ask({"wait": self.pid})
        return self.status

    def send(self, number: signal.Signals) -> None:
        if not self.has_ended:
            os.kill(self.pid, number)

    def wait(self, seconds: float = WAIT_SECONDS) -> int:
        """Wait until it has ended and return its status."""
        deadline = time.monotonic() + seconds
        while (status := self.poll()) is None:
            assert time.monotonic() < deadline, f"it has not ended in {seconds:g} s; it said:\n{self.said}"
            time.sleep(0.005)
        return status

    def terminate(self) -> None:
        """Ask it to end (SIGTERM)."""
        self.send(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it where it stands (SIGKILL)."""
        self.send(signal.SIGKILL)
        self.wait()


class Spawner:
    """Starts commands. folder: their working directory, and where their logs are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("QBALLOT_")}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            cwd=folder,
            env={**kept, "PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(
        self,
        *arguments: str,
        file_bytes: int | None = None,
        dies_at_statement: int | None = None,
        **settings: str,
    ) -> Running:
        """Start a command with these settings, `rpc_url` for QBALLOT_RPC_URL and so on, and no others.

        file_bytes: the most that it may write into any one file, until someone allows more. dies_at_statement: it is
        killed (SIGKILL) before its so manyth SQL statement or commit.
        """
        log = self._folder / f"said-{next(self._numbers)}.log"
        log.touch()
        environment = {f"QBALLOT_{name.upper()}": value for name, value in settings.items()}
        request = {
            "arguments": arguments,
            "environment": environment,
            "log": str(log),
            "file_bytes": file_bytes,
            "dies_at_statement": dies_at_statement,
        }
        pid = self.ask({"start": request})
        return Running(self, pid, log)

    def ask(self, request: dict[str, Any]) -> Any:
        """Put a request to the process that forks."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        """End it, and with it every command that still runs."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def run_spawner(folder: Path) -> Iterator[Spawner]:
    """Run a spawner in a folder."""
    spawner = Spawner(folder)
    try:
        yield spawner
    finally:
        spawner.stop()


def _serve() -> None:
    from indexer import sync  # noqa: F401, PLC0415
    from indexer.storage.engine import open_database  # noqa: PLC0415
    from qballot.cli import main  # noqa: PLC0415

    # The first database that is opened brings in what migrations need.
    open_database("sqlite:///:memory:").dispose()
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            answer: int | None = os.fork()
            if answer == 0:
                _become(request["start"], main)
        else:
            pid, status = os.waitpid(request["wait"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        print(json.dumps(answer), flush=True)


def _become(request: dict[str, Any], main: Any) -> None:
    """Be the command, and end with it. It dies with the process that forks."""
    status = 70
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        said = os.open(request["log"], os.O_WRONLY | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for own, replacement in ((0, nothing), (1, said), (2, said)):
            os.dup2(replacement, own)
        os.environ.update(request["environment"])
        if request["file_bytes"] is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_bytes"], resource.RLIM_INFINITY))
        if request["dies_at_statement"] is not None:
            _die_at_statement(request["dies_at_statement"])
        sys.argv = ["qballot", *request["arguments"]]
        main()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 # whatever it is, this process ends with it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _die_at_statement(number: int) -> None:
    from sqlalchemy import Engine, event  # noqa: PLC0415

    left = [number]

    def count_one(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count_one)
    event.listen(Engine, "commit", count_one)


if __name__ == "__main__":
    _serve()
