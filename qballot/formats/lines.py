"""What all readers and writers share: numbered lines of bounded length, counts, scores, and what cannot be said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from qballot.core.ballot_csv import MAX_WEIGHT
from qballot.core.definition import MAX_OPTIONS
from qballot.core.problems import quote
from qballot.errors import BallotFileError, InputError
from qballot.formats.profile import Kind, Profile, find_gaps

MAX_LINE_CHARACTERS = 100_000
"""Longest line that is read: 127 options of the longest titles fit."""

MAX_ROWS = 2_000_000
"""Most rows that are written where every ballot has a row of its own."""

MAX_SCORE = 127
"""Greatest score, and less 1 the least: a ballot has one signed byte for each option, and -128 is no answer."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BYTE_ORDER_MARK = "\ufeff"
_COUNT = re.compile(r"[0-9]{1,29}(?:\.[0-9]{1,18}|/[0-9]{1,18})?\Z")
_SCORE = re.compile(r"[+-]?[0-9]{1,4}\Z")


def list_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield every line with its number from 1, without spaces around it and in Unicode's normal form NFC.

    So the same name written in two ways is one option. Windows line ends are accepted.

    Raises BallotFileError for a line that is too long, or that holds a control character.
    """
    for row, line in enumerate(text.removeprefix(_BYTE_ORDER_MARK).split("\n"), start=1):
        if len(line) > MAX_LINE_CHARACTERS:
            raise BallotFileError(row, f"has {len(line)} characters, expected at most {MAX_LINE_CHARACTERS}")
        if found := _CONTROL.search(line, 0, len(line.rstrip("\r"))):
            raise BallotFileError(
                row, f"found the control character U+{ord(found[0]):04X} at character {found.start()}"
            )
        yield row, unicodedata.normalize("NFC", line.strip())


def read_count(row: int, text: str, scale: int = 1) -> int:
    """Read how many ballots a row stands for, or what they weigh.

    scale: what the count is multiplied by, so that parts of votes become whole numbers.
    Raises BallotFileError for what is no number, for 0, for a part of a vote, and from 2**96 on.
    """
    if not _COUNT.match(text) or re.search(r"/0+\Z", text):
        raise BallotFileError(row, f"found the count {quote(text)}, expected a whole number from 1")
    count = Fraction(text) * scale
    if count.denominator != 1:
        times = f" times {scale}" if scale > 1 else ""
        raise BallotFileError(
            row,
            f"found the count {quote(text)}, which is no whole number of votes{times}; multiply the counts by "
            f"{count.denominator * scale} with --scale",
        )
    if not 1 <= count <= MAX_WEIGHT:
        raise BallotFileError(row, f"found the count {quote(text)}, expected from 1 to 2**96 - 1")
    return int(count)


def multiply_counts(profile: Profile, scale: int) -> Profile:
    """Multiply every count of ballots that were counted whole. Raises BallotFileError from 2**96 on."""
    if scale == 1:
        return profile
    for ballots in profile.ballots:
        if ballots.count * scale > MAX_WEIGHT:
            raise BallotFileError(ballots.row, f"found the count {ballots.count} times {scale}, expected below 2**96")
    multiplied = (replace(ballots, count=ballots.count * scale) for ballots in profile.ballots)
    return replace(profile, ballots=tuple(multiplied))


def read_score(row: int, name: str, text: str) -> int:
    """Read the score that an option has. Raises BallotFileError for what is no score, or for one beyond the limits."""
    if not _SCORE.match(text) or abs(int(text)) > MAX_SCORE:
        expected = f"expected a whole number from {-MAX_SCORE} to {MAX_SCORE}"
        raise BallotFileError(row, f"{quote(name)} has the score {quote(text)}, {expected}")
    return int(text)


def refuse_too_many(row: int, number: int) -> None:
    """Raise BallotFileError for more options than a contest can have."""
    if number > MAX_OPTIONS:
        raise BallotFileError(row, f"found {number} options, expected at most {MAX_OPTIONS}")


def refuse_scores(profile: Profile, form: str) -> None:
    """Raise BallotFileError at the first ballot with scores, for a form that has ranks alone."""
    if profile.kind is Kind.SCORES:
        row = next((ballots.row for ballots in profile.ballots if ballots.scores), 1)
        raise BallotFileError(row, f"this ballot has scores, and {form} has only ranks; abif has scores")


def refuse_gaps(profile: Profile, form: str) -> None:
    """Raise BallotFileError at the first ballot with a skipped rank, for a form that has none."""
    for ballots in find_gaps(profile):
        raise BallotFileError(
            ballots.row,
            f"this ballot skips rank {ballots.ranks.index(()) + 1}, and {form} has no skipped ranks; "
            "close them up with --skipped ignore",
        )


def refuse_unclear_titles(profile: Profile, form: str) -> None:
    """Raise InputError for an option without a title, or two of the same, for a form that tells options by them."""
    seen: set[str] = set()
    for title in (" ".join(alternative.title.split()) for alternative in profile.alternatives):
        if not title or title in seen:
            found = f"two options are called {quote(title)}" if title else "an option has no title"
            raise InputError(f"{found}, and {form} tells options by their titles: give each one of its own")
        seen.add(title)


def refuse_rows(profile: Profile) -> None:
    """Raise BallotFileError where a row for every ballot would be too many rows."""
    total = 0
    for ballots in profile.ballots:
        total += ballots.count
        if total > MAX_ROWS:
            raise BallotFileError(
                ballots.row, f"from here on more than {MAX_ROWS} ballots; write a row for equal ones with --weights"
            )
