"""Change evidence and receipts for as long as one likes, and see that no verifier falls for one.

    python tests/unit/proof/soak_evidence.py N SEED

N: how many changes in all, in rounds of 1,000, a quarter of them of receipts. SEED: which ones. A file under .build/
says how far a seed has got, and the next run goes on from there. What a verifier falls for, or fails at in any other
way than it should, ends it with status 1; the same command runs that round again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from evidence_mutations import (
    GOOD,
    RECEIPTS,
    judge_evidence,
    judge_receipt,
    mutate_evidence,
    mutate_receipt,
)
from evidence_samples import read_good, read_receipt

ROUND = 1_000
PROGRESS = Path(__file__).parents[3] / ".build" / "soak-evidence"


def main() -> int:
    """Run the rounds that are left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", metavar="N", type=int, nargs="?", default=100_000)
    parser.add_argument("seed", metavar="SEED", type=int, nargs="?", default=1)
    chosen = parser.parse_args()
    path = PROGRESS / f"seed-{chosen.seed}.json"
    seen, done = load_progress(path)
    if done:
        print(f"seed {chosen.seed}: {done} changes were made before", file=sys.stderr)
    while done < chosen.count:
        started = time.monotonic()
        seen += run_round(Random(f"{chosen.seed}/{done // ROUND}"), ROUND)
        done += ROUND
        save_progress(path, seen, done)
        rate = ROUND / (time.monotonic() - started)
        print(f"seed {chosen.seed}: {done} of {chosen.count} changes, {rate:.0f} a second", file=sys.stderr)
    for name, count in sorted(seen.items()):
        print(f"{count:>10,}  {name}")
    print(f"{done:>10,}  changes of seed {chosen.seed}: no verifier fell for one")
    return 0


def run_round(random: Random, count: int) -> Counter[str]:
    """Make so many changes and judge each. AssertionError, with the changed bytes, where a verifier falls for one."""
    seen: Counter[str] = Counter()
    while seen.total() < count:
        is_receipt = random.random() < 0.25
        name = random.choice(RECEIPTS if is_receipt else GOOD)
        original = read_receipt(name) if is_receipt else read_good(name)
        data = mutate_receipt(random, name) if is_receipt else mutate_evidence(random, name)
        if data == original:
            continue
        try:
            ended = judge_receipt(name, data) if is_receipt else judge_evidence(name, data)
        except Exception as error:
            raise AssertionError(f"{name}, changed: {data!r}") from error
        seen[f"{'receipt' if is_receipt else 'bundle'}: {ended}"] += 1
    return seen


def load_progress(path: Path) -> tuple[Counter[str], int]:
    """What came of the changes so far, and how many were made."""
    if not path.exists():
        return Counter(), 0
    progress = json.loads(path.read_text())
    return Counter(progress["seen"]), progress["changes"]


def save_progress(path: Path, seen: Counter[str], changes: int) -> None:
    """Write that down, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"changes": changes, "seen": seen}, indent=1))
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main())
