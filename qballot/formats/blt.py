"""BLT, the format of OpenSTV and OpaVote, first described with Meek's method by Hill, Wichmann and Woodall.

    4 2             # four options for two seats
    -2              # the second has withdrawn
    3 1 3 4 0       # three ballots, or one of weight 3: option 1 first, then 3, then 4
    1 2=3 - 1 0     # options 2 and 3 equal first, no second choice, option 1 third
    1 0             # a blank ballot
    0               # the end of the ballots
    "Ada"
    …
    "Board"         # the title

Source: OpaVote's help, "BLT file format"; a ballot's own id in parentheses, as OpenSTV has it, is passed over, and so
are the two quoted texts that Wichmann's programs put after the title.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from qballot.core.problems import quote
from qballot.errors import BallotFileError, InputError
from qballot.formats.lines import list_lines, read_count, refuse_scores, refuse_too_many
from qballot.formats.profile import Alternative, Ballots, Kind, Profile, close_end

MAX_RANKS = 1_000
"""Most ranks of one ballot, skipped ones included."""

MAX_TEXTS_AFTER_TITLE = 2

_HEAD = re.compile(r"([0-9]{1,9})\s+([0-9]{1,9})\Z")
_WITHDRAWN = re.compile(r"(?:-[0-9]{1,9}\s*)+\Z")
_BALLOT_ID = re.compile(r"\([^()]*\)")
_RANK = re.compile(r"[0-9]{1,9}(?:=[0-9]{1,9})*\Z")
_QUOTED = re.compile(r'"([^"]*)"\s*(?:#.*)?\Z')


def read_blt(text: str, scale: int = 1) -> Profile:
    """Read a file of BLT. scale: what every weight is multiplied by.

    Raises BallotFileError with the row of the first thing that does not fit.
    """
    lines = _list_filled(text)
    row, head = next(lines, (1, ""))
    number, seats = _read_head(row, head)
    withdrawn: frozenset[int] = frozenset()
    ballots: list[Ballots] = []
    for row, line in lines:
        numbers = _cut_comment(line)
        if numbers == "0":
            break
        if not ballots and not withdrawn and _WITHDRAWN.match(numbers):
            withdrawn = frozenset(_read_option(row, word[1:], number) for word in numbers.split())
        else:
            ballots.append(_read_ballot(row, numbers, number, scale))
    else:
        raise BallotFileError(row, "the file ends here, expected a row 0 after the last ballot, then the names")
    names = [_read_text(row, line) for row, line in _take_names(lines, number, row)]
    title = _read_title(lines)
    alternatives = tuple(Alternative(name) for name in names)
    return Profile(alternatives, Kind.RANKS, tuple(ballots), title, seats=seats, withdrawn=withdrawn)


def write_blt(profile: Profile) -> str:
    """Write a profile as BLT, one row for equal ballots.

    Raises BallotFileError for scores, InputError for a name with a double quote: BLT can say neither.
    """
    refuse_scores(profile, "blt")
    lines = [f"{len(profile.alternatives)} {profile.seats or 1}"]
    if profile.withdrawn:
        lines.append(" ".join(f"-{option + 1}" for option in sorted(profile.withdrawn)))
    for ballots in profile.ballots:
        ranks = ["=".join(str(option + 1) for option in rank) or "-" for rank in ballots.ranks]
        lines.append(" ".join([str(ballots.count), *ranks, "0"]))
    lines.append("0")
    lines += [_quote_text(alternative.title) for alternative in profile.alternatives]
    lines.append(_quote_text(profile.title))
    return "\n".join(lines) + "\n"


def _list_filled(text: str) -> Iterator[tuple[int, str]]:
    return ((row, line) for row, line in list_lines(text) if line and not line.startswith("#"))


def _cut_comment(line: str) -> str:
    return line.partition("#")[0].strip()


def _read_head(row: int, line: str) -> tuple[int, int]:
    match = _HEAD.match(_cut_comment(line))
    if not match:
        raise BallotFileError(row, f"found {quote(line)}, expected the numbers of options and seats, as in 4 2")
    number, seats = int(match[1]), int(match[2])
    refuse_too_many(row, number)
    if not 1 <= seats <= number:
        raise BallotFileError(row, f"found {seats} seats for {number} options, expected from 1 to {number}")
    return number, seats


def _read_option(row: int, word: str, number: int) -> int:
    option = int(word)
    if not 1 <= option <= number:
        raise BallotFileError(row, f"found option {option}, expected from 1 to {number} as the first row says")
    return option - 1


def _read_ballot(row: int, line: str, number: int, scale: int) -> Ballots:
    named = _BALLOT_ID.match(line)
    words = line[named.end() :].split() if named else line.split()
    if len(words) < 2 or words[-1] != "0":
        raise BallotFileError(row, f"found {quote(line)}, expected a weight, options by number, and 0 at the end")
    if len(words) - 2 > MAX_RANKS:
        raise BallotFileError(row, f"found {len(words) - 2} ranks, expected at most {MAX_RANKS}")
    count = read_count(row, words[0], scale)
    ranks: list[tuple[int, ...]] = []
    ranked: set[int] = set()
    for word in words[1:-1]:
        if word != "-" and not _RANK.match(word):
            raise BallotFileError(row, f"found {quote(word)}, expected an option's number, several with =, or -")
        rank = [] if word == "-" else [_read_option(row, each, number) for each in word.split("=")]
        for option in rank:
            if option in ranked:
                raise BallotFileError(row, f"option {option + 1} is ranked twice, expected once at most")
            ranked.add(option)
        ranks.append(tuple(sorted(rank)))
    return Ballots(row, count, close_end(ranks))


def _take_names(lines: Iterator[tuple[int, str]], number: int, row: int) -> Iterator[tuple[int, str]]:
    for position in range(number):
        found = next(lines, None)
        if found is None:
            raise BallotFileError(row, f"the file ends after {position} names, expected {number}, one a row")
        row = found[0]
        yield found


def _read_title(lines: Iterator[tuple[int, str]]) -> str:
    """Read the title, empty where there is none, and see that nothing unknown follows."""
    found = next(lines, None)
    title = "" if found is None else _read_text(*found)
    for after, (row, line) in enumerate(lines, start=1):
        if after > MAX_TEXTS_AFTER_TITLE or not _QUOTED.match(line):
            raise BallotFileError(row, f"found {quote(line)} after the title, expected the end of the file")
    return title


def _read_text(row: int, line: str) -> str:
    """Read a name or title: in double quotes, or bare where it holds none."""
    match = _QUOTED.match(line)
    text = match[1].strip() if match else _cut_comment(line)
    if '"' in text:
        raise BallotFileError(row, f"found {quote(line)}, expected one text in straight double quotes")
    if not match and re.fullmatch(r"[0-9= -]+", text):
        raise BallotFileError(row, f"found {quote(line)} among the names, expected a text in double quotes")
    return text


def _quote_text(text: str) -> str:
    if '"' in text:
        raise InputError(f"blt has no way to write a double quote in a name, and {quote(text)} holds one")
    return f'"{text}"'
