"""What a voter says and the ballot's bytes: `choose street/car-free`, `rank chair/ada,chair/ben`, and back.

    a choice      VERB ITEM,ITEM,…        the verb is the contest's method's (`qballot.core.tally.words`)
    an item       NAME or NAME=NUMBER     NAME is CONTEST/OPTION, or OPTION alone where only one can be meant;
                                          NUMBER may be the name of a grade: ada=excellent

Contests and options go by id or title. An item with a comma stands in double quotes, as in CSV, or alone.
What is said is written down even where it breaks the contest's rules: judging is the count's
(`qballot.core.ballot_words` shows its judgement). Ranks are 1, 2, … in the order of the items, or given by number.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from qballot.core.ballot import MAX_MARK, Marks, encode_ballot, split_ballot
from qballot.core.election import Contest, Definition
from qballot.core.problems import quote, suggest
from qballot.core.tally.methods import METHODS
from qballot.core.tally.words import Form, Words
from qballot.errors import InputError

MAX_CHOICE_CHARACTERS = 100_000
"""Longest text of one choice."""

MAX_LISTED_CHARACTERS = 400
"""Longest list of names in a message."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,4}\Z")

Place = tuple[int, int]
"""An option: its contest's position in the definition, its own in the contest."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that a voter says. verb: such as `rank`. text: the items, as in `chair/ada,chair/ben`."""

    verb: str
    text: str


@dataclass(frozen=True, slots=True)
class _Item:
    """A named option with the number that was given it, if one was."""

    place: Place
    name: str
    number: int | None


def list_verbs() -> tuple[Words, ...]:
    """Return every verb that some method uses, each once, in the order of the methods."""
    return tuple({rules.words.verb: rules.words for rules in METHODS.values()}.values())


def read_choices(definition: Definition, choices: Iterable[Choice], blank: Iterable[str] = ()) -> bytes:
    """Write down what a voter says as a ballot. Contests of which nothing is said are blank.

    blank: contests, by id or title, that are left blank on purpose.
    Raises InputError when nothing at all is said, a name or number is none, or something is said twice.
    """
    names = _Names(definition)
    said: dict[int, dict[int, _Item]] = {}
    for choice in choices:
        for item in names.read(choice):
            position, option = item.place
            if option in said.setdefault(position, {}):
                raise InputError(f"--{choice.verb}: {quote(item.name)} is named twice")
            said[position][option] = item
    empty = [_find_contest(definition, name) for name in blank]
    for position in said.keys() & set(empty):
        raise InputError(f"{definition.contests[position].id} is left blank by --blank and has a choice too")
    if not said and not empty:
        raise InputError(
            f"nothing is chosen: say {' and '.join(list_examples(definition))}, or leave a contest empty with --blank"
        )
    marks: list[int] = []
    for position, contest in enumerate(definition.contests):
        marks += _mark(contest, said.get(position, {}))
    return encode_ballot(marks)


def write_choices(definition: Definition, ballot: bytes) -> list[Choice]:
    """Say a ballot as choices that `read_choices` makes the same bytes of, by ids; nothing for blank contests.

    Raises InputError for a ballot that no words make: of a wrong length, or with marks that the method does not have.
    """
    parts = split_ballot(definition, ballot)
    if parts is None:
        raise InputError(f"found a ballot of {len(ballot)} bytes, expected {definition.ballot_length}")
    names = _Names(definition)
    choices = []
    for position, (contest, marks) in enumerate(zip(definition.contests, parts, strict=True)):
        rules = METHODS[contest.method]
        said = {option: mark for option, mark in enumerate(marks) if mark != rules.blank_mark}
        if said:
            written = {option: names.write((position, option)) for option in said}
            choices.append(Choice(rules.words.verb, ",".join(_write_items(contest, said, written))))
    return choices


def list_examples(definition: Definition) -> list[str]:
    """Show how to answer the first contest of each verb, as options of a command: `--rank chair/ada`."""
    names = _Names(definition)
    examples: dict[str, str] = {}
    for position, contest in enumerate(definition.contests):
        words = METHODS[contest.method].words
        examples.setdefault(words.verb, f"--{words.verb} {_write_example(words, names.write((position, 0)))}")
    return list(examples.values())


class _Names:
    """What every option of a definition can be called."""

    def __init__(self, definition: Definition) -> None:
        self._contests = definition.contests
        # By both ids, which no title can take.
        self._exact: dict[str, Place] = {}
        self._full: dict[str, set[Place]] = {}
        self._short: dict[str, set[Place]] = {}
        for position, contest in enumerate(definition.contests):
            for number, option in enumerate(contest.options):
                place = (position, number)
                self._exact[self.full_name(place)] = place
                for inner in (option.id, option.title):
                    self._short.setdefault(inner, set()).add(place)
                    for outer in (contest.id, contest.title):
                        self._full.setdefault(f"{outer}/{inner}", set()).add(place)

    def read(self, choice: Choice) -> Iterator[_Item]:
        """Read one choice's items, in order."""
        if len(choice.text) > MAX_CHOICE_CHARACTERS:
            raise InputError(f"--{choice.verb}: found {len(choice.text)} characters, expected fewer")
        for text in [choice.text] if self._is_name(choice.text) else _split(choice):
            item = self._read_item(choice.verb, text)
            self._check_form(choice.verb, item)
            yield item

    def write(self, place: Place) -> str:
        """Name an option by its id, with its contest's where there are several or the id alone could mean another."""
        contest, option = place
        name = self._contests[contest].options[option].id
        return name if len(self._contests) == 1 and len(self._short[name]) == 1 else self.full_name(place)

    def full_name(self, place: Place) -> str:
        """Name an option as contest/option, both by id."""
        contest = self._contests[place[0]]
        return f"{contest.id}/{contest.options[place[1]].id}"

    def _read_item(self, verb: str, text: str) -> _Item:
        name, equals, number = text.rpartition("=")
        if not equals or self._is_name(text):
            return _Item(self._find(verb, text), text, None)
        name, number = name.strip(), number.strip()
        place = self._find(verb, name)
        contest = self._contests[place[0]]
        named = METHODS[contest.method].name_marks(contest)
        for mark, word in named.items():
            if word.casefold() == number.casefold():
                return _Item(place, name, mark)
        if not _NUMBER.match(number) or abs(int(number)) > MAX_MARK:
            words = "".join(f"{word}, " for word in named.values())
            expected = f"expected {words}{'or ' if words else ''}a whole number from {-MAX_MARK} to {MAX_MARK}"
            raise InputError(f"--{verb}: {quote(name)} has {quote(number)}, {expected}")
        return _Item(place, name, int(number))

    def _is_name(self, text: str) -> bool:
        return text in self._full or text in self._short

    def _find(self, verb: str, name: str) -> Place:
        """Find the option of this name; one alone is looked for first where the verb fits."""
        if name in self._exact:
            return self._exact[name]
        found = self._full.get(name, set()) or self._short.get(name, set())
        fitting = {place for place in found if self._words(place).verb == verb}
        if len(fitting or found) == 1:
            return next(iter(fitting or found))
        if found:
            full = " or ".join(sorted(self.full_name(place) for place in fitting or found))
            raise InputError(f"--{verb}: {quote(name)} could mean {full}: write contest/option by their ids")
        known = self._full if "/" in name else self._short
        names = ", ".join(
            self.full_name((position, number)) if len(self._contests) > 1 else option.id
            for position, contest in enumerate(self._contests)
            if METHODS[contest.method].words.verb == verb
            for number, option in enumerate(contest.options)
        )
        hint = suggest(name, known)
        listed = f" The options are {names}" if names and len(names) <= MAX_LISTED_CHARACTERS else ""
        raise InputError(f"--{verb}: there is no option {quote(name)}{hint or '.'}{listed}")

    def _check_form(self, verb: str, item: _Item) -> None:
        """Refuse a verb that is not the contest's, and a number missing or too much."""
        words, contest = self._words(item.place), self._contests[item.place[0]]
        if words.verb != verb:
            raise InputError(
                f"--{verb}: the contest {quote(contest.title)} is counted by {contest.method}: "
                f"say --{words.verb} {_write_example(words, self.write(item.place))}"
            )
        if words.form is Form.NUMBER and item.number is None:
            raise InputError(
                f"--{verb}: {quote(item.name)} has no number, expected one as in {_write_example(words, item.name)}"
            )
        if words.form is Form.MARK and item.number is not None:
            raise InputError(f"--{verb}: {quote(item.name)} has the number {item.number}, expected the name alone")

    def _words(self, place: Place) -> Words:
        return METHODS[self._contests[place[0]].method].words


def _split(choice: Choice) -> list[str]:
    try:
        (cells,) = csv.reader([choice.text], strict=True, skipinitialspace=True)
    except (csv.Error, ValueError):
        raise InputError(f"--{choice.verb}: found {quote(choice.text)}, expected names separated by commas") from None
    items = [cell.strip() for cell in cells]
    if not items or "" in items:
        raise InputError(f"--{choice.verb}: found {quote(choice.text)}, expected a name between commas")
    return items


def _find_contest(definition: Definition, name: str) -> int:
    for position, contest in enumerate(definition.contests):
        if name in (contest.id, contest.title):
            return position
    hint = suggest(name, [text for contest in definition.contests for text in (contest.id, contest.title)])
    raise InputError(f"--blank: there is no contest {quote(name)}{hint}")


def _mark(contest: Contest, said: Mapping[int, _Item]) -> Marks:
    """Turn what is said of a contest, in the order in which it is said, into its marks."""
    rules = METHODS[contest.method]
    marks = [rules.blank_mark] * len(contest.options)
    numbered = [item for item in said.values() if item.number is not None]
    if rules.words.form is Form.ORDER and numbered and len(numbered) < len(said):
        raise InputError(f"--{rules.words.verb}: {contest.id} has ranks by number and by order, expected one way")
    for rank, (option, item) in enumerate(said.items(), start=1):
        by_name = rank if rules.words.form is Form.ORDER else 1
        marks[option] = by_name if item.number is None else item.number
    return tuple(marks)


def _write_items(contest: Contest, said: Mapping[int, int], names: Mapping[int, str]) -> list[str]:
    form = METHODS[contest.method].words.form
    if form is Form.MARK:
        if set(said.values()) != {1}:
            raise InputError(f"{contest.id} has marks other than 0 and 1, which no words make")
        return list(names.values())
    order: Sequence[int] = list(said)
    if form is Form.ORDER:
        order = sorted(said, key=lambda option: (said[option], option))
        if [said[option] for option in order] == list(range(1, len(said) + 1)):
            return [names[option] for option in order]
    return [f"{names[option]}={said[option]}" for option in order]


def _write_example(words: Words, name: str) -> str:
    return f"{name}=1" if words.form is Form.NUMBER else name
