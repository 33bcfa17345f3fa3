"""`qballot census`: from a list of voters, or a token's holders, to the census file and all that is done with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from qballot.cli.census_audit import audit_command
from qballot.cli.census_proofs import check_command, import_command, proof_command, proofs_command
from qballot.cli.census_report import describe_census, format_report
from qballot.cli.census_token import from_token_command, reproduce_command
from qballot.cli.files import read_text, write_same
from qballot.cli.options import SheetSizeOption
from qballot.core.census import build_census, read_sheet_size
from qballot.core.census_file import dump_census, parse_voters_csv

app = typer.Typer(no_args_is_help=True, help="Build, prove, publish and compare censuses.")
app.command("from-token")(from_token_command)
app.command("reproduce")(reproduce_command)
app.command("proof")(proof_command)
app.command("proofs")(proofs_command)
app.command("check")(check_command)
app.command("import")(import_command)
app.command("audit")(audit_command)


@app.callback()
def _group() -> None:
    pass


@app.command("build")
def build_command(
    voters: Annotated[Path, typer.Argument(metavar="VOTERS.csv", help="Columns `address` and, if wanted, `weight`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the census file goes.")] = Path("census.json"),
    sheet_size: SheetSizeOption = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a different file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with every sheet root.")] = False,
) -> None:
    """Check a list of voters, write the census file and print the sheet roots.

    Refused, with the row: an address listed twice, with a wrong checksum or zero; a weight that is not 1 … 2**96 - 1.

    Example: qballot census build voters.csv -o census.json
    """
    sheet_bits = None if sheet_size is None else read_sheet_size(sheet_size)
    census = build_census(parse_voters_csv(read_text(voters)), sheet_bits)
    data = dump_census(census)
    write_same(output, data, overwrite=force)
    report = describe_census(census, output, data, is_size_chosen=sheet_size is not None)
    typer.echo(json.dumps(report, indent=2) if as_json else format_report(report))
