"""`make bench-index`: whole chains read into SQLite and PostgreSQL, beside a bare loop and the usual way, and the lag.

The chains are built by the first run and kept in .build/bench-index. Writes bench/out/index.json.
"""

from __future__ import annotations

import json
from pathlib import Path

import backfill
import lag
import report
from chains import find_or_build
from databases import run_postgres
from elections import MILLION, MIXED
from rich.console import Console

OUT = Path(__file__).parents[1] / "out" / "index.json"


def main() -> None:
    console = Console(width=120)
    mixed, million = find_or_build(MIXED, console), find_or_build(MILLION, console)
    with run_postgres() as postgres:
        backfills = backfill.measure(mixed, postgres, console, with_orm=True)
        backfills += backfill.measure(million, postgres, console, with_orm=False)
    console.print(report.draw_chains([mixed, million]))
    console.print(report.draw_backfills(backfills))
    console.print(report.draw_parts(backfills))
    lags = lag.measure(mixed, MIXED)
    console.print(report.draw_lags(lags))
    figures = report.compute_figures(backfills, lags)
    console.print(report.draw_goals(figures))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    console.print(f"written: {OUT.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
