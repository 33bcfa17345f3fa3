"""STAR's scoring round: who goes to the runoff, and how a tie for that is narrowed down by the ballots themselves.

places left: 1      tied for it: B, C, D      C loses to B and to D, B and D to nobody
                                              C lost the most match-ups and stays out; B and D are still tied,
                                              and go on by their match-ups, now only with each other, and so on
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from qballot.core.election import Contest
from qballot.core.tally.greatest import find_greatest
from qballot.core.tally.outcome import LogEntry, name_options, totals_in_words
from qballot.core.tally.star_votes import StarVotes, log_step
from qballot.core.tally.ties import Fate, Ties

FINALISTS = 2


@dataclass(frozen=True, slots=True)
class Finalists:
    """Who goes to the runoff.

    certain: those who do, in the definition's order. tied: whose tie leaves the other places open, or nobody.
    log: the steps. waits: whether the tie stands only because the lot is not drawn yet.
    """

    certain: tuple[int, ...]
    tied: tuple[int, ...]
    log: tuple[LogEntry, ...]
    waits: bool = False


def find_finalists(contest: Contest, votes: StarVotes, standing: Collection[int], ties: Ties, seat: int) -> Finalists:
    """Find the two of those standing who go to the runoff. standing: two or more. seat: which one is filled, from 1."""
    order = sorted(standing)
    above, level = find_greatest([votes.points[option] for option in order], FINALISTS)
    certain, tied = [order[place] for place in above], [order[place] for place in level]
    log: list[LogEntry] = []
    while tied:
        tie = _Tie(contest, votes, tied, FINALISTS - len(certain), seat)
        step = tie.narrow()
        if step is None:
            what = f"{tie.words}, and neither match-ups nor top scores tell them apart"
            decision = ties.take(tied, what if contest.seats == 1 else f"Seat {seat}: {what}", Fate.ADVANCES)
            if not decision.taken:
                return Finalists(tuple(sorted(certain)), tuple(tied), tuple(log), decision.waits)
            log += decision.log
            advance, tied = list(decision.taken), [option for option in tied if option not in decision.taken]
        else:
            log.append(step.entry)
            advance, tied = step.advance, step.tied
        certain += advance
        if len(certain) + len(tied) <= FINALISTS:
            certain += tied
        if len(certain) == FINALISTS:
            tied = []
    return Finalists(tuple(sorted(certain)), (), tuple(log))


@dataclass(frozen=True, slots=True)
class _Step:
    """A tie narrowed down. advance: who does. tied: among whom the other places are open. entry: the step."""

    advance: list[int]
    tied: list[int]
    entry: LogEntry


@dataclass(frozen=True, slots=True)
class _Tie:
    """Options with equal points, and the places in the runoff that are left for them, fewer than they are."""

    contest: Contest
    votes: StarVotes
    options: list[int]
    places: int
    seat: int

    @property
    def words(self) -> str:
        """The tie as a clause."""
        number = "1 place" if self.places == 1 else f"{self.places} places"
        return f"{name_options(self.contest, self.options)} tie for {number} in the runoff"

    def narrow(self) -> _Step | None:
        """Take one step, or None where nothing tells them apart."""
        return self._by_match_ups() or self._by_top_scores()

    def _by_match_ups(self) -> _Step | None:
        losses = self.votes.count_losses(self.options)
        worst = [option for option in self.options if losses[option] == max(losses.values())]
        better = [option for option in self.options if option not in worst]
        if not better:
            return None
        lost = ", ".join(f"{self.contest.options[option].title} {losses[option]}" for option in self.options)
        text = f"{self.words}. Match-ups lost among them: {lost}."
        if len(better) > self.places:
            return self._stay_out(text, worst, losses=losses)
        return self._advance(text, better, losses=losses)

    def _by_top_scores(self) -> _Step | None:
        tops = self.votes.pick(self.votes.tops, self.options)
        most, fewest = max(tops.values()), min(tops.values())
        if most == fewest:
            return None
        shown = totals_in_words(self.contest, tops)
        text = f"{self.words}, each losing as many match-ups among them. Top scores: {shown}."
        first = [option for option in self.options if tops[option] == most]
        if len(first) > self.places:
            return self._stay_out(text, [option for option in self.options if tops[option] == fewest], tops=tops)
        return self._advance(text, first, tops=tops)

    def _advance(self, text: str, options: list[int], **numbers: dict[int, int]) -> _Step:
        verb = "advances" if len(options) == 1 else "advance"
        text = f"{text} {name_options(self.contest, options)} {verb}."
        rest = [option for option in self.options if option not in options]
        return _Step(options, rest, self._log(text, numbers))

    def _stay_out(self, text: str, options: list[int], **numbers: dict[int, int]) -> _Step:
        verb = "stays out" if len(options) == 1 else "stay out"
        text = f"{text} {name_options(self.contest, options)} {verb}."
        rest = [option for option in self.options if option not in options]
        return _Step([], rest, self._log(text, numbers))

    def _log(self, text: str, numbers: dict[str, dict[int, int]]) -> LogEntry:
        return log_step(self.contest, "finalists_tie", text, self.seat, self.options, **numbers)
