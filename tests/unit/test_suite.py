"""The suite itself: a skip that nobody allowed fails it, and its examples are the same in every run."""

from __future__ import annotations

from pathlib import Path

import pytest
from properties import EXAMPLES, IS_SOAK, examples
from skips import ALLOWED, AllowedSkip, load_allowed_skips

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.unit

TESTS = Path(__file__).parents[1]

LIST = """
[[skip]]
pattern = "test_some.py::test_listed[*]"
reason = "no such tool"
"""

SOME_TESTS = """
import pytest

@pytest.mark.parametrize("tool", ["a", "b"])
@pytest.mark.skipif(True, reason="no such tool")
def test_listed(tool): ...

def test_passes(): ...

@pytest.mark.xfail(reason="not yet")
def test_expected_to_fail():
    assert False
"""

INSIDE = """
def test_skipped_inside():
    pytest.skip("no such file")
"""
WHOLE_MODULE = """
import pytest
pytest.importorskip("no_such_module")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project whose tests can use the suite's own plugins."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.delenv("EXAMPLES", raising=False)
    pytester.makeini("[pytest]\n")
    pytester.mkdir("tests")
    (pytester.path / ALLOWED).write_text(LIST)
    return pytester


WORKERS = pytest.mark.parametrize("workers", ["-n0", "-n2"])


def run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "skips", *options)


@WORKERS
def test_skips__all_listed__pass(project: pytest.Pytester, workers: str) -> None:
    project.makepyfile(test_some=SOME_TESTS)
    done = run(project, "--fail-on-skip", workers)
    done.assert_outcomes(passed=1, skipped=2, xfailed=1)
    assert done.ret == pytest.ExitCode.OK
    assert "not listed" not in done.stdout.str()


@WORKERS
def test_skips__one_not_listed__is_named_and_fails_only_where_asked(project: pytest.Pytester, workers: str) -> None:
    project.makepyfile(test_some=SOME_TESTS + INSIDE)
    for options, status in (["--fail-on-skip"], pytest.ExitCode.TESTS_FAILED), ([], pytest.ExitCode.OK):
        done = run(project, workers, *options)
        done.assert_outcomes(passed=1, skipped=3, xfailed=1)
        assert done.ret == status
        done.stdout.fnmatch_lines(
            ["*skipped, and not listed in tests/allowed_skips.toml*", "test_some.py::test_skipped_inside: no such file"]
        )


@WORKERS
def test_skips__whole_module__is_named_and_fails(project: pytest.Pytester, workers: str) -> None:
    project.makepyfile(test_some=SOME_TESTS, test_other=WHOLE_MODULE)
    done = run(project, "--fail-on-skip", workers)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(["test_other.py: could not import 'no_such_module'*"])


def test_skips__listed_test_with_another_reason__is_not_allowed() -> None:
    skip = AllowedSkip("test_some.py::test_listed[*]", "no such tool")
    assert skip.covers("test_some.py::test_listed[a-b]", "no such tool")
    assert not skip.covers("test_some.py::test_listed[a-b]", "too slow")
    assert not skip.covers("test_some.py::test_listed", "no such tool")


@pytest.mark.parametrize("skip", load_allowed_skips(TESTS.parent / ALLOWED), ids=lambda skip: skip.pattern)
def test_allowed_skips__each__is_of_a_test_and_a_reason_that_exist(skip: AllowedSkip) -> None:
    file, _, test = skip.pattern.partition("::")
    text = (TESTS.parent / file).read_text(encoding="utf-8")
    assert skip.reason in text
    assert all(part in text for part in test.split("*"))


PROPERTY = """
import pathlib, sys
from hypothesis import given, strategies as st
from properties import load_profile
load_profile()
seen = []

@given(st.integers(), st.binary(), st.text())
def test_property(number, data, text):
    seen.append((number, data, text))

def test_write():
    with open("seen", "a") as file:
        file.write(repr(seen) + chr(10))
"""


def test_examples__another_run_with_more_modules__are_the_same(project: pytest.Pytester) -> None:
    project.makepyfile(test_property=PROPERTY, constants=f"WORDS = {[f'word {number}' for number in range(500)]}")
    run(project).assert_outcomes(passed=2)
    run(project, "-p", "constants").assert_outcomes(passed=2)
    first, second = (project.path / "seen").read_text().splitlines()
    assert first == second
    assert not (project.path / ".hypothesis" / "examples").exists()


def test_examples__in_a_soak__are_those_of_the_seed(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLES", "150")
    project.makepyfile(test_property=PROPERTY)
    for seed in 1, 2, 1:
        run(project, f"--hypothesis-seed={seed}").assert_outcomes(passed=2)
    first, second, third = (project.path / "seen").read_text().splitlines()
    assert first == third != second
    assert first.count("), (") == 149


def test_examples__of_a_test__are_in_proportion() -> None:
    assert IS_SOAK or EXAMPLES == 100
    assert examples(50).max_examples == EXAMPLES // 2
    assert examples(1).max_examples >= 1
    assert examples(50).database is None
