"""QBallot's own two files: a definition and a CSV of ballots, as `qballot tally` and `qballot rehearse` take them.

What a contest's marks are decides what its ballots say: ranks, scores, or marks, which are one rank of all the options
that are marked.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from enum import StrEnum

from qballot.core.ballot import Marks, split_ballot
from qballot.core.ballot_csv import BallotRow, effective_rows, parse_ballot_csv
from qballot.core.election import Contest, Definition
from qballot.core.problems import quote, suggest
from qballot.core.tally import METHODS, SpoilReason, judge_marks
from qballot.core.tally.grades import GRADES
from qballot.core.tally.score import MAX_SCORE, MIN_SCORE
from qballot.core.tally.words import Form
from qballot.errors import BallotFileError, InputError
from qballot.formats.lines import refuse_rows
from qballot.formats.profile import Alternative, Ballots, Kind, Profile, close_end


class Spoiled(StrEnum):
    """What becomes of ballots that break their contest's rules, which no other format knows of."""

    REFUSE = "refuse"
    BLANK = "blank"
    DROP = "drop"


def find_contest(definition: Definition, name: str) -> int:
    """Find the contest of an id or title, or the only one where none is named. Raises InputError."""
    if not name and len(definition.contests) == 1:
        return 0
    known = [contest.id for contest in definition.contests]
    if not name:
        raise InputError(f"the definition has {len(known)} contests: choose one of {', '.join(known)} with --contest")
    for position, contest in enumerate(definition.contests):
        if name in (contest.id, contest.title):
            return position
    raise InputError(
        f"--contest: found no contest {quote(name)}, expected one of {', '.join(known)}{suggest(name, known)}"
    )


def read_own(text: str, definition: Definition, position: int, spoiled: Spoiled = Spoiled.REFUSE) -> Profile:
    """Read one contest of a CSV of ballots, one ballot a voter: a voter's later row replaces the earlier.

    position: of the contest in the definition. Raises BallotFileError, also for a spoiled ballot that is to be refused.
    """
    contest = definition.contests[position]
    kind = Kind.SCORES if METHODS[contest.method].words.form is Form.NUMBER else Kind.RANKS
    ballots = []
    # What equal ballots say is found once: a million ballots hold few different ones.
    known: dict[bytes, Ballots | SpoilReason] = {}
    for row in effective_rows(parse_ballot_csv(text, definition)):
        if row.ballot not in known:
            known[row.ballot] = _judge(row, definition, position)
        found = known[row.ballot]
        if isinstance(found, Ballots):
            ballots.append(Ballots(row.row, row.weight, found.ranks, found.scores))
        elif spoiled is Spoiled.REFUSE:
            why = f"this ballot is spoiled in {quote(contest.id)} ({found.replace('_', ' ')})"
            raise BallotFileError(row.row, f"{why}, which no other format says; see --spoiled blank and drop")
        elif spoiled is Spoiled.BLANK:
            ballots.append(Ballots(row.row, row.weight))
    alone = len(definition.contests) == 1
    return Profile(
        alternatives=tuple(Alternative(option.title, option.id) for option in contest.options),
        kind=kind,
        ballots=tuple(ballots),
        title=definition.title if alone else f"{definition.title}: {contest.title}",
        description=contest.description or (definition.description if alone else ""),
        seats=contest.seats,
        scale=_find_scale(contest),
    )


def write_own(profile: Profile, contest: Contest, *, weights: bool) -> str:
    """Write a profile as a CSV of ballots of a contest that stands alone in its definition.

    weights: write a row for equal ballots and their number as its weight, instead of a row for each.
    Raises BallotFileError at the first ballot that the contest's method cannot say, or would spoil; InputError for an
    option that the contest does not have.
    """
    if not weights:
        refuse_rows(profile)
    places = match_options(profile, contest)
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow([*(["weight"] if weights else []), *(option.id for option in contest.options)])
    for ballots in profile.ballots:
        marks = _write_marks(ballots, contest, places)
        found = judge_marks(contest, marks)
        if isinstance(found, SpoilReason):
            raise BallotFileError(
                ballots.row,
                f"{contest.method} would spoil this ballot ({found.replace('_', ' ')}); choose another "
                "method, or other rules for overvotes and skipped ranks",
            )
        blank = METHODS[contest.method].blank_mark
        cells = ["" if mark == blank else mark for mark in marks]
        rows.writerows([[ballots.count, *cells]] if weights else [cells] * ballots.count)
    return written.getvalue()


def match_options(profile: Profile, contest: Contest) -> list[int]:
    """Find each alternative's place in the contest, by title, by id, or by its name in the file. Raises InputError."""
    places: dict[str, int] = {}
    for names in ([option.id for option in contest.options], [option.title for option in contest.options]):
        places |= {name: place for place, name in enumerate(names)}
    found: list[int] = []
    for alternative in profile.alternatives:
        place = places.get(alternative.title, places.get(alternative.name))
        if place is None or place in found:
            problem = "is another name of one that it has already" if place in found else "is not in the definition"
            hint = "" if place in found else suggest(alternative.title, places)
            raise InputError(f"the file's option {quote(alternative.title)} {problem}{hint}")
        found.append(place)
    return found


def _judge(row: BallotRow, definition: Definition, position: int) -> Ballots | SpoilReason:
    parts = split_ballot(definition, row.ballot)
    if parts is None:
        return SpoilReason.WRONG_LENGTH
    contest, marks = definition.contests[position], parts[position]
    found = judge_marks(contest, marks)
    return found if isinstance(found, SpoilReason) else _read_marks(row, contest, marks)


def _read_marks(row: BallotRow, contest: Contest, marks: Sequence[int]) -> Ballots:
    rules = METHODS[contest.method]
    said = [(option, mark) for option, mark in enumerate(marks) if mark != rules.blank_mark]
    if rules.words.form is Form.NUMBER:
        return Ballots(row.row, row.weight, scores=tuple(said))
    ranks: list[tuple[int, ...]] = [()] * max(1, *marks)
    for option, mark in said:
        ranks[mark - 1] += (option,)
    return Ballots(row.row, row.weight, ranks=close_end(ranks))


def _write_marks(ballots: Ballots, contest: Contest, places: Sequence[int]) -> Marks:
    rules = METHODS[contest.method]
    marks = [rules.blank_mark] * len(contest.options)
    if rules.words.form is Form.NUMBER and ballots.ranks:
        raise BallotFileError(ballots.row, f"this ballot has ranks, and {contest.method} counts numbers")
    if rules.words.form is not Form.NUMBER and ballots.scores:
        raise BallotFileError(
            ballots.row, f"this ballot has scores, and {contest.method} counts none; score and star do"
        )
    if rules.words.form is Form.MARK and len(ballots.ranks) > 1:
        raise BallotFileError(
            ballots.row, f"this ballot ranks options, and {contest.method} only knows marks, as in ada=ben"
        )
    if len(ballots.ranks) > len(contest.options):
        raise BallotFileError(
            ballots.row,
            f"found {len(ballots.ranks)} ranks with skipped ones, expected at most {len(contest.options)}; "
            "close them up with --skipped ignore",
        )
    for option, score in ballots.scores:
        marks[places[option]] = score
    for mark, rank in enumerate(ballots.ranks, start=1):
        for option in rank:
            marks[places[option]] = mark
    return tuple(marks)


def _find_scale(contest: Contest) -> tuple[int, int] | None:
    if MAX_SCORE.name in contest.limits:
        return contest.limits[MIN_SCORE.name], contest.limits[MAX_SCORE.name]
    return (0, contest.limits[GRADES.name] - 1) if GRADES.name in contest.limits else None
