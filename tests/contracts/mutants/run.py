"""`make mutants`: do the contracts' tests notice when the contracts are wrong?

Tries every kept patch and N systematic mutants, drawn by SEED. Ends with status 1 when less than 95 % are killed. What
was found is kept below .build/mutants/, so a run that was stopped goes on where it was.

    python tests/contracts/mutants/run.py --seed 1 --sample 300 --jobs 2
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event, Lock

from mutant import (
    Mutant,
    MutantError,
    find_stale_equivalents,
    load_equivalents,
    load_patches,
    read_sources,
    without_equivalents,
)
from operators import generate, sample
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from verdicts import Verdicts
from workshop import Status, Verdict, Workshop, WorkshopError

LEAST_KILLED = 0.95
# Not a fault that a test could notice.
NO_MUTANT = (Status.NOT_COMPILED, Status.SAME_CODE)
Tried = list[tuple[Mutant, Verdict]]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="which systematic mutants are drawn")
    parser.add_argument("--sample", type=int, default=300, help="how many of them, not counting those that are none")
    parser.add_argument("--jobs", type=int, default=1, help="how many are tried at a time")
    arguments = parser.parse_args()
    sources = read_sources()
    equivalents = load_equivalents()
    try:
        patches = load_patches(sources)
        everything = [mutant for file, source in sources.items() for mutant in generate(file, source)]
        find_stale_equivalents(everything, equivalents)
        drawn = sample(list(without_equivalents(everything, equivalents)), arguments.seed)
        tried = try_all(patches, drawn, arguments.sample, arguments.jobs, Verdicts(sources))
    except (MutantError, WorkshopError) as error:
        sys.exit(str(error))
    print(
        f"{len(everything):,} systematic mutants, of which {len(everything) - len(drawn)} are known to be equivalent;"
    )
    print(f"seed {arguments.seed}")
    return report(tried)


def try_all(patches: list[Mutant], drawn: list[Mutant], count: int, jobs: int, verdicts: Verdicts) -> Tried:
    """Tries all patches, and as many of those drawn as it takes for `count` to be mutants. In their order."""
    bench = SimpleQueue[Workshop]()
    opening, opened, stop = Lock(), Event(), Event()

    def find(mutant: Mutant) -> Verdict:
        if found := verdicts.find(mutant):
            return found
        with opening:
            if not opened.is_set():
                open_workshops(bench, jobs)
                opened.set()
        workshop = bench.get()
        try:
            if stop.is_set():
                raise WorkshopError("stopped")
            verdict = workshop.try_mutant(mutant)
        finally:
            bench.put(workshop)
        verdicts.add(mutant, verdict)
        print(f"{verdict.status}: {mutant.file}:{mutant.line} {mutant.name} ({verdict.seconds} s)", file=sys.stderr)
        return verdict

    with ThreadPoolExecutor(jobs) as pool:
        try:
            tried = list(zip(patches, pool.map(find, patches), strict=True))
            tried += take(drawn, count, lambda chunk: pool.map(find, chunk))
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return tried


def open_workshops(bench: SimpleQueue[Workshop], count: int) -> None:
    """Puts workshops onto the bench. The first one compiles for the others."""
    first = Workshop(0)
    first.prepare()
    others = [Workshop(number) for number in range(1, count)]
    for workshop in others:
        workshop.prepare(compiled=first)
    for workshop in [first, *others]:
        bench.put(workshop)


def take(drawn: list[Mutant], count: int, find_all: Callable[[list[Mutant]], Iterator[Verdict]]) -> Tried:
    """The first of those drawn, up to the `count`-th that is a mutant."""
    tried: Tried = []
    while (missing := count - sum(verdict.status not in NO_MUTANT for _, verdict in tried)) > 0:
        chunk = drawn[len(tried) : len(tried) + missing]
        if not chunk:
            break
        tried += zip(chunk, find_all(chunk), strict=True)
    return tried


def report(tried: Tried) -> int:
    """Prints the table and the survivors. Returns the process's status."""
    console = Console(width=120, highlight=False)
    table = Table(title="Mutants", title_justify="left")
    table.add_column("kind")
    for column in ("killed", "timeout", "survived", "killed %", "same code", "not compiled"):
        table.add_column(column, justify="right")
    kinds = {mutant.kind: None for mutant, _ in tried}
    for kind in [*kinds, "all"]:
        if kind == "all":
            table.add_section()
        add_row(table, kind, [verdict for mutant, verdict in tried if kind in (mutant.kind, "all")])
    for mutant, verdict in tried:
        if verdict.status is Status.SURVIVED:
            console.print(f"\nsurvived: contracts/{mutant.file}:{mutant.line} {escape(mutant.name)}")
            console.print(escape(mutant.diff), soft_wrap=True)
    console.print(table)
    killed = share([verdict for _, verdict in tried])
    enough = killed >= LEAST_KILLED
    console.print(f"killed: {killed:.1%}, {'at least' if enough else 'less than'} {LEAST_KILLED:.0%}")
    return 0 if enough else 1


def add_row(table: Table, kind: str, verdicts: list[Verdict]) -> None:
    count = Counter(verdict.status for verdict in verdicts)
    cells = [count[Status.KILLED], count[Status.TIMEOUT], count[Status.SURVIVED]]
    others = [count[status] for status in (Status.SAME_CODE, Status.NOT_COMPILED)]
    table.add_row(kind, *map(str, cells), f"{share(verdicts):.1%}", *map(str, others))


def share(verdicts: list[Verdict]) -> float:
    """How many of the mutants are killed, those that never end among them."""
    mutants = [verdict.status for verdict in verdicts if verdict.status not in NO_MUTANT]
    killed = sum(status is not Status.SURVIVED for status in mutants)
    return killed / len(mutants) if mutants else 1.0


if __name__ == "__main__":
    sys.exit(main())
