"""Reading one JSON object of a definition: typed values out, every problem noted with its path."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from qballot.core.canonical import JsonTree
from qballot.core.problems import Problems, join_path, quote, suggest

MAX_UNKNOWN_KEYS = 10
"""Unknown keys of one object that are named one by one."""

_KINDS = {bool: "true or false", int: "an integer", str: "a text", list: "a list", dict: "an object"}


class ObjectReader:
    """One object of the document.

    A value that does not fit is noted in `problems` and replaced by one that does, so that reading goes on to find
    everything else; what is read counts only when there were no problems.
    """

    def __init__(self, node: JsonTree, path: str, problems: Problems) -> None:
        self.path = path
        self.problems = problems
        self._members: Mapping[str, JsonTree] = node if isinstance(node, dict) else {}
        self._is_object = isinstance(node, dict)
        if not self._is_object:
            problems.add(path, f"found {describe(node)}, expected an object")

    def __contains__(self, key: str) -> bool:
        return key in self._members

    def refuse(self, key: str, message: str) -> None:
        """Note a problem with one member."""
        self.problems.add(join_path(self.path, key), message)

    def text(self, key: str, find_fault: Callable[[str], str | None], default: str | None = None) -> str:
        """Read a text; required when there is no default. find_fault: says what is wrong with it, or None."""
        value = self._member(key, default)
        if value is None and key not in self:
            return ""
        if not isinstance(value, str):
            self._refuse_kind(key, value, str)
            return ""
        fault = find_fault(value)
        if fault:
            self.refuse(key, f"found {quote(value)}: {fault}")
        return value

    def integer(self, key: str, lowest: int, highest: int, default: int, meaning: str) -> int:
        """Read an integer from lowest to highest. meaning: a clause for the message."""
        value = self._member(key, default)
        # True and False are integers to Python, and not to JSON.
        if not isinstance(value, int) or isinstance(value, bool):
            self._refuse_kind(key, value, int)
            return default
        if not lowest <= value <= highest:
            bounds = f"{lowest}" if lowest == highest else f"{lowest} to {highest}"
            self.refuse(key, f"found {value}, expected {bounds} ({meaning})")
            return default
        return value

    def choice(self, key: str, words: Collection[str], default: str | None = None) -> str | None:
        """Read one word of a few; required when there is no default. Returns None when the value is none of them."""
        value = self._member(key, default)
        if value is None and key not in self:
            return None
        if isinstance(value, str) and value in words:
            return value
        hint = suggest(value, words) if isinstance(value, str) else ""
        self.refuse(key, f"found {describe(value)}, expected {_list_choices(words)}{hint}")
        return None

    def object(self, key: str) -> ObjectReader | None:
        """Read an optional object; None when there is none. A value that is no object is noted."""
        return ObjectReader(self._members[key], join_path(self.path, key), self.problems) if key in self else None

    def items(self, key: str, fewest: int, most: int) -> list[JsonTree]:
        """Read a required list of fewest to most items; an overlong list is noted and not read further."""
        value = self._member(key, None)
        if value is None and key not in self:
            return []
        if not isinstance(value, list):
            self._refuse_kind(key, value, list)
            return []
        if not fewest <= len(value) <= most:
            self.refuse(key, f"found {len(value)} items, expected {fewest} to {most}")
        return value if len(value) <= most else []

    def refuse_unknown(self, known: Collection[str], explain: Callable[[str], str | None] = lambda _: None) -> None:
        """Note every member that is not known. explain: a better message for some keys."""
        unknown = [key for key in self._members if key not in known]
        for key in unknown[:MAX_UNKNOWN_KEYS]:
            self.refuse(key, explain(key) or f"unknown key{suggest(key, known) or f', expected {_list_words(known)}'}")
        if len(unknown) > MAX_UNKNOWN_KEYS:
            self.problems.add(self.path, f"and {len(unknown) - MAX_UNKNOWN_KEYS} more unknown keys")

    def _member(self, key: str, default: JsonTree) -> JsonTree:
        if key in self._members:
            return self._members[key]
        if default is None and self._is_object:
            self.refuse(key, "is missing")
        return default

    def _refuse_kind(self, key: str, value: JsonTree, kind: type) -> None:
        self.refuse(key, f"found {describe(value)}, expected {_KINDS[kind]}")


def describe(value: JsonTree) -> str:
    """Say briefly what a value is."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return quote(value) if isinstance(value, str) else _KINDS[type(value)]


def refuse_repeated(
    values: Iterable[tuple[str, str]], what: str, problems: Problems, simplify: Callable[[str], str] = str
) -> None:
    """Note every value that stood before. values: (path, value) pairs in the document's order; empty values pass.

    simplify: reduces a value to what has to differ.
    """
    first: dict[str, tuple[str, str]] = {}
    for path, value in values:
        before, place = first.setdefault(simplify(value), (value, path))
        if value and place != path:
            found = f"{quote(value)} again" if value == before else f"{quote(value)}, which looks the same"
            problems.add(path, f"found {found}, expected {what} different from {place}")


def _list_words(words: Iterable[str]) -> str:
    return "one of " + ", ".join(words)


def _list_choices(words: Collection[str]) -> str:
    return _list_words(words) if len(words) > 1 else quote(next(iter(words)))
