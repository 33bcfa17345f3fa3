"""Where mutants are tried: copies of the tree, in which one source at a time is another one."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

from mutant import CONTRACTS, ROOT, Mutant

FOLDER = ROOT / ".build" / "mutants"
# The compiler is WebAssembly. A mutant compiles two contracts: V8's quick code for it is done before its good code is.
QUICK_COMPILER = 'import { setFlagsFromString } from "node:v8";\nsetFlagsFromString("--liftoff-only");\n'
FAILED_SUITE = re.compile(r"Encountered \d+ failing tests? in ([^:\s]+):")
FAILED_TEST = re.compile(r"\[FAIL[^\n]*?\] (\w+)\(")
TIMEOUT_SECONDS = 120


class WorkshopError(Exception):
    """forge did something that is neither a verdict of the tests nor of the compiler."""


class Status(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"  # a test fails
    TIMEOUT = "timeout"  # the tests do not end
    SURVIVED = "survived"  # all tests pass
    SAME_CODE = "same code"  # all tests pass, and both contracts compile to the bytes they had
    NOT_COMPILED = "not compiled"


@dataclass(frozen=True, slots=True)
class Verdict:
    status: Status
    suite: str  # the file that decided: a failing test's, the compiler's settings, or none of all
    test: str
    seconds: float


class Workshop:
    """One copy of what the contracts' tests need, below .build/. It compiles only what a mutant changes."""

    def __init__(self, number: int) -> None:
        self.root = FOLDER / f"workshop-{number}"
        self._original_code: list[str] = []

    def prepare(self, compiled: Workshop | None = None) -> None:
        """Copies the tree, and what another workshop has compiled of it already, and sees that its tests pass as it is.
        Raises WorkshopError.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        if compiled:
            shutil.rmtree(self.root / ".build", ignore_errors=True)
            shutil.copytree(compiled.root / ".build", self.root / ".build")
        for name in ("contracts", "scripts", "tests"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        ignored = shutil.ignore_patterns("symbolic")  # halmos's, which take as long to compile as the contracts
        shutil.copytree(CONTRACTS, self.root / "contracts", ignore=ignored)
        shutil.copytree(ROOT / "tests" / "vectors", self.root / "tests" / "vectors")
        shutil.copy(ROOT / "foundry.toml", self.root)
        (self.root / "scripts").mkdir()
        shebang, rest = (ROOT / "scripts" / "solc.mjs").read_text().split("\n", 1)
        wrapper = self.root / "scripts" / "solc.mjs"
        wrapper.write_text(f"{shebang}\n{QUICK_COMPILER}{rest}")
        wrapper.chmod(0o755)
        if not (self.root / "node_modules").exists():
            (self.root / "node_modules").symlink_to(ROOT / "node_modules")
        returned, output = self._forge_test(timeout_seconds=1200)
        if returned != 0:
            raise WorkshopError(f"the tests fail without any mutant:\n{output[-3000:]}")
        self._original_code = self._code()

    def try_mutant(self, mutant: Mutant) -> Verdict:
        """Runs the tests on it. Raises WorkshopError when forge fails otherwise."""
        path = self.root / "contracts" / mutant.file
        began = monotonic()
        path.write_text(mutant.mutated)
        # What forge learnt from the mutant before this one would make the order matter.
        shutil.rmtree(self.root / "cache", ignore_errors=True)
        try:
            returned, output = self._forge_test(TIMEOUT_SECONDS)
            status, suite, test = self._judge(returned, output)
        except subprocess.TimeoutExpired:
            status, suite, test = Status.TIMEOUT, "", ""
        finally:
            path.write_text(mutant.source)
        return Verdict(status, suite, test, round(monotonic() - began, 1))

    def _judge(self, returned: int, output: str) -> tuple[Status, str, str]:
        if returned == 0:
            if self._code() == self._original_code:
                return Status.SAME_CODE, "foundry.toml", ""
            return Status.SURVIVED, "", ""
        if "Compiler run failed" in output:
            return Status.NOT_COMPILED, "foundry.toml", ""
        suite, test = FAILED_SUITE.search(output), FAILED_TEST.search(output)
        if suite is None:
            raise WorkshopError(f"forge fails, but no test does:\n{output[-3000:]}")
        return Status.KILLED, suite[1], test[1] if test else ""

    def _forge_test(self, timeout_seconds: float) -> tuple[int, str]:
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        # The launcher of npm would leave forge running when it is killed.
        folder = ROOT / "node_modules" / "@foundry-rs" / f"forge-{platform.system().lower()}-{machine}"
        process = subprocess.Popen(
            [folder / "bin" / "forge", "test", "--fail-fast"],
            cwd=self.root,
            env=os.environ | {"FOUNDRY_PROFILE": "mutants", "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=timeout_seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        return process.returncode, output

    def _code(self) -> list[str]:
        # The profile leaves the sources' hash out of the code.
        out = self.root / ".build" / "forge" / "out"
        artifacts = (out / f"{name}.sol" / f"{name}.json" for name in ("BallotBox", "BallotBoxFactory"))
        return [json.loads(artifact.read_text())["bytecode"]["object"] for artifact in artifacts]
