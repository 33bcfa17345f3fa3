"""Our counts against those of others, on thousands of small elections full of ties: `make oracles`.

Their libraries bring many others, so they live in an environment of their own (locks/oracles.txt) and these tests are
not there for anybody else. Each says where it leaves elections out, and why: never but for a difference in the rules.
`make oracles N=100` is quick.
"""

from __future__ import annotations

from importlib.util import find_spec

from hypothesis import HealthCheck
from properties import load_profile

collect_ignore_glob = [] if find_spec("pref_voting") else ["test_*.py"]

if not collect_ignore_glob:
    load_profile(HealthCheck.filter_too_much)
