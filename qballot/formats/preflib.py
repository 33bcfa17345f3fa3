"""PrefLib's formats of orders: soc and soi (strict), toc and toi (with ties); soc and toc name every option.

    # DATA TYPE: toi
    # NUMBER ALTERNATIVES: 3
    # ALTERNATIVE NAME 1: Ada
    …
    13: 1,{2,3}         13 ballots: Ada first, the two others equal second

Source: PrefLib's format specification (PrefLib-Data, FORMAT_SPECIFICATION.md), in use since 2022. Before it files had
no keys; these are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

from qballot.core.problems import quote
from qballot.errors import BallotFileError
from qballot.formats.lines import (
    list_lines,
    read_count,
    refuse_gaps,
    refuse_scores,
    refuse_too_many,
    refuse_unclear_titles,
)
from qballot.formats.profile import Alternative, Ballots, Kind, Profile, Ranks


class DataType(StrEnum):
    """Which orders a file may hold."""

    SOC = "soc"
    SOI = "soi"
    TOC = "toc"
    TOI = "toi"

    @property
    def has_ties(self) -> bool:
        """Whether options may be equal."""
        return self in (DataType.TOC, DataType.TOI)

    @property
    def is_complete(self) -> bool:
        """Whether every order names every option."""
        return self in (DataType.SOC, DataType.TOC)


_META = re.compile(r"#([^:]*):(.*)\Z")
_KEY = re.compile(r"[A-Z][A-Z0-9 ]*\Z")
_ORDER = re.compile(r"([^:]*):(.*)\Z")
_RANK = re.compile(r"\s*(?:([0-9]{1,9})|\{([0-9,\s]*)\})\s*(,|\Z)")
_NUMBER = re.compile(r"\s*[0-9]{1,9}\s*\Z")

Metadata = Mapping[str, tuple[int, str]]
"""Values of the header by key in capitals, each with its row."""


def read_preflib(text: str, data_type: DataType | None = None, scale: int = 1) -> Profile:
    """Read a file of orders. data_type: what it must be, None for whatever it says it is.

    scale: what every count is multiplied by. Raises BallotFileError with the row of the first thing that does not fit,
    also where the header's numbers of voters and orders are not those of the file: one that is cut off shows so.
    """
    header: dict[str, tuple[int, str]] = {}
    orders: list[tuple[int, str]] = []
    row = 1
    for row, line in list_lines(text):
        if line.startswith("#"):
            if orders:
                raise BallotFileError(row, "found a row of the header after an order, expected the header first")
            _add_meta(header, row, line)
        elif line:
            if not header:
                raise BallotFileError(
                    row,
                    f"found {quote(line)}, expected the header, as in # DATA TYPE: soi; files from before 2022 have "
                    "none: take the current one from PrefLib",
                )
            orders.append((row, line))
    kind = _read_data_type(header, data_type)
    alternatives = _read_alternatives(header)
    ballots = tuple(_read_order(order, line, kind, len(alternatives), scale) for order, line in orders)
    _check_number(header, "NUMBER UNIQUE ORDERS", len(orders))
    if scale == 1:
        _check_number(header, "NUMBER VOTERS", sum(ballot.count for ballot in ballots))
    texts = {key: header.get(key, (0, ""))[1] for key in ("TITLE", "DESCRIPTION")}
    return Profile(alternatives, Kind.RANKS, ballots, texts["TITLE"], texts["DESCRIPTION"])


def write_preflib(profile: Profile, data_type: DataType, file_name: str) -> str:
    """Write a profile as a file of orders, the most frequent order first. Its dates are left empty.

    profile: without equal ballots in several rows. Raises BallotFileError at the first ballot that the data type cannot
    say: with scores, blank, with a skipped rank, equal ranks (soc, soi) or options that it does not rank (soc, toc);
    InputError for options without a title of their own.
    """
    refuse_scores(profile, data_type)
    refuse_gaps(profile, data_type)
    refuse_unclear_titles(profile, data_type)
    for ballots in profile.ballots:
        if ballots.blank:
            raise BallotFileError(
                ballots.row,
                f"this ballot is blank, and {data_type} has no blank ones; leave them out with --blank drop",
            )
        _check_order(ballots.row, ballots.ranks, data_type, len(profile.alternatives))
    lines = [f"# {key}: {value}".rstrip() for key, value in _list_meta(profile, data_type, file_name)]
    for ballots in sorted(profile.ballots, key=lambda each: (-each.count, each.row)):
        lines.append(f"{ballots.count}: {','.join(map(_write_rank, ballots.ranks))}")
    return "\n".join(lines) + "\n"


def _add_meta(header: dict[str, tuple[int, str]], row: int, line: str) -> None:
    match = _META.match(line)
    key = " ".join(match[1].upper().split()) if match else ""
    if not match or not _KEY.match(key):
        raise BallotFileError(row, f"found {quote(line)}, expected a key and a value, as in # TITLE: Board")
    if key in header:
        raise BallotFileError(row, f"{key} stands in row {header[key][0]} already")
    header[key] = (row, match[2].strip())


def _find_meta(header: Metadata, key: str) -> tuple[int, str]:
    if key not in header:
        last = max((row for row, _ in header.values()), default=1)
        raise BallotFileError(last, f"the header ends here without # {key}: …")
    return header[key]


def _read_data_type(header: Metadata, expected: DataType | None) -> DataType:
    row, text = _find_meta(header, "DATA TYPE")
    if text.lower() not in list(DataType):
        raise BallotFileError(row, f"found the data type {quote(text)}, expected soc, soi, toc or toi")
    found = DataType(text.lower())
    if expected not in (None, found):
        raise BallotFileError(row, f"found the data type {found}, expected {expected}: read it with --from {found}")
    return found


def _read_number(row: int, key: str, text: str) -> int:
    if not _NUMBER.match(text):
        raise BallotFileError(row, f"{key}: found {quote(text)}, expected a whole number")
    return int(text)


def _read_alternatives(header: Metadata) -> tuple[Alternative, ...]:
    row, text = _find_meta(header, "NUMBER ALTERNATIVES")
    number = _read_number(row, "NUMBER ALTERNATIVES", text)
    refuse_too_many(row, number)
    names: dict[str, int] = {}
    for place in range(1, number + 1):
        row, name = _find_meta(header, f"ALTERNATIVE NAME {place}")
        if name in names:
            raise BallotFileError(row, f"found the name {quote(name)} of row {names[name]} again, expected another")
        names[name] = row
    for key, (row, _) in header.items():
        if key.startswith("ALTERNATIVE NAME ") and not 1 <= _read_number(row, key, key.split()[-1]) <= number:
            raise BallotFileError(row, f"found {key}, expected names from 1 to {number} as NUMBER ALTERNATIVES says")
    return tuple(Alternative(name) for name in names)


def _check_number(header: Metadata, key: str, found: int) -> None:
    if key in header:
        row, text = header[key]
        if not re.fullmatch(r"[0-9]{1,40}", text) or int(text) != found:
            raise BallotFileError(row, f"{key}: found {quote(text)}, and the orders below come to {found}")


def _read_order(row: int, line: str, data_type: DataType, number: int, scale: int) -> Ballots:
    match = _ORDER.match(line)
    if not match:
        raise BallotFileError(row, f"found {quote(line)}, expected a count and an order, as in 3: 1,{{2,4}},3")
    ranks = tuple(_list_ranks(row, match[2], number))
    _check_order(row, ranks, data_type, number)
    return Ballots(row, read_count(row, match[1].strip(), scale), ranks)


def _list_ranks(row: int, text: str, number: int) -> Iterator[tuple[int, ...]]:
    at, ranked, more = 0, set[int](), True
    while more:
        match = _RANK.match(text, at)
        if not match:
            raise BallotFileError(
                row, f"found {quote(text[at:])} in the order, expected an option's number, or several as in {{2,4}}"
            )
        words = [match[1]] if match[1] else match[2].split(",")
        for word in words:
            if not _NUMBER.match(word) or not 1 <= int(word) <= number:
                raise BallotFileError(row, f"found option {quote(word.strip())}, expected from 1 to {number}")
            if int(word) in ranked:
                raise BallotFileError(row, f"option {int(word)} stands in the order twice, expected once")
            ranked.add(int(word))
        yield tuple(sorted(int(word) - 1 for word in words))
        at, more = match.end(), match[3] == ","


def _check_order(row: int, ranks: Ranks, data_type: DataType, number: int) -> None:
    if not data_type.has_ties and any(len(rank) > 1 for rank in ranks):
        rank = next(rank for rank in ranks if len(rank) > 1)
        equal = " and ".join(str(option + 1) for option in rank)
        raise BallotFileError(row, f"options {equal} are equal, and {data_type} has no ties; toc and toi have")
    ranked = sum(map(len, ranks))
    if data_type.is_complete and ranked < number:
        raise BallotFileError(
            row,
            f"this order ranks {ranked} of {number} options, and {data_type} has only complete ones; soi and toi not",
        )


def _list_meta(profile: Profile, data_type: DataType, file_name: str) -> Iterator[tuple[str, object]]:
    yield "FILE NAME", file_name
    yield "TITLE", profile.title
    yield "DESCRIPTION", " ".join(profile.description.split())
    yield "DATA TYPE", data_type
    yield "MODIFICATION TYPE", "original"
    yield from ((key, "") for key in ("RELATES TO", "RELATED FILES", "PUBLICATION DATE", "MODIFICATION DATE"))
    yield "NUMBER ALTERNATIVES", len(profile.alternatives)
    yield "NUMBER VOTERS", profile.total
    yield "NUMBER UNIQUE ORDERS", len(profile.ballots)
    for place, alternative in enumerate(profile.alternatives, start=1):
        yield f"ALTERNATIVE NAME {place}", alternative.title


def _write_rank(rank: tuple[int, ...]) -> str:
    numbers = ",".join(str(option + 1) for option in rank)
    return numbers if len(rank) == 1 else f"{{{numbers}}}"
