"""Which characters a definition's texts may hold.

The rules name code points and ask no Unicode database: what is valid must not change with a library's version.
Surrogates and bidirectional controls are refused before, in every JSON document (`qballot.core.canonical`).
"""

from __future__ import annotations

import re

MAX_TITLE_CHARACTERS = 200
"""Longest title or name, in Unicode code points."""

MAX_DESCRIPTION_CHARACTERS = 10_000
"""Longest description, in Unicode code points."""

MAX_ID_CHARACTERS = 64
MAX_LANGUAGE_CHARACTERS = 35
"""RFC 5646, section 4.4.1: room for every tag that is likely to be met."""

# Patterns and the insides of character classes, all ASCII: Python's `re` and JSON Schema's dialect read them alike.

ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,63}$"
LANGUAGE_PATTERN = r"^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$"
CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
CONTROL_BUT_NEWLINE = r"\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029"
INVISIBLE = r"\u00ad\u180e\u200b\u2060-\u2065\ufeff"
"""Characters that show nothing: with them two titles that look the same would differ. The joiners U+200C and U+200D are
not among them, since Persian, the scripts of India and emoji are spelled with them."""
SPACE = r"\x20\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"

_ID = re.compile(ID_PATTERN)
_LANGUAGE = re.compile(LANGUAGE_PATTERN)
_CONTROL = re.compile(f"[{CONTROL}]")
_CONTROL_BUT_NEWLINE = re.compile(f"[{CONTROL_BUT_NEWLINE}]")
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_EDGE_SPACE = re.compile(rf"^[{SPACE}\n]|[{SPACE}\n]\Z")


def find_title_fault(text: str) -> str | None:
    """Say what keeps a text from being a title, or None: one visible line of 1 … MAX_TITLE_CHARACTERS."""
    if not text:
        return "is empty, expected a title"
    return find_name_fault(text)


def find_name_fault(text: str) -> str | None:
    """Say what keeps a text from being a name on one line, or None. An empty text is no fault."""
    return _find_fault(text, MAX_TITLE_CHARACTERS, _CONTROL)


def find_description_fault(text: str) -> str | None:
    """Say what keeps a text from being a description, or None. Lines end with U+000A alone; empty is no fault."""
    return _find_fault(text, MAX_DESCRIPTION_CHARACTERS, _CONTROL_BUT_NEWLINE)


def find_id_fault(text: str) -> str | None:
    """Say what keeps a text from being an id, or None."""
    if _ID.fullmatch(text):
        return None
    return f"expected 1 to {MAX_ID_CHARACTERS} lower-case letters a-z, digits and hyphens, not beginning with a hyphen"


def find_language_fault(text: str) -> str | None:
    """Say what keeps a text from having the shape of a BCP 47 language tag, or None."""
    if len(text) <= MAX_LANGUAGE_CHARACTERS and _LANGUAGE.fullmatch(text):
        return None
    return "expected a BCP 47 language tag such as en or pt-BR"


def _find_fault(text: str, max_characters: int, refused: re.Pattern[str]) -> str | None:
    if len(text) > max_characters:
        return f"has {len(text)} characters, expected at most {max_characters}"
    if match := refused.search(text):
        return f"has the control character U+{ord(match[0]):04X} at character {match.start()}"
    if match := _INVISIBLE.search(text):
        return f"has the invisible character U+{ord(match[0]):04X} at character {match.start()}"
    if _EDGE_SPACE.search(text):
        return "begins or ends with a space, expected none there"
    return None
