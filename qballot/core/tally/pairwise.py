"""Options two by two: for every pair how much weight ranks the one above the other. Condorcet's methods start here.

    ballot       A 1, B 2, C 2, D 0 with weight 5        A above B, C and D; B and C equal, both above D
    adds 5 to    A over B, A over C, A over D, B over D, C over D

An option that a ballot does not rank is below every option that it ranks, and equal to the others without a rank. A
*beats* B where more weight ranks A above B than B above A; where both are as much, the two are tied.

The *Condorcet winner* beats every other option; there is at most one, and there may be none. The *Smith set* is the
smallest set of options, each of which beats every option outside: the Condorcet winner alone, if there is one.

Sources: M. de Condorcet, "Essai sur l'application de l'analyse à la probabilité des décisions" (1785); J. H. Smith,
"Aggregation of preferences with variable electorate", Econometrica 41 (1973), 1027-1041. Unranked as below all ranked:
Debian Constitution, appendix A.5 (formerly A.6), as in force since 2003.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from qballot.core.ballot import Marks
from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.option_sets import OptionSet, list_members, make_set
from qballot.core.tally.outcome import LogEntry, Outcome, name_options, option_ids, totals_by_id
from qballot.core.tally.rules import Sums
from qballot.core.tally.ties import Ties

FIELD_BITS = 192
"""Bits of one number in a row of sums: enough for 2**96 ballots of the greatest weight, 2**96 - 1."""


@dataclass(frozen=True, slots=True)
class Pairwise:
    """Every pair of options compared.

    votes: the weight that ranks an option above another, by the first and then the second; 0 for one and the same.
    beats: for each option those that it beats.
    """

    votes: tuple[tuple[int, ...], ...]
    beats: tuple[OptionSet, ...]

    @property
    def options(self) -> range:
        """All options."""
        return range(len(self.votes))

    def find_condorcet_winner(self) -> int | None:
        """Find the option that beats every other one."""
        everyone = make_set(self.options)
        return next((one for one in self.options if self.beats[one] == everyone ^ 1 << one), None)

    def find_smith_set(self) -> list[int]:
        """Find the smallest set of options that each beat every option outside."""
        # The option with the most wins less losses belongs to it, and with each member all that it does not beat.
        everyone = make_set(self.options)
        first = max(self.options, key=self.score)
        members, new = 0, 1 << first
        while new:
            members |= new
            new = make_set(other for one in list_members(new) for other in list_members(everyone & ~self.beats[one]))
            new &= ~members
        return list_members(members)

    def score(self, option: int) -> int:
        """Count the options that one beats, less those that beat it."""
        losses = sum(beaten >> option & 1 for beaten in self.beats)
        return self.beats[option].bit_count() - losses

    def log(self, contest: Contest) -> list[LogEntry]:
        """Write down the matrix, and who is the Condorcet winner and in the Smith set."""
        return [self._log_votes(contest), self._log_condorcet(contest)]

    def _log_votes(self, contest: Contest) -> LogEntry:
        title = [option.title for option in contest.options]
        pairs = [
            f"{title[one]} {self.votes[one][other]}, {title[other]} {self.votes[other][one]}"
            for one, other in combinations(self.options, 2)
        ]
        text = f"Pair by pair, the votes that rank one above the other: {'; '.join(pairs)}."
        votes: dict[str, JsonTree] = {
            contest.options[one].id: totals_by_id(
                contest, {other: row[other] for other in self.options if other != one}
            )
            for one, row in enumerate(self.votes)
        }
        return LogEntry("pairwise", text, {"votes": votes})

    def _log_condorcet(self, contest: Contest) -> LogEntry:
        winner, smith = self.find_condorcet_winner(), self.find_smith_set()
        if winner is not None:
            text = f"Condorcet winner: {name_options(contest, [winner])}, which beats every other option."
        else:
            text = "No option beats every other one, so there is no Condorcet winner."
        text += f" Smith set, the smallest whose members beat all others: {name_options(contest, smith)}."
        data: dict[str, JsonTree] = {
            "condorcet_winner": None if winner is None else contest.options[winner].id,
            "smith_set": option_ids(contest, smith),
        }
        return LogEntry("condorcet", text, data)


def compare(votes: Sequence[Sequence[int]]) -> Pairwise:
    """Find who beats whom. votes: as in `Pairwise`."""
    options = range(len(votes))
    beats = (make_set(other for other in options if votes[one][other] > votes[other][one]) for one in options)
    return Pairwise(tuple(tuple(row) for row in votes), tuple(beats))


def sum_pairs(count: Callable[[Contest, Pairwise, Ties], Outcome]) -> Callable[[Contest], Sums]:
    """Make `open` of a method that needs nothing but the pairs. count: finds the outcome."""
    return lambda contest: _PairSums(contest, count)


class _PairSums:
    """The matrix of pairs, a row in one whole number with FIELD_BITS for every option.

    All that an option gains from a ballot is then one multiplication and one addition, however many it is above.
    """

    def __init__(self, contest: Contest, count: Callable[[Contest, Pairwise, Ties], Outcome]) -> None:
        self._contest = contest
        self._count = count
        self._fields = [1 << FIELD_BITS * option for option in range(len(contest.options))]
        self._all = sum(self._fields)
        self._rows = [0] * len(contest.options)

    def add(self, marks: Marks, weight: int) -> None:
        options = dict(zip(marks, range(len(marks)), strict=True))
        options.pop(0, None)
        if len(options) + marks.count(0) < len(marks):
            self._add_equal(marks, weight)
            return
        # No two options share a rank, as on nearly all ballots of a great election.
        rows, fields = self._rows, self._fields
        below = self._all
        for rank in sorted(options):
            option = options[rank]
            below -= fields[option]
            rows[option] += weight * below

    def _add_equal(self, marks: Marks, weight: int) -> None:
        ranked: dict[int, int] = {}
        for mark, field in zip(marks, self._fields, strict=True):
            if mark:
                ranked[mark] = ranked.get(mark, 0) + field
        gains: dict[int, int] = {}
        below = self._all
        for mark in sorted(ranked):
            below -= ranked[mark]
            gains[mark] = weight * below
        for option, mark in enumerate(marks):
            if mark:
                self._rows[option] += gains[mark]

    def count(self, ties: Ties) -> Outcome:
        mask = (1 << FIELD_BITS) - 1
        shifts = [FIELD_BITS * option for option in range(len(self._rows))]
        pairwise = compare([[row >> shift & mask for shift in shifts] for row in self._rows])
        return self._count(self._contest, pairwise, ties)
