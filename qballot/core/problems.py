"""Everything that is wrong in a document, gathered so that its author sees all of it at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches

from qballot.errors import DefinitionError, Problem

MAX_PROBLEMS = 100
"""Problems kept word for word; of a hostile document's further ones only the number is told."""

MAX_QUOTED_CHARACTERS = 60
"""Longest piece of a document that is repeated in a message."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")


class Problems:
    """A growing list of problems, each with its path. Nothing is raised before `raise_if_any`."""

    def __init__(self) -> None:
        self._kept: list[Problem] = []
        self._dropped = 0

    def __bool__(self) -> bool:
        return bool(self._kept)

    def add(self, path: str, message: str) -> None:
        """Note one problem. path: as `join_path` makes it, empty for the document as a whole."""
        if len(self._kept) < MAX_PROBLEMS:
            self._kept.append(Problem(path, message))
        else:
            self._dropped += 1

    def raise_if_any(self) -> None:
        """Raise DefinitionError with every problem noted so far, if there is one."""
        if not self._kept:
            return
        further = [Problem("", f"and {self._dropped} further problems")] if self._dropped else []
        raise DefinitionError([*self._kept, *further])


def join_path(path: str, key: str | int) -> str:
    """Extend a path by an object's key or a list's index, as in `contests[1].options[0].id`.

    A key that is not a plain word stands quoted in brackets: `contests[0]["my key"]`.
    """
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _PLAIN_KEY.match(key):
        return f"{path}[{quote(key)}]"
    return f"{path}.{key}" if path else key


def quote(text: str) -> str:
    """Write a piece of a document as a JSON string in ASCII, cut to a length fit for a message."""
    cut = text if len(text) <= MAX_QUOTED_CHARACTERS else text[:MAX_QUOTED_CHARACTERS] + "…"
    return json.dumps(cut)


def suggest(found: str, known: Iterable[str]) -> str:
    """Return `; did you mean "…"?` with the known word most like the one found, or an empty text when none is."""
    near = get_close_matches(found[:MAX_QUOTED_CHARACTERS], list(known), n=1)
    return f"; did you mean {quote(near[0])}?" if near else ""
