"""One seat by STAR: the scoring round, the automatic runoff, and who may win where a tie between them stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import combinations

from qballot.core.election import Contest
from qballot.core.tally.outcome import LogEntry, name_options, totals_in_words
from qballot.core.tally.star_finalists import find_finalists
from qballot.core.tally.star_votes import StarVotes, log_step
from qballot.core.tally.ties import Fate, Ties


@dataclass(frozen=True, slots=True)
class Filled:
    """How a seat's count ended.

    possible: the one who is elected; or several, each of whom is elected in some way of breaking the ties that stand.
    log: the steps. tie: the tie that stands, as a clause; empty without one. waits: for the lot.
    """

    possible: tuple[int, ...]
    log: tuple[LogEntry, ...]
    tie: str = ""
    waits: bool = False


@dataclass(frozen=True, slots=True)
class SeatCount:
    """How one seat is filled. seat: which, from 1."""

    contest: Contest
    votes: StarVotes
    ties: Ties
    seat: int

    def fill(self, standing: Collection[int]) -> Filled:
        """Elect one of those standing."""
        if len(standing) == 1:
            return Filled(tuple(standing), ())
        found = find_finalists(self.contest, self.votes, standing, self.ties, self.seat)
        if not found.tied:
            first, second = found.certain
            ended = self._hold_runoff(first, second)
            return replace(ended, log=(*found.log, *ended.log))
        if found.certain:
            pairs = [(found.certain[0], other) for other in found.tied]
        else:
            pairs = list(combinations(found.tied, 2))
        possible = sorted({option for pair in pairs for option in self._find_ahead(*pair)[0]})
        tie = f"{name_options(self.contest, found.tied)} tie for the runoff"
        if len(possible) > 1:
            return Filled(tuple(possible), found.log, tie, found.waits)
        text = f"{tie}. {name_options(self.contest, possible)} wins against each of them."
        free = log_step(self.contest, "tie_without_effect", text, self.seat, found.tied)
        return Filled(tuple(possible), (*found.log, free))

    def _find_ahead(self, one: int, other: int) -> tuple[tuple[int, ...], str]:
        """Find who wins a runoff, or both, and by what: votes, then points, then top scores."""
        votes = self.votes
        preferred = votes.pairwise.votes
        rules = {
            "votes": (preferred[one][other], preferred[other][one]),
            "points": (votes.points[one], votes.points[other]),
            "tops": (votes.tops[one], votes.tops[other]),
        }
        for by, (first, second) in rules.items():
            if first != second:
                return ((one,) if first > second else (other,)), by
        return (one, other), ""

    def _hold_runoff(self, one: int, other: int) -> Filled:
        contest, votes = self.contest, self.votes
        pair = (one, other)
        preferred = {one: votes.pairwise.votes[one][other], other: votes.pairwise.votes[other][one]}
        points, tops = votes.pick(votes.points, pair), votes.pick(votes.tops, pair)
        ahead, by = self._find_ahead(one, other)
        rest = votes.counted - sum(preferred.values())
        text = f"Runoff: {totals_in_words(contest, preferred)}; no preference {rest}. "
        text += f"{name_options(contest, ahead)} wins" if by else "They tie"
        text += {
            "votes": ".",
            "points": f" with more points: {totals_in_words(contest, points)}.",
            "tops": f" with more top scores: {totals_in_words(contest, tops)}.",
            "": ", also in points and in top scores.",
        }[by]
        entry = log_step(contest, "runoff", text, self.seat, pair, votes=preferred, points=points, tops=tops)
        entry = replace(entry, data={**entry.data, "no_preference": str(rest), "by": by or None})
        if by:
            return Filled(ahead, (entry,))
        tie = f"{name_options(contest, pair)} tie in the runoff"
        what = tie if contest.seats == 1 else f"Seat {self.seat}: {tie}"
        decision = self.ties.take(pair, what, Fate.WINS)
        if decision.taken:
            return Filled(decision.taken, (entry, *decision.log))
        return Filled(pair, (entry,), tie, decision.waits)
