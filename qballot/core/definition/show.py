"""The ballot in words, as a voter will see it: every contest with its options, what marks mean, how it is counted."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from qballot.core.election import Contest, Definition, TieRule
from qballot.core.tally.methods import METHODS
from qballot.core.tally.requirements import describe_requirement

WIDTH = 96
"""Columns of a line, indentation included."""

TIES: Mapping[TieRule, str] = {
    TieRule.REPORT: "A tie is reported as a tie.",
    TieRule.PREVIOUS_ROUNDS: "A tie goes by the latest earlier round that tells the tied apart, else it is reported.",
    TieRule.LOT: "A tie goes by a lot, drawn from a block after the close that nobody chose.",
    TieRule.PREVIOUS_ROUNDS_THEN_LOT: (
        "A tie goes by the latest earlier round that tells the tied apart, else by a lot, drawn from a block after the "
        "close that nobody chose."
    ),
}


def show_ballot(definition: Definition) -> str:
    """Write the whole ballot as plain text that ends with a newline."""
    return "\n".join(_lines(definition)) + "\n"


def _lines(definition: Definition) -> Iterator[str]:
    yield definition.title
    yield "=" * min(len(definition.title), WIDTH)
    if definition.organizer:
        yield f"Held by {definition.organizer}"
    yield from _wrap(definition.description)
    start = 0
    for number, contest in enumerate(definition.contests, start=1):
        yield ""
        yield from _contest(contest, f"{number} of {len(definition.contests)}", start)
        start += len(contest.options)
    yield ""
    length = definition.ballot_length
    yield f"A ballot has {length} byte{'s' if length > 1 else ''}, one for each option. Language of the texts: " + (
        f"{definition.language}."
    )


def _contest(contest: Contest, place: str, start: int) -> Iterator[str]:
    """Write a contest. place: as in `1 of 2`. start: where its bytes begin in the ballot."""
    rules = METHODS[contest.method]
    heading = f"{place}: {contest.title}"
    yield heading
    yield "-" * min(len(heading), WIDTH)
    yield from _wrap(contest.description)
    for byte, option in enumerate(contest.options, start=start + 1):
        yield f"  [ ] {option.title}  ({option.id}, byte {byte})"
        yield from _wrap(option.description, "      ")
    seats = "" if contest.seats == 1 else f" {contest.seats} options win."
    yield from _wrap(f"How to mark:     {rules.explain_marks(contest)}", hanging=17)
    yield from _wrap(f"How it counts:   {contest.method}. {rules.counting}{seats} {TIES[contest.tie]}", hanging=17)
    for variant in rules.variants:
        word = variant.of(contest)
        yield from _wrap(f"{f'{variant.name}:':<17}{word}: {variant.words[word]}.", hanging=17)
    for requirement in contest.requires:
        yield from _wrap(f"Required:        {describe_requirement(requirement)}.", hanging=17)
    if contest.limits:
        yield f"Limits:          {', '.join(f'{name} {value}' for name, value in contest.limits.items())}"


def _wrap(text: str, indent: str = "", hanging: int = 0) -> Iterator[str]:
    for line in text.split("\n") if text else ():
        yield from textwrap.wrap(line, WIDTH, initial_indent=indent, subsequent_indent=indent + " " * hanging) or [""]
