"""What holds for every test: it says what it is, and a `unit` test reaches no network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket

KINDS = ("unit", "integration")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if sum(item.get_closest_marker(kind) is not None for kind in KINDS) != 1:
            raise pytest.UsageError(f"{item.nodeid} needs exactly one of the markers {', '.join(KINDS)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if item.get_closest_marker("unit") is None:
        return (yield)
    disable_socket(allow_unix_socket=True)  # an event loop makes a pair of them
    try:
        return (yield)
    finally:
        enable_socket()
