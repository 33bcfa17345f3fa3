"""`qballot index status`: how an index stands."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import typer

from qballot.cli.index_progress import format_span
from qballot.cli.options import DatabaseOption, JsonOption, override_settings
from qballot.core.address import checksum_address
from qballot.core.moments import format_moment

if TYPE_CHECKING:
    from indexer.status import Status


def status_command(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Say how an index stands: chain, heights, lag, contents, reorganisations, and whether an indexer runs.

    Asks the database alone, never an endpoint. Ends with status 1 where nothing is indexed.

    Example: qballot index status --database sqlite:///qballot.sqlite3
    """
    from indexer.status import load_status
    from indexer.storage.engine import open_database

    settings = override_settings(database_url=database)
    engine = open_database(settings.database_url, create=False)
    try:
        status = load_status(engine)
    finally:
        engine.dispose()
    typer.echo(json.dumps(status.to_json(), indent=2) if as_json else _describe(status, time.time()))


def _describe(status: Status, now: float) -> str:
    """Write the status for people. now: unix seconds by this machine."""
    indexed, final, seen, contents = status.indexed, status.finalized, status.observed, status.contents
    last = status.last_reorg
    unknown = status.unknown_header
    lines = [
        f"database     {status.database}",
        f"chain        {status.chain_id}",
        f"factory      {checksum_address(status.factory)}",
        f"indexed      block {indexed.number:,} of {format_moment(indexed.timestamp)}, 0x{indexed.hash.hex()}",
        "finalized    no block yet" if final is None else f"finalized    block {final.number:,}, 0x{final.hash.hex()}",
        "chain        not seen yet"
        if seen is None
        else f"chain seen   block {seen.head.number:,}, {format_span(max(0.0, now - seen.observed_at_unix))} ago",
        f"lag          {status.lag_blocks:,} blocks, {format_span(status.lag_seconds)} by the chain's clock",
        f"elections    {contents.elections:,}",
        f"ballots      {contents.records:,} in {contents.batches:,} batches",
        "reorgs       none"
        if last is None
        else f"reorgs       {contents.reorgs:,}, the last one took {last.depth:,} blocks after block "
        f"{last.fork_number:,}, {format_span(max(0.0, now - last.observed_at_unix))} ago",
        f"indexer      {'one is at work' if status.led else 'none is at work'}",
    ]
    if unknown is not None:
        what = ", ".join(unknown.fields) or unknown.problem
        lines.append(
            f"headers      UNKNOWN since block {unknown.block.number:,} ({what}): nothing is proven from there on; "
            "update to a QBallot that knows this fork"
        )
    return "\n".join(lines)
