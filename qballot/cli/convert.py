"""`qballot convert`: ballots from and to the formats of other programs."""

from __future__ import annotations

import json
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from qballot.cli.files import read_bytes, read_text, write_same
from qballot.core.definition import parse_definition_document
from qballot.core.election import Method
from qballot.errors import InputError
from qballot.formats.convert import Conversion, Format, Request, convert, guess_format
from qballot.formats.own import Spoiled
from qballot.formats.profile import Kind
from qballot.formats.rules import Overvote, Skipped


class Blank(StrEnum):
    """What becomes of blank ballots."""

    KEEP = "keep"
    DROP = "drop"


def convert_command(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The file of ballots to read.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The file to write.")],
    source_format: Annotated[
        Format | None, typer.Option("--from", help="The form of IN; else by its ending.", show_default=False)
    ] = None,
    target_format: Annotated[
        Format | None, typer.Option("--to", help="The form of OUT; else by its ending.", show_default=False)
    ] = None,
    definition: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The definition that a CSV of ballots goes with, read or written."),
    ] = None,
    definition_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a definition for the ballots, for `qballot tally` and `rehearse`."),
    ] = None,
    contest: Annotated[
        str, typer.Option(metavar="ID", help="Which contest of --definition is read.", show_default=False)
    ] = "",
    method: Annotated[
        Method | None, typer.Option(help="The method of --definition-out; else one that fits.", show_default=False)
    ] = None,
    title: Annotated[str, typer.Option(help="The title, where it is not the file's.", show_default=False)] = "",
    seats: Annotated[
        int | None, typer.Option(min=1, max=127, help="How many win, where it is not the file's.", show_default=False)
    ] = None,
    overvote: Annotated[
        Overvote | None,
        typer.Option(
            help="Several options at one rank: they stay equal, the ballot ends there, or the rank is left out. By "
            "default they stay equal, and in cast vote records the ballot ends.",
            show_default=False,
        ),
    ] = None,
    skipped: Annotated[
        Skipped | None,
        typer.Option(
            help="A rank without an option: it stays, later ranks move up, the ballot ends at the first, or at two in "
            "a row. By default it stays; in cast vote records and our CSV later ranks move up.",
            show_default=False,
        ),
    ] = None,
    blank: Annotated[Blank, typer.Option(help="Whether blank ballots stay.")] = Blank.KEEP,
    spoiled: Annotated[
        Spoiled, typer.Option(help="What becomes of ballots that break the rules of the contest they are read of.")
    ] = Spoiled.REFUSE,
    scale: Annotated[
        int, typer.Option(min=1, max=10**18, metavar="N", help="Multiply all counts, to make whole votes of parts.")
    ] = 1,
    take: Annotated[
        Kind | None, typer.Option(help="What to read of ABIF that has order and scores.", show_default=False)
    ] = None,
    weights: Annotated[
        bool, typer.Option("--weights", help="Write a row for equal ballots, weighted, instead of a row a ballot.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace other files of these names.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Convert ballots between QBallot's CSV, ABIF, BLT, PrefLib's soc, soi, toc, toi and cast vote records (cvr).

    The form is guessed by a file's ending: .csv (cast vote records by their column rank1), .abif, .blt, .soc, .soi,
    .toc, .toi. What the other form cannot say is refused with the row. docs/formats.md has the rules of each.

    Example: qballot convert examples/city-council/ballots.csv -o chair.blt
    --definition examples/city-council/definition.json --contest chair --spoiled blank
    """
    text = read_text(source)
    request = Request(
        source=source_format or _guess(source, "--from", text),
        target=target_format or _guess(output, "--to"),
        contest=contest,
        method=method,
        title=title,
        seats=seats,
        overvote=overvote,
        skipped=skipped,
        scale=scale,
        take=take,
        keep_blank=blank is Blank.KEEP,
        spoiled=spoiled,
        weights=weights,
        file_name=output.name,
    )
    _check_definitions(request, definition, definition_out)
    _check_options(request)
    if definition is not None:
        request = replace(request, definition=parse_definition_document(read_bytes(definition))[0])
    conversion = convert(text, request)
    if definition_out is not None and conversion.definition is not None:
        write_same(definition_out, conversion.definition.encode(), overwrite=force)
    write_same(output, conversion.text.encode(), overwrite=force)
    for note in conversion.notes:
        typer.echo(note, err=True)
    _report(conversion, request, output, definition_out, as_json=as_json)


def _guess(path: Path, option: str, text: str | None = None) -> Format:
    found = guess_format(path.name, text)
    if found is None:
        raise InputError(
            f"{path}: found no form of this ending, expected one of {', '.join(Format)}: say it with {option}"
        )
    return found


def _check_definitions(request: Request, definition: Path | None, definition_out: Path | None) -> None:
    """Refuse definitions that are missing, or given where none is read or written."""
    is_own = request.target is Format.CSV
    if definition is not None and definition_out is not None:
        raise InputError("--definition and --definition-out: expected one of them")
    if is_own and definition is None and definition_out is None:
        raise InputError(
            "ballots as CSV go with a definition: name it with --definition, or have it written with --definition-out"
        )
    if definition_out is not None and not is_own:
        raise InputError(f"--definition-out goes with ballots as csv, and {request.target} is written")
    if request.method is not None and definition_out is None:
        raise InputError("--method goes with --definition-out")


def _check_options(request: Request) -> None:
    """Refuse options that say nothing of these two forms."""
    reads_own = request.source is Format.CSV
    misplaced = {
        "--contest goes with ballots that are read as csv": bool(request.contest) and not reads_own,
        "--spoiled goes with ballots that are read as csv": request.spoiled is not Spoiled.REFUSE and not reads_own,
        "--take goes with ballots that are read as abif": request.take is not None
        and request.source is not Format.ABIF,
        "--weights goes with ballots that are written as csv or cvr": (
            request.weights and request.target not in (Format.CSV, Format.CVR)
        ),
    }
    for words, holds in misplaced.items():
        if holds:
            raise InputError(f"{words}, and this is from {request.source} to {request.target}")


def _report(
    conversion: Conversion, request: Request, output: Path, definition_out: Path | None, *, as_json: bool
) -> None:
    profile = conversion.profile
    if as_json:
        report = {
            "file": str(output),
            "from": request.source.value,
            "to": request.target.value,
            "definition": None if definition_out is None else str(definition_out),
            "kind": profile.kind.value,
            "options": len(profile.alternatives),
            "ballots": str(profile.total),
            "notes": conversion.notes,
        }
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        return
    written = f"{profile.total:,} ballots with {profile.kind} of {len(profile.alternatives)} options"
    typer.echo(f"wrote {output}: {written}, as {request.target}")
    if definition_out is not None:
        typer.echo(f"wrote {definition_out}: count with qballot tally {definition_out} {output}")
