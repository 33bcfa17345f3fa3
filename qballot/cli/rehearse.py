"""`qballot rehearse`: a whole election on a local chain of its own."""

from __future__ import annotations

import json
import logging
import shlex
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qballot.cli.evidence import write_evidence_file
from qballot.cli.files import read_bytes, read_text
from qballot.cli.verification_report import describe_steps
from qballot.core.ballot_csv import parse_ballot_csv
from qballot.core.definition import parse_definition_document
from qballot.core.tally import render_text
from qballot.settings import load_settings

if TYPE_CHECKING:
    from socket import socket

    from rich.progress import Progress as Bars

    from indexer.rehearse import Rehearsal, Report


def rehearse_command(
    definition_file: Annotated[
        Path, typer.Argument(metavar="DEFINITION.json", help="What the ballots answer and how they are counted.")
    ],
    ballots_file: Annotated[
        Path, typer.Argument(metavar="BALLOTS.csv", help="The ballots to cast, in the form that `qballot tally` reads.")
    ],
    direct: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Cast the first N rows by the voters' own transactions, and with them all later rows of the same "
            "voters; all others are signed and brought in batches.",
        ),
    ] = 0,
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Keep the index in this empty database; by default in one that is removed."),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Leave the evidence in this file, for `qballot verify`; one that is there is replaced."
        ),
    ] = None,
    leave: Annotated[bool, typer.Option("--exit", help="End after the result instead of serving it.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the API's result document, alone, instead of tables.")
    ] = False,
) -> None:
    """Hold a whole election on a local chain: make voters, deploy, cast every ballot, index, close, count, compare.

    At the end the evidence of it is built from the chain alone and verified, step by step; `qballot verify` accepts the
    file that --evidence leaves when nothing of the rehearsal is there any more.

    Afterwards the API and the page are served on 127.0.0.1:8000 (QBALLOT_HOST, QBALLOT_PORT) until Ctrl-C.

    Example: qballot rehearse examples/city-council/definition.json examples/city-council/ballots.csv --exit
    """
    from indexer.api.server import listen
    from indexer.journal import configure_logging
    from indexer.rehearse import Script, rehearse

    settings = load_settings()
    definition, canonical = parse_definition_document(read_bytes(definition_file))
    rows = parse_ballot_csv(read_text(ballots_file), definition)
    script = Script(definition, canonical, rows, direct)
    # A plain `kill` ends the local chain in order, as Ctrl-C does.
    signal.signal(signal.SIGTERM, _interrupt)
    configure_logging(level=logging.WARNING)
    listener = None if leave else listen(settings.host, settings.port)
    try:
        with _bars() as bars:
            progress = _Progress(bars)
            with rehearse(script, progress, database_url=database, anvil=settings.anvil) as rehearsal:
                bars.stop()
                if evidence is not None:
                    write_evidence_file(evidence, rehearsal.evidence, overwrite=True)
                if as_json:
                    typer.echo(json.dumps(rehearsal.report.document, indent=2, ensure_ascii=False))
                else:
                    typer.echo(render_text(rehearsal.result), nl=False)
                    typer.echo(_describe(rehearsal.report), nl=False)
                    typer.echo(_describe_evidence(rehearsal, evidence), nl=False)
                if listener is not None:
                    _serve(rehearsal, listener)
    finally:
        if listener is not None:
            listener.close()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description:<48}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


class _Progress:
    """Shows each step as a bar."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: Any = None
        self._total = 0

    def begin(self, step: str, total: int) -> None:
        self._total = total
        self._task = self._bars.add_task(step, total=total)

    def advance(self, done: int) -> None:
        self._bars.advance(self._task, done)

    def end(self) -> None:
        self._bars.update(self._task, completed=self._total)


def _describe(report: Report) -> str:
    """Write what was verified, what it cost and how long it took."""
    from qballot.core.address import checksum_address

    document = report.document
    block = document["block"]
    lines = ["", "Verified", "--------"]
    lines += [f"  ok  {words}" for words in report.checks]
    lines += [
        "",
        "The election on chain",
        "---------------------",
        f"  box     {checksum_address(report.election.box)}",
        f"  head    {document['head']}",
        f"  block   {block['number']}  {block['hash']}",
        f"  state   {document['state_text']}",
        f"  level   {document['level_text']}",
        "",
        "Gas",
        "---",
        f"  creating the election  {report.election.receipt.gas_used:>12,}",
    ]
    for kind, words in (("direct", "own transactions"), ("signed", f"signed, {report.batches} batches")):
        if report.ballots[kind]:
            each = report.gas[kind] / report.ballots[kind]
            lines.append(f"  {words:<21}  {report.gas[kind]:>12,}  {report.ballots[kind]:,} ballots, {each:,.0f} each")
    lines += ["", "Time", "----"]
    lines += [f"  {step:<46}  {seconds:6.1f} s" for step, seconds in report.seconds.items()]
    return "\n".join(lines) + "\n"


def _describe_evidence(rehearsal: Rehearsal, path: Path | None) -> str:
    """Write what the evidence proves, step by step, and how anyone verifies it again."""
    lines = ["", "Evidence, verified", "------------------"]
    lines += [line.text for line in describe_steps(rehearsal.verification.steps)]
    lines += ["", "  level   proven: nothing is believed but the block hash, which this chain alone names"]
    if path is None:
        lines.append("  --evidence FILE leaves it in a file, for `qballot verify FILE`")
    else:
        block_hash = "0x" + rehearsal.evidence.block_hash.hex()
        lines += [
            f"  file    {path}",
            "  Verify it anywhere, with nothing of this running:",
            f"  qballot verify {shlex.quote(str(path))} --block-hash {block_hash}",
        ]
    return "\n".join(lines) + "\n"


def _serve(rehearsal: Rehearsal, listener: socket) -> None:
    """Serve the index, and follow the chain while doing so, until Ctrl-C."""
    from indexer.api.app import build_app
    from indexer.api.server import run_server
    from indexer.stopping import stop_on_signals
    from indexer.sync import follow_beside

    def say(url: str) -> None:
        typer.echo(f"\nThe result is served at {url} until Ctrl-C.", err=True)

    with stop_on_signals() as stop, follow_beside(rehearsal.follower, stop):
        run_server(build_app(rehearsal.engine), listener, stop=stop, on_ready=say)
