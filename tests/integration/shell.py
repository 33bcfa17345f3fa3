"""A shell at a terminal, to which a test types: command after command, with answers to what is asked."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

DEADLINE_SECONDS = 120.0
ECHO_SECONDS = 10.0

# Lines are paths of files with commands, run one after another in the same shell; what became of each is a line of
# its own: 0, or the status of the last command in it that failed.
_LOOP = """
set -o pipefail -E
trap 'failed=$?' ERR
while IFS= read -r commands <&{commands}; do failed=0; . "$commands"; echo "$failed" >&{outcomes}; done
"""


class Ended(NamedTuple):
    """Commands that ended. shown: all that stood on the terminal, with the answers that were not hidden."""

    status: int
    shown: str


class Shell:
    """A bash that goes on from one `run` to the next. answers: what is typed where a prompt asks for it."""

    def __init__(self, folder: Path, environment: Mapping[str, str], answers: Mapping[str, str]) -> None:
        self._answers = answers
        self._script = folder.parent / f"{folder.name}-typed.sh"
        self._terminal, theirs = pty.openpty()
        reading, self._commands = os.pipe()
        self._outcomes, writing = os.pipe()
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-c", _LOOP.format(commands=reading, outcomes=writing)],
            cwd=folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            pass_fds=(reading, writing),
            start_new_session=True,
        )
        for descriptor in (theirs, reading, writing):
            os.close(descriptor)

    def run(self, commands: str) -> Ended:
        """Run commands to their end."""
        self._script.write_text(commands, encoding="utf-8")
        os.write(self._commands, f"{self._script}\n".encode())
        shown, answered = b"", 0
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            ready = select.select([self._terminal, self._outcomes], [], [], 1)[0]
            if self._terminal in ready:
                shown += os.read(self._terminal, 65_536)
                answered = self._answer(shown, answered)
            elif self._outcomes in ready:  # and nothing is left to be read at the terminal
                status = int(os.read(self._outcomes, 100))
                return Ended(status, shown.decode().replace("\r\n", "\n"))
        raise AssertionError(f"it did not end in {DEADLINE_SECONDS:g} s:\n{commands}\n{shown.decode()}")

    def _answer(self, shown: bytes, answered: int) -> int:
        """Type the answer where a prompt has appeared since the last one; return up to where all is answered."""
        for prompt, reply in self._answers.items():
            found = re.search(prompt.encode() + rb"\Z", shown[answered:])
            if found:
                deadline = time.monotonic() + ECHO_SECONDS
                while "assword" in prompt and self._echoes() and time.monotonic() < deadline:
                    time.sleep(0.01)
                os.write(self._terminal, reply.encode() + b"\n")
                return len(shown)
        return answered

    def _echoes(self) -> bool:
        flags: int = termios.tcgetattr(self._terminal)[3]
        return bool(flags & termios.ECHO)

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        for descriptor in (self._terminal, self._commands, self._outcomes):
            os.close(descriptor)


@contextmanager
def open_shell(folder: Path, environment: Mapping[str, str], answers: Mapping[str, str]) -> Iterator[Shell]:
    """Open a shell in a folder, and end it afterwards whatever happens."""
    shell = Shell(folder, environment, answers)
    try:
        yield shell
    finally:
        shell.stop()
