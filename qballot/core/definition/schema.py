"""The definition as a JSON Schema (draft 2020-12), for editors and for programs that write definitions.

Made from the same registry of methods and the same rules for texts that the reader goes by, so that the two cannot
drift; `schema.json` beside this file is its committed form. A schema cannot say everything: see `docs/definition.md`
for what it leaves to `qballot definition check`. It refuses nothing that is valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qballot.core.canonical import BIDI_CONTROL
from qballot.core.definition.contests import MAX_CONTESTS, MAX_OPTIONS
from qballot.core.definition.parse import VERSION
from qballot.core.definition.requires import AT_LEAST, BASES, MORE_THAN, SHARE_PATTERN, TOTAL_PATTERN
from qballot.core.definition.show import TIES
from qballot.core.definition.texts import (
    CONTROL,
    CONTROL_BUT_NEWLINE,
    ID_PATTERN,
    INVISIBLE,
    LANGUAGE_PATTERN,
    LOOSE,
    MAX_DESCRIPTION_CHARACTERS,
    MAX_LANGUAGE_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    SPACE,
    TOO_MANY_MARKS,
)
from qballot.core.election import Demand, Method, TieRule
from qballot.core.tally.methods import METHODS
from qballot.core.tally.rules import Limit, Variant

SCHEMA_ID = f"urn:qballot:definition:{VERSION}"

Schema = dict[str, Any]


def build_schema() -> Schema:
    """Build the schema as a JSON tree."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "QBallot election definition",
        "type": "object",
        "required": ["qballot", "title", "contests"],
        "properties": {
            "qballot": {"description": "Version of the counting specification", "type": "integer", "const": VERSION},
            "title": {"$ref": "#/$defs/title"},
            "description": {"$ref": "#/$defs/description"},
            "organizer": {"description": "Who holds the election, in words", "$ref": "#/$defs/line"},
            "language": {"$ref": "#/$defs/language"},
            "contests": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_CONTESTS,
                "items": {"$ref": "#/$defs/contest"},
            },
        },
        "additionalProperties": False,
        "$defs": {**_texts(), "option": _option(), "contest": _contest(), "requires": _requires()},
    }


def _texts() -> Schema:
    line = {"type": "string", "maxLength": MAX_TITLE_CHARACTERS, "not": {"pattern": _refused(CONTROL)}}
    return {
        "line": line,
        "title": {"$ref": "#/$defs/line", "minLength": 1},
        "description": {
            "type": "string",
            "maxLength": MAX_DESCRIPTION_CHARACTERS,
            "not": {"pattern": _refused(CONTROL_BUT_NEWLINE)},
        },
        "id": {"$ref": "#/$defs/line", "pattern": ID_PATTERN},
        "language": {
            "description": "BCP 47 tag of the texts",
            "$ref": "#/$defs/line",
            "pattern": LANGUAGE_PATTERN,
            "maxLength": MAX_LANGUAGE_CHARACTERS,
            "default": "en",
        },
    }


def _refused(controls: str) -> str:
    """Build the pattern of texts that hold what no text may, or that begin or end with a space."""
    return rf"[{controls}{INVISIBLE}{BIDI_CONTROL}]|{LOOSE}|{TOO_MANY_MARKS}|^[{SPACE}\n]|[{SPACE}\n]$"


def _option() -> Schema:
    return {
        "type": "object",
        "required": ["id", "title"],
        "properties": _names(),
        "additionalProperties": False,
    }


def _contest() -> Schema:
    return {
        "type": "object",
        "required": ["id", "title", "method", "options"],
        "properties": {
            **_names(),
            "method": {"enum": [method.value for method in Method]},
            "options": {"type": "array", "minItems": 1, "maxItems": MAX_OPTIONS, "items": {"$ref": "#/$defs/option"}},
            "seats": {"description": "How many options win", "type": "integer", "minimum": 1, "default": 1},
            "tie": {
                "description": "What decides between options that the votes leave equal",
                **_words({rule.value: TIES[rule] for rule in TieRule}, TieRule.REPORT.value),
            },
            "requires": {"$ref": "#/$defs/requires"},
        },
        # Each method's own limits are known only where its rule applies; any other key is refused.
        "allOf": [_method(method) for method in Method],
        "unevaluatedProperties": False,
    }


def _names() -> Schema:
    return {
        "id": {"$ref": "#/$defs/id"},
        "title": {"$ref": "#/$defs/title"},
        "description": {"$ref": "#/$defs/description"},
    }


def _method(method: Method) -> Schema:
    rules = METHODS[method]
    return {
        "if": {"required": ["method"], "properties": {"method": {"const": method.value}}},
        "then": {
            "properties": {
                "options": {"minItems": rules.min_options},
                "seats": {"maximum": rules.max_seats},
                **{limit.name: _limit(limit, rules.min_options) for limit in rules.limits},
                **{variant.name: _variant(variant) for variant in rules.variants},
                **({} if rules.totals_are_votes else {"requires": {"not": {"required": [Demand.MAJORITY.value]}}}),
            }
        },
    }


def _variant(variant: Variant) -> Schema:
    return {"description": variant.meaning, **_words(variant.words, variant.default)}


def _words(words: Mapping[str, str], default: str) -> Schema:
    """Let a value be one of a few words, each explained."""
    listed = [{"const": word, "description": meaning} for word, meaning in words.items()]
    return {"type": "string", "oneOf": listed, "default": default}


def _requires() -> Schema:
    """Describe what a contest requires to pass; a share's being at most 1 is the reader's."""
    return {
        "description": "What the result needs beside the most votes; whether it passed is said with the numbers",
        "type": "object",
        "properties": {demand.value: _requirement(demand) for demand in Demand},
        "additionalProperties": False,
    }


MEANINGS = {
    Demand.TURNOUT: "How much of the electorate must vote, blank and spoiled ballots included",
    Demand.MAJORITY: "How large a share of the votes the winner must have; of several winners, each",
    Demand.TOTAL: "How large the winner's total must be; of several winners, each one's",
}


def _requirement(demand: Demand) -> Schema:
    pattern = TOTAL_PATTERN if demand is Demand.TOTAL else SHARE_PATTERN
    bound = {"$ref": "#/$defs/line", "pattern": pattern}
    of = {"of": {"enum": [base.value for base in BASES[demand]]}} if BASES[demand] else {}
    return {
        "description": MEANINGS[demand],
        "type": "object",
        "properties": {**of, AT_LEAST: bound, MORE_THAN: bound},
        "required": list(of),
        "oneOf": [{"required": [AT_LEAST]}, {"required": [MORE_THAN]}],
        "additionalProperties": False,
    }


def _limit(limit: Limit, min_options: int) -> Schema:
    """Bound a limit by what it may be with any number of options; that with the contest's own is the reader's."""
    sizes = [(options, seats) for options in range(min_options, MAX_OPTIONS + 1) for seats in (1, options)]
    schema: Schema = {
        "description": limit.meaning,
        "type": "integer",
        "minimum": min(limit.lowest(*size) for size in sizes),
        "maximum": max(limit.highest(*size) for size in sizes),
    }
    defaults = {limit.default(*size) for size in sizes}
    return {**schema, "default": defaults.pop()} if len(defaults) == 1 else schema
