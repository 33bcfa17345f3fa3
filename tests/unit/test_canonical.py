"""Strict and canonical JSON: what is accepted, what is refused, and that hostile bytes end in DefinitionError alone."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.canonical import (
    MAX_DEFINITION_BYTES,
    MAX_DEPTH,
    MAX_INTEGER,
    JsonTree,
    parse_canonical_json,
    parse_strict_json,
    to_canonical_json,
)
from qballot.errors import DefinitionError

pytestmark = pytest.mark.unit

_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\u061c\u200e\u200f")).filter(
    lambda text: not any("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in text)
)
_leaf = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | _text


def _deeper(children: st.SearchStrategy[JsonTree]) -> st.SearchStrategy[JsonTree]:
    return st.lists(children, max_size=4) | st.dictionaries(_text, children, max_size=4)


_trees: st.SearchStrategy[JsonTree] = st.recursive(_leaf, _deeper, max_leaves=8).filter(lambda tree: _depth(tree) <= 8)


def _depth(tree: JsonTree) -> int:
    if isinstance(tree, dict):
        return 1 + max(map(_depth, tree.values()), default=0)
    return 1 + max(map(_depth, tree), default=0) if isinstance(tree, list) else 0


def _paths(parse: Callable[[], object]) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        parse()
    return [problem.path for problem in caught.value.problems]


@given(_trees)
def test_canonical_json__any_tree__is_read_back(tree: JsonTree) -> None:
    assert parse_canonical_json(to_canonical_json(tree)) == tree


@given(_trees)
def test_strict_json__spaced_and_escaped__means_the_same(tree: JsonTree) -> None:
    assert parse_strict_json(json.dumps(tree, indent=2).encode()) == tree


@given(st.binary(max_size=200))
def test_parse__any_bytes__nothing_but_definition_error(data: bytes) -> None:
    try:
        tree = parse_canonical_json(data)
    except DefinitionError:
        return
    assert to_canonical_json(tree) == data


@given(st.text(alphabet='[]{}",:\\0123456789-.eEtrufalsn \ud800\u202e', max_size=60))
def test_parse__json_like_text__nothing_but_definition_error(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    try:
        tree = parse_canonical_json(data)
    except DefinitionError:
        return
    assert to_canonical_json(tree) == data


@pytest.mark.parametrize(
    "data",
    [
        b"[" * MAX_DEFINITION_BYTES,
        b'{"a":' * 10_000,
        b'"\\' * 30_000,
        b'\\"' * 30_000,
        b'"' * MAX_DEFINITION_BYTES,
        b"[" + b"9" * 60_000 + b"]",
        b"[1e" + b"9" * 60_000 + b"]",
        b"[-" + b"0" * 60_000 + b"]",
        b"[" + b"-0," * 20_000 + b"0]",
        b"{" + b'"":0,' * 13_000 + b'"":0}',
        b'["' + b"\\ud800" * 10_000 + b'"]',
        b"[" * MAX_DEPTH + b"]" * (MAX_DEPTH - 1),
        b" " * (MAX_DEFINITION_BYTES + 1),
    ],
    ids=lambda data: repr(data[:8]),
)
def test_parse__hostile_bytes__end_in_definition_error_with_few_problems(data: bytes) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_canonical_json(data)
    assert len(caught.value.problems) <= 101
    assert len(str(caught.value)) < 20_000


def test_parse__brackets_in_strings__are_no_depth() -> None:
    assert parse_canonical_json(b'["[[[[[[[[[[","\\"[[[[[[[[["]') == ["[[[[[[[[[[", '"[[[[[[[[[']


def test_parse__deepest_allowed__is_read() -> None:
    assert to_canonical_json(parse_canonical_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)) == b"[" * 8 + b"]" * 8


def test_parse__largest_integers__are_read() -> None:
    assert parse_canonical_json(b"[9007199254740991,-9007199254740991]") == [MAX_INTEGER, -MAX_INTEGER]


def test_parse__values_that_are_not_strict__are_all_named() -> None:
    data = b'{"a":[1.5,-0,NaN,{"b":9007199254740992}],"c d":"\\udfff","a":"\\u202e"}'
    assert _paths(lambda: parse_strict_json(data)) == ["a[0]", "a[1]", "a[2]", "a[3].b", '["c d"]', "a", "a"]


def test_parse__not_canonical__says_where() -> None:
    with pytest.raises(DefinitionError, match=r'at byte 2 found "b.*", expected "a'):
        parse_canonical_json(b'{"b":1,"a":2}')


def test_parse__trailing_newline__says_where() -> None:
    with pytest.raises(DefinitionError, match=r"at byte 2 found \"\\n\", expected the end"):
        parse_canonical_json(b"{}\n")


def test_parse__keys__sort_by_utf16_units() -> None:
    # RFC 8785, section 3.2.3: U+1F600 is the units D83D DE00 and comes before U+FB33.
    data = '{"\U0001f600":1,"\ufb33":2}'.encode()
    assert parse_canonical_json(data) == {"\U0001f600": 1, "\ufb33": 2}


def test_to_canonical_json__lone_surrogate__is_refused() -> None:
    trees: list[JsonTree] = ["\ud800", {"\ud800": 1}]
    for tree in trees:
        with pytest.raises(DefinitionError):
            to_canonical_json(tree)
