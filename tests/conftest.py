"""What holds for every test: it says what it is, and a `unit` test reaches no network.

Where ape is, which brings its own pytest plugin and older libraries, the tests in `with_ape/` run and no others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["qballot.testing"]

KINDS = ("unit", "integration")
HERE = Path(__file__).parent
WITH_APE = HERE / "with_ape"


def pytest_configure(config: pytest.Config) -> None:
    if not has_ape(config):
        # Not at the top: where ape is, it is not.
        from hypothesis import HealthCheck, settings  # noqa: PLC0415

        # How long an example takes says something of the machine, and nothing of what is tested. `make oracles` tries
        # more examples.
        settings.register_profile(
            "untimed",
            deadline=None,
            max_examples=int(os.environ.get("ELECTIONS", "100")),
            suppress_health_check=[HealthCheck.too_slow],
        )
        settings.load_profile("untimed")
    else:
        # ape and the libraries that it holds back warn about themselves.
        config.addinivalue_line("filterwarnings", "default")


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
