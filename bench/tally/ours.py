"""Our counts of the ballots in a file, in a process of its own: `ours.py FILE`, which prints JSON.

Seconds are the processor's, one core's, which on an idle machine are the clock's. Of several runs the shortest counts,
as whatever else the machine does can only add to it; of increments, no two of which are alike, the median does. A count
begins with the groups that grouping has made and ends with the result and its whole log.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

from ballots import OPTIONS, make_ballots, make_scores

from qballot.core.ballot import Group, group_ballots, group_columns
from qballot.core.election import Contest, Definition, Method, Option
from qballot.core.tally import METHODS, RunningCount, count_election

Found = TypeVar("Found")
RUNS = 7
INCREMENTS = 25
NEW_BALLOTS = 1_000
SEATS = 3
COUNTS = {
    "irv": (Method.IRV, 1, {}),
    "schulze": (Method.SCHULZE, 1, {}),
    "stv": (Method.STV, SEATS, {"rules": "weighted-inclusive-gregory"}),
    "star": (Method.STAR, 1, {}),
}


def main() -> None:
    packed = Path(sys.argv[1]).read_bytes()
    ballots = [packed[start : start + OPTIONS] for start in range(0, len(packed), OPTIONS)]
    one_each = [1] * len(ballots)
    chooser = random.Random(1)
    weights = [chooser.randrange(1, 1_000) for _ in ballots]
    figures: dict[str, float] = {}
    figures["group_s"], groups = measure(lambda: group_columns(ballots, one_each))
    figures["group_weighted_s"], _ = measure(lambda: group_columns(ballots, weights))
    figures["distinct"] = len(groups)
    # What has been grouped is not there any more while groups are counted.
    ballots.clear()
    scored = group_ballots((make_scores(ballot), group.weight) for ballot, group in groups.items())
    winners: dict[str, list[str]] = {}
    increments: dict[str, list[float]] = {}
    for name, (method, seats, variants) in COUNTS.items():
        contest = make_contest(method, seats, variants)
        definition = Definition("Bench", "", "", "en", (contest,))
        given = scored if method is Method.STAR else groups
        figures[f"{name}_s"], result = measure(partial(count_election, definition, given))
        winners[name] = [contest.options[option].id for option in result.contests[0].outcome.winners]
        if given is groups:
            increments[name] = measure_increments(definition, groups)
    # Of the methods the slowest, and of all increments the one that took longest.
    figures["increment_ms"] = max(map(median, increments.values()))
    figures["longest_increment_ms"] = max(map(max, increments.values()))
    print(json.dumps({"figures": figures, "winners": winners}))


def measure(work: Callable[[], Found]) -> tuple[float, Found]:
    """Do something several times. Returns the least seconds that it takes, and what it returns."""
    taken: list[float] = []
    for _ in range(RUNS):
        started = time.process_time()
        found = work()
        taken.append(time.process_time() - started)
    return min(taken), found


def measure_increments(definition: Definition, groups: dict[bytes, Group]) -> list[float]:
    """Add new ballots to a count of all, several times; returns milliseconds until each new result is there."""
    running = RunningCount(definition)
    running.add_groups(groups)
    running.result()
    taken: list[float] = []
    for seed in range(INCREMENTS):
        new = [(ballot, 1) for ballot in make_ballots(NEW_BALLOTS, 1_000 + seed)]
        started = time.process_time()
        running.add_groups(group_ballots(new))
        running.result()
        taken.append((time.process_time() - started) * 1e3)
    return taken


def make_contest(method: Method, seats: int, variants: dict[str, str]) -> Contest:
    """Make a contest of all options, its numbers the usual ones."""
    options = tuple(Option(f"o{place}", f"Option {place}") for place in range(OPTIONS))
    limits = {limit.name: limit.default(OPTIONS, seats) for limit in METHODS[method].limits}
    return Contest("c", "C", "", method, options, seats, limits=limits, variants=variants)


if __name__ == "__main__":
    main()
