"""Votes that a voter gives to options, several to one if they like: what cumulative and quadratic voting share."""

from __future__ import annotations

from qballot.core.ballot import Marks
from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.greatest import elect_greatest
from qballot.core.tally.outcome import LogEntry, Outcome, format_total
from qballot.core.tally.ties import Ties
from qballot.core.tally.words import Form, Words

GIVE = Words("give", Form.NUMBER, "options with the number of votes you give each", "park=3,library=1")


class GivenVotes:
    """The weight behind each number of votes that each option is given; the greatest sums win."""

    def __init__(self, contest: Contest) -> None:
        self._contest = contest
        self._weights: list[dict[int, int]] = [{} for _ in contest.options]

    def add(self, marks: Marks, weight: int) -> None:
        """Add the weight of ballots that give these votes."""
        for mark, weights in zip(marks, self._weights, strict=True):
            if mark:
                weights[mark] = weights.get(mark, 0) + weight

    def count(self, ties: Ties) -> Outcome:
        """Elect the options with the most votes."""
        given = [
            sorted(((votes, weight) for votes, weight in weights.items() if weight), reverse=True)
            for weights in self._weights
        ]
        totals = [sum(votes * weight for votes, weight in rows) for rows in given]
        return elect_greatest(self._contest, totals, "votes", ties, [_log_given(self._contest, given)])


def _log_given(contest: Contest, given: list[list[tuple[int, int]]]) -> LogEntry:
    """Tell the weight of the ballots that give each option each number of votes, the most votes first."""
    lines: list[str] = []
    data: dict[str, JsonTree] = {}
    for option, rows in zip(contest.options, given, strict=True):
        lines.append(f"{option.title} {', '.join(f'{weight} x {votes}' for votes, weight in rows) or 'none'}")
        data[option.id] = [{"votes": format_total(votes), "weight": format_total(weight)} for votes, weight in rows]
    return LogEntry("given", f"Ballots x votes given: {'; '.join(lines)}.", {"given": data})
