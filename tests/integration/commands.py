"""Runs `qballot` commands as their user does: in a folder, with these settings and no others."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qballot.chain.accounts import DEVNET_KEYS
from qballot.cli import main

PROGRAM = [sys.executable, "-c", "from qballot.cli import main; main()"]


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.stdout)
        return found


@dataclass
class Commands:
    """Runs commands in this process, without a terminal. url: of the endpoint. key: of the payer, if any."""

    folder: Path
    url: str
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]
    key: str | None = DEVNET_KEYS[0]

    def run(self, *arguments: str, stdin: str = "", **settings: str) -> Done:
        chosen = {"rpc_url": self.url, **({"private_key": self.key} if self.key else {}), **settings}
        self.capture.readouterr()
        with self.patch.context() as patch:
            for name in [name for name in os.environ if name.startswith("QBALLOT_")]:
                patch.delenv(name)
            for name, value in chosen.items():
                patch.setenv(f"QBALLOT_{name.upper()}", value)
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["qballot", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = self.capture.readouterr()
        code = ended.value.code
        return Done(code if isinstance(code, int) else int(code is not None), out, err)


@contextmanager
def start_process(folder: Path, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a process of its own, which is killed if it has not ended."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("QBALLOT_")}
    chosen = {f"QBALLOT_{name.upper()}": value for name, value in settings.items()}
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=inherited | chosen,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
