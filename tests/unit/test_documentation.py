"""What exists is documented: every command in the README, every setting in `.env.example`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from qballot.cli import app
from qballot.core.ballot import group_ballots
from qballot.core.ballot_csv import effective_rows, parse_ballot_csv
from qballot.core.definition import parse_definition_document
from qballot.core.tally import count_election, render_text
from qballot.settings import ENVIRONMENT_PREFIX, Settings

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _commands(command: click.Command, words: tuple[str, ...] = ("qballot",)) -> Iterator[tuple[str, click.Command]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield " ".join(words), command
        return
    for name, child in children.items():
        yield from _commands(child, (*words, name))


COMMANDS = dict(_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_documentation__every_command__is_in_the_readme_and_has_an_example(words: str) -> None:
    assert f"`{words}" in README
    help_text = COMMANDS[words].help or ""
    assert re.search(rf"Example:\s+{words}\b", help_text), f"{words} --help shows no example"


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_documentation__every_option__has_help(words: str) -> None:
    for parameter in COMMANDS[words].params:
        if isinstance(parameter, click.Option) or getattr(parameter, "param_type_name", "") == "option":
            assert getattr(parameter, "help", None), f"{words} {parameter.name}"


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_documentation__every_setting__is_explained(field: str) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.search(rf"^# .+\n#?{ENVIRONMENT_PREFIX}{field.upper()}=", example, re.MULTILINE)


def test_documentation__env_example__names_only_settings() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(rf"^#?{ENVIRONMENT_PREFIX}([A-Z_]+)=", example, re.MULTILINE))
    assert named == {field.upper() for field in Settings.model_fields}


def test_documentation__readme_paths__exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_documentation__changelog__has_the_unreleased_section() -> None:
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_documentation__readme_demo__shows_the_count_that_the_demo_gives() -> None:
    folder = ROOT / "examples" / "city-council"
    definition, _ = parse_definition_document((folder / "definition.json").read_bytes())
    rows = parse_ballot_csv((folder / "ballots.csv").read_text(encoding="utf-8"), definition)
    result = count_election(definition, group_ballots((row.ballot, row.weight) for row in effective_rows(rows)))
    shown = README.split("It prints\n\n")[1].split("\n    …\n")[0]
    assert textwrap.dedent(shown) in render_text(result)
    assert f"every row of the file is in the box: {len(rows)}" in README
