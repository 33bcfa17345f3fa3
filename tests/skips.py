"""A pytest plugin that looks for skips that nobody has allowed: `tests/allowed_skips.toml` lists those that are.

Any other skip is named at the end of the run. With `--fail-on-skip`, which `.ci/run` sets, it also fails the run.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ALLOWED = Path("tests") / "allowed_skips.toml"
"""The list, below pytest's root folder."""


@dataclass(frozen=True)
class AllowedSkip:
    """Tests that may be skipped. pattern: of their ids, with * for anything. reason: what they must give as theirs."""

    pattern: str
    reason: str

    def covers(self, test: str, reason: str) -> bool:
        # A parameter in brackets is no set of characters.
        return fnmatchcase(test, self.pattern.replace("[", "[[]")) and reason == self.reason


def load_allowed_skips(path: Path) -> list[AllowedSkip]:
    """Read the list."""
    return [AllowedSkip(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8"))["skip"]]


class SkipWatch:
    """Notes every skip that is not on the list. With xdist, the process that starts the workers hears of all."""

    def __init__(self, allowed: list[AllowedSkip], *, fails: bool) -> None:
        self._allowed = allowed
        self._fails = fails
        self._unexpected: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.skipped or hasattr(report, "wasxfail") or not isinstance(report.longrepr, tuple):
            return
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not any(skip.covers(report.nodeid, reason) for skip in self._allowed):
            self._unexpected[report.nodeid] = reason

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._unexpected and self._fails and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._unexpected:
            return
        terminalreporter.section(f"skipped, and not listed in {ALLOWED}", red=self._fails, yellow=not self._fails)
        for test, reason in sorted(self._unexpected.items()):
            terminalreporter.write_line(f"{test}: {reason}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fail-on-skip", action="store_true", help=f"fail if a test is skipped that {ALLOWED} lacks")


def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")
    if not is_worker:
        allowed = load_allowed_skips(config.rootpath / ALLOWED)
        config.pluginmanager.register(SkipWatch(allowed, fails=config.getoption("--fail-on-skip")))
