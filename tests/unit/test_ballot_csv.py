"""The file of ballots: every way to name a column, every refusal with its row, and the made example."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.ballot_csv import BallotRow, effective_rows, parse_ballot_csv
from qballot.core.definition import parse_definition_document
from qballot.core.election import Contest, Definition, Method, Option
from qballot.core.types import Weight
from qballot.errors import BallotFileError

pytestmark = pytest.mark.unit

CITY_COUNCIL = Path(__file__).parents[2] / "examples" / "city-council"


def _contest(name: str, method: Method, *titles: str) -> Contest:
    options = tuple(Option(title.lower().replace(" ", "-"), title) for title in titles)
    return Contest(name.lower(), name, "", method, options)


def _definition(*contests: Contest) -> Definition:
    return Definition("T", "", "", "en", contests)


ONE = _definition(_contest("Chair", Method.IRV, "Ada", "Ben Roe", "Cem"))
TWO = _definition(
    _contest("Chair", Method.IRV, "Ada", "Ben Roe"), _contest("Budget", Method.SCORE, "Yes/Perhaps", "No")
)


def _ballots(text: str, definition: Definition = ONE) -> list[bytes]:
    return [row.ballot for row in parse_ballot_csv(text, definition)]


@pytest.mark.parametrize(
    "header",
    [
        "ada,ben-roe,cem",
        "Ada,Ben Roe,Cem",
        "chair/ada,Chair/ben-roe,chair/Cem",
        " Ada , chair/Ben Roe,cem",
        '"Ada",Ben Roe,Cem',
    ],
)
def test_ballot_csv__one_contest__takes_every_name(header: str) -> None:
    assert _ballots(f"{header}\n1,2,0\n") == [b"\x01\x02\x00"]


def test_ballot_csv__columns_in_any_order__fill_the_right_places() -> None:
    rows = parse_ballot_csv("cem,weight,ada,voter,ben-roe\n3,5,1,v1,2\n,5,2,v1,1\n,1,,v2,\n", ONE)
    assert rows == [
        BallotRow(2, "v1", Weight(5), b"\x01\x02\x03"),
        BallotRow(3, "v1", Weight(5), b"\x02\x01\x00"),
        BallotRow(4, "v2", Weight(1), b"\x00\x00\x00"),
    ]
    assert effective_rows(rows) == rows[1:]


def test_ballot_csv__two_contests__titles_with_slashes_and_no_answer() -> None:
    text = "Chair/Ada,chair/ben-roe,Budget/Yes/Perhaps,budget/No\n1,,5,\n,,,\n-5,127,-128,0\n"
    assert _ballots(text, TWO) == [b"\x01\x00\x05\x80", b"\x00\x00\x80\x80", b"\xfb\x7f\x80\x00"]


@pytest.mark.parametrize(
    "text", ["\ufeffada,ben-roe,cem\r\n1,2,3\r\n", "ada,ben-roe,cem\n1,2,3", "ada,ben-roe,cem\n+1,02,3\n\n\n"]
)
def test_ballot_csv__other_programs_files__are_read(text: str) -> None:
    assert _ballots(text) == [b"\x01\x02\x03"]


def test_ballot_csv__quoted_newline__rows_count_lines() -> None:
    definition = _definition(_contest("Chair", Method.IRV, "Ada", "Ben"))
    rows = parse_ballot_csv('voter,ada,ben\n"a\nb",1,\nc,,1\n', definition)
    assert [(row.row, row.voter) for row in rows] == [(2, "a\nb"), (4, "c")]


def test_ballot_csv__one_column__takes_a_quoted_blank() -> None:
    definition = _definition(_contest("Chair", Method.APPROVAL, "Ada"))
    assert _ballots('ada\n1\n""\n', definition) == [b"\x01", b"\x00"]
    with pytest.raises(BallotFileError, match="row 3: the line is empty"):
        _ballots("ada\n1\n\n1\n", definition)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "row 1: the file is empty"),
        ("\ufeff\n\n", "row 1: the file is empty"),
        ("ada,ben-roe,cem\n", "row 1: no ballots"),
        ("\n\nada,ben-roe,cem\n1,,\n", "row 1: the line is empty"),
        ("ada,ben-roe\n1,2\n", "row 1: no column for chair/cem"),
        ("weight\n1\n", "row 1: no column for chair/ada, chair/ben-roe, chair/cem"),
        ("ada,ben-roo,cem\n1,2,3\n", 'row 1: column 2, "ben-roo": found no such option.*did you mean "ben-roe"'),
        ("ada,ben-roe,cem,wieght\n", 'row 1: column 4, "wieght".*did you mean "weight"'),
        ("ada,ben-roe,cem,Ada\n1,2,3,1\n", 'row 1: column 4, "Ada": this option has a column already'),
        ("voter,ada,ben-roe,cem,voter\n", 'row 1: the column "voter" stands twice'),
        ("ada;ben-roe;cem\n1;2;3\n", "row 1: .*expected cells separated by commas"),
        ("ada\tben-roe\tcem\n", "row 1: .*expected cells separated by commas"),
        ("ada,ben-roe,cem\n1,2\n", "row 2: found 2 cells, expected 3"),
        ("ada,ben-roe,cem\n1,2,3\n1,2,3,\n", "row 3: found 4 cells, expected 3"),
        ("ada,ben-roe,cem\n1,x,3\n", 'row 2: column 2, "ben-roe": found "x", expected an integer from -128 to 127'),
        ("ada,ben-roe,cem\n1,1.0,3\n", 'found "1.0"'),
        ("ada,ben-roe,cem\n1,128,3\n", 'found "128"'),
        ("ada,ben-roe,cem\n1,-129,3\n", 'found "-129"'),
        ("ada,ben-roe,cem\n1,1_0,3\n", 'found "1_0"'),
        ("ada,ben-roe,cem\n1,١,3\n", r'found "\\u0661"'),
        (f"ada,ben-roe,cem\n1,{'9' * 5000},3\n", 'row 2: column 2, "ben-roe": found "9999'),
        ("ada,ben-roe,cem\n1,2,3\n\n1,2,3\n", "row 3: the line is empty"),
        ('ada,ben-roe,cem\n1,"2,3\n', "row 2: not CSV"),
        ('ada,ben-roe,cem\n1,"2"x,3\n', "row 2: not CSV"),
        ("ada,ben-roe,cem\r1,2,3\r", "row 1: not CSV"),
        (f"ada,ben-roe,cem\n1,{'9' * 140_000},3\n", "row 2: not CSV"),
        ("weight,ada,ben-roe,cem\n0,1,2,3\n", 'row 2: column weight: found "0"'),
        ("weight,ada,ben-roe,cem\n,1,2,3\n", "row 2: column weight: found an empty cell"),
        (f"weight,ada,ben-roe,cem\n{2**96},1,2,3\n", "row 2: column weight"),
        ("weight,ada,ben-roe,cem\n-1,1,2,3\n", "row 2: column weight"),
        ("weight,ada,ben-roe,cem\n1.5,1,2,3\n", "row 2: column weight"),
        ("voter,ada,ben-roe,cem\nv,1,2,3\n ,1,2,3\n", "row 3: column voter: the cell is empty"),
        ("voter,weight,ada,ben-roe,cem\nv,1,1,,\nw,2,1,,\nv,2,1,,\n", 'row 4: voter "v" has the weight 2, expected 1'),
    ],
)  # fmt: skip
def test_ballot_csv__what_does_not_fit__is_refused_with_its_row(text: str, message: str) -> None:
    with pytest.raises(BallotFileError, match=message):
        parse_ballot_csv(text, ONE)


def test_ballot_csv__greatest_weight__is_read() -> None:
    assert parse_ballot_csv(f"weight,ada,ben-roe,cem\n{2**96 - 1},1,,\n", ONE)[0].weight == 2**96 - 1


def test_ballot_csv__bare_names_with_two_contests__are_refused() -> None:
    with pytest.raises(BallotFileError, match='"ada": found no such option, expected contest/option'):
        parse_ballot_csv("ada,ben-roe,yes,no\n", TWO)


def test_ballot_csv__id_of_one_option_and_title_of_another__is_refused() -> None:
    crossed = Contest("c", "C", "", Method.PLURALITY, (Option("a", "b"), Option("b", "a")))
    with pytest.raises(BallotFileError, match='column 1, "a": could mean 2 different options'):
        parse_ballot_csv("a,b\n1,0\n", _definition(crossed))


def test_ballot_csv__option_called_weight__needs_its_contest() -> None:
    contest = Contest("c", "C", "", Method.PLURALITY, (Option("weight", "Weight"), Option("b", "B")))
    assert _ballots("c/weight,weight,b\n1,7,0\n", _definition(contest)) == [b"\x01\x00"]
    with pytest.raises(BallotFileError, match="no column for c/weight"):
        _ballots("weight,b\n1,0\n", _definition(contest))


@given(st.text(alphabet='ad,ben-roecm1 \n\r"\x00;-', max_size=60) | st.text(max_size=30))
def test_ballot_csv__any_text__nothing_but_ballot_file_error(text: str) -> None:
    for whole in (text, "ada,ben-roe,cem\n" + text):
        try:
            rows = parse_ballot_csv(whole, ONE)
        except BallotFileError as error:
            row = error.row
        else:
            row = rows[0].row
            assert all(len(ballot.ballot) == 3 for ballot in rows)
        assert 1 <= row <= whole.count("\n") + 2


def test_effective_rows__rows_without_voter__are_a_voter_each() -> None:
    rows = parse_ballot_csv("ada,ben-roe,cem\n1,,\n1,,\n", ONE)
    assert effective_rows(rows) == rows


def test_city_council__ballots__are_what_their_script_makes() -> None:
    path = CITY_COUNCIL / "make_ballots.py"
    spec = importlib.util.spec_from_file_location("make_ballots", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.make_ballots() == (CITY_COUNCIL / "ballots.csv").read_text(encoding="utf-8")


def test_city_council__ballots__are_a_thousand_voters_some_of_whom_vote_again() -> None:
    definition, _ = parse_definition_document((CITY_COUNCIL / "definition.json").read_bytes())
    rows = parse_ballot_csv((CITY_COUNCIL / "ballots.csv").read_text(encoding="utf-8"), definition)
    votes = [sum(row.voter == voter for row in rows) for voter in {row.voter for row in rows}]
    assert (len(rows), len(effective_rows(rows))) == (1_036, 1_000)
    assert (votes.count(2), votes.count(3)) == (24, 6)
