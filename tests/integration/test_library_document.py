"""docs/library.md, run from top to bottom: every block of Python, and what it prints."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs" / "library.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w+\.py)\n")


class Block(NamedTuple):
    line: int
    language: str
    code: str


def read_blocks() -> list[Block]:
    text = PAGE.read_text(encoding="utf-8")
    return [
        Block(text.count("\n", 0, found.start()) + 2, found.group(1), found.group(2)) for found in FENCE.finditer(text)
    ]


BLOCKS = read_blocks()


@pytest.fixture
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def names() -> Iterator[dict[str, Any]]:
    """The names that the page's blocks share; what they started is stopped, also when one of them fails."""
    names: dict[str, Any] = {}
    yield names
    if "stop" in names:
        names["stop"].set()
        names["server"].join(10)
    if "engine" in names:
        names["engine"].dispose()
    if "devnet" in names:
        names["devnet"].stop()


def test_page__blocks__are_python_or_what_it_prints() -> None:
    assert {block.language for block in BLOCKS} == {"python", "text"}
    for before, block in pairwise(BLOCKS):
        if block.language == "text":
            assert before.language == "python", f"{PAGE.name}:{block.line}"


@pytest.mark.usefixtures("_in_a_folder_of_its_own")
def test_page__from_top_to_bottom__prints_what_it_says(names: dict[str, Any]) -> None:
    for block, after in zip(BLOCKS, [*BLOCKS[1:], None], strict=True):
        if block.language != "python" or FILE.match(block.code):
            continue
        printed = io.StringIO()
        # Line numbers as in the page, so that a traceback points there.
        code = compile("\n" * (block.line - 1) + block.code, str(PAGE), "exec", dont_inherit=True)
        with redirect_stdout(printed):
            exec(code, names)
        expected = after.code if after is not None and after.language == "text" else ""
        assert printed.getvalue() == expected, f"{PAGE.name}:{block.line}"


def test_page__files_of_tests__pass_in_a_project_of_their_own(tmp_path: Path) -> None:
    named = {found.group(1): block.code for block in BLOCKS if (found := FILE.match(block.code))}
    assert "conftest.py" in named
    for name, code in named.items():
        (tmp_path / name).write_text(code)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PAGE.parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    tests = sum(code.count("\ndef test_") for code in named.values())
    assert f"{tests} passed" in done.stdout
