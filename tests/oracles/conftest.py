"""Our counts against those of others, on thousands of small elections full of ties: `make oracles`.

Their libraries bring many others, so they live in an environment of their own (locks/oracles.txt) and these tests are
not there for anybody else. Each says where it leaves elections out, and why: never but for a difference in the rules.
`make oracles N=100` is quick.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from hypothesis import HealthCheck, settings

collect_ignore_glob = [] if find_spec("pref_voting") else ["test_*.py"]

if not collect_ignore_glob:
    settings.register_profile(
        "oracles",
        max_examples=int(os.environ.get("ELECTIONS", "10000")),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    settings.load_profile("oracles")
