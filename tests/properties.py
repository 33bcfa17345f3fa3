"""How many examples hypothesis tries, and which: the same ones at every run of the suite, others in a soak.

A run depends on nothing that an earlier run left behind, nor on the order of the tests. EXAMPLES=N in the environment
makes it a soak: a test that the suite gives 100 examples gets N, others in proportion, and all are drawn from the seed
that `--hypothesis-seed` names. `make soak-properties` sets both.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

USUAL_EXAMPLES = 100
EXAMPLES = int(os.environ.get("EXAMPLES", USUAL_EXAMPLES))
IS_SOAK = "EXAMPLES" in os.environ


def load_profile(*suppressed: HealthCheck) -> None:
    """Make the profile of this run the one in force. suppressed: more health checks that say nothing here."""
    settings.register_profile(
        "soak" if IS_SOAK else "suite",
        max_examples=EXAMPLES,
        derandomize=not IS_SOAK,
        database=None,
        print_blob=True,
        # How long an example takes says something about the machine, and nothing about what is tested.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, *suppressed],
    )
    settings.load_profile("soak" if IS_SOAK else "suite")
    # Hypothesis also draws the constants of our modules, but only of those imported so far. Which ones these are
    # depends on the tests that ran before in the same process, so an example would too.
    providers._get_local_constants = lambda: providers._local_constants


def examples(count: int, **options: Any) -> settings:
    """Return settings for a test that needs `count` examples in the suite; a soak gives it more in proportion."""
    return settings(max_examples=max(1, count * EXAMPLES // USUAL_EXAMPLES), **options)
