"""One way of filling one database, measured in a process of its own: `measured.py JSON`, which prints JSON.

CPU is the process's, user and system, threads included; what the database's server and the node need is theirs.
Starting Python, imports and an empty schema come before the clock starts, but are in the peak of memory.
"""

from __future__ import annotations

import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from bare import Range

from qballot.core.types import Address

STATUS = Path("/proc/self/status")


class Task(msgspec.Struct):
    """What to do. way: `bare`, `orm` or `ours`. box: the election's.

    ranges: what bare and orm ask for. with_parts: for ours, whether to say where the time goes.
    """

    way: str
    url: str
    box: Address
    database_url: str
    ranges: list[Range] = []
    with_parts: bool = False


class Figures(msgspec.Struct):
    """What it took. rss_mb: peak. before_mb: the peak before it began. parts: CPU seconds of each."""

    ballots: int
    cpu_s: float
    wall_s: float
    rss_mb: float
    before_mb: float
    ranges: list[Range] = []
    parts: dict[str, float] = {}


def main() -> None:
    task = msgspec.json.decode(sys.argv[1], type=Task)
    measure = {"bare": _measure_bare, "orm": _measure_orm, "ours": _measure_ours}[task.way]
    sys.stdout.buffer.write(msgspec.json.encode(measure(task)))


def _measure_bare(task: Task) -> Figures:
    import bare  # noqa: PLC0415 # each way is imported by itself, so that memory is its own

    batches = bare.fetch_batches(task.url, task.box, task.ranges)
    if task.database_url.startswith("sqlite:///"):
        return _measure(lambda: bare.fill_sqlite(batches, task.database_url.removeprefix("sqlite:///")))
    return _measure(lambda: bare.fill_postgres(batches, task.database_url))


def _measure_orm(task: Task) -> Figures:
    import orm  # noqa: PLC0415

    return _measure(lambda: orm.fill(task.url, task.box, task.ranges, task.database_url))


def _measure_ours(task: Task) -> Figures:
    from ours import Backfill  # noqa: PLC0415

    backfill = Backfill(task.url, task.database_url, with_parts=task.with_parts)
    figures = _measure(backfill.run)
    figures.ballots = backfill.count(task.box)
    figures.ranges = backfill.ranges
    figures.parts = {name: round(seconds, 3) for name, seconds in backfill.parts.seconds.items()}
    return figures


def _measure(run: Callable[[], int | None]) -> Figures:
    before_mb, cpu, started = _peak_mb(), _cpu_seconds(), time.perf_counter()
    ballots = run()
    wall = time.perf_counter() - started
    return Figures(ballots or 0, round(_cpu_seconds() - cpu, 3), round(wall, 3), _peak_mb(), before_mb)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _peak_mb() -> float:
    """Most memory that was resident, in MiB. Linux counts in ru_maxrss what the process was before it became Python."""
    found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text()) if STATUS.exists() else None
    kib = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kib / 1024, 1)


if __name__ == "__main__":
    main()
