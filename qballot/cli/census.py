"""`qballot census`: from a list of voters to the census file and its ward roots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from qballot.cli.files import read_text
from qballot.core.census import Census, build_census
from qballot.core.census_file import dump_census, parse_voters_csv
from qballot.core.keccak import keccak
from qballot.errors import InputError

LISTED_ROOTS = 8
"""Ward roots that are printed for people; `--json` prints all."""

app = typer.Typer(no_args_is_help=True, help="Build the census of an election.")


@app.callback()
def _group() -> None:
    pass


@app.command("build")
def build_command(
    voters: Annotated[Path, typer.Argument(metavar="VOTERS.csv", help="Columns `address` and, if wanted, `weight`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the census file goes.")] = Path("census.json"),
    ward_bits: Annotated[
        int | None,
        typer.Option(min=0, max=16, help="2**N voters a ward; by default 10, or more when the electorate needs it."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a different file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with every ward root.")] = False,
) -> None:
    """Check a list of voters, write the census file and print the ward roots.

    Refused, with the row: an address listed twice, with a wrong checksum or zero; a weight that is not 1 … 2**96 - 1.

    Example: qballot census build voters.csv -o census.json
    """
    census = build_census(parse_voters_csv(read_text(voters)), ward_bits)
    data = dump_census(census)
    _write(output, data, overwrite=force)
    report = _describe(census, output, data)
    typer.echo(json.dumps(report, indent=2) if as_json else _format(report))


def _describe(census: Census, output: Path, data: bytes) -> dict[str, Any]:
    return {
        "census_file": str(output),
        "census_hash": "0x" + keccak(data).hex(),
        "voters": len(census),
        "total_weight": str(census.total_weight),
        "ward_bits": census.ward_bits,
        "ward_count": census.ward_count,
        "ward_roots": ["0x" + root.hex() for root in census.ward_roots],
    }


def _format(report: dict[str, Any]) -> str:
    roots = report["ward_roots"]
    lines = [
        f"census file   {report['census_file']}",
        f"census hash   {report['census_hash']} (keccak256 of the file)",
        f"voters        {report['voters']:,}",
        f"total weight  {int(report['total_weight']):,}",
        f"wards         {len(roots):,} of up to {1 << report['ward_bits']:,} voters (ward_bits {report['ward_bits']})",
        "ward roots",
        *(f"  {ward:>3}  {root}" for ward, root in enumerate(roots[:LISTED_ROOTS])),
    ]
    if len(roots) > LISTED_ROOTS:
        lines.append(f"  … and {len(roots) - LISTED_ROOTS:,} more: the census file and --json have them all")
    return "\n".join(lines)


def _write(path: Path, data: bytes, *, overwrite: bool) -> None:
    try:
        if path.exists() and not overwrite and path.read_bytes() != data:
            raise InputError(f"{path} exists and is another file: choose another name with -o, or add --force")
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
