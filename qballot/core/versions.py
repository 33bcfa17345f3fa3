"""Which version a JSON document is of, found out before anything else about it is judged.

A program must not call a document invalid because a later version of QBallot made it. So a number that is not known
ends in UnknownVersionError, whatever else the document holds; only a document of a known version can be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from qballot.core.problems import quote
from qballot.errors import UnknownVersionError

KINDS: Final = ("evidence", "receipt")
"""Values of `kind` at the beginning of our files that have one."""

_Value = TypeVar("_Value", int, str)


def refuse_unknown_version(data: bytes, key: str, known: int, what: str) -> None:
    """Raise UnknownVersionError when a document's `key` is another number than the known one.

    Nothing else is checked: a document that is no JSON object, or has no such number, passes.
    """
    found = _read(_read_members(data), key, int)
    if found is not None and found != known:
        raise UnknownVersionError(what, found, known)


def refuse_unknown_file(data: bytes, kind: str, known: int) -> None:
    """Raise UnknownVersionError likewise for a document, or its first line, with `kind` and `version`.

    kind: the expected one. A document of another kind that is known passes.
    """
    members = _read_members(data)
    found_kind, found = _read(members, "kind", str), _read(members, "version", int)
    if found_kind is None or found is None:
        return
    if found_kind not in KINDS:
        raise UnknownVersionError("a file of kind", quote(found_kind), " and ".join(map(quote, KINDS)))
    if found_kind == kind and found != known:
        raise UnknownVersionError(f"{kind} version", found, known)


def _read_members(data: bytes) -> Mapping[str, msgspec.Raw]:
    try:
        return msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _read(members: Mapping[str, msgspec.Raw], key: str, kind: type[_Value]) -> _Value | None:
    """Read one member; None where there is none of this kind."""
    try:
        return msgspec.json.decode(members[key], type=kind)
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
        return None
