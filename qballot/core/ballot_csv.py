"""A file of ballots: one row a ballot, one small integer an option.

    voter,chair/ada,chair/ben,budget/yes,budget/no
    v0001,1,2,0,1
    v0002,,1,,

The first row names the columns: an option by its id or title, with several contests as `contest/option`; `weight` and
`voter` may stand anywhere. An empty cell is no answer. A later row of the same voter replaces the earlier. Spaces
around a cell are ignored. What marks mean is not looked at here: one that breaks a contest's rules is the count's to
spoil.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qballot.core.ballot import MAX_MARK, MIN_MARK, encode_ballot
from qballot.core.election import Definition
from qballot.core.problems import quote, suggest
from qballot.core.tally.methods import METHODS
from qballot.core.types import Weight
from qballot.errors import BallotFileError

WEIGHT_COLUMN = "weight"
VOTER_COLUMN = "voter"

MAX_WEIGHT = 2**96 - 1
"""Largest weight of one voter: the census and the contract hold it in 96 bits."""

HEADER_ROW = 1

_MARK = re.compile(r"[+-]?[0-9]{1,4}\Z")
_WEIGHT = re.compile(r"[0-9]{1,29}\Z")
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class BallotRow:
    """One row of the file.

    row: line of the file from 1, the header being 1. voter: as written, None in a file without that column.
    weight: whole votes, 1 where the file does not say. ballot: the bytes that would be cast.
    """

    row: int
    voter: str | None
    weight: Weight
    ballot: bytes


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the columns are.

    width, names: of the first row. marks: the place in the ballot that each option's column fills.
    blanks: what an empty cell stands for, by place. weight, voter: their columns, where the file has them.
    """

    width: int
    names: tuple[str, ...]
    marks: Mapping[int, int]
    blanks: tuple[int, ...]
    weight: int | None
    voter: int | None


def parse_ballot_csv(text: str, definition: Definition) -> list[BallotRow]:
    """Read a file of ballots, in its order.

    text: CSV with commas; a byte order mark and Windows line ends are accepted, and empty lines at the end.
    Raises BallotFileError with the row, and where one is to blame the column, of the first thing that does not fit.
    """
    lines = _read_lines(text.removeprefix(_BYTE_ORDER_MARK))
    first = next(lines, None)
    if first is None:
        raise BallotFileError(HEADER_ROW, "the file is empty, expected a first row with the options' ids or titles")
    layout = _read_header(first[1], definition)
    rows = [_read_row(number, cells, layout) for number, cells in lines]
    if not rows:
        raise BallotFileError(HEADER_ROW, "no ballots after the first row, expected at least one")
    _check_weights(rows)
    return rows


def effective_rows(rows: Sequence[BallotRow]) -> list[BallotRow]:
    """Keep each voter's last row, in the file's order; rows without a voter are a voter each."""
    last = {row.voter: row.row for row in rows if row.voter is not None}
    return [row for row in rows if row.voter is None or last[row.voter] == row.row]


def _read_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row's first line number and its cells. Empty lines may only end the file."""
    reader = csv.reader((line + "\n" for line in text.split("\n")), strict=True)
    number, empty = 1, None
    try:
        for cells in reader:
            if not cells:
                empty = empty or number
            elif empty:
                raise BallotFileError(empty, 'the line is empty; a ballot without an answer is written as , or ""')
            else:
                yield number, [cell.strip() for cell in cells]
            number = reader.line_num + 1
    except csv.Error as error:
        raise BallotFileError(number, f"not CSV: {error}") from None


def _read_header(cells: list[str], definition: Definition) -> _Layout:
    """Find out what each column is; every option needs exactly one."""
    places = _name_places(definition)
    form = "an id or title" if len(definition.contests) == 1 else "contest/option, each by its id or title"
    marks: dict[int, int] = {}
    special: dict[str, int] = {}
    for column, name in enumerate(cells):
        if name in (WEIGHT_COLUMN, VOTER_COLUMN):
            if name in special:
                raise BallotFileError(HEADER_ROW, f"the column {quote(name)} stands twice")
            special[name] = column
            continue
        place = _find_place(column, name, places, form)
        if place in marks.values():
            raise BallotFileError(HEADER_ROW, f"column {column + 1}, {quote(name)}: this option has a column already")
        marks[column] = place
    _check_complete(definition, marks)
    blanks = [METHODS[contest.method].blank_mark for contest in definition.contests for _ in contest.options]
    return _Layout(
        width=len(cells),
        names=tuple(cells),
        marks=marks,
        blanks=tuple(blanks),
        weight=special.get(WEIGHT_COLUMN),
        voter=special.get(VOTER_COLUMN),
    )


def _name_places(definition: Definition) -> dict[str, set[int]]:
    """Map every name that a column may have to the ballot's bytes that it can mean."""
    places: dict[str, set[int]] = {}
    place = 0
    for contest in definition.contests:
        for option in contest.options:
            names = {f"{outer}/{inner}" for outer in (contest.id, contest.title) for inner in (option.id, option.title)}
            if len(definition.contests) == 1:
                names |= {option.id, option.title}
            for name in names:
                places.setdefault(name, set()).add(place)
            place += 1
    return places


def _find_place(column: int, name: str, places: Mapping[str, set[int]], form: str) -> int:
    found = places.get(name, set())
    if len(found) == 1:
        return next(iter(found))
    where = f"column {column + 1}, {quote(name)}"
    if found:
        raise BallotFileError(
            HEADER_ROW, f"{where}: could mean {len(found)} different options; use contest/option by ids"
        )
    if ";" in name or "\t" in name:
        raise BallotFileError(HEADER_ROW, f"{where}: expected cells separated by commas")
    hint = suggest(name, [*places, WEIGHT_COLUMN, VOTER_COLUMN])
    raise BallotFileError(HEADER_ROW, f"{where}: found no such option, expected {form}{hint}")


def _check_complete(definition: Definition, marks: Mapping[int, int]) -> None:
    present = set(marks.values())
    wanted = [f"{contest.id}/{option.id}" for contest in definition.contests for option in contest.options]
    missing = [name for place, name in enumerate(wanted) if place not in present]
    if missing:
        raise BallotFileError(HEADER_ROW, f"no column for {', '.join(missing)}")


def _read_row(number: int, cells: list[str], layout: _Layout) -> BallotRow:
    if len(cells) != layout.width:
        raise BallotFileError(number, f"found {len(cells)} cells, expected {layout.width} as in the first row")
    marks = list(layout.blanks)
    for column, place in layout.marks.items():
        if cells[column]:
            marks[place] = _read_mark(number, column, cells[column], layout)
    voter = None if layout.voter is None else cells[layout.voter]
    if voter == "":
        raise BallotFileError(number, f"column {VOTER_COLUMN}: the cell is empty, expected a voter")
    weight = 1 if layout.weight is None else _read_weight(number, cells[layout.weight])
    return BallotRow(number, voter, Weight(weight), encode_ballot(marks))


def _read_mark(number: int, column: int, cell: str, layout: _Layout) -> int:
    if _MARK.match(cell) and MIN_MARK <= int(cell) <= MAX_MARK:
        return int(cell)
    where = f"column {column + 1}, {quote(layout.names[column])}"
    raise BallotFileError(number, f"{where}: found {quote(cell)}, expected an integer from {MIN_MARK} to {MAX_MARK}")


def _read_weight(number: int, cell: str) -> int:
    if _WEIGHT.match(cell) and 1 <= int(cell) <= MAX_WEIGHT:
        return int(cell)
    found = quote(cell) if cell else "an empty cell"
    raise BallotFileError(number, f"column {WEIGHT_COLUMN}: found {found}, expected an integer from 1 to 2**96 - 1")


def _check_weights(rows: Sequence[BallotRow]) -> None:
    """Hold each voter to one weight: it is the voter's, not the ballot's."""
    first: dict[str, BallotRow] = {}
    for row in rows:
        if row.voter is None:
            continue
        earlier = first.setdefault(row.voter, row)
        if row.weight != earlier.weight:
            found = f"voter {quote(row.voter)} has the weight {row.weight}"
            raise BallotFileError(row.row, f"{found}, expected {earlier.weight} as in row {earlier.row}")
