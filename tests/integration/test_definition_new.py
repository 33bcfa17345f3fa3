"""`qballot definition new` at a real terminal: the questions are asked there, and the answers make a file."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from qballot.core.definition import parse_definition_document

pytestmark = pytest.mark.integration

ANSWERS = ("Lunch", "The kitchen", "", "", "What shall we eat?", "", "", "", "Soup", "", "Stew", "", "", "")


def test_definition_new__at_a_terminal__asks_and_writes(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from qballot.cli import main; main()", "definition", "new", "-o", "lunch.json"],
        cwd=tmp_path,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    os.write(ours, "".join(f"{answer}\n" for answer in ANSWERS).encode())
    printed, asked = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0, asked
    assert printed == b"wrote lunch.json: 1 contest, 2 options in all\n"
    assert b"Title of the election" in asked
    definition, _ = parse_definition_document((tmp_path / "lunch.json").read_bytes())
    assert [option.id for option in definition.contests[0].options] == ["soup", "stew"]
