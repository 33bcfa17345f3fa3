"""JSON with exactly one byte form, so that a document's hash is a hash of its meaning.

Strict JSON is what every parser reads alike: UTF-8 without a byte order mark, no key twice in an object, integers only
and within ±(2**53 - 1) (what a JavaScript number holds), no lone surrogates, no bidirectional controls (they make text
look like other text), within caps on size and depth. Canonical JSON is the strict JSON whose bytes are its RFC 8785
(JCS) form.

The caps are checked before the work that they bound: hostile bytes cost a scan and end in DefinitionError.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TypeAlias

import rfc8785

from qballot.core.problems import Problems, join_path, quote
from qballot.errors import DefinitionError, Problem

JsonTree: TypeAlias = "bool | int | str | list[JsonTree] | dict[str, JsonTree] | None"

MAX_DEFINITION_BYTES = 65_536
"""Largest canonical document: it travels in a transaction's calldata and in a log."""

MAX_DOCUMENT_BYTES = 4 * MAX_DEFINITION_BYTES
"""Largest document before it is made canonical: indentation and escapes take room."""

MAX_DEPTH = 8
"""Deepest nesting of objects and lists."""

MAX_INTEGER = 2**53 - 1
"""Largest magnitude of an integer that an IEEE 754 double holds exactly (RFC 7493, section 2.2)."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

BIDI_CONTROL = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""The inside of a character class, which Python's `re` and JSON Schema's dialect read alike."""

_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|(?P<open>[\[{])|(?P<close>[\]}])', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_BIDI_CONTROL = re.compile(f"[{BIDI_CONTROL}]")


@dataclass(frozen=True, slots=True)
class _Refused:
    """A value that JSON allows and strict JSON does not, kept until its path is known."""

    message: str


class _Members(list[tuple[str, object]]):
    """An object's members as they were written, so that a key that stands twice is seen."""


def parse_canonical_json(data: bytes) -> JsonTree:
    """Parse canonical JSON: strict, and byte for byte its own RFC 8785 form.

    data: at most MAX_DEFINITION_BYTES. Raises DefinitionError with every problem and its path.
    """
    tree = parse_strict_json(data)
    fault = find_canonical_fault(data, tree)
    if fault:
        raise DefinitionError([fault])
    return tree


def to_canonical_json(tree: JsonTree) -> bytes:
    """Write a tree in its RFC 8785 form. Raises DefinitionError for what that form cannot say (a lone surrogate)."""
    try:
        return rfc8785.dumps(tree)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise DefinitionError([Problem("", f"has no canonical form: {error}")]) from None


def find_canonical_fault(data: bytes, tree: JsonTree) -> Problem | None:
    """Say where `data`, already parsed to `tree`, first differs from its RFC 8785 form; None when it does not."""
    expected = to_canonical_json(tree)
    if data == expected:
        return None
    common = min(len(data), len(expected))
    offset = next((index for index in range(common) if data[index] != expected[index]), common)
    found_text = _excerpt(data, offset)
    return Problem(
        "", f"not canonical (RFC 8785): at byte {offset} found {found_text}, expected {_excerpt(expected, offset)}"
    )


def parse_strict_json(data: bytes, max_bytes: int = MAX_DEFINITION_BYTES) -> JsonTree:
    """Parse strict JSON in any spacing and key order.

    max_bytes: cap on the size. Raises DefinitionError: with one problem where the bytes are no JSON or exceed a cap,
    else with every value that is not strict.
    """
    text = _decode_text(data, max_bytes)
    _check_depth(text)
    try:
        written: object = json.loads(
            text,
            object_pairs_hook=_Members,
            parse_int=_read_integer,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DefinitionError([Problem("", f"not JSON: {error.msg} at {place}")]) from None
    problems = Problems()
    tree = _settle(written, "", problems)
    problems.raise_if_any()
    return tree


def _decode_text(data: bytes, max_bytes: int) -> str:
    if len(data) > max_bytes:
        raise DefinitionError([Problem("", f"found {len(data)} bytes, expected at most {max_bytes}")])
    if data.startswith(BYTE_ORDER_MARK):
        raise DefinitionError([Problem("", "begins with a byte order mark, expected plain UTF-8")])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        raise DefinitionError([Problem("", f"not UTF-8: {found} ({error.reason})")]) from None


def _check_depth(text: str) -> None:
    depth = 0
    for match in _BRACKETS.finditer(text):
        if match["open"]:
            depth += 1
        elif match["close"]:
            depth -= 1
        if depth > MAX_DEPTH:
            message = f"objects and lists are nested more than {MAX_DEPTH} deep at character {match.start()}"
            raise DefinitionError([Problem("", message)])


def _read_integer(digits: str) -> int | _Refused:
    if digits == "-0":
        return _Refused("found -0, expected 0")
    # The length is looked at first: turning thousands of digits into a number is what a hostile document would want.
    if len(digits) > len(str(-MAX_INTEGER)) or abs(int(digits)) > MAX_INTEGER:
        return _Refused(f"found {_cut(digits)}, expected an integer within ±(2**53 - 1)")
    return int(digits)


def _refuse_number(digits: str) -> _Refused:
    return _Refused(f"found {_cut(digits)}, expected an integer written in digits alone")


def _cut(digits: str) -> str:
    return digits if len(digits) <= 24 else f"{digits[:20]}… ({len(digits)} characters)"


def _settle(written: object, path: str, problems: Problems) -> JsonTree:
    """Turn what the parser made into a plain tree, noting on the way what is not strict."""
    if isinstance(written, _Members):
        return _settle_object(written, path, problems)
    if isinstance(written, list):
        return [_settle(item, join_path(path, index), problems) for index, item in enumerate(written)]
    if isinstance(written, _Refused):
        problems.add(path, written.message)
        return None
    if isinstance(written, str):
        _check_characters(written, path, problems)
        return written
    if written is None or isinstance(written, bool | int):
        return written
    raise TypeError(f"the JSON parser made a {type(written).__name__}")


def _settle_object(members: _Members, path: str, problems: Problems) -> dict[str, JsonTree]:
    tree: dict[str, JsonTree] = {}
    for key, value in members:
        member_path = join_path(path, key)
        _check_characters(key, member_path, problems)
        if key in tree:
            problems.add(member_path, f"the key {quote(key)} stands twice in the same object")
        tree[key] = _settle(value, member_path, problems)
    return tree


def _check_characters(text: str, path: str, problems: Problems) -> None:
    if match := _SURROGATE.search(text):
        problems.add(path, f"found the lone surrogate U+{ord(match[0]):04X} at character {match.start()}")
    if match := _BIDI_CONTROL.search(text):
        message = f"found the bidirectional control U+{ord(match[0]):04X} at character {match.start()}"
        problems.add(path, f"{message}: it can make a text look like another")


def _excerpt(data: bytes, offset: int) -> str:
    if offset >= len(data):
        return "the end"
    return quote(data[offset : offset + 12].decode("utf-8", "replace"))
