"""`qballot definition`: make a definition, look at it, check it, hash it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from qballot.cli.definition_new import new_command
from qballot.cli.files import read_bytes
from qballot.core.canonical import JsonTree
from qballot.core.definition import (
    Contest,
    Definition,
    build_schema,
    definition_hash,
    parse_definition_document,
    show_ballot,
)
from qballot.core.tally.requirements import describe_requirement
from qballot.errors import DefinitionError

app = typer.Typer(no_args_is_help=True, help="Make, show, check and hash the definition of an election.")

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="Definition as JSON, canonical or as its author wrote it.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def _group() -> None:
    pass


app.command("new")(new_command)


@app.command("check")
def check_command(file: FileArgument, as_json: JsonOption = False) -> None:
    """Check a definition and sum it up; every problem is listed at once, with its path in the document.

    Example: qballot definition check examples/city-council/definition.json
    """
    data = read_bytes(file)
    try:
        definition, canonical = parse_definition_document(data)
    except DefinitionError as error:
        if as_json:
            problems = [{"path": problem.path, "message": problem.message} for problem in error.problems]
            typer.echo(json.dumps({"valid": False, "problems": problems}, indent=2))
        raise
    if as_json:
        typer.echo(json.dumps(_report(definition, data, canonical), indent=2))
    else:
        typer.echo(_summary(definition, data, canonical))


@app.command("hash")
def hash_command(file: FileArgument, as_json: JsonOption = False) -> None:
    """Print keccak-256 of a definition's canonical bytes, as it stands in the election's ballot box.

    Example: qballot definition hash examples/city-council/definition.json
    """
    data = read_bytes(file)
    _, canonical = parse_definition_document(data)
    digest = _hex_hash(canonical)
    typer.echo(json.dumps({"hash": digest, "canonical": data == canonical}, indent=2) if as_json else digest)


@app.command("show")
def show_command(file: FileArgument, as_json: JsonOption = False) -> None:
    """Print the ballot as a voter will see it: contests, options, what a mark means, how it is counted.

    Example: qballot definition show examples/city-council/definition.json
    """
    data = read_bytes(file)
    definition, canonical = parse_definition_document(data)
    if as_json:
        typer.echo(json.dumps(_report(definition, data, canonical), indent=2))
    else:
        typer.echo(show_ballot(definition), nl=False)


@app.command("schema")
def schema_command() -> None:
    """Print the JSON Schema (2020-12) of definitions, for editors and for programs that write them.

    A schema cannot say all that `qballot definition check` does: docs/definition.md lists what is left to it.

    Example: qballot definition schema
    """
    typer.echo(json.dumps(build_schema(), indent=2))


def _hex_hash(canonical: bytes) -> str:
    return "0x" + definition_hash(canonical).hex()


def _report(definition: Definition, data: bytes, canonical: bytes) -> dict[str, JsonTree]:
    return {
        "valid": True,
        "canonical": data == canonical,
        "canonical_bytes": len(canonical),
        "hash": _hex_hash(canonical),
        "title": definition.title,
        "organizer": definition.organizer,
        "language": definition.language,
        "ballot_length": definition.ballot_length,
        "contests": [_contest_report(contest) for contest in definition.contests],
    }


def _contest_report(contest: Contest) -> dict[str, JsonTree]:
    return {
        "id": contest.id,
        "title": contest.title,
        "method": contest.method.value,
        "options": [option.id for option in contest.options],
        "seats": contest.seats,
        "tie": contest.tie.value,
        "limits": dict(contest.limits),
        "variants": dict(contest.variants),
        "requires": [describe_requirement(requirement) for requirement in contest.requires],
    }


def _summary(definition: Definition, data: bytes, canonical: bytes) -> str:
    size = f"{len(canonical):,} bytes"
    form = (
        size if data == canonical else f"{size}, not those of the file: elections are created from the canonical form"
    )
    lines = [
        "ok: the definition is valid",
        f"title      {definition.title}",
        *(f"contest    {_contest_line(contest)}" for contest in definition.contests),
        f"ballot     {definition.ballot_length} bytes",
        f"canonical  {form}",
        f"hash       {_hex_hash(canonical)} (keccak256 of the canonical bytes)",
    ]
    return "\n".join(lines)


def _contest_line(contest: Contest) -> str:
    own = {**contest.limits, **contest.variants}
    limits = "".join(f", {name} {value}" for name, value in own.items())
    seats = "1 seat" if contest.seats == 1 else f"{contest.seats} seats"
    return f"{contest.id}: {contest.title} ({contest.method}, {len(contest.options)} options, {seats}{limits})"
