"""What a contest requires: turnout, majority, total, exactly at and around the bound, and with numbers unknown."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from qballot.core.ballot import Group
from qballot.core.definition import parse_definition_document
from qballot.core.tally import ContestResult, Electorate, Verdict, count_election, render_log_csv, render_text
from qballot.errors import DefinitionError

pytestmark = pytest.mark.unit

YES, NO, BLANK, SPOILED = b"\1\0", b"\0\1", b"\0\0", b"\1\1"


def _document(requires: object, **contest: Any) -> str:
    options = [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}]
    whole = {"id": "c", "title": "C", "method": "plurality", "options": options, "requires": requires, **contest}
    return json.dumps({"qballot": 1, "title": "T", "contests": [whole]})


def _count(
    requires: object, groups: dict[bytes, Group], electorate: Electorate | None = None, **contest: Any
) -> ContestResult:
    definition, _ = parse_definition_document(_document(requires, **contest))
    return count_election(definition, groups, electorate=electorate or Electorate()).contests[0]


@pytest.mark.parametrize(
    ("requirement", "yes", "no", "blank", "verdict"),
    [
        ({"of": "counted", "at_least": "2/3"}, 2, 1, 0, Verdict.PASSED),
        ({"of": "counted", "more_than": "2/3"}, 2, 1, 0, Verdict.NOT_PASSED),
        ({"of": "counted", "more_than": "1/2"}, 2, 1, 3, Verdict.PASSED),
        ({"of": "cast", "more_than": "1/2"}, 2, 1, 1, Verdict.NOT_PASSED),
        ({"of": "cast", "at_least": "1/2"}, 2, 1, 1, Verdict.PASSED),
        ({"of": "electorate", "at_least": "1/5"}, 2, 1, 1, Verdict.PASSED),
        ({"of": "electorate", "more_than": "1/5"}, 2, 1, 1, Verdict.NOT_PASSED),
        ({"of": "counted", "at_least": "1/2"}, 0, 0, 4, Verdict.NOT_PASSED),
        ({"of": "counted", "at_least": "1/3"}, 1, 1, 0, Verdict.UNKNOWN),
    ],
)
def test_majority__at_and_around_the_bound__is_exact(
    requirement: dict[str, str], yes: int, no: int, blank: int, verdict: Verdict
) -> None:
    groups = {YES: Group(yes, yes), NO: Group(no, no), BLANK: Group(blank, blank)}
    result = _count({"majority": requirement}, groups, Electorate(weight=10))
    assert result.verdict is verdict


@pytest.mark.parametrize(
    ("requirement", "electorate", "verdict"),
    [
        ({"of": "voters", "at_least": "1/4"}, Electorate(voters=16), Verdict.PASSED),
        ({"of": "voters", "more_than": "1/4"}, Electorate(voters=16), Verdict.NOT_PASSED),
        ({"of": "voters", "at_least": "1/4"}, Electorate(weight=16), Verdict.UNKNOWN),
        ({"of": "weight", "at_least": "1/4"}, Electorate(weight=160), Verdict.PASSED),
        ({"of": "weight", "at_least": "1/4"}, Electorate(weight=161), Verdict.NOT_PASSED),
        ({"of": "weight", "at_least": "1/4"}, Electorate(), Verdict.UNKNOWN),
        ({"of": "voters", "at_least": "1/4"}, Electorate(voters=0), Verdict.NOT_PASSED),
    ],
)
def test_turnout__blank_and_spoiled_ballots__count_as_cast(
    requirement: dict[str, str], electorate: Electorate, verdict: Verdict
) -> None:
    groups = {YES: Group(1, 10), BLANK: Group(1, 10), SPOILED: Group(1, 10), b"": Group(1, 10)}
    assert _count({"turnout": requirement}, groups, electorate).verdict is verdict


def test_total__scores__are_compared_with_the_winners() -> None:
    groups = {b"\5\0": Group(2, 2), b"\0\3": Group(1, 1)}
    assert _count({"total": {"at_least": "10"}}, groups, method="score").verdict is Verdict.PASSED
    assert _count({"total": {"more_than": "10"}}, groups, method="score").verdict is Verdict.NOT_PASSED
    assert _count({"total": {"at_least": "-7/2"}}, groups, method="score").verdict is Verdict.PASSED


def test_majority__several_winners__each_must_have_it() -> None:
    groups = {b"\1\1": Group(2, 2), b"\1\0": Group(2, 2)}
    contest = {"method": "block_plurality", "seats": 2}
    assert _count({"majority": {"of": "counted", "at_least": "1/2"}}, groups, **contest).verdict is Verdict.PASSED
    assert _count({"majority": {"of": "counted", "more_than": "1/2"}}, groups, **contest).verdict is Verdict.NOT_PASSED


def test_requirements__several__are_shown_with_their_numbers() -> None:
    requires = {
        "majority": {"of": "counted", "at_least": "2/3"},
        "turnout": {"of": "voters", "at_least": "1/4"},
        "total": {"more_than": "2"},
    }
    result = _count(requires, {YES: Group(2, 2), NO: Group(1, 1)})
    assert [finding.verdict for finding in result.findings] == ["unknown", "passed", "not_passed"]
    assert result.verdict is Verdict.NOT_PASSED
    assert result.to_json()["requirements"] == [
        {
            "requires": "turnout",
            "of": "voters",
            "at_least": "1/4",
            "verdict": "unknown",
            "reached": "3",
            "whole": None,
            "text": "Required: turnout of at least 1/4 of the voters in the census. "
            "Reached: 3, of a number that is not known here. Unknown.",
        },
        {
            "requires": "majority",
            "of": "counted",
            "at_least": "2/3",
            "verdict": "passed",
            "reached": "2",
            "whole": "3",
            "text": "Required: majority of at least 2/3 of the votes counted. Reached: 2 of 3. Passed.",
        },
        {
            "requires": "total",
            "of": None,
            "more_than": "2",
            "verdict": "not_passed",
            "reached": "2",
            "whole": None,
            "text": "Required: a total of more than 2. Reached: 2. Not passed.",
        },
    ]


def test_requirements__in_the_text__stand_below_the_winner_and_the_ballots() -> None:
    definition, _ = parse_definition_document(_document({"majority": {"of": "counted", "at_least": "2/3"}}))
    text = render_text(count_election(definition, {YES: Group(2, 2), NO: Group(1, 1)}))
    assert "Winner: Yes\nPassed: all that was required is met.\n" in text
    assert "0 spoiled.\nRequired: majority of at least 2/3 of the votes counted. Reached: 2 of 3. Passed.\n" in text


@pytest.mark.parametrize(
    ("requires", "path", "message"),
    [
        ({"majority": {"at_least": "1/2"}}, "requires.majority.of", "is missing"),
        ({"majority": {"of": "voters", "at_least": "1/2"}}, "requires.majority.of", "expected one of counted, cast"),
        ({"majority": {"of": "cast"}}, "requires.majority", "has neither of at_least and more_than"),
        ({"turnout": {"of": "voters", "at_least": "1/2", "more_than": "1/3"}}, "requires.turnout", "has both of"),
        ({"turnout": {"of": "voters", "at_least": "3/2"}}, "requires.turnout.at_least", "not above 1"),
        ({"turnout": {"of": "voters", "at_least": "0.5"}}, "requires.turnout.at_least", 'such as "2/3"'),
        ({"turnout": {"of": "voters", "at_least": 1}}, "requires.turnout.at_least", "expected a text"),
        ({"total": {"of": "cast", "at_least": "1"}}, "requires.total.of", "unknown key"),
        ({"total": {"at_least": "01"}}, "requires.total.at_least", "expected a whole number or a fraction"),
        ({"quorum": {}}, "requires.quorum", "unknown key"),
        ([], "requires", "found a list, expected an object"),
    ],
)
def test_requires__what_does_not_fit__is_named(requires: object, path: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_definition_document(_document(requires))
    problems = {problem.path: problem.message for problem in caught.value.problems}
    assert message in problems[f"contests[0].{path}"]


def test_requires__majority_of_points__is_refused() -> None:
    with pytest.raises(DefinitionError, match="what score adds up are no votes"):
        parse_definition_document(_document({"majority": {"of": "cast", "at_least": "1/2"}}, method="score"))


def test_requires__what_is_read__is_exact() -> None:
    definition, _ = parse_definition_document(_document({"majority": {"of": "cast", "more_than": "50/100"}}))
    (requirement,) = definition.contests[0].requires
    assert (requirement.bound, requirement.strict) == (Fraction(1, 2), True)


def test_log_csv__every_number_of_a_step__has_its_row() -> None:
    options = [{"id": "a", "title": "=A"}, {"id": "b", "title": "B"}, {"id": "c", "title": "C"}]
    contest = {"id": "chair", "title": "Chair", "method": "irv", "options": options}
    definition, _ = parse_definition_document(json.dumps({"qballot": 1, "title": "T", "contests": [contest]}))
    result = count_election(definition, {b"\1\0\0": Group(3, 3), b"\0\1\0": Group(2, 2), b"\0\2\1": Group(1, 1)})
    rows = render_log_csv(result).split("\r\n")
    assert rows[:6] == [
        "contest,step,kind,item,value",
        'chair,1,round,text,"Round 1: =A 3, B 2, C 1; exhausted 0."',
        "chair,1,round,round,1",
        "chair,1,round,votes/a,3",
        "chair,1,round,votes/b,2",
        "chair,1,round,votes/c,1",
    ]
    assert "chair,2,elimination,options/1,c" in rows
    assert "chair,2,elimination,transfers/c/b,1" in rows
    assert rows[-6].startswith("chair,4,outcome,text,")
    assert rows[-5:] == [
        "chair,4,outcome,winners,",
        "chair,4,outcome,tied/1,a",
        "chair,4,outcome,tied/2,b",
        "chair,4,outcome,tied_for,seat",
        "",
    ]
    won = render_log_csv(count_election(definition, {b"\1\0\0": Group(3, 3)}))
    assert "'=A wins with 3 of 3" in won
