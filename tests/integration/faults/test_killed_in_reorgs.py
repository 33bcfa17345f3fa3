"""`qballot index` killed at random moments while its chain reorganises: it ends as a fresh index all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from fork_chain import ForkChain
from killed_watch import KilledWatch
from spawning import Spawner

pytestmark = pytest.mark.integration

SEED = 1


@pytest.mark.parametrize("number", range(3))
def test_indexers__killed_while_the_chain_reorganises__end_as_a_fresh_index(
    number: int, empty_urls: dict[str, str], fork_chain: ForkChain, spawner: Spawner, empty_sqlite: Path
) -> None:
    watch = KilledWatch(spawner, fork_chain, empty_urls, f"{SEED}/{number}")
    watch.run(empty_sqlite)
    assert watch.kills > 1
