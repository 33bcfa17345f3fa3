"""docs/tutorial.md as its reader goes through it: every command at a terminal, in order, on a chain that calls itself
Sepolia, and what it shows compared with the page."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from shell import Shell, open_shell

from qballot.chain.devnet import Devnet
from qballot.core.address import parse_address
from qballot.core.moments import parse_moment

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
PART = re.compile(r"^## (?P<title>[^\n]+)$|^```(?P<language>\w+) ?(?P<how>[^\n]*)\n(?P<code>.*?)^```$", re.M | re.S)

MESSAGES = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
"""What the page says of commands that refuse."""

COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

SEPOLIA = 11_155_111
STARTS_AT = parse_moment("2031-02-17T09:00:00+01:00")
ETHER = 10**18

ANSWERS = {
    r"(New password of this account|Once more|Password of the account \w+): ": "correct horse battery staple",
    r"Send (this transaction|these \d+ transactions)\? \[y/N\]: ": "y",
}
"""What is typed where something is asked for."""


PAGE_ENDPOINT, PAGE_SERVER = "https://sepolia.infura.io/v3/YOUR-KEY", "http://127.0.0.1:8000"
NOTED = {
    "0xC0ffee0000000000000000000000000000000001": r"^ballot box +(0x\w+)$",
    "0xC0ffee0000000000000000000000000000000002": r"^ballot box +(0x\w+)$",
    "7654321": r"^block +(\d+)$",
}
"""What the page has for everybody, and a reader for themselves: where it is read off when the page first shows it."""


class Part(NamedTuple):
    """A section's title, or a block. how: after the language, what a reader does not see."""

    line: int
    title: str | None
    language: str | None
    how: str
    code: str


def read_parts() -> list[Part]:
    text = PAGE.read_text(encoding="utf-8")
    return [
        Part(text.count("\n", 0, at.start()) + 1, at["title"], at["language"], at["how"] or "", at["code"] or "")
        for at in PART.finditer(text)
    ]


PARTS = read_parts()


class Reader:
    """Goes through the page. Its own values stand for those that the page has for everybody: `meant`."""

    def __init__(self, devnet: Devnet, shell: Shell, folder: Path) -> None:
        self.devnet, self.shell, self.folder = devnet, shell, folder
        self.meant = {PAGE_ENDPOINT: devnet.url}
        self.shown = ""

    def replace(self, text: str) -> str:
        for written, meant in self.meant.items():
            text = text.replace(written, meant)
        return text

    def note(self, expected: str) -> None:
        """Take one's own values from what was shown, where the page shows its own for the first time."""
        for written, pattern in NOTED.items():
            if written in expected and written not in self.meant:
                self.meant[written] = re.findall(pattern, self.shown, re.MULTILINE)[-1]

    def run(self, code: str) -> int:
        status, shown = self.shell.run(self.replace(code))
        self.shown = "".join(f"{line.rstrip()}\n" for line in COLOUR.sub("", shown).splitlines())
        return status

    def serve(self, code: str) -> None:
        """Run in another terminal what serves until it is stopped."""
        log = self.folder / "serve.log"
        assert self.run(f"(QBALLOT_PORT=0 exec {code.strip()}) > {log} 2>&1 &\n") == 0
        deadline = time.monotonic() + 60
        while not (found := re.search(r"served on (http://\S+)", log.read_text() if log.exists() else "")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.meant[PAGE_SERVER] = found.group(1)

    def give_ether(self, name: str) -> None:
        assert self.run("qballot account list") == 0
        (address,) = re.findall(rf"(0x\w+)  {name}\n", self.shown)
        self.devnet.set_balances({parse_address(address): ETHER})


def get_test_ether(reader: Reader) -> None:
    reader.give_ether("clerk")


def wait_for_the_opening(reader: Reader) -> None:
    reader.devnet.warp(parse_moment("2031-03-03T08:00:00+01:00"))
    reader.give_ether("ada")


def wait_for_the_close(reader: Reader) -> None:
    reader.devnet.warp(parse_moment("2031-03-07T18:00:00+01:00"))


BESIDES: dict[str, Callable[[Reader], None]] = {
    "Test ether": get_test_ether,
    "Voting": wait_for_the_opening,
    "The close": wait_for_the_close,
}
"""What a reader does besides typing, at the beginning of a section."""


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    home = tmp_path / "home"
    home.mkdir()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QBALLOT_")}
    environment |= {"HOME": str(home), "PATH": path, "TERM": "dumb", "LANG": "C.UTF-8"}
    with (
        Devnet(accounts=1, chain_id=SEPOLIA, starts_at=STARTS_AT) as devnet,
        open_shell(home, environment, ANSWERS) as shell,
    ):
        try:
            yield Reader(devnet, shell, tmp_path)
        finally:
            for process in psutil.Process(shell.process.pid).children(recursive=True):
                process.kill()


def matches(shown: str, expected: str) -> bool:
    """Compare what was shown with the page, where `…` stands for anything on a line, alone on it for any lines."""
    lines = [line.rstrip() for line in expected.splitlines()]
    pattern = "".join(
        r"(?:[^\n]*\n)*" if line == "…" else re.escape(line).replace("…", r"[^\n]*") + r"\n" for line in lines
    )
    return re.fullmatch(pattern, shown) is not None


def test_tutorial__blocks__are_commands_or_what_they_show() -> None:
    assert {part.language for part in PARTS if part.title is None} == {"sh", "text"}
    assert {part.how for part in PARTS} <= {"", "background", "status=1", "status=2", "status=3"}
    for before, part in pairwise(PARTS):
        if part.language == "text":
            assert before.language == "sh", f"{PAGE.name}:{part.line}"
    assert len(MESSAGES) == 10
    assert {part.title for part in PARTS}.issuperset(BESIDES)
    assert all(any(written in part.code for part in PARTS if part.language == "text") for written in NOTED)


def test_tutorial__from_top_to_bottom__shows_what_it_says(reader: Reader) -> None:
    transcript = ""
    for part, after in pairwise([*PARTS, PARTS[0]]):
        if part.title in BESIDES:
            BESIDES[part.title](reader)
        if part.language != "sh":
            continue
        if part.how == "background":
            reader.serve(part.code)
            continue
        status = reader.run(part.code)
        transcript += reader.shown
        place = f"{PAGE.name}:{part.line}: {part.code}\n{reader.shown}"
        assert status == int(part.how.removeprefix("status=") or 0), place
        if after.language == "text":
            reader.note(after.code)
            assert matches(reader.shown, reader.replace(after.code)), place
    for message in MESSAGES:
        assert message in transcript, message
