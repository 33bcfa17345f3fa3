"""A chain on which anyone may send at any second: one anvil a test process, which the tests leave as they found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from any_sender import Chain, run_chain


@pytest.fixture(scope="session")
def chain() -> Iterator[Chain]:
    """An anvil that has the factory. Whoever changes it does so within `chain.undone()`."""
    with run_chain() as chain:
        yield chain
