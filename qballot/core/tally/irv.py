"""Instant-runoff voting: options go out from the bottom until one has more than half of what still counts.

A ballot ranks options 1 (first), 2, …; 0 is not ranked. Ranks only order, so gaps between them mean nothing. In every
round a ballot counts for its first option that is still standing; with none left it is *exhausted*.

    each round:  1. An option with more than half of the votes that are not exhausted wins.
                 2. Else the smallest group from the bottom with fewer votes together than any other option is
                    eliminated. Where one option alone has the fewest votes, it is that group.
                 3. Without such a group options tie for elimination. The leader wins all the same if it has more votes
                    than any other option can get while the leader stands: than ballots that rank the other before it.
                 4. Else the contest's tie rule decides. Of two options that stand and are equal, it decides who wins;
                    of more, which of the lowest is eliminated. Where it decides nothing, the count stops: the seat is
                    open between the two; or the result is that the lowest tie for elimination, and nobody wins.

Rules 2 and 3 only spare what cannot matter. A group as in rule 2 goes out before anybody else, in whichever order: what
one of it leaves to another never lifts that above the group's sum, and the others only gain. A leader as in rule 3 has
more votes than any other in every later round, thus is never the lowest and is the last to stand. Whether a tie that
is left could change the winner would take following every order, exponentially many of them; the rule is to ask the tie
rule, or to stop.

The totals are each option's votes in the last round in which it stood.
Source: San Francisco Charter, section 13.102 (elimination of the lowest, of groups that cannot win, majority of
continuing votes); Maine Revised Statutes, title 21-A, section 723-A (batch elimination).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from qballot.core.ballot import MAX_MARK, Marks
from qballot.core.election import Contest
from qballot.core.tally.irv_rounds import (
    Round,
    log_elimination,
    log_round,
    log_tie,
    log_tie_without_effect,
)
from qballot.core.tally.outcome import LogEntry, Outcome, TiedFor, log_outcome, name_options
from qballot.core.tally.piles import Event, Piles
from qballot.core.tally.ranks import MAX_RANKS, explain_ranks, find_order_fault
from qballot.core.tally.rules import MethodRules
from qballot.core.tally.ties import Fate, Ties
from qballot.core.tally.words import RANK


class _IrvSums(Piles):
    """A contest's ballots in their piles."""

    def __init__(self, contest: Contest) -> None:
        super().__init__()
        self._contest = contest

    def count(self, ties: Ties) -> Outcome:
        return _Count(self._contest, self, ties).run()


@dataclass(slots=True)
class _Count:
    """A count under way: what does not change, and what has been written down so far."""

    contest: Contest
    piles: Piles
    ties: Ties
    rounds: list[Round] = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)

    def run(self) -> Outcome:
        """Eliminate until an option has more than half of the continuing votes or a tie ends the count."""
        standing = frozenset(range(len(self.contest.options)))
        firsts = self.piles.begin()
        now = Round(1, {option: firsts.get(option, 0) for option in sorted(standing)}, 0)
        while True:
            self.rounds.append(now)
            self.log.append(log_round(self.contest, now))
            winner = now.majority()
            if winner is not None:
                share = f"{now.votes[winner]} of {now.continuing} continuing votes"
                text = f"{name_options(self.contest, [winner])} wins with {share}, more than half."
                return self._finish(text, winners=[winner])
            eliminated = now.sure_losers()
            is_tie = not eliminated
            if is_tie:
                settled = self._settle_tie(standing, now)
                if isinstance(settled, Outcome):
                    return settled
                eliminated = [settled]
            standing -= frozenset(eliminated)
            moves = self.piles.after(now.number - 1, Event(frozenset(eliminated), standing))
            self.log.append(log_elimination(self.contest, now, eliminated, moves, is_tie))
            now = now.pass_on(standing, moves)

    def _settle_tie(self, standing: frozenset[int], now: Round) -> Outcome | int:
        """End a count at options that tie for elimination, or find the one of them that goes out."""
        contest, lowest, leading = self.contest, now.lowest(), now.leading()
        names = name_options(contest, lowest)
        tie = f"Round {now.number}: {names} tie for the fewest votes, {now.votes[lowest[0]]} each"
        if len(leading) == 1:
            reach = find_reach(self.piles.ballots, standing, leading[0])
            if all(votes < now.votes[leading[0]] for votes in reach.values()):
                self.log.append(log_tie_without_effect(contest, now, tie, reach))
                text = f"{name_options(contest, leading)} wins in whichever order tied options are eliminated."
                return self._finish(text, winners=leading)
        is_last = len(standing) == 2
        earlier = [before.votes for before in self.rounds[:-1]]
        decision = self.ties.take(lowest, tie, Fate.WINS if is_last else Fate.GOES_OUT, rounds=earlier)
        self.log += decision.log
        if decision.taken and not is_last:
            return decision.taken[0]
        if decision.taken:
            text = f"{name_options(contest, decision.taken)} wins, as the tie was broken."
            return self._finish(text, winners=decision.taken)
        ending = "waiting for the lot" if decision.waits else "no winner"
        if is_last:
            text = f"{tie}, and nobody else stands: {ending}."
            return self._finish(text, tied=lowest, tied_for=TiedFor.SEAT, waits=decision.waits)
        self.log.append(log_tie(contest, now, tie, decision.waits))
        text = f"Undecided: {names} tie for elimination in round {now.number}. {ending.capitalize()}."
        return self._finish(text, tied=lowest, tied_for=TiedFor.ELIMINATION, waits=decision.waits)

    def _finish(
        self,
        text: str,
        *,
        winners: Sequence[int] = (),
        tied: Sequence[int] = (),
        tied_for: TiedFor | None = None,
        waits: bool = False,
    ) -> Outcome:
        """Write down the end and return the whole."""
        entry = log_outcome(self.contest, text, winners=winners, tied=tied, tied_for=tied_for, waits_for_lot=waits)
        votes: dict[int, int] = {}
        for before in self.rounds:
            votes |= before.votes
        totals = tuple(votes[option] for option in range(len(self.contest.options)))
        return Outcome(tuple(winners), tuple(tied), totals, (*self.log, entry), tied_for, waits)


def find_reach(ballots: Iterable[tuple[Marks, int]], standing: frozenset[int], leader: int) -> dict[int, int]:
    """Count for every other standing option the votes that it could have at most while the leader stands.

    Those are the votes of the ballots that rank it before the leader.
    """
    others = sorted(standing - {leader})
    reach = dict.fromkeys(others, 0)
    for marks, weight in ballots:
        bar = marks[leader] or MAX_MARK + 1
        for option in others:
            if 0 < marks[option] < bar:
                reach[option] += weight
    return reach


RULES = MethodRules(
    min_options=2,
    max_seats=1,
    limits=(MAX_RANKS,),
    words=RANK,
    explain_marks=explain_ranks,
    counting=(
        "Round by round the option with the fewest votes goes out and its ballots pass on to their next choice, "
        "until one has more than half of those that still count."
    ),
    blank_mark=0,
    find_fault=find_order_fault,
    open=_IrvSums,
    totals_are_votes=True,
)
