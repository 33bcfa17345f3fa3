"""`qballot tally`: count a plain file of ballots, with no chain at all, by its methods or by others."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from qballot.cli.files import read_bytes, read_text
from qballot.core.ballot import group_ballots
from qballot.core.ballot_csv import effective_rows, parse_ballot_csv
from qballot.core.definition import parse_definition_document
from qballot.core.election import Method
from qballot.core.problems import quote, suggest
from qballot.core.tally import ElectionResult, Electorate, count_election, render_log_csv, render_text
from qballot.core.tally.compare import compare_methods
from qballot.core.tally.compare_text import render_comparisons
from qballot.core.types import Hash32
from qballot.errors import InputError

ALL_METHODS = "all"
"""What --compare takes for a list of every method."""


class LogForm(StrEnum):
    """How a count log is printed."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


def tally_command(
    definition_file: Annotated[
        Path, typer.Argument(metavar="DEFINITION.json", help="What the ballots answer and how they are counted.")
    ],
    ballots_file: Annotated[
        Path,
        typer.Argument(
            metavar="BALLOTS.csv",
            help="First row: option ids or titles, with several contests `contest/option`; then a ballot a row, an "
            "integer an option, an empty cell for no answer. Optional columns: `weight`, and `voter`, whose later row "
            "replaces the earlier.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    log: Annotated[
        LogForm | None,
        typer.Option(
            help="Print the count log alone, in this form; CSV has a row for every number.", show_default=False
        ),
    ] = None,
    lot: Annotated[
        str,
        typer.Option(
            metavar="0x…",
            help="32 bytes that lots are drawn by: the RANDAO mix of the lot's block.",
            show_default=False,
        ),
    ] = "",
    voters: Annotated[
        int | None, typer.Option(min=0, help="How many may vote, for a turnout that is required.", show_default=False)
    ] = None,
    weight: Annotated[
        str,
        typer.Option(
            metavar="NUMBER", help="The weight of all who may vote, for shares of the electorate.", show_default=False
        ),
    ] = "",
    compare: Annotated[
        str,
        typer.Option(
            metavar="METHOD,…",
            help="Print instead what the same ballots give under these methods, or under all: a table, or JSON.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Count a file of ballots and print winners, totals and the count step by step.

    With --compare schulze,borda a table shows what the same ballots give under these methods, where a plain rule reads
    them so: ranks are taken as they are, a higher score is a better rank; and where there is none, it says why.

    Example: qballot tally examples/city-council/definition.json examples/city-council/ballots.csv
    """
    definition, _ = parse_definition_document(read_bytes(definition_file))
    rows = parse_ballot_csv(read_text(ballots_file), definition)
    groups = group_ballots((row.ballot, row.weight) for row in effective_rows(rows))
    if compare:
        if log is not None:
            raise InputError("--log and --compare: expected one of them")
        compared = compare_methods(definition, groups, _read_methods(compare), _read_lot(lot))
        document = {"contests": [contest.to_json() for contest in compared]}
        typer.echo(
            json.dumps(document, indent=2, ensure_ascii=False) if as_json else render_comparisons(compared), nl=as_json
        )
        return
    result = count_election(definition, groups, _read_lot(lot), Electorate(voters, _read_weight(weight)))
    print_count(result, log, as_json=as_json)


def print_count(result: ElectionResult, log: LogForm | None, *, as_json: bool) -> None:
    """Print a count for people, as JSON, or its log alone in one of its forms."""
    if log is LogForm.CSV:
        typer.echo(render_log_csv(result), nl=False)
    elif log is LogForm.TEXT:
        typer.echo("\n".join(entry.text for contest in result.contests for entry in contest.outcome.log))
    elif as_json or log is LogForm.JSON:
        document = result.to_json() if log is None else _logs_json(result)
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        typer.echo(render_text(result), nl=False)


def _logs_json(result: ElectionResult) -> dict[str, Any]:
    return {contest.contest.id: [entry.to_json() for entry in contest.outcome.log] for contest in result.contests}


def _read_methods(text: str) -> list[Method]:
    if text == ALL_METHODS:
        return list(Method)
    methods = []
    for word in (part.strip().replace("-", "_") for part in text.split(",")):
        if word not in list(Method):
            known = f"expected of {', '.join(Method)}, or {ALL_METHODS}"
            raise InputError(f"--compare: found no method {quote(word)}, {known}{suggest(word, Method)}")
        methods.append(Method(word))
    return methods


def _read_lot(text: str) -> Hash32 | None:
    if not text:
        return None
    if not re.fullmatch("0x[0-9a-fA-F]{64}", text):
        raise InputError(f"--lot: found {quote(text)}, expected 0x and 64 hexadecimal digits")
    return Hash32(bytes.fromhex(text[2:]))


def _read_weight(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,40}", text):
        raise InputError(f"--weight: found {quote(text)}, expected a whole number of votes")
    return int(text)
