"""`qballot index` killed at random moments (SIGKILL): nothing that was written is lost, doubled or half-written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fault_proxy import Failure, run_proxy
from history import Crowd
from kill_run import KillRun
from misbehaviours import limit_blocks
from spawning import Spawner

pytestmark = pytest.mark.integration

KILLS = 30
SEED = 1


def test_index__killed_at_random_moments__goes_on_where_it_was(
    new_database: Callable[[], str], crowd: Crowd, spawner: Spawner, empty_sqlite: Path
) -> None:
    narrow = limit_blocks(crowd.node, 3, lambda _: Failure(-32012, "exceeded max allowed range"))
    with run_proxy(narrow) as proxy:
        run = KillRun(spawner, proxy, crowd.chain.devnet.url, new_database, empty_sqlite)
        run.run(KILLS, crowd.latest, str(SEED))
    assert run.done == KILLS
    assert run.whole >= 1
