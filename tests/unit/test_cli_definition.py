"""`qballot definition`: output, JSON and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qballot.cli.definition import app
from qballot.core.definition import definition_hash, parse_definition_document
from qballot.errors import DefinitionError, InputError

pytestmark = pytest.mark.unit

CITY_COUNCIL = Path(__file__).parents[2] / "examples" / "city-council" / "definition.json"
CANONICAL = parse_definition_document(CITY_COUNCIL.read_bytes())[1]
HASH = "0x" + definition_hash(CANONICAL).hex()


def _run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_definition_check__authors_file__sums_it_up() -> None:
    output = _run("check", CITY_COUNCIL)
    assert output.startswith("ok: the definition is valid\n")
    assert "chair: Chair of the council (irv, 5 options, 1 seat, max_ranks 5)\n" in output
    assert f"canonical  {len(CANONICAL):,} bytes, not those of the file" in output
    assert HASH in output


def test_definition_check__canonical_file__says_so(tmp_path: Path) -> None:
    file = tmp_path / "definition.json"
    file.write_bytes(CANONICAL)
    assert f"canonical  {len(CANONICAL):,} bytes\n" in _run("check", file)
    assert json.loads(_run("check", file, "--json"))["canonical"] is True


def test_definition_check__json__has_what_a_program_needs() -> None:
    report = json.loads(_run("check", "--json", CITY_COUNCIL))
    assert (report["valid"], report["canonical"], report["hash"]) == (True, False, HASH)
    assert (report["ballot_length"], report["canonical_bytes"]) == (8, len(CANONICAL))
    assert report["contests"][1]["limits"] == {"max_ranks": 5}


def test_definition_check__invalid_file__lists_every_problem(tmp_path: Path) -> None:
    file = tmp_path / "definition.json"
    file.write_text('{"qballot":1,"titel":"T","contests":[]}', encoding="utf-8")
    result = CliRunner().invoke(app, ["check", "--json", str(file)])
    assert isinstance(result.exception, DefinitionError)
    report = json.loads(result.stdout)
    assert report["valid"] is False
    assert [problem["path"] for problem in report["problems"]] == ["title", "contests", "titel"]
    assert str(result.exception).count("\n") == 3
    assert CliRunner().invoke(app, ["check", str(file)]).stdout == ""


def test_definition_hash__any_form__is_that_of_the_canonical_bytes(tmp_path: Path) -> None:
    assert _run("hash", CITY_COUNCIL) == HASH + "\n"
    assert json.loads(_run("hash", CITY_COUNCIL, "--json")) == {"hash": HASH, "canonical": False}
    file = tmp_path / "definition.json"
    file.write_bytes(CANONICAL)
    assert json.loads(_run("hash", file, "--json")) == {"hash": HASH, "canonical": True}


@pytest.mark.parametrize(("name", "reason"), [("missing.json", "No such file"), ("", "directory")])
def test_definition_check__file_that_cannot_be_read__is_an_input_error(tmp_path: Path, name: str, reason: str) -> None:
    result = CliRunner().invoke(app, ["check", str(tmp_path / name)])
    assert isinstance(result.exception, InputError)
    assert "cannot be read" in str(result.exception)
    assert reason in str(result.exception)
