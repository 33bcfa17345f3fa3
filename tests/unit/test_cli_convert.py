"""`qballot convert`: files in and out, forms by ending, what is written beside, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from qballot.cli.convert import convert_command
from qballot.cli.tally import tally_command
from qballot.errors import BallotFileError, InputError

pytestmark = pytest.mark.unit

CITY_COUNCIL = Path(__file__).parents[2] / "examples" / "city-council"


def _run(*arguments: str | Path, command: object = convert_command) -> Result:
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    return CliRunner().invoke(app, list(map(str, arguments)))


def _convert_chair(folder: Path) -> Path:
    definition, blt = CITY_COUNCIL / "definition.json", folder / "chair.blt"
    given = ("--definition", definition, "--contest", "chair", "--spoiled", "blank")
    assert _run(CITY_COUNCIL / "ballots.csv", "-o", blt, *given).exit_code == 0
    return blt


def test_convert__city_council_by_blt__has_the_same_rounds(tmp_path: Path) -> None:
    blt = _convert_chair(tmp_path)
    ballots, definition = tmp_path / "chair.csv", tmp_path / "chair.json"
    result = _run(blt, "-o", ballots, "--definition-out", definition)
    assert result.stdout.splitlines() == [
        f"wrote {ballots}: 1,000 ballots with ranks of 5 options, as csv",
        f"wrote {definition}: count with qballot tally {definition} {ballots}",
    ]
    assert "The definition says that irv counts" in result.stderr
    counted = _run(definition, ballots, command=tally_command).stdout
    assert "Winner: Jonas Brandt\n" in counted
    assert "\n  Round 4: Jonas Brandt 413, Ngozi Okafor 407; exhausted 138.\n" in counted


def test_convert__json__says_what_was_done(tmp_path: Path) -> None:
    blt, abif = _convert_chair(tmp_path), tmp_path / "chair.abif"
    assert json.loads(_run(blt, "-o", abif, "--title", "Chair", "--json").stdout) == {
        "file": str(abif),
        "from": "blt",
        "to": "abif",
        "definition": None,
        "kind": "ranks",
        "options": 5,
        "ballots": "1000",
        "notes": [],
    }
    assert abif.read_text(encoding="utf-8").startswith('{"title": "Chair"}\n{"seats": 1}\n')


def test_convert__cast_vote_records__are_known_by_their_first_row(tmp_path: Path) -> None:
    records, definition, ballots = tmp_path / "city.csv", tmp_path / "d.json", tmp_path / "b.csv"
    records.write_bytes("\ufeffid,rank1,rank2\r\n1,Ada,Ben\r\n2,overvote,Ben\r\n".encode())
    assert _run(records, "-o", ballots, "--definition-out", definition, "--title", "City").exit_code == 0
    assert ballots.read_text(encoding="utf-8") == "ada,ben\n1,2\n,\n"
    changed = _run(records, "-o", ballots, "--definition", definition, "--overvote", "skip")
    assert isinstance(changed.exception, InputError)
    assert str(changed.exception).endswith("choose another name with -o, or add --force")
    assert _run(records, "-o", ballots, "--definition", definition, "--overvote", "skip", "--force").exit_code == 0
    assert ballots.read_text(encoding="utf-8") == "ada,ben\n1,2\n,1\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in.txt", "-o", "out.blt"], "found no form of this ending, .* say it with --from"),
        (["in.blt", "-o", "out.txt"], "found no form of this ending, .* say it with --to"),
        (["in.blt", "-o", "out.csv"], "name it with --definition, or have it written with --definition-out"),
        (["in.blt", "-o", "out.abif", "--definition-out", "d.json"], "--definition-out goes with ballots as csv"),
        (["in.blt", "-o", "out.abif", "--method", "irv"], "--method goes with --definition-out"),
        (["in.blt", "-o", "out.csv", "--definition", "d", "--definition-out", "e"], "expected one of them"),
        (
            ["in.blt", "-o", "out.abif", "--contest", "c"],
            "--contest goes with ballots that are read as csv, .* from blt",
        ),
        (["in.blt", "-o", "out.abif", "--spoiled", "drop"], "--spoiled goes with ballots that are read as csv"),
        (["in.blt", "-o", "out.abif", "--take", "ranks"], "--take goes with ballots that are read as abif"),
        (["in.blt", "-o", "out.abif", "--weights"], "--weights goes with ballots that are written as csv or cvr"),
        (["missing.blt", "-o", "out.abif"], "missing.blt cannot be read"),
        (["latin.blt", "-o", "out.abif"], "latin.blt is not UTF-8 text"),
    ],
)
def test_convert__what_does_not_fit__is_refused(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("in.blt", "in.txt"):
        (tmp_path / name).write_text('1 1\n1 1 0\n0\n"A"\n"T"\n', encoding="utf-8")
    (tmp_path / "latin.blt").write_bytes(b'1 1\n0\n"\xe9"\n')
    error = _run(*arguments).exception
    assert isinstance(error, InputError)
    with pytest.raises(InputError, match=message):
        raise error
    assert not list(tmp_path.glob("out.*"))


def test_convert__malformed_file__leaves_nothing_behind(tmp_path: Path) -> None:
    source, definition, ballots = tmp_path / "in.abif", tmp_path / "d.json", tmp_path / "b.csv"
    source.write_text("1:A>B\n2:A>A\n", encoding="utf-8")
    error = _run(source, "-o", ballots, "--definition-out", definition).exception
    assert isinstance(error, BallotFileError)
    assert error.row == 2
    assert not definition.exists()
    assert not ballots.exists()


def test_convert__every_option__reaches_the_conversion(tmp_path: Path) -> None:
    source, out = tmp_path / "in.abif", tmp_path / "out.blt"
    source.write_text("0.5:A/5>B/3\n1:\n1.5:A/4=B/4\n", encoding="utf-8")
    options = ("--take", "ranks", "--scale", "2", "--blank", "drop", "--seats", "2", "--overvote", "skip")
    result = _run(source, "-o", out, *options)
    assert result.exit_code == 0, result.exception
    assert out.read_text(encoding="utf-8").splitlines()[:2] == ["2 2", "1 1 2 0"]
    assert "3 0" not in out.read_text(encoding="utf-8")
