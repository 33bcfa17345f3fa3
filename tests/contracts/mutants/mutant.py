"""What a mutant is: one change of one contract's source, that some test must notice."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CONTRACTS = ROOT / "contracts"
# Interfaces have no code to change.
SOURCES = (
    "BallotBox.sol",
    "BallotBoxFactory.sol",
    "libraries/Batch.sol",
    "libraries/BoxArguments.sol",
    "libraries/Census.sol",
    "libraries/LowLevel.sol",
    "libraries/Records.sol",
)


class MutantError(Exception):
    """A kept patch or equivalent does not fit the sources any more."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`source[start:end]` of a file below contracts/ becomes `replacement`. `kind` is "patch" or an operator's name."""

    kind: str
    name: str
    file: str
    source: str
    start: int
    end: int
    replacement: str

    @property
    def mutated(self) -> str:
        return self.source[: self.start] + self.replacement + self.source[self.end :]

    @property
    def line(self) -> int:
        """The 1-based line on which the change begins."""
        return self.source.count("\n", 0, self.start) + 1

    @property
    def change(self) -> tuple[str, str]:
        """The changed lines before and after, without indentation: what tells the mutant wherever the lines move."""
        first = self.source.rfind("\n", 0, self.start) + 1
        last = self.source.find("\n", self.end)
        after = self.source[first : self.start] + self.replacement + self.source[self.end : last]
        return _strip(self.source[first:last]), _strip(after)

    @property
    def diff(self) -> str:
        lines = unified_diff(self.source.splitlines(), self.mutated.splitlines(), lineterm="", n=0)
        return "\n".join(line for line in list(lines)[2:] if not line.startswith("@@"))


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A change after which the contracts do the same, for a reason."""

    file: str
    before: str
    after: str
    why: str


def read_sources() -> dict[str, str]:
    """The contracts' sources by their names below contracts/."""
    return {name: (CONTRACTS / name).read_text() for name in SOURCES}


def load_patches(sources: dict[str, str]) -> list[Mutant]:
    """The mutants of patches.toml. Raises MutantError with every one that does not apply exactly once."""
    patches, misfits = [], []
    for kept in tomllib.loads((HERE / "patches.toml").read_text())["patch"]:
        source, find = sources[kept["file"]], kept["find"]
        if (count := source.count(find)) != 1:
            misfits.append(f"{kept['name']}: {count} places in {kept['file']} read {find!r}, expected one")
            continue
        start = source.index(find)
        patches.append(Mutant("patch", kept["name"], kept["file"], source, start, start + len(find), kept["replace"]))
    if misfits:
        raise MutantError("\n".join(misfits))
    return patches


def load_equivalents() -> list[Equivalent]:
    """The changes of equivalents.toml."""
    kept = tomllib.loads((HERE / "equivalents.toml").read_text()).get("equivalent", [])
    return [Equivalent(**entry) for entry in kept]


def without_equivalents(mutants: list[Mutant], equivalents: list[Equivalent]) -> Iterator[Mutant]:
    """Those that change what the contracts do, as far as is known."""
    known = {(entry.file, entry.before, entry.after) for entry in equivalents}
    return (mutant for mutant in mutants if (mutant.file, *mutant.change) not in known)


def find_stale_equivalents(mutants: list[Mutant], equivalents: list[Equivalent]) -> None:
    """Raises MutantError with every entry that no systematic mutant is."""
    made = {(mutant.file, *mutant.change) for mutant in mutants}
    stale = [entry for entry in equivalents if (entry.file, entry.before, entry.after) not in made]
    if stale:
        raise MutantError("\n".join(f"no such mutant of {entry.file}: {entry.after!r}" for entry in stale))


def _strip(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines())
