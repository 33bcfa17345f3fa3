"""Let endpoints lie for as long as one likes: nothing wrong may ever be shown as verified.

    python tests/integration/proof/soak_proof.py N SEED

N: how many lies in all, each told alone and beside an honest operator; as many times two honest operators are heard,
without a false alarm. Every tenth is tried on PostgreSQL, the others on SQLite. SEED: which lies; the same seed gives
the same ones.

A file under .build/ says how far a seed has got, and the next run goes on from there. Where something wrong passes, or
nothing is said of it, that ends with status 1 and the lie's seed; the same command tries that one again.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "faults"), str(HERE.parents[1])]

from cases import Court, open_court  # noqa: E402
from databases import run_postgres  # noqa: E402
from lying_chain import run_worlds  # noqa: E402

EVERY = 10
"""Lies between two that are told to an index on PostgreSQL."""

TOLD_SECONDS = 10.0

PROGRESS = Path(__file__).parents[3] / ".build" / "soak-proof"


def main() -> int:
    """Try what is left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", metavar="N", type=int, nargs="?", default=1_000)
    parser.add_argument("seed", metavar="SEED", type=int, nargs="?", default=1)
    chosen = parser.parse_args()
    # Ended from outside, it still stops what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    path = PROGRESS / f"seed-{chosen.seed}.json"
    done, outcomes = load_progress(path)
    if done:
        print(f"seed {chosen.seed}: {done} lies were tried before", file=sys.stderr)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="qb")))
        url = stack.enter_context(run_postgres()).create_database()
        court = stack.enter_context(open_court(stack.enter_context(run_worlds()), folder))
        court.outcomes = outcomes
        told = started = time.monotonic()
        first = done
        while done < chosen.count:
            seed = f"{chosen.seed}/{done}"
            try:
                try_one(court, seed, url if done % EVERY == EVERY - 1 else None)
            except AssertionError as error:
                print(f"FAILED: {error}", file=sys.stderr)
                return 1
            except Exception:
                print(f"seed {seed} ends with an error that nobody expects", file=sys.stderr)
                raise
            done += 1
            save_progress(path, done, court.outcomes)
            if time.monotonic() - told > TOLD_SECONDS or done == chosen.count:
                told = time.monotonic()
                pace = (told - started) / (done - first)
                print(f"seed {chosen.seed}: {done} of {chosen.count} lies, {pace:.2f} s each", file=sys.stderr)
    print(f"{done:,} lies of seed {chosen.seed}, each told alone and beside an honest operator: nothing wrong verified")
    print(", ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items())))
    return 0


def try_one(court: Court, seed: str, url: str | None) -> None:
    """Try one lie, and hear two honest operators."""
    for hear in (lambda: court.try_seed(seed, url), lambda: court.try_honest(url)):
        hear()


def load_progress(path: Path) -> tuple[int, Counter[str]]:
    """How many lies were tried, and what came of them."""
    if not path.exists():
        return 0, Counter()
    progress = json.loads(path.read_text())
    return progress["lies"], Counter(progress["outcomes"])


def save_progress(path: Path, lies: int, outcomes: Counter[str]) -> None:
    """Write that down, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"lies": lies, "outcomes": dict(outcomes)}, indent=1))
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main())
