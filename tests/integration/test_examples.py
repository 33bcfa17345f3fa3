"""The scripts in examples/ as a reader runs them; nothing of them stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.integration

WHOLE_WAY = Path(__file__).parents[2] / "examples" / "whole-way" / "run.sh"
TIMEOUT_SECONDS = 300
INHERITED_SETTING = {"QBALLOT_RPC_URL": "http://127.0.0.1:9", "QBALLOT_NETWORK": "mainnet"}
"""What whoever runs a script may have set: it must not matter."""


def _start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    # This Python's `qballot`, wherever it is installed; and a mark that all processes of the script inherit.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, **INHERITED_SETTING, "PATH": path, "TMPDIR": str(folder), "EXAMPLE_RUN": str(folder)}
    return subprocess.Popen(
        [str(WHOLE_WAY), *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _left_over(folder: Path) -> list[psutil.Process]:
    """Find every process with the mark, also one whose parent has ended."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("EXAMPLE_RUN") == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_whole_way__run__ends_with_the_result_and_leaves_nothing(tmp_path: Path) -> None:
    with _start(tmp_path) as process:
        shown, _ = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 0, shown
    headings = ["A local chain", "The organizer", "The voters", "The relayer", "The operator", "The auditor"]
    places = [shown.index(f"\n{heading}\n{'=' * len(heading)}\n") for heading in [*headings, "The result"]]
    assert places == sorted(places)
    assert 'ok: the place is ["park"]' in shown[places[-1] :]
    assert shown.endswith("Lee wins with 3 of 5 continuing votes, more than half.\n")
    assert "Traceback" not in shown
    assert not _left_over(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whole_way__told_to_end__leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with _start(tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("anvil, with public accounts"):
                break
        assert any("anvil" in left.name() for left in _left_over(tmp_path))
        process.send_signal(number)
        shown, _ = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 128 + number, shown
    deadline = time.monotonic() + 10
    while _left_over(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _left_over(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_whole_way__folder_with_files__is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with _start(tmp_path, str(tmp_path)) as process:
        shown, _ = process.communicate(timeout=TIMEOUT_SECONDS)
    assert (process.returncode, "is not empty" in shown) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
