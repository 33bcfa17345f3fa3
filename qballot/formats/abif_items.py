"""The words of a row of ABIF: tokens of options, bare or quoted, and the signs between them; and whom tokens mean."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from qballot.core.problems import quote, suggest
from qballot.errors import BallotFileError
from qballot.formats.lines import refuse_too_many
from qballot.formats.profile import Alternative

_WORD = re.compile(
    r"""\s*(?:
        \[(?P<square>[^\[\]]*)\]
      | (?P<double>"(?:[^"\\]|\\.)*")
      | (?P<bare>[\w.'+-]+)
      | (?P<sign>[>=,/:*])
      | (?P<comment>\#.*)
    )""",
    re.VERBOSE,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
# Each is one run of one class of characters, so that no hostile row makes a search of it that never ends.
_KEY = re.compile(r'"[^"\\]+"|[\w-][\w -]*')
_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|[^"{}]*')
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a row.

    text: of a token without its quotes. sign: whether it is one of > = , / : *. bare: whether it is an unquoted token.
    """

    text: str
    sign: bool = False
    bare: bool = False


@dataclass(slots=True)
class Options:
    """The options met so far.

    alternatives: in the order of the file. tokens, titles: their places by either. declared: the row of the first
    declaration, 0 where tokens alone name the options.
    """

    alternatives: list[Alternative] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    titles: dict[str, int] = field(default_factory=dict)
    declared: int = 0

    def add(self, row: int, alternative: Alternative) -> None:
        """Add an option of this row. Raises BallotFileError for one that is there already, or one too many."""
        for names, text in ((self.tokens, alternative.name), (self.titles, alternative.title)):
            if text in names:
                raise BallotFileError(row, f"found an option {quote(text)} a second time, expected another")
            if text:
                names[text] = len(self.alternatives)
        self.alternatives.append(alternative)
        refuse_too_many(row, len(self.alternatives))

    def find(self, row: int, word: Word) -> int:
        """Find an option by its token or title, or add it.

        Raises BallotFileError for a bare token that is not declared where others are; a quoted one is a title.
        """
        place = self.tokens.get(word.text, self.titles.get(word.text))
        if place is not None:
            return place
        if self.declared and word.bare:
            hint = suggest(word.text, [*self.tokens, *self.titles])
            raise BallotFileError(
                row, f"found no option {quote(word.text)} among those of the rows that begin with ={hint}"
            )
        self.add(row, Alternative(word.text, word.text if word.bare else ""))
        return len(self.alternatives) - 1


def list_words(row: int, line: str) -> Iterator[Word]:
    """Cut a row into words, up to its comment. Raises BallotFileError for a sign that ABIF does not have."""
    at = 0
    while at < len(line):
        match = _WORD.match(line, at)
        if not match:
            raise BallotFileError(
                row,
                f"found {quote(line[at:].strip())}, expected an option's token, in [ ] where it has signs",
            )
        at = match.end()
        if match["comment"] is not None:
            return
        if match["sign"]:
            yield Word(match["sign"], sign=True)
        elif match["bare"]:
            yield Word(match["bare"], bare=True)
        else:
            text = match["square"] if match["double"] is None else _unquote(row, match["double"])
            if not text.strip():
                raise BallotFileError(row, "found a token without a text, expected one")
            yield Word(" ".join(text.split()))


def read_metadata(row: int, line: str) -> tuple[str, str]:
    """Read a row such as `{"title": "Board"}`: key and value, as texts. Raises BallotFileError."""
    key, rest = _cut(_KEY, line[1:].lstrip())
    value, end = _cut(_VALUE, rest[1:].lstrip())
    after = end[1:].lstrip()
    if not key or not rest.startswith(":") or not end.startswith("}") or (after and not after.startswith("#")):
        raise BallotFileError(row, f'found {quote(line)}, expected one key and value, as in {{"title": "Board"}}')
    return key.strip('"'), _unquote(row, value) if value.startswith('"') else value


def is_bare(text: str) -> bool:
    """Whether every reader takes a token without quotes."""
    return bool(_BARE.match(text))


def quote_token(text: str) -> str:
    """Write a text as a token: in square brackets, or in double quotes where it holds a bracket."""
    return json.dumps(text, ensure_ascii=False) if "[" in text or "]" in text else f"[{text}]"


def _cut(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    """Cut off what a text begins with; returns that, and what follows, without spaces between."""
    match = pattern.match(text)
    end = match.end() if match else 0
    return text[:end].strip(), text[end:].lstrip()


def _unquote(row: int, text: str) -> str:
    try:
        read = unicodedata.normalize("NFC", str(json.loads(text)))
    except ValueError:
        raise BallotFileError(row, f"found {quote(text)}, expected a text in double quotes as JSON has it") from None
    # Escapes can hide what no line may hold.
    if _UNWRITABLE.search(read.replace("\n", " ").replace("\t", " ")):
        raise BallotFileError(row, f"found {quote(text)}, which holds a control character or half of a character")
    return read
