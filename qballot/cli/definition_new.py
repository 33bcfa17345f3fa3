"""`qballot definition new`: from answers, by options or in conversation, to a definition's file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from qballot.cli.files import write_new
from qballot.cli.interview import fewest_options, hold_interview
from qballot.core.definition import definition_hash, parse_definition_document
from qballot.core.definition.draft import (
    ABOUT_FORM,
    CONTEST_FORM,
    LIMIT_FORM,
    OPTION_FORM,
    REQUIRE_FORM,
    DefinitionDraft,
    build_document,
    format_document,
    parse_contest_texts,
)
from qballot.errors import InputError


def new_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; it must not exist yet.")] = Path(
        "definition.json"
    ),
    title: Annotated[str, typer.Option(help="Title of the election.", show_default=False)] = "",
    organizer: Annotated[str, typer.Option(help="Who holds it, in words.", show_default=False)] = "",
    description: Annotated[str, typer.Option(help="What it is about.", show_default=False)] = "",
    language: Annotated[str, typer.Option(metavar="TAG", help="Language of the texts.", show_default="en")] = "",
    contests: Annotated[
        list[str] | None,
        typer.Option("--contest", metavar=CONTEST_FORM, help="A question and its method; repeat it for more."),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--option", metavar=OPTION_FORM, help="An option; ID=TITLE will do where there is one contest."),
    ] = None,
    limits: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar=LIMIT_FORM,
            help="A limit or variant of the contest's method, seats, or tie: chair/seats=3, chair/tie=lot.",
        ),
    ] = None,
    requires: Annotated[
        list[str] | None,
        typer.Option(
            "--require",
            metavar=REQUIRE_FORM,
            help="What the result needs to pass: chair/turnout=voters>=1/4, chair/majority=counted>1/2 (or of cast, "
            "electorate), chair/total=>=100.",
        ),
    ] = None,
    about: Annotated[
        list[str] | None,
        typer.Option("--about", metavar=ABOUT_FORM, help="A contest's or an option's description; \\n begins a line."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a new definition: asks what the options do not say, when there is a terminal to ask at.

    What it writes passes `qballot definition check`, and can be edited like any text. Nothing is overwritten.

    Example: qballot definition new -o board.json --title "Board election" --contest "chair:irv:Chair of the board"
    --option "chair/ada=Ada" --option "chair/ben=Ben"
    """
    if output.exists():
        raise InputError(f"{output} exists: choose another name with -o")
    contests_given = parse_contest_texts(contests or (), options or (), limits or (), about or (), requires or ())
    draft = DefinitionDraft(title, description.replace("\\n", "\n"), organizer, language, contests_given)
    missing = find_missing(draft)
    if missing and not sys.stdin.isatty():
        raise InputError("\n  ".join(["answers are missing, and there is no terminal to ask at; add", *missing]))
    if missing:
        hold_interview(draft)
    text = format_document(build_document(draft))
    definition, canonical = parse_definition_document(text)
    write_new(output, text.encode())
    digest = "0x" + definition_hash(canonical).hex()
    if as_json:
        typer.echo(json.dumps({"file": str(output), "hash": digest, "ballot_length": definition.ballot_length}))
    else:
        number = len(definition.contests)
        contests_words = "1 contest" if number == 1 else f"{number} contests"
        typer.echo(f"wrote {output}: {contests_words}, {definition.ballot_length} options in all")
    typer.echo(f"see it as a voter will: qballot definition show {output}", err=True)


def find_missing(draft: DefinitionDraft) -> list[str]:
    """List the options that a definition still needs, each with what it is for."""
    missing = [] if draft.title else ["--title TEXT: the title of the election"]
    if not draft.contests:
        missing.append(f"--contest {CONTEST_FORM}: what is asked, at least once")
        missing.append(f"--option {OPTION_FORM}: what can be chosen")
    for contest in draft.contests:
        needed = fewest_options(contest.method)
        if len(contest.options) < needed:
            found = f"{contest.id} has {len(contest.options)} and needs {needed}"
            missing.append(f"--option {contest.id}/ID=TITLE: {found}")
    return missing
