"""`qballot index check`: is the index what its own records, and the chain, say?"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from qballot.cli.options import DatabaseOption, JsonOption, override_settings
from qballot.cli.progress import show_progress
from qballot.core.address import checksum_address, parse_address
from qballot.errors import ChainError, ProofError

if TYPE_CHECKING:
    from indexer.check import IndexReport


def check_command(
    box: Annotated[str | None, typer.Argument(metavar="[BOX]", help="Only this election; else all of them.")] = None,
    database: DatabaseOption = None,
    rpc_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="An endpoint to compare blocks, elections, heads and logs with; else none is asked.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute every chain of hashes from the records that are kept; end with status 3 where one does not hold.

    Also that no position is missing, that counts, turnout and groups of ballots are those of the records, and that each
    box's address follows from the rules that are kept of it. It names the first record that is not as it was cast: of a
    batch of several the batch, and with --rpc-url the record and the field. The indexer may go on meanwhile. Status 1
    where --rpc-url could not tell all, as while the chain is reorganised.

    Example: qballot index check --database sqlite:///qballot.sqlite3
    """
    from indexer.check import check_index
    from indexer.storage.engine import open_database
    from qballot.chain.rpc import Rpc

    asked = None if box is None else parse_address(box)
    settings = override_settings(database_url=database, rpc_url=rpc_url)
    engine = open_database(settings.database_url, create=False)
    try:
        with ExitStack() as stack:
            report_progress = stack.enter_context(show_progress())
            rpc = None
            if rpc_url is not None:
                rpc = stack.enter_context(Rpc(settings.primary_rpc_url, settings.rpc_timeout_seconds))
            report = check_index(engine, box=asked, rpc=rpc, report=report_progress, from_block=settings.from_block)
    finally:
        engine.dispose()
    typer.echo(json.dumps(report.to_json(), indent=2) if as_json else _describe(report))
    if report.faults:
        raise ProofError(f"{_count(report)}: {_find_first(report)}")
    if report.unchecked:
        raise ChainError(f"not all was compared with the chain: {report.unchecked[0]}", retryable=True)


def _describe(report: IndexReport) -> str:
    lines = [f"checked at block {report.block.number:,}, 0x{report.block.hash.hex()}"]
    for election in report.elections:
        box = checksum_address(election.box)
        if election.fault is None:
            lines.append(f"  ok    {box}  {election.records:,} ballots in {election.batches:,} batches")
        else:
            lines += [f"FAILED  {box}", f"        {election.fault.message}"]
    lines += [f"FAILED  {words}" for words in (*report.index, *report.ownerless)]
    return "\n".join([*lines, *(f"NOT CHECKED  {words}" for words in report.unchecked)])


def _count(report: IndexReport) -> str:
    failed = sum(election.fault is not None for election in report.elections)
    return f"{failed} of {len(report.elections)} elections do not hold" if failed else "the index does not hold"


def _find_first(report: IndexReport) -> str:
    """Write the first thing that does not hold."""
    for election in report.elections:
        if election.fault is not None:
            return f"{checksum_address(election.box)}, {election.fault.message}"
    return (*report.index, *report.ownerless)[0]
