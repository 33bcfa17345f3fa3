"""What was measured as tables for people and as figures for programs, held against the goals."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from backfill import DATABASES, REPEATS, Backfill
from chains import Chain
from lag import POLL_SECONDS, Lags, percentile
from rich.table import Table

GOALS = {
    "cpu_ratio_sqlite": ("at most", 2.0),
    "cpu_ratio_postgres": ("at most", 2.0),
    "wall_ratio_sqlite": ("at most", 1.5),
    "wall_ratio_postgres": ("at most", 1.5),
    "orm_speedup": ("at least", 15.0),
    "rss_mb_1m": ("at most", 150.0),
    "lag_p95_ms": ("at most", 300.0),
    "lag_polling_p95_ms": ("at most", 300.0),
}
MILLION = 1_000_000

BARE_LOOP = (
    "The bare loop's rows have a primary key and last as ours do: on SQLite by WAL with synchronous=NORMAL, on "
    "PostgreSQL by its usual commit. It has all of them in one transaction, ours one for each range. What SQLite's log "
    "holds at the end is moved to its place within the time measured. The ORM has what SQLAlchemy gives it."
)


def compute_figures(backfills: Sequence[Backfill], lags: Lags) -> dict[str, float]:
    """Compute the figures that are kept. A ratio is to the bare loop, and the worse one of the chains'."""
    figures: dict[str, float] = {}
    for name, database in zip(("sqlite", "postgres"), DATABASES, strict=True):
        pairs = [_pair(of_chain, database) for of_chain in _by_chain(backfills)]
        figures[f"cpu_ratio_{name}"] = round(max(ours.cpu_s / bare.cpu_s for ours, bare in pairs), 2)
        figures[f"wall_ratio_{name}"] = round(max(ours.wall_s / bare.wall_s for ours, bare in pairs), 2)
    ours = [item for item in backfills if item.way == "ours"]
    (orm,) = (item for item in backfills if item.way == "web3.py + ORM")
    (beside_orm,) = (item for item in ours if (item.chain, item.database) == (orm.chain, orm.database))
    million = [item.rss_mb for item in ours if item.chain.ballots >= MILLION]
    fewer = [item.rss_mb for item in ours if item.chain.ballots < MILLION]
    return {
        **figures,
        "orm_speedup": round(orm.wall_s / beside_orm.wall_s, 1),
        "orm_cpu_ratio": round(orm.cpu_s / beside_orm.cpu_s, 1),
        "rss_mb_1m": max(million),
        "rss_mb_100k": max(fewer),
        "logs_per_s": round(beside_orm.chain.logs / beside_orm.wall_s),
        "ballots_per_s": round(max(item.chain.ballots / item.wall_s for item in ours if item.chain.ballots >= MILLION)),
        "lag_p50_ms": round(percentile(lags.websocket, 50), 1),
        "lag_p95_ms": round(percentile(lags.websocket, 95), 1),
        "lag_polling_p50_ms": round(percentile(lags.polling, 50), 1),
        "lag_polling_p95_ms": round(percentile(lags.polling, 95), 1),
    }


def draw_chains(chains: Sequence[Chain]) -> Table:
    """Draw what the chains hold."""
    table = _table("The chains, on anvil", "chain", "ballots", "logs", "blocks with logs", "logs a block", "built in s")
    for chain in chains:
        a_block = f"{chain.logs / chain.log_blocks:.0f}"
        table.add_row(
            chain.name,
            f"{chain.ballots:,}",
            f"{chain.logs:,}",
            f"{chain.log_blocks:,}",
            a_block,
            f"{chain.build_s:.0f}",
        )
    return table


def draw_backfills(backfills: Sequence[Backfill]) -> Table:
    """Draw what filling a database took, and ours beside the bare loop."""
    title = f"Backfill of a whole chain, each in a process of its own; medians of {REPEATS}"
    columns = ("chain", "database", "way", "ballots/s", "logs/s", "CPU s", "wall s", "peak MiB", "CPU", "wall")
    table = _table(title, *columns, left=3)
    table.caption, table.caption_justify = BARE_LOOP, "left"
    for of_chain in _by_chain(backfills):
        for item in of_chain:
            _, bare = _pair(of_chain, item.database)
            ratios = (
                ("", "") if item is bare else (f"{item.cpu_s / bare.cpu_s:.2f} ×", f"{item.wall_s / bare.wall_s:.2f} ×")
            )
            rates = (f"{amount / item.wall_s:,.0f}" for amount in (item.chain.ballots, item.chain.logs))
            taken = (f"{item.cpu_s:.2f}", f"{item.wall_s:.2f}", f"{item.rss_mb:.0f}")
            table.add_row(item.chain.name, item.database, item.way, *rates, *taken, *ratios)
        table.add_section()
    return table


def draw_parts(backfills: Sequence[Backfill]) -> Table:
    """Draw where our CPU time goes."""
    names = list(dict.fromkeys(name for item in backfills for name in item.parts))
    table = _table("Where our CPU time goes", "chain", "database", *names, "the rest", left=2)
    for item in backfills:
        if item.parts:
            rest = item.parts_cpu_s - sum(item.parts.values())
            shares = (seconds / item.parts_cpu_s for seconds in (*(item.parts.get(name, 0) for name in names), rest))
            table.add_row(item.chain.name, item.database, *(f"{share:.0%}" for share in shares))
    return table


def draw_lags(lags: Lags) -> Table:
    """Draw how long after the node has a block the API serves its ballots."""
    title = f"From the node's block to the API's ballot, ms; {len(lags.websocket)} ballots each"
    table = _table(title, "learnt of by", "p5", "p50", "p95", "longest")
    for name, values in (("websocket", lags.websocket), (f"polling every {POLL_SECONDS:g} s", lags.polling)):
        table.add_row(name, *(f"{percentile(values, percent):.0f}" for percent in (5, 50, 95, 100)))
    return table


def draw_goals(figures: dict[str, float]) -> Table:
    """Draw each goal with what was found."""
    table = _table("Goals; ratios are to the bare loop, of the worse chain", "figure", "found", "goal", "")
    for name, (direction, goal) in GOALS.items():
        reached = figures[name] <= goal if direction == "at most" else figures[name] >= goal
        table.add_row(name, f"{figures[name]:g}", f"{direction} {goal:g}", "reached" if reached else "NOT REACHED")
    return table


def _by_chain(backfills: Sequence[Backfill]) -> list[list[Backfill]]:
    return [list(items) for _, items in groupby(backfills, key=lambda item: item.chain)]


def _pair(of_chain: Sequence[Backfill], database: str) -> tuple[Backfill, Backfill]:
    """Find ours and the bare loop over one database."""
    found = {item.way: item for item in of_chain if item.database == database}
    return found["ours"], found["bare loop"]


def _table(title: str, *columns: str, left: int = 1) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < left else "right")
    return table
