"""`qballot tally`: count a plain file of ballots, with no chain at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from qballot.cli.files import read_bytes, read_text
from qballot.core.ballot import group_ballots
from qballot.core.ballot_csv import effective_rows, parse_ballot_csv
from qballot.core.definition import parse_definition_document
from qballot.core.tally import count_election, render_text


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
) -> None:
    """Count a file of ballots and print winners, totals and the count step by step.

    Example: qballot tally examples/city-council/definition.json examples/city-council/ballots.csv
    """
    definition, _ = parse_definition_document(read_bytes(definition_file))
    rows = parse_ballot_csv(read_text(ballots_file), definition)
    groups = group_ballots((row.ballot, row.weight) for row in effective_rows(rows))
    result = count_election(definition, groups)
    if as_json:
        typer.echo(json.dumps(result.to_json(), indent=2, ensure_ascii=False))
    else:
        typer.echo(render_text(result), nl=False)
