"""Which characters a definition's texts may hold, and which titles are too alike.

The rules name code points; the one thing that they ask of a Unicode database is the normal form NFC. What they promise:
every text shows something where it is required, and no two titles of one list differ in invisible characters alone, in
how accents are encoded, or in the kind or number of spaces. They do not keep letters of different scripts apart that
look the same (Latin and Cyrillic A), nor upper from lower case, nor characters that a reader's fonts lack.

Surrogates and bidirectional controls are refused before, in every JSON document (`qballot.core.canonical`).
"""

from __future__ import annotations

import re
import unicodedata

MAX_TITLE_CHARACTERS = 200
"""Longest title or name, in Unicode code points."""

MAX_DESCRIPTION_CHARACTERS = 10_000
"""Longest description, in Unicode code points."""

MAX_ID_CHARACTERS = 64
MAX_LANGUAGE_CHARACTERS = 35
"""RFC 5646, section 4.4.1: room for every tag that is likely to be met."""

# Patterns and the insides of character classes. All in ASCII are read alike by Python's `re` and JSON Schema's dialect.

ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,63}$"
LANGUAGE_PATTERN = r"^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$"
CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
CONTROL_BUT_NEWLINE = r"\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029"
INVISIBLE = (
    # Default_Ignorable_Code_Point of Unicode 16 without U+200C, U+200D and U+FE0F, for which see JOINER
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufff8"
    # Shown as nothing or as a stand-in, without being in that list: blank braille, annotations, replaced objects
    r"\u2800\ufff9-\ufffc"
    # Private use, and noncharacters
    r"\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff"
)
"""Characters that show nothing, or nothing that is the same for everybody."""

INVISIBLE_BEYOND_16_BITS = (
    # Egyptian and shorthand format controls, a filler, a null notehead, musical format controls
    "\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    # The noncharacters at the end of planes 1 to 13; planes 14 to 16, which hold tags, selectors and private use
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 14))
    + "\U000e0000-\U0010ffff"
)
"""The same beyond U+FFFF, where dialects of regular expressions differ: not in the JSON Schema."""

JOINER = r"\u200c\u200d"
"""Characters that change how their neighbours join: Persian, scripts of India and emoji are spelled with them."""

EMOJI_STYLE = r"\ufe0f"
"""The character that asks for the coloured form of the one before it."""

MARK = (
    r"\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    r"\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece"
    r"\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ua66f-\ua672\ua674-\ua67d\ufe20-\ufe2f"
) + EMOJI_STYLE
"""What stacks upon the character before it: the blocks of combining marks, the marks of Cyrillic, Hebrew, Arabic, Thai
and Lao, and the emoji style. More than MAX_MARKS in a row bury their surroundings."""

MAX_MARKS = 4

SPACE = r"\x20\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"

LOOSE = rf"(?:^|[{SPACE}\n])[{MARK}{JOINER}]|[{JOINER}](?:[{MARK}{JOINER}{SPACE}\n]|$)"
"""A mark or joiner with no character before it to act on, or a joiner with none after it."""

TOO_MANY_MARKS = rf"[{MARK}]{{{MAX_MARKS + 1}}}"

_ID = re.compile(ID_PATTERN)
_LANGUAGE = re.compile(LANGUAGE_PATTERN)
_CONTROL = re.compile(f"[{CONTROL}]")
_CONTROL_BUT_NEWLINE = re.compile(f"[{CONTROL_BUT_NEWLINE}]")
_UNSEEN = re.compile(f"[{JOINER}{EMOJI_STYLE}]")
_SPACES = re.compile(f"[{SPACE}]+")
_EDGE_SPACE = re.compile(rf"^[{SPACE}\n]|[{SPACE}\n]\Z")
_FAULTS = (
    (re.compile(f"[{INVISIBLE}{INVISIBLE_BEYOND_16_BITS}]"), "the invisible character"),
    (re.compile(LOOSE), "a mark or joiner without the character that it belongs to,"),
    (re.compile(TOO_MANY_MARKS), f"more than {MAX_MARKS} combining marks in a row, from"),
)


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


def simplify_title(title: str) -> str:
    """Reduce a title to what tells it from others: without joiners and emoji styles, every gap one space, in NFC."""
    return unicodedata.normalize("NFC", _SPACES.sub(" ", _UNSEEN.sub("", title)))


def _find_fault(text: str, max_characters: int, refused: re.Pattern[str]) -> str | None:
    if len(text) > max_characters:
        return f"has {len(text)} characters, expected at most {max_characters}"
    for pattern, what in ((refused, "the control character"), *_FAULTS):
        if match := pattern.search(text):
            return f"has {what} U+{ord(match[0].strip()[:1] or match[0][0]):04X} at character {match.start()}"
    if _EDGE_SPACE.search(text):
        return "begins or ends with a space, expected none there"
    if not unicodedata.is_normalized("NFC", text):
        return "is not in Unicode's normal form NFC, expected accented letters as one character where there is one"
    return None
