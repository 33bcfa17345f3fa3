"""A definition put together from short texts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.definition import parse_definition_document
from qballot.core.definition.draft import DefinitionDraft, build_document, format_document, parse_contest_texts
from qballot.core.definition.slug import propose_id
from qballot.core.definition.texts import find_id_fault
from qballot.errors import InputError

pytestmark = pytest.mark.unit

CONTESTS = ["chair:irv:Chair: who leads", "budget:score:Budget"]
OPTIONS = ["chair/ada=Ada", "chair/ben=Ben = Benjamin", "budget/yes=Yes"]


def test_draft__all_texts__become_a_valid_document() -> None:
    contests = parse_contest_texts(
        CONTESTS,
        OPTIONS,
        ["chair/max_ranks=1", "budget/min_score=-3", "chair/seats=1"],
        ["chair=One chair.\\nOne year.", "chair/ada=Engineer"],
    )
    document = build_document(DefinitionDraft("Spring", "", "The board", "de", contests))
    assert document == {
        "qballot": 1,
        "title": "Spring",
        "organizer": "The board",
        "language": "de",
        "contests": [
            {
                "id": "chair",
                "title": "Chair: who leads",
                "description": "One chair.\nOne year.",
                "method": "irv",
                "options": [
                    {"id": "ada", "title": "Ada", "description": "Engineer"},
                    {"id": "ben", "title": "Ben = Benjamin"},
                ],
                "max_ranks": 1,
                "seats": 1,
            },
            {
                "id": "budget",
                "title": "Budget",
                "method": "score",
                "options": [{"id": "yes", "title": "Yes"}],
                "min_score": -3,
            },
        ],
    }
    text = format_document(document)
    definition, _ = parse_definition_document(text)
    assert json.loads(text) == document
    assert definition.contests[1].limits == {"min_score": -3, "max_score": 5}


def test_draft__one_contest__needs_not_be_named() -> None:
    contests = parse_contest_texts(["c:approval:C"], ["a=A", "c/b=B"], ["max_choices=1"], ["c=About C"])
    assert [option.id for option in contests[0].options] == ["a", "b"]
    assert contests[0].limits == {"max_choices": 1}


@pytest.mark.parametrize(
    ("contests", "options", "limits", "about", "message"),
    [
        (["chair"], [], [], [], "expected ID:METHOD:TITLE"),
        (["chair:irv:"], [], [], [], "expected ID:METHOD:TITLE"),
        (["a:irv:A", "a:irv:B"], [], [], [], 'there is a contest "a" already'),
        (CONTESTS, ["ada=Ada"], [], [], "expected the contest before it, as in chair/ada"),
        ([], ["ada=Ada"], [], [], "expected the contest before it, as in chair/ada"),
        (CONTESTS, ["chiar/ada=Ada"], [], [], 'expected one of: chair, budget; did you mean "chair"?'),
        (CONTESTS, ["chair/ada"], [], [], "expected CONTEST/ID=TITLE"),
        (CONTESTS, ["chair/ada="], [], [], "expected CONTEST/ID=TITLE"),
        (CONTESTS, ["chair/a=A", "chair/a=B"], [], [], 'the contest "chair" has an option "a" already'),
        (CONTESTS, [], ["chair/max_ranks=two"], [], 'found "two", expected a whole number'),
        (CONTESTS, [], ["chair/max_ranks=1_0"], [], "expected a whole number"),
        (CONTESTS, [], ["chair/title=3"], [], "expected a limit's name such as max_ranks"),
        (CONTESTS, OPTIONS, [], ["chair/eve=Eve"], 'found no option of "chair" "eve", expected one of: ada, ben'),
        (CONTESTS, OPTIONS, [], ["chairs=x"], 'found no contest "chairs"'),
    ],
)
def test_draft__text_that_does_not_fit__is_named(
    contests: list[str], options: list[str], limits: list[str], about: list[str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        parse_contest_texts(contests, options, limits, about)
    assert message in str(caught.value)


def test_draft__several_faults__are_named_together() -> None:
    with pytest.raises(InputError) as caught:
        parse_contest_texts(["chair"], ["ada=Ada"], [], [])
    assert str(caught.value).splitlines()[0] == "these answers do not fit:"
    assert len(str(caught.value).splitlines()) == 3


@given(st.text(max_size=80), st.sets(st.sampled_from(["ada", "option-1", "a"])))
def test_propose_id__any_title__gives_a_valid_id_that_is_free(title: str, taken: set[str]) -> None:
    proposed = propose_id(title, taken, "option-1")
    assert find_id_fault(proposed) is None
    assert proposed not in taken


def test_propose_id__title__is_read_off_it() -> None:
    assert propose_id("Chair of the Council!", (), "x") == "chair-of-the-council"
    assert propose_id("Petr Novák", {"petr-novak"}, "x") == "petr-novak-2"
    assert propose_id("選挙", (), "contest-1") == "contest-1"


def test_draft__words_and_requirements__are_in_the_document() -> None:
    contests = parse_contest_texts(
        ["c:stv:C"],
        ["a=A", "b=B", "d=D"],
        ["seats=2", "tie=previous-rounds-then-lot", "c/quota=droop"],
        [],
        ["turnout=voters>=1/4", "c/total=>3"],
    )
    document = build_document(DefinitionDraft("T", contests=contests))
    definition, _ = parse_definition_document(json.dumps(document))
    (contest,) = definition.contests
    assert (contest.seats, contest.tie, contest.variants["quota"]) == (2, "previous-rounds-then-lot", "droop")
    assert [(one.demand, one.base, str(one.bound), one.strict) for one in contest.requires] == [
        ("turnout", "voters", "1/4", False),
        ("total", None, "3", True),
    ]


@pytest.mark.parametrize("text", ["majority=cast", "majority=cast<1/2", "majority", "majority=cast>=half"])
def test_draft__requirement_that_does_not_fit__is_named(text: str) -> None:
    with pytest.raises(InputError, match="expected"):
        parse_contest_texts(["c:irv:C"], ["a=A", "b=B"], [], [], [text])
