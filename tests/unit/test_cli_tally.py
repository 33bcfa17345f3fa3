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


def _write_tie(folder: Path) -> tuple[Path, Path]:
    options = [{"id": name, "title": name.upper()} for name in "abc"]
    requires = {
        "turnout": {"of": "voters", "at_least": "1/2"},
        "majority": {"of": "electorate", "at_least": "1/4"},
    }
    contest = {"id": "c", "title": "C", "method": "plurality", "tie": "lot", "options": options, "requires": requires}
    definition, ballots = folder / "definition.json", folder / "ballots.csv"
    definition.write_text(json.dumps({"qballot": 1, "title": "T", "contests": [contest]}))
    ballots.write_text("a,b,c\n1,0,0\n0,1,0\n")
    return definition, ballots


def test_tally__log_alone__is_text_csv_or_json() -> None:
    csv = _run(DEFINITION, CITY_COUNCIL / "ballots.csv", "--log", "csv").stdout
    assert csv.startswith("contest,step,kind,item,value\nmarket-street,1,totals,text,")
    assert "\nchair,7,round,votes/brandt,413\n" in csv
    text = _run(DEFINITION, CITY_COUNCIL / "ballots.csv", "--log", "text").stdout
    assert text.splitlines()[1] == "Car-free for good wins with 394 votes."
    logs = json.loads(_run(DEFINITION, CITY_COUNCIL / "ballots.csv", "--log", "json").stdout)
    assert [entry["kind"] for entry in logs["market-street"]] == ["totals", "outcome"]


def test_tally__tie_by_lot__waits_for_it_and_is_decided_by_it(tmp_path: Path) -> None:
    files = _write_tie(tmp_path)
    assert "No winner: a tie between A and B, waiting for the lot\n" in _run(*files).stdout
    assert "The lot decides: its order is " in _run(*files, "--lot", "0x" + "0a" * 32).stdout
    assert isinstance(_run(*files, "--lot", "0x12").exception, InputError)


def test_tally__electorate__decides_what_is_required(tmp_path: Path) -> None:
    files = _write_tie(tmp_path)
    assert "Not known whether it passed" in _run(*files, "--lot", "0x" + "0a" * 32).stdout
    known = _run(*files, "--lot", "0x" + "0a" * 32, "--voters", "4", "--weight", "4").stdout
    assert "Passed: all that was required is met.\n" in known
    assert "Reached: 2 of 4. Passed.\n" in known
    assert "Not passed: something" in _run(*files, "--lot", "0x" + "0a" * 32, "--voters", "5", "--weight", "4").stdout
    assert isinstance(_run(*files, "--weight", "many").exception, InputError)


def test_tally__compare__shows_other_methods_as_table_or_json() -> None:
    files = (DEFINITION, CITY_COUNCIL / "ballots.csv")
    table = _run(*files, "--compare", "schulze, ranked-pairs,score").stdout
    assert "This is no result: voters who are asked otherwise answer otherwise." in table
    assert "  irv           Jonas Brandt        958     23       19  as they are\n" in table
    assert "  ranked_pairs  Marta Silva         974     23        3  as they are\n" in table
    assert "  score         not comparable                           ranks do not say how much better" in table
    assert table.endswith("than the next\n")
    contests = json.loads(_run(*files, "--compare", "all", "--json").stdout)["contests"]
    assert [len(contest["compared"]) for contest in contests] == [15, 15]
    assert {one["comparable"] for one in contests[0]["compared"][1:]} == {False}


def test_tally__compare_what_is_no_method__is_refused() -> None:
    files = (DEFINITION, CITY_COUNCIL / "ballots.csv")
    error = _run(*files, "--compare", "schulz").exception
    assert isinstance(error, InputError)
    assert str(error).startswith('--compare: found no method "schulz", expected of plurality, ')
    assert str(error).endswith('; did you mean "schulze"?')
    assert isinstance(_run(*files, "--compare", "irv", "--log", "csv").exception, InputError)
