"""Drive random elections through the contracts and their model for as long as one likes.

    python tests/contracts/soak_differential.py N SEED

N: how many sequences of calls in all, in rounds of 50. SEED: which ones; the same seed gives the same ones, but for the
hour at which they happen. A file under .build/ says how far a seed has got, and the next run goes on from there.
A disagreement ends it with status 1 and the shortest sequence that shows it; the same command runs that round again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

from any_sender import run_chain
from differential import ContractsAndModel
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

ROUND = 50
"""Sequences in one round. An anvil serves one round, for it never forgets a block."""

CALLS = 50
"""Most steps of one sequence."""

PROGRESS = Path(__file__).parents[2] / ".build" / "soak-differential"


def main() -> int:
    """Run the rounds that are left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", metavar="N", type=int, nargs="?", default=10_000)
    parser.add_argument("seed", metavar="SEED", type=int, nargs="?", default=1)
    chosen = parser.parse_args()
    path = PROGRESS / f"seed-{chosen.seed}.json"
    seen, done = load_progress(path)
    if done:
        print(f"seed {chosen.seed}: {done} sequences were run before", file=sys.stderr)
    while done < chosen.count:
        started = time.monotonic()
        try:
            run_round(chosen.seed, done // ROUND, seen)
        except Exception:
            print(f"seed {chosen.seed}: contracts and model disagree after {done} sequences", file=sys.stderr)
            raise
        done += ROUND
        save_progress(path, seen, done)
        rate = ROUND / (time.monotonic() - started)
        print(f"seed {chosen.seed}: {done} of {chosen.count} sequences, {rate:.1f} a second", file=sys.stderr)
    for name, count in seen.most_common():
        print(f"{count:>10,}  {name}")
    print(f"{sum(seen.values()):>10,}  calls in {done} sequences of seed {chosen.seed}: no disagreement")
    return 0


def run_round(chosen_seed: int, number: int, seen: Counter[str]) -> None:
    """Run one round. number: which; with the seed it says which sequences."""
    options = settings(
        max_examples=ROUND,
        stateful_step_count=CALLS,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    with run_chain() as chain:

        @seed(f"{chosen_seed}/{number}")
        def machine() -> ContractsAndModel:
            return ContractsAndModel(chain, seen)

        run_state_machine_as_test(machine, settings=options)  # type: ignore[arg-type] # a factory will do


def load_progress(path: Path) -> tuple[Counter[str], int]:
    """What calls came to so far, and how many sequences were run."""
    if not path.exists():
        return Counter(), 0
    progress = json.loads(path.read_text())
    return Counter(progress["seen"]), progress["sequences"]


def save_progress(path: Path, seen: Counter[str], sequences: int) -> None:
    """Write that down, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"sequences": sequences, "seen": seen}, indent=1))
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main())
