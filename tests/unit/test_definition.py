"""The definition: shared vectors, limits, messages, and that an author's file and its canonical form mean the same."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.canonical import MAX_DOCUMENT_BYTES
from qballot.core.definition import (
    Method,
    Option,
    definition_hash,
    parse_definition,
    parse_definition_document,
)
from qballot.core.definition.texts import find_title_fault
from qballot.core.tally import METHODS
from qballot.errors import DefinitionError, UnknownVersionError

pytestmark = pytest.mark.unit

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "definitions.json").read_text(encoding="utf-8"))
CITY_COUNCIL = Path(__file__).parents[2] / "examples" / "city-council" / "definition.json"


def _document(**contest: Any) -> dict[str, Any]:
    options = [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}]
    return {
        "qballot": 1,
        "title": "T",
        "contests": [{"id": "c", "title": "C", "method": "plurality", "options": options, **contest}],
    }


def _problems(document: object) -> dict[str, str]:
    with pytest.raises(DefinitionError) as caught:
        parse_definition_document(json.dumps(document))
    return {problem.path: problem.message for problem in caught.value.problems}


@pytest.mark.parametrize("case", VECTORS["valid"], ids=lambda case: case["name"])
def test_definition__valid_vector__is_read_and_hashed(case: dict[str, Any]) -> None:
    data = case["canonical"].encode()
    definition = parse_definition(data)
    assert "0x" + definition_hash(data).hex() == case["hash"]
    assert definition.ballot_length == case["ballot_length"]
    assert [dict(contest.limits) for contest in definition.contests] == case["limits"]
    if "variants" in case:
        assert [dict(contest.variants) for contest in definition.contests] == case["variants"]


@pytest.mark.parametrize("case", VECTORS["valid"], ids=lambda case: case["name"])
def test_definition__valid_vector_as_an_author_writes_it__is_the_same(case: dict[str, Any]) -> None:
    written = json.dumps(dict(reversed(json.loads(case["canonical"]).items())), indent=4)
    definition, canonical = parse_definition_document(written)
    assert canonical == case["canonical"].encode()
    assert definition == parse_definition(canonical)
    assert parse_definition_document(written.encode()) == (definition, canonical)


@pytest.mark.parametrize("case", VECTORS["invalid"], ids=lambda case: case["name"])
def test_definition__invalid_vector__names_every_path(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bytes"][2:]) if "bytes" in case else case["text"].encode()
    with pytest.raises(DefinitionError) as caught:
        parse_definition(data)
    assert sorted(problem.path for problem in caught.value.problems) == case["paths"]


def test_definition__city_council__has_what_it_says() -> None:
    definition, _ = parse_definition_document(CITY_COUNCIL.read_bytes())
    assert [contest.method for contest in definition.contests] == [Method.PLURALITY, Method.IRV]
    assert definition.contests[1].options[3] == Option("novak", "Petr Novák")
    assert (definition.language, definition.ballot_length) == ("en", 8)


def test_definition__unknown_key__suggests_the_nearest() -> None:
    assert _problems({**_document(), "titel": "x"})["titel"] == 'unknown key; did you mean "title"?'


def test_definition__unknown_key_like_no_other__lists_what_is_known() -> None:
    assert _problems({**_document(), "zz": 1})["zz"].startswith("unknown key, expected one of qballot, title")


def test_definition__misspelled_method__suggests_the_nearest() -> None:
    assert 'did you mean "approval"?' in _problems(_document(method="aproval"))["contests[0].method"]


def test_definition__limit_of_another_method__says_whose() -> None:
    problem = _problems(_document(max_ranks=1))["contests[0].max_ranks"]
    assert problem.startswith("is a limit of irv, stv")
    assert problem.endswith(", and this contest's method is plurality")


def test_definition__two_seats__says_that_the_method_fills_one() -> None:
    problem = _problems(_document(seats=2))["contests[0].seats"]
    assert problem == "found 2, expected 1 (plurality elects no more)"


def test_definition__repeated_id__says_where_it_stood_first() -> None:
    options = [{"id": "a", "title": "A"}, {"id": "a", "title": "B"}]
    problem = _problems(_document(options=options))["contests[0].options[1].id"]
    assert problem == 'found "a" again, expected an option\'s id different from contests[0].options[0].id'


def test_definition__titles_that_look_the_same__says_so() -> None:
    options = [{"id": "a", "title": "A B"}, {"id": "b", "title": "A\u00a0B"}]
    problem = _problems(_document(options=options))["contests[0].options[1].title"]
    assert problem.endswith(
        ", which looks the same, expected an option's title different from contests[0].options[0].title"
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Ada\u3164", "has the invisible character U+3164 at character 3"),
        ("a \u0301", "has a mark or joiner without the character that it belongs to, U+0301 at character 1"),
        ("Ada\u200d", "has a mark or joiner without the character that it belongs to, U+200D at character 3"),
        ("q" + "\u0301" * 5, "has more than 4 combining marks in a row, from U+0301 at character 1"),
        ("a\nb", "has the control character U+000A at character 1"),
        (
            "Jose\u0301",
            "is not in Unicode's normal form NFC, expected accented letters as one character where there is one",
        ),
    ],
)
def test_find_title_fault__bad_character__is_named_with_its_place(text: str, fault: str) -> None:
    assert find_title_fault(text) == fault


def test_find_title_fault__every_format_character__is_refused_but_for_those_that_show() -> None:
    shown = {*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD}
    hidden = {"Cf", "Co", "Cc", "Zl", "Zp", "Zs"}
    accepted = {code for code in range(0x110000) if unicodedata.category(chr(code)) in hidden} - shown
    assert not [f"U+{code:04X}" for code in accepted if find_title_fault(chr(code)) is None]


@pytest.mark.parametrize("case", VECTORS["unknown"], ids=lambda case: case["name"])
def test_definition__unknown_vector__is_neither_valid_nor_invalid(case: dict[str, Any]) -> None:
    for read in (parse_definition, parse_definition_document):
        with pytest.raises(UnknownVersionError) as caught:
            read(case["text"].encode())
        assert caught.value.found == case["version"]


def test_definition__hundreds_of_problems__are_cut_and_counted() -> None:
    document = {**_document(), **{f"key {index}": 0 for index in range(500)}}
    assert _problems(document)[""] == "and 490 more unknown keys"
    options = [{"id": "-", "title": " "} for _ in range(127)]
    with pytest.raises(DefinitionError, match=r"and 406 further problems") as caught:
        parse_definition_document(json.dumps(_document(options=options)))
    assert len(caught.value.problems) == 101


def test_definition_document__lone_surrogate_in_text__is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"lone surrogate U\+D800"):
        parse_definition_document('{"a":"\ud800"}')


def test_definition_document__too_large__is_refused() -> None:
    with pytest.raises(DefinitionError, match="expected at most 262144"):
        parse_definition_document(" " * (MAX_DOCUMENT_BYTES + 1))
    padded = json.dumps(_document(description="ä" * 10_000, options=[
        {"id": f"o{index}", "title": f"O{index}", "description": "ä" * 3_000} for index in range(10)
    ]))  # fmt: skip
    with pytest.raises(DefinitionError, match=r"canonical bytes, expected at most 65536"):
        parse_definition_document(padded)


def test_methods__every_method__has_rules_whose_defaults_are_within_their_bounds() -> None:
    assert set(METHODS) == set(Method)
    for rules in METHODS.values():
        for number in range(rules.min_options, 128):
            limits = {limit.name: limit.default(number) for limit in rules.limits}
            assert rules.find_limits_fault(limits) is None
            assert all(limit.lowest(number) <= limits[limit.name] <= limit.highest(number) for limit in rules.limits)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-200, 200) | st.sampled_from(["", "a", "irv", "score", "report", "en"]),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["qballot", "title", "contests", "id", "options", "method", "seats", "tie", "max_ranks", "x"]
            ),
            children,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_json, st.sampled_from(["title", "language", "contests", "organizer", "contest", "options", "option"]))
def test_definition__any_json_in_any_place__nothing_but_definition_error(value: Any, place: str) -> None:
    document = _document()
    contest = document["contests"][0]
    if place == "contest":
        document["contests"] = [value]
    elif place == "options":
        contest["options"] = value
    elif place == "option":
        contest["options"][0] = value
    else:
        document[place] = value
    try:
        definition, canonical = parse_definition_document(json.dumps(document))
    except DefinitionError:
        return
    assert parse_definition(canonical) == definition
