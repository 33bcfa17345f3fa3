"""The published JSON Schema: as committed, and in agreement with the reader as far as a schema can be."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from qballot.core.canonical import BIDI_CONTROL, to_canonical_json
from qballot.core.definition import build_schema, parse_definition, parse_definition_document
from qballot.core.definition.texts import (
    CONTROL,
    INVISIBLE,
    INVISIBLE_BEYOND_16_BITS,
    JOINER,
    MARK,
    SPACE,
    find_description_fault,
    find_id_fault,
    find_language_fault,
    find_title_fault,
)
from qballot.core.election import Method
from qballot.core.tally.methods import METHODS
from qballot.errors import DefinitionError

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
SCHEMA = build_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
VECTORS = json.loads((ROOT / "tests" / "vectors" / "definitions.json").read_text())

LEFT_TO_THE_READER = {
    # how the document is written down
    "byte order mark", "a surrogate in UTF-8", "space between", "newline at the end", "keys out of order",
    "needless escape", "escaped slash", "a fraction", "a key twice", "a key twice by an escape",
    "lone high surrogate", "lone low surrogate",
    # what depends on several values at once
    "1025 options in all", "contest's id twice", "contest's title twice", "option's id twice", "option's title twice",
    "max_choices beyond the options", "max_ranks beyond the options", "a scale of one score",
    "a scale turned round by the default", "more seats than options", "more choices than options", "a share above 1",
    "Scottish rules with the Hare quota",
    "titles in NFC and not", "titles that differ in a joiner", "titles that differ in an emoji style",
    "titles that differ in the kind of space", "titles that differ in the number of spaces",
    # what dialects of regular expressions cannot say alike
    "a title not in NFC", "a description not in NFC",
    *(f"invisible character U+{point} {place}"
      for point in ("E0041", "E0100", "1D173", "1D159", "16FE4", "13430", "1FFFE", "F0000", "10FFFD")
      for place in ("alone", "after Ada")),
}  # fmt: skip
"""What a schema cannot say; docs/definition.md tells its readers so."""


def _load(vector: dict[str, Any]) -> Any:
    """Read a vector as an ordinary JSON parser does, which is what stands before a schema; ValueError if it cannot."""
    return json.loads(vector["text"] if "text" in vector else bytes.fromhex(vector["bytes"][2:]))


def test_schema__committed_file__is_the_one_that_the_rules_give() -> None:
    committed = ROOT / "qballot" / "core" / "definition" / "schema.json"
    made_by = "qballot definition schema > qballot/core/definition/schema.json"
    assert committed.read_text() == json.dumps(SCHEMA, indent=2) + "\n", made_by


def test_schema__itself__is_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["name"])
def test_schema__valid_definition__passes(vector: dict[str, Any]) -> None:
    VALIDATOR.validate(json.loads(vector["canonical"]))


def test_schema__the_example__passes() -> None:
    VALIDATOR.validate(json.loads((ROOT / "examples" / "city-council" / "definition.json").read_text()))


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=lambda vector: vector["name"])
def test_schema__invalid_definition__is_refused_where_a_schema_can(vector: dict[str, Any]) -> None:
    try:
        document = _load(vector)
    except (ValueError, RecursionError):
        return  # no JSON: nothing that a schema is asked about
    assert VALIDATOR.is_valid(document) == (vector["name"] in LEFT_TO_THE_READER)


def test_schema__each_exception__is_a_vector() -> None:
    assert {vector["name"] for vector in VECTORS["invalid"]} >= LEFT_TO_THE_READER


@pytest.mark.parametrize("method", list(Method))
def test_schema__every_method__knows_its_own_limits_and_no_other(method: Method) -> None:
    options = [{"id": f"o{number}", "title": f"O{number}"} for number in range(3)]
    contest = {"id": "c", "title": "C", "method": method.value, "options": options}
    document = {"qballot": 1, "title": "T", "contests": [contest]}
    for rules in METHODS.values():
        for limit in rules.limits:
            contest[limit.name] = limit.default(len(options))
            assert VALIDATOR.is_valid(document) == (limit.name in METHODS[method].keys), limit.name
            contest[limit.name] = limit.highest(127) + 1
            assert not VALIDATOR.is_valid(document)
            del contest[limit.name]


RANGES = "".join((CONTROL, INVISIBLE, JOINER, MARK, SPACE, BIDI_CONTROL)).replace("-", "")
SPECIAL = "\n\t -aZ0é\u200d😀" + RANGES.encode().decode("unicode_escape")
texts = st.text(st.sampled_from(SPECIAL) | st.characters(exclude_categories=["Cs"]), max_size=6)


def _is_left_to_the_reader(text: str) -> bool:
    beyond = re.search(f"[{INVISIBLE_BEYOND_16_BITS}]", text)
    return beyond is not None or not unicodedata.is_normalized("NFC", text)


@given(texts)
def test_schema__any_text__is_judged_like_the_reader_does(text: str) -> None:
    document: dict[str, Any] = {
        "qballot": 1,
        "title": text,
        "contests": [
            {
                "id": "c",
                "title": "C",
                "method": "plurality",
                "options": [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}],
            }
        ],
    }
    try:
        parse_definition_document(json.dumps(document))
        fits = True
    except DefinitionError:
        fits = False
    assert VALIDATOR.is_valid(document) == fits or _is_left_to_the_reader(text)
    if fits:
        VALIDATOR.validate(document)
        parse_definition(to_canonical_json(document))


@given(texts, st.sampled_from(["title", "description", "id", "language"]))
def test_schema__any_text_anywhere__is_judged_by_its_place(text: str, place: str) -> None:
    find_fault = {
        "title": find_title_fault,
        "description": find_description_fault,
        "id": find_id_fault,
        "language": find_language_fault,
    }[place]
    part = Draft202012Validator({"$defs": SCHEMA["$defs"], "$ref": f"#/$defs/{place}"})
    # Bidirectional controls are refused in every text of the document, before it is read.
    expected = find_fault(text) is None and re.search(f"[{BIDI_CONTROL}]", text) is None
    assert part.is_valid(text) == expected or (not expected and _is_left_to_the_reader(text))
