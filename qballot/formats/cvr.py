"""Cast vote records of ranked elections as CSV: a row a ballot, a column a rank, as cities with ranked voting publish.

    ballotID,precinct,rank1,rank2,rank3
    1,4001,Ada,Ben,skipped
    2,4001,overvote,Ada,Cem
    3,4002,writein,undervote,

Columns of ranks are called `rank1`, `rank 1`, `choice_1` or `1st choice`; a column `weight` or `count` says for how
many ballots a row stands; others are passed over. An option that stands on a ballot twice is taken at its first place,
and the later one is left out, as if that rank was not on the ballot. What becomes of overvotes and skipped ranks is
chosen (`rules.py`), since no file says it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qballot.core.problems import quote, suggest
from qballot.errors import BallotFileError, InputError
from qballot.formats.lines import (
    list_lines,
    read_count,
    refuse_rows,
    refuse_scores,
    refuse_too_many,
    refuse_unclear_titles,
)
from qballot.formats.profile import Alternative, Ballots, Kind, Profile, find_equal_ranks
from qballot.formats.rules import Overvote, Position, RankRules, Skipped, settle_ranks

CVR_RULES = RankRules(Overvote.EXHAUST, Skipped.IGNORE)
"""The rules where none are chosen: an overvote ends the ballot, a skipped rank is closed up."""

WRITE_IN = "Write-in"
"""The title of the one option that all write-ins are."""

SKIPPED_WORDS = frozenset({"", "skipped", "undervote", "under", "blank"})
OVERVOTE_WORDS = frozenset({"overvote", "over"})
WRITE_IN_WORDS = frozenset({"writein", "write-in", "write in", "uwi"})

MAX_RANKS = 127

_RANK_COLUMN = re.compile(r"(?:rank|choice)[ _-]?([0-9]{1,3})|([0-9]{1,3})(?:st|nd|rd|th)[ _-](?:rank|choice)", re.I)
_COUNT_COLUMNS = ("weight", "count")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which columns are what. width: of the first row. ranks: the columns from the first rank. count: its column."""

    width: int
    ranks: tuple[int, ...]
    count: int | None


def looks_like_cvr(text: str) -> bool:
    """Whether the first row has a column for a first rank."""
    first = next(csv.reader([next(list_lines(text))[1]]), [])
    return any(_find_rank(name) == 1 for name in first)


def read_cvr(text: str, rules: RankRules = CVR_RULES, scale: int = 1, known: Sequence[str] = ()) -> Profile:
    """Read a file of cast vote records; options are listed in the order in which they are met.

    scale: what every count is multiplied by. known: titles of the options, where they are known; others are refused.
    Raises BallotFileError with the row of the first thing that does not fit.
    """
    rows = _list_rows(text)
    row, header = next(rows, (1, []))
    layout = _read_header(row, header)
    options: dict[str, int] = {title: place for place, title in enumerate(known)}
    ballots = []
    for row, cells in rows:
        if len(cells) != layout.width:
            raise BallotFileError(row, f"found {len(cells)} cells, expected {layout.width} as in the first row")
        positions = [_read_cell(row, cells[column], options, bool(known)) for column in layout.ranks]
        ranks = settle_ranks(row, list(_leave_out_repeats(positions)), rules)
        count = 1 if layout.count is None else read_count(row, cells[layout.count], scale)
        ballots.append(Ballots(row, count if layout.count is not None else scale, ranks))
    if not ballots:
        raise BallotFileError(1, "no ballots after the first row, expected at least one")
    return Profile(tuple(Alternative(title) for title in options), Kind.RANKS, tuple(ballots))


def write_cvr(profile: Profile, *, weights: bool) -> str:
    """Write a profile as cast vote records, a row a ballot, or with a column `weight` a row for equal ones.

    Raises BallotFileError for scores, equal ranks or too many rows, InputError for a title that is one of the words.
    """
    refuse_scores(profile, "cvr")
    refuse_unclear_titles(profile, "cvr")
    for ballots in find_equal_ranks(profile):
        raise BallotFileError(
            ballots.row, "this ballot ranks options equal, and cvr has one option a rank; see --overvote for ways out"
        )
    if not weights:
        refuse_rows(profile)
    titles = [alternative.title for alternative in profile.alternatives]
    for title in titles:
        if title != WRITE_IN and title.casefold() in SKIPPED_WORDS | OVERVOTE_WORDS | WRITE_IN_WORDS:
            raise InputError(f"an option is called {quote(title)}, which cvr would take for another thing")
    width = max(1, *(len(ballots.ranks) for ballots in profile.ballots), 1)
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow([*(["weight"] if weights else []), *(f"rank{rank}" for rank in range(1, width + 1))])
    for ballots in profile.ballots:
        cells = [titles[rank[0]] if rank else "skipped" for rank in ballots.ranks]
        cells += ["skipped"] * (width - len(cells))
        rows.writerows([[ballots.count, *cells]] if weights else [cells] * ballots.count)
    return written.getvalue()


def _list_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row's first line number and its cells. Empty lines may only end the file."""
    reader = csv.reader((line + "\n" for _, line in list_lines(text)), strict=True)
    row, empty = 1, 0
    try:
        for cells in reader:
            if not cells:
                empty = empty or row
            elif empty:
                raise BallotFileError(empty, "the line is empty; a ballot without any choice is written as skipped")
            else:
                yield row, [" ".join(cell.split()) for cell in cells]
            row = reader.line_num + 1
    except csv.Error as error:
        raise BallotFileError(row, f"not CSV: {error}") from None


def _find_rank(name: str) -> int | None:
    match = _RANK_COLUMN.fullmatch(name.strip())
    return int(match[1] or match[2]) if match else None


def _read_header(row: int, cells: Sequence[str]) -> _Layout:
    ranks: dict[int, int] = {}
    count = None
    for column, name in enumerate(cells):
        rank = _find_rank(name)
        if rank is not None and rank in ranks:
            raise BallotFileError(row, f"found a second column for rank {rank}, {quote(name)}; a file has one contest")
        if rank is not None:
            ranks[rank] = column
        elif name.casefold() in _COUNT_COLUMNS:
            if count is not None:
                raise BallotFileError(row, f"found {quote(name)}, a second column of counts, expected one")
            count = column
    if not ranks or sorted(ranks) != list(range(1, len(ranks) + 1)) or len(ranks) > MAX_RANKS:
        found = ", ".join(map(str, sorted(ranks)[:20])) or "none"
        raise BallotFileError(
            row, f"found columns of the ranks {found}; expected rank1, rank2, … without a gap, at most {MAX_RANKS}"
        )
    return _Layout(len(cells), tuple(ranks[rank] for rank in sorted(ranks)), count)


def _read_cell(row: int, cell: str, options: dict[str, int], closed: bool) -> Position:
    word = cell.casefold()
    if word in SKIPPED_WORDS:
        return ()
    if word in OVERVOTE_WORDS:
        return None
    title = WRITE_IN if word in WRITE_IN_WORDS else cell
    if title not in options:
        if closed:
            raise BallotFileError(row, f"found no option {quote(title)} in the definition{suggest(title, options)}")
        refuse_too_many(row, len(options) + 1)
        options[title] = len(options)
    return (options[title],)


def _leave_out_repeats(positions: Sequence[Position]) -> Iterator[Position]:
    seen: set[int] = set()
    for position in positions:
        if position and position[0] in seen:
            continue
        seen.update(position or ())
        yield position
