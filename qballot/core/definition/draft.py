"""A definition in the making: answers that come one by one, or as short texts, and the document made of them.

    contest   chair:irv:Chair of the council       ID:METHOD:TITLE
    option    chair/ada=Ada Lovelace                CONTEST/ID=TITLE, or ID=TITLE where there is one contest
    limit     chair/max_ranks=3                     CONTEST/NAME=NUMBER, or NAME=NUMBER; `seats` is set like a limit
              chair/tie=lot                         CONTEST/NAME=WORD for what is a word: `tie`, a method's variants
    require   chair/majority=counted>1/2            CONTEST/turnout=BASE>=SHARE, /majority=BASE>SHARE, /total=>=NUMBER
    about     chair/ada=Engineer.\\nRuns again.      CONTEST=TEXT or CONTEST/OPTION=TEXT; \\n begins a new line

Only the form of these texts is looked at here, and that they fit together; the document is the reader's to judge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from qballot.core.canonical import JsonTree
from qballot.core.definition.parse import VERSION
from qballot.core.problems import quote, suggest
from qballot.core.tally.methods import METHODS
from qballot.errors import InputError

CONTEST_FORM = "ID:METHOD:TITLE"
OPTION_FORM = "CONTEST/ID=TITLE"
LIMIT_FORM = "CONTEST/NAME=NUMBER|WORD"
REQUIRE_FORM = "CONTEST/DEMAND=BASE>=SHARE"
ABOUT_FORM = "CONTEST[/OPTION]=TEXT"

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}")
_LIMIT_NAME = re.compile(r"seats|[a-z]+_[a-z_]+")
_WORD_NAMES = {"tie", *(variant.name for rules in METHODS.values() for variant in rules.variants)}
_REQUIREMENT = re.compile(r"([a-z]*)(>=?)(-?[0-9]+(?:/[0-9]+)?)")


@dataclass(slots=True)
class OptionDraft:
    """An option, as far as it is known."""

    id: str
    title: str
    description: str = ""


@dataclass(slots=True)
class ContestDraft:
    """A contest, as far as it is known.

    limits: by name, only those that were given; `seats` and what is set by a word, such as `tie`, among them.
    requires: by demand, as the document has it.
    """

    id: str
    method: str
    title: str
    description: str = ""
    options: list[OptionDraft] = field(default_factory=list)
    limits: dict[str, int | str] = field(default_factory=dict)
    requires: dict[str, JsonTree] = field(default_factory=dict)


Draft = TypeVar("Draft", ContestDraft, OptionDraft)


@dataclass(slots=True)
class DefinitionDraft:
    """A definition, as far as it is known; an empty text is not given yet, or left out."""

    title: str = ""
    description: str = ""
    organizer: str = ""
    language: str = ""
    contests: list[ContestDraft] = field(default_factory=list)


def parse_contest_texts(
    contests: Iterable[str],
    options: Iterable[str],
    limits: Iterable[str],
    about: Iterable[str],
    requires: Iterable[str] = (),
) -> list[ContestDraft]:
    """Put the short texts of contests, options, limits, descriptions and requirements together, in their order.

    Raises InputError that says of every text what is wrong with its form, or which contest or option it lacks.
    """
    drafts: list[ContestDraft] = []
    problems: list[str] = []
    steps = [
        (_add_contest, contests),
        (_add_option, options),
        (_set_limit, limits),
        (_describe, about),
        (_require, requires),
    ]
    for step, texts in steps:
        for text in texts:
            try:
                step(drafts, text)
            except InputError as error:
                problems.append(f"{quote(text)}: {error}")
    if problems:
        raise InputError("\n  ".join(["these answers do not fit:", *problems]) if len(problems) > 1 else problems[0])
    return drafts


def build_document(draft: DefinitionDraft) -> dict[str, JsonTree]:
    """Build the document, in the order in which people read it; what was not given is left out."""
    texts: dict[str, JsonTree] = {"title": draft.title, "description": draft.description}
    names: dict[str, JsonTree] = {"organizer": draft.organizer, "language": draft.language}
    return {
        "qballot": VERSION,
        **_given(texts | names),
        "contests": [_build_contest(contest) for contest in draft.contests],
    }


def format_document(document: dict[str, JsonTree]) -> str:
    """Write a document for people to read and edit: indented JSON that ends with a newline."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _build_contest(contest: ContestDraft) -> JsonTree:
    return {
        "id": contest.id,
        "title": contest.title,
        **_given({"description": contest.description}),
        "method": contest.method,
        "options": [
            {"id": option.id, "title": option.title, **_given({"description": option.description})}
            for option in contest.options
        ],
        **contest.limits,
        **({"requires": contest.requires} if contest.requires else {}),
    }


def _given(texts: dict[str, JsonTree]) -> dict[str, JsonTree]:
    return {key: text for key, text in texts.items() if text}


def _add_contest(drafts: list[ContestDraft], text: str) -> None:
    parts = text.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise InputError(f"expected {CONTEST_FORM}, as in chair:irv:Chair of the council")
    name, method, title = parts
    if any(draft.id == name for draft in drafts):
        raise InputError(f"there is a contest {quote(name)} already")
    drafts.append(ContestDraft(name, method, title))


def _add_option(drafts: list[ContestDraft], text: str) -> None:
    place, title = _split(text, f"{OPTION_FORM}, as in chair/ada=Ada Lovelace")
    contest, name = _find_contest(drafts, place)
    if any(option.id == name for option in contest.options):
        raise InputError(f"the contest {quote(contest.id)} has an option {quote(name)} already")
    contest.options.append(OptionDraft(name, title))


def _set_limit(drafts: list[ContestDraft], text: str) -> None:
    place, number = _split(text, f"{LIMIT_FORM}, as in chair/max_ranks=3")
    contest, name = _find_contest(drafts, place)
    if name in _WORD_NAMES:
        contest.limits[name] = number
        return
    if not _LIMIT_NAME.fullmatch(name):
        raise InputError(f"found {quote(name)}, expected a limit's name such as max_ranks, or seats")
    if not _NUMBER.fullmatch(number):
        raise InputError(f"found {quote(number)}, expected a whole number")
    contest.limits[name] = int(number)


def _require(drafts: list[ContestDraft], text: str) -> None:
    place, required = _split(text, f"{REQUIRE_FORM}, as in chair/majority=counted>1/2")
    contest, name = _find_contest(drafts, place)
    match = _REQUIREMENT.fullmatch(required)
    if not match:
        raise InputError(f"found {quote(required)}, expected as in voters>=1/4, counted>1/2 or >=100")
    base, sign, bound = match.groups()
    of: dict[str, JsonTree] = {"of": base} if base else {}
    contest.requires[name] = {**of, "at_least" if sign == ">=" else "more_than": bound}


def _describe(drafts: list[ContestDraft], text: str) -> None:
    place, written = _split(text, f"{ABOUT_FORM}, as in chair/ada=Engineer")
    words = written.replace("\\n", "\n")
    if "/" not in place:
        _choose(place, drafts, "contest").description = words
        return
    contest, name = _find_contest(drafts, place)
    _choose(name, contest.options, f"option of {quote(contest.id)}").description = words


def _split(text: str, form: str) -> tuple[str, str]:
    place, separator, value = text.partition("=")
    if not separator or not place.strip("/") or not value:
        raise InputError(f"expected {form}")
    return place, value


def _find_contest(drafts: Sequence[ContestDraft], place: str) -> tuple[ContestDraft, str]:
    """Find the contest that a place like `chair/ada` names, or the only one, and what follows its name."""
    outer, separator, inner = place.partition("/")
    if separator:
        return _choose(outer, drafts, "contest"), inner
    if len(drafts) == 1:
        return drafts[0], outer
    raise InputError(f"expected the contest before it, as in {drafts[0].id if drafts else 'chair'}/{outer}")


def _choose(name: str, drafts: Sequence[Draft], what: str) -> Draft:
    for draft in drafts:
        if draft.id == name:
            return draft
    known = ", ".join(draft.id for draft in drafts) or "none yet"
    hint = suggest(name, [draft.id for draft in drafts])
    raise InputError(f"found no {what} {quote(name)}, expected one of: {known}{hint}")
