"""`qballot tally`: text, JSON and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from qballot.cli.tally import tally_command
from qballot.errors import BallotFileError, DefinitionError, InputError

pytestmark = pytest.mark.unit

CITY_COUNCIL = Path(__file__).parents[2] / "examples" / "city-council"
DEFINITION = CITY_COUNCIL / "definition.json"


def _run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(tally_command)
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_tally__city_council__prints_winners_and_the_count() -> None:
    result = _run(DEFINITION, CITY_COUNCIL / "ballots.csv")
    assert result.exit_code == 0
    assert "Winner: Car-free for good\n" in result.stdout
    assert "Winner: Jonas Brandt\n" in result.stdout
    assert "\n  Round 4: Jonas Brandt 413, Ngozi Okafor 407; exhausted 138.\n" in result.stdout


def test_tally__json__is_the_result_alone() -> None:
    contests = json.loads(_run(DEFINITION, CITY_COUNCIL / "ballots.csv", "--json").stdout)["contests"]
    assert [contest["id"] for contest in contests] == ["market-street", "chair"]
    assert contests[0]["totals"] == {"car-free": "394", "trial": "259", "open": "316"}
    assert contests[0]["spoiled"] == {"too_many_choices": 15}
    assert contests[1]["spoiled"] == {"out_of_range": 3, "equal_ranks": 16}
    assert all(contest["ballots"] == 1_000 and contest["blank"] > 0 for contest in contests)


def test_tally__file_with_byte_order_mark__is_read(tmp_path: Path) -> None:
    file = tmp_path / "ballots.csv"
    file.write_bytes(b"\xef\xbb\xbf" + (CITY_COUNCIL / "ballots.csv").read_bytes().replace(b"\n", b"\r\n"))
    assert _run(DEFINITION, file).stdout == _run(DEFINITION, CITY_COUNCIL / "ballots.csv").stdout


def test_tally__files_that_do_not_fit__are_refused(tmp_path: Path) -> None:
    file = tmp_path / "ballots.csv"
    assert isinstance(_run(DEFINITION, file).exception, InputError)
    file.write_bytes(b"voter,\xff\n")
    error = _run(DEFINITION, file).exception
    assert isinstance(error, InputError)
    assert str(error).endswith("ballots.csv is not UTF-8 text: see byte 6")
    file.write_text("voter,nobody\nv1,1\n", encoding="utf-8")
    assert isinstance(_run(DEFINITION, file).exception, BallotFileError)
    assert isinstance(_run(file, CITY_COUNCIL / "ballots.csv").exception, DefinitionError)
