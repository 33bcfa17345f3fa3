"""`qballot definition new`, by options and in conversation; `show` and `schema`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from qballot.cli.definition import app
from qballot.cli.interview import hold_interview
from qballot.core.definition import build_schema, parse_definition_document
from qballot.core.definition.draft import ContestDraft, DefinitionDraft, OptionDraft, build_document
from qballot.errors import DefinitionError, InputError

pytestmark = pytest.mark.unit

CITY_COUNCIL = Path(__file__).parents[2] / "examples" / "city-council" / "definition.json"
ANSWERS = (
    *("--title", "Spring", "--organizer", "The board", "--description", "One.\\nTwo.", "--language", "de"),
    *("--contest", "chair:irv:Chair", "--option", "chair/ada=Ada", "--option", "chair/ben=Ben"),
    *("--contest", "budget:score:Budget", "--option", "budget/yes=Yes", "--limit", "budget/max_score=9"),
    *("--about", "chair/ada=Engineer"),
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def converse(draft: DefinitionDraft, *answers: str) -> tuple[DefinitionDraft, str]:
    """Answer the questions, a line each; returns the finished draft and all that was asked."""
    little = typer.Typer()
    little.command()(lambda: hold_interview(draft))
    result = CliRunner().invoke(little, input="".join(f"{answer}\n" for answer in answers), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    return draft, result.stderr


def test_definition_new__every_answer_by_options__writes_a_file_that_passes_check(tmp_path: Path) -> None:
    file = tmp_path / "spring.json"
    result = run("new", "-o", file, *ANSWERS)
    assert result.exit_code == 0
    assert result.stdout == f"wrote {file}: 2 contests, 3 options in all\n"
    assert f"qballot definition show {file}" in result.stderr
    assert run("check", file).exit_code == 0
    definition, _ = parse_definition_document(file.read_bytes())
    assert (definition.title, definition.description, definition.language) == ("Spring", "One.\nTwo.", "de")
    assert definition.contests[1].limits == {"min_score": 0, "max_score": 9}


def test_definition_new__json__names_file_and_hash(tmp_path: Path) -> None:
    file = tmp_path / "spring.json"
    report = json.loads(run("new", "--json", "-o", file, *ANSWERS).stdout)
    assert report == {"file": str(file), "hash": run("hash", file).stdout.strip(), "ballot_length": 3}


def test_definition_new__file_that_exists__is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "spring.json"
    file.write_text("mine")
    result = run("new", "-o", file, *ANSWERS)
    assert isinstance(result.exception, InputError)
    assert "exists: choose another name with -o" in str(result.exception)
    assert file.read_text() == "mine"


def test_definition_new__no_terminal__says_all_that_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    error = run("new", "-o", file).exception
    assert isinstance(error, InputError)
    assert [line.split(":")[0].strip() for line in str(error).splitlines()[1:]] == [
        "--title TEXT",
        "--contest ID",
        "--option CONTEST/ID=TITLE",
    ]
    error = run("new", "-o", file, "--title", "T", "--contest", "c:irv:C", "--option", "a=A").exception
    assert "--option c/ID=TITLE: c has 1 and needs 2" in str(error)
    assert not file.exists()


def test_definition_new__answers_that_break_the_rules__name_every_problem(tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    contest = ("--contest", "Chair:irw:C", "--option", "a=A", "--limit", "max_rank=2")
    error = run("new", "-o", file, "--title", "T ", *contest).exception
    assert isinstance(error, DefinitionError)
    assert {problem.path for problem in error.problems} == {
        "title",
        "contests[0].id",
        "contests[0].method",
        "contests[0].max_rank",
    }
    assert 'did you mean "irv"?' in str(error)
    assert not file.exists()


def test_definition_new__folder_that_is_not_there__is_an_input_error(tmp_path: Path) -> None:
    error = run("new", "-o", tmp_path / "no" / "d.json", *ANSWERS).exception
    assert isinstance(error, InputError)
    assert "cannot be written: No such file" in str(error)


def test_interview__whole_conversation__fills_the_draft() -> None:
    draft, asked = converse(
        DefinitionDraft(),
        *("Spring", "The board", "", ""),
        *("Chair of the board", "", "Who leads?", "irv", "Ada", "", "Ben", "", "Ada", "Cy", "see", "", "2"),
        *(
            "Chair of the board",
            "Budget",
            "chair-of-the-board",
            "money",
            "",
            "score",
            "Yes",
            "",
            "",
            "3",
            "2",
            "",
            "",
            "-1",
            "4",
            "",
            "",
        ),
        "",
    )
    assert draft.contests == [
        ContestDraft(
            "chair-of-the-board",
            "irv",
            "Chair of the board",
            "Who leads?",
            [OptionDraft("ada", "Ada"), OptionDraft("ben", "Ben"), OptionDraft("see", "Cy")],
            {"max_ranks": 2},
        ),
        ContestDraft("money", "score", "Budget", "", [OptionDraft("yes", "Yes")], {"min_score": -1, "max_score": 4}),
    ]
    assert "is taken already" in asked
    assert "max_score is 2, expected more than min_score, which is 3" in asked
    parse_definition_document(json.dumps(build_document(draft)))


def test_interview__bad_answers__are_asked_again() -> None:
    draft, asked = converse(
        DefinitionDraft(),
        *("a\u200bb", "T", "", "", "englisch_", "de"),
        *("C", "Bad Id", "c", "", "irw", "approval", "A", "", "B", "", "", "", "three", "3", "1", ""),
    )
    assert draft.language == "de"
    assert draft.contests[0].limits == {"max_choices": 1}
    for words in ("invisible character", "BCP 47", "lower-case letters", 'did you mean "irv"?', "from 1 to 2"):
        assert words in asked


def test_interview__answers_that_end__write_nothing() -> None:
    little = typer.Typer()
    little.command()(lambda: hold_interview(DefinitionDraft()))
    error = CliRunner().invoke(little, input="Spring\n").exception
    assert isinstance(error, InputError)
    assert "the answers ended before the questions did" in str(error)


def test_interview__what_options_said__is_not_asked() -> None:
    given = DefinitionDraft("T", "D", "O", "de", [ContestDraft("c", "plurality", "C", options=[OptionDraft("a", "A")])])
    draft, asked = converse(given, "B", "", "")
    assert [option.id for option in draft.contests[0].options] == ["a", "b"]
    assert "Title of the election" not in asked


def test_definition_show__example__is_what_a_voter_needs() -> None:
    shown = run("show", CITY_COUNCIL).stdout
    for words in (
        "Lindenau city council, spring session\n=====",
        "Held by Election committee of Lindenau",
        "1 of 2: Market Street",
        "[ ] Jonas Brandt  (brandt, byte 5)",
        "      Only residents, deliveries before",
        "Mark one option: 1 for it",
        "Rank the options, as many as you like",
        "The option with the most votes wins. A tie is reported as a tie.",
        "Limits:          max_ranks 5",
        "A ballot has 8 bytes, one for each option.",
    ):
        assert words in shown
    assert max(map(len, shown.splitlines())) <= 96
    assert json.loads(run("show", CITY_COUNCIL, "--json").stdout)["ballot_length"] == 8


@pytest.mark.parametrize(
    ("method", "limits", "words"),
    [
        ("approval", {}, "as many as you like"),
        ("approval", {"max_choices": 1}, "at most 1"),
        ("score", {"min_score": -5}, "from -5 to 5"),
        ("irv", {"max_ranks": 1}, "at most 1: 1 for your first choice"),
    ],
)
def test_definition_show__limits__are_in_the_instructions(
    tmp_path: Path, method: str, limits: dict[str, int], words: str
) -> None:
    contest = ContestDraft("c", method, "C", options=[OptionDraft("a", "A"), OptionDraft("b", "B")], limits=limits)
    file = tmp_path / "d.json"
    file.write_text(json.dumps(build_document(DefinitionDraft("T", contests=[contest]))))
    assert words in run("show", file).stdout


def test_definition_show__invalid__is_refused() -> None:
    assert isinstance(run("show", Path(__file__)).exception, DefinitionError)


def test_definition_schema__is_printed_whole() -> None:
    assert json.loads(run("schema").stdout) == build_schema()


def test_definition_show__variants_ties_and_requirements__are_in_words(tmp_path: Path) -> None:
    limits: dict[str, int | str] = {"seats": 2, "tie": "lot"}
    requires = {"turnout": {"of": "weight", "more_than": "1/4"}}
    options = [OptionDraft("a", "A"), OptionDraft("b", "B"), OptionDraft("c", "C")]
    contest = ContestDraft("c", "stv", "C", options=options, limits=limits, requires=requires)  # type: ignore[arg-type]
    file = tmp_path / "d.json"
    file.write_text(json.dumps(build_document(DefinitionDraft("T", contests=[contest]))))
    shown = run("show", file).stdout
    for words in (
        "2 options win. A tie goes by a lot",
        "rules:           scottish: values are cut to five decimal places",
        "quota:           droop: the votes divided by one more than the seats",
        "Required:        turnout of more than 1/4 of the votes in the census.",
    ):
        assert words in " ".join(shown.replace("\n" + " " * 17, " ").split(" "))
    assert max(map(len, shown.splitlines())) <= 96
    report = json.loads(run("check", file, "--json").stdout)["contests"][0]
    assert report["variants"] == {"rules": "scottish", "quota": "droop"}
    assert report["requires"] == ["turnout of more than 1/4 of the votes in the census"]


def test_interview__method_with_seats_and_variants__asks_for_them() -> None:
    answers = (
        "T",
        "",
        "",
        "",
        "C",
        "c",
        "",
        "stv",
        "A",
        "",
        "B",
        "",
        "Cy",
        "",
        "",
        "2",
        "",
        "",
        "hare",
        "",
        "",
        "",
        "",
    )
    draft, asked = converse(DefinitionDraft(), *answers)
    assert draft.contests[0].limits == {"seats": 2}
    assert "quota is hare, expected droop" in asked
    parse_definition_document(json.dumps(build_document(draft)))
