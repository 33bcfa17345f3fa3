"""What holds for every test: it says what it is, and a `unit` test reaches no network.

Where ape is, which brings its own pytest plugin and older libraries, the tests in `with_ape/` run and no others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["qballot.testing", "skips"]

KINDS = ("unit", "integration")
HERE = Path(__file__).parent
WITH_APE = HERE / "with_ape"


def pytest_configure(config: pytest.Config) -> None:
    if not has_ape(config):
        # Not at the top: where ape is, hypothesis is not.
        from properties import IS_SOAK, load_profile  # noqa: PLC0415

        load_profile()
        if IS_SOAK and config.getoption("--hypothesis-seed") is None:
            raise pytest.UsageError("EXAMPLES makes this a soak, which needs --hypothesis-seed=N")
    else:
        # ape and the libraries that it holds back warn about themselves.
        config.addinivalue_line("filterwarnings", "default")


def pytest_report_header(config: pytest.Config) -> str | None:
    return None if has_ape(config) else describe_examples(config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    # With `-q` there is no header, and nobody scrolls up for a seed.
    if not has_ape(config) and "EXAMPLES" in os.environ:
        terminalreporter.write_line(describe_examples(config))


def describe_examples(config: pytest.Config) -> str:
    from properties import EXAMPLES, IS_SOAK, USUAL_EXAMPLES  # noqa: PLC0415

    if not IS_SOAK:
        return "properties: the same examples in every run"
    seed = config.getoption("--hypothesis-seed")
    return f"properties: seed {seed}, {EXAMPLES:,} examples where the suite tries {USUAL_EXAMPLES}"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    is_apes = collection_path.is_relative_to(WITH_APE)
    return True if is_apes != has_ape(config) and collection_path != HERE else None


def has_ape(config: pytest.Config) -> bool:
    return config.pluginmanager.has_plugin("ape_test")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if sum(item.get_closest_marker(kind) is not None for kind in KINDS) != 1:
            raise pytest.UsageError(f"{item.nodeid} needs exactly one of the markers {', '.join(KINDS)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if item.get_closest_marker("unit") is None:
        return (yield)
    # Not at the top: where ape is, it is not, and no unit test runs.
    from pytest_socket import disable_socket, enable_socket  # noqa: PLC0415

    disable_socket(allow_unix_socket=True)  # an event loop makes a pair of them
    try:
        return (yield)
    finally:
        enable_socket()
