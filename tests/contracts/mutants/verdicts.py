"""What is known about mutants from earlier runs, for as long as it is still true."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock

from mutant import CONTRACTS, ROOT, Mutant
from workshop import FOLDER, Status, Verdict

TESTS = CONTRACTS / "test"
VECTORS = ROOT / "tests" / "vectors"


class Verdicts:
    """A file of verdicts, one JSON object a line, appended to as they come: a run that was stopped goes on from there.

    A verdict holds while the contracts are the same; a survivor's while no test changes, a killed one's while the suite
    that killed it does not, the compiler's while its settings do not.
    """

    def __init__(self, sources: dict[str, str], path: Path = FOLDER / "verdicts.jsonl") -> None:
        self._sources = sources
        self._path = path
        self._lock = Lock()
        self._known: dict[str, Verdict] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                entry = json.loads(line)
                key, verdict = entry.pop("key"), Verdict(**(entry | {"status": Status(entry["status"])}))
                self._known[key] = verdict

    def find(self, mutant: Mutant) -> Verdict | None:
        """The verdict on it, if one still holds."""
        with self._lock:
            suites = {verdict.suite for verdict in self._known.values()}
        keys = (self._key(mutant, suite) for suite in sorted(suites, reverse=True))
        return next((self._known[key] for key in keys if key in self._known), None)

    def add(self, mutant: Mutant, verdict: Verdict) -> None:
        """Keeps one; from any thread."""
        key = self._key(mutant, verdict.suite)
        with self._lock:
            self._known[key] = verdict
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                file.write(json.dumps({"key": key} | asdict(verdict)) + "\n")

    def _key(self, mutant: Mutant, suite: str) -> str:
        contracts = self._sources | {mutant.file: mutant.mutated}
        return sha256((_hash_judges(suite) + json.dumps(contracts, sort_keys=True)).encode()).hexdigest()


@cache
def _hash_judges(suite: str) -> str:
    """What the verdict of one suite depends on, or of all of them."""
    return sha256(b"".join(path.read_bytes() for path in _judges(suite) if path.is_file())).hexdigest()


def _judges(suite: str) -> list[Path]:
    settings = ROOT / "foundry.toml"
    if not suite:
        return [settings, *sorted(TESTS.rglob("*.sol")), *sorted(VECTORS.glob("*.json"))]
    path = ROOT / suite
    if path == settings:
        return [settings]
    support = [*sorted(TESTS.glob("support/*.sol")), TESTS / "Vm.sol"]
    beside = [other for other in sorted(path.parent.glob("*.sol")) if not other.name.endswith(".t.sol")]
    read = sorted(VECTORS.glob("*.json")) if path.parent.name == VECTORS.name else []
    return [settings, path, *support, *beside, *read]
