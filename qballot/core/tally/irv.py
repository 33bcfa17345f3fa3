"""Instant-runoff voting: options go out from the bottom until one has more than half of what still counts.

A ballot ranks options 1 (first), 2, …; 0 is not ranked. Ranks only order, so gaps between them mean nothing. In every
round a ballot counts for its first option that is still standing; with none left it is *exhausted*.

    each round:  1. An option with more than half of the votes that are not exhausted wins.
                 2. Else the smallest group from the bottom with fewer votes together than any other option is
                    eliminated. Where one option alone has the fewest votes, it is that group.
                 3. Without such a group options tie for elimination. The leader wins all the same if it has more votes
                    than any other option can get while the leader stands: than ballots that rank the other before it.
                 4. Else the count stops. Of two options that stand and are equal, the seat is open between them. Of
                    more, the result is that the lowest tie for elimination: undecided, nobody wins.

Rules 2 and 3 only spare what cannot matter. A group as in rule 2 goes out before anybody else, in whichever order: what
one of it leaves to another never lifts that above the group's sum, and the others only gain. A leader as in rule 3 has
more votes than any other in every later round, thus is never the lowest and is the last to stand. Whether a tie that
is left could change the winner would take following every order, exponentially many of them; the rule is to stop.

The totals are each option's votes in the last round in which it stood.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from qballot.core.ballot import Marks
from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.outcome import (
    LogEntry,
    Outcome,
    TiedFor,
    log_outcome,
    name_options,
    option_ids,
    totals_by_id,
    totals_in_words,
)
from qballot.core.tally.rules import Limit, MethodRules, SpoilReason, WeightedMarks, constant, number_of_options
from qballot.core.tally.words import RANK

MAX_RANKS = Limit(
    name="max_ranks",
    meaning="how many options a voter may rank",
    lowest=constant(1),
    highest=number_of_options,
    default=number_of_options,
)

Order: TypeAlias = tuple[int, ...]
"""The options that a ballot ranks, the first choice first."""

Standing: TypeAlias = frozenset[int]
"""The options that have not been eliminated."""


def find_fault(contest: Contest, marks: Marks) -> SpoilReason | None:
    """Spoil ranks beyond the number of options, then more ranks than `max_ranks`, then equal ranks."""
    if any(not 0 <= mark <= len(marks) for mark in marks):
        return SpoilReason.OUT_OF_RANGE
    ranks = [mark for mark in marks if mark]
    if len(ranks) > contest.limits[MAX_RANKS.name]:
        return SpoilReason.TOO_MANY_CHOICES
    return SpoilReason.EQUAL_RANKS if len(set(ranks)) < len(ranks) else None


@dataclass(frozen=True, slots=True)
class _Round:
    """How the votes stand while a set of options does. votes: by option. exhausted: votes with no option left."""

    number: int
    votes: Mapping[int, int]
    exhausted: int

    @property
    def continuing(self) -> int:
        return sum(self.votes.values())

    def majority(self) -> int | None:
        """Return the option with more than half of the continuing votes, if there is one."""
        continuing = self.continuing
        return next((option for option, votes in self.votes.items() if 2 * votes > continuing), None)

    def lowest(self) -> list[int]:
        """Return the options with the fewest votes."""
        return self._options_with(min(self.votes.values()))

    def leading(self) -> list[int]:
        """Return the options with the most votes."""
        return self._options_with(max(self.votes.values()))

    def sure_losers(self) -> list[int]:
        """Return the smallest group with fewer votes together than any other option; empty when there is none."""
        upwards = sorted(self.votes, key=lambda option: self.votes[option])
        together = 0
        for size, (option, above) in enumerate(pairwise(upwards), start=1):
            together += self.votes[option]
            if together < self.votes[above]:
                return sorted(upwards[:size])
        return []

    def _options_with(self, number: int) -> list[int]:
        return [option for option, votes in self.votes.items() if votes == number]


@dataclass(slots=True)
class _Count:
    """A count under way: what does not change, and what has been written down so far."""

    contest: Contest
    ballots: Sequence[tuple[Order, int]]
    totals: dict[int, int] = field(default_factory=dict)
    log: list[LogEntry] = field(default_factory=list)

    def finish(
        self, text: str, *, winners: Sequence[int] = (), tied: Sequence[int] = (), tied_for: TiedFor | None = None
    ) -> Outcome:
        """Write down the end and return the whole."""
        self.log.append(log_outcome(self.contest, text, winners=winners, tied=tied, tied_for=tied_for))
        totals = tuple(self.totals[option] for option in range(len(self.contest.options)))
        return Outcome(tuple(winners), tuple(tied), totals, tuple(self.log), tied_for)


def count(contest: Contest, ballots: WeightedMarks) -> Outcome:
    """Eliminate from the bottom until an option has more than half of the continuing votes or a tie ends the count."""
    state = _Count(contest, [(read_order(marks), weight) for marks, weight in ballots])
    standing: Standing = frozenset(range(len(contest.options)))
    number = 1
    while True:
        now = _count_round(state.ballots, standing, number)
        state.totals.update(now.votes)
        state.log.append(_log_round(contest, now))
        winner = now.majority()
        if winner is not None:
            share = f"{now.votes[winner]} of {now.continuing} continuing votes"
            text = f"{name_options(contest, [winner])} wins with {share}, more than half."
            return state.finish(text, winners=[winner])
        eliminated = now.sure_losers()
        if not eliminated:
            return _settle_tie(state, standing, now)
        state.log.append(_log_elimination(state, standing, now, eliminated))
        standing -= frozenset(eliminated)
        number += 1


def read_order(marks: Marks) -> Order:
    """Order the ranked options by their ranks; gaps close up."""
    return tuple(sorted((option for option, rank in enumerate(marks) if rank), key=lambda option: marks[option]))


def find_reach(ballots: Sequence[tuple[Order, int]], standing: Standing, leader: int) -> dict[int, int]:
    """Count for every other standing option the votes that it could have at most while the leader stands.

    Those are the votes of the ballots that rank it before the leader.
    """
    reach = dict.fromkeys(sorted(standing - {leader}), 0)
    for order, weight in ballots:
        for option in order:
            if option == leader:
                break
            if option in standing:
                reach[option] += weight
    return reach


def _first_standing(order: Order, standing: Standing) -> int | None:
    for option in order:
        if option in standing:
            return option
    return None


def _count_round(ballots: Sequence[tuple[Order, int]], standing: Standing, number: int) -> _Round:
    votes = dict.fromkeys(sorted(standing), 0)
    exhausted = 0
    for order, weight in ballots:
        option = _first_standing(order, standing)
        if option is None:
            exhausted += weight
        else:
            votes[option] += weight
    return _Round(number, votes, exhausted)


def _settle_tie(state: _Count, standing: Standing, now: _Round) -> Outcome:
    """End a count at options that tie for elimination. Other rules for ties would break it here."""
    contest, lowest, leading = state.contest, now.lowest(), now.leading()
    tie = f"Round {now.number}: {name_options(contest, lowest)} tie for the fewest votes, {now.votes[lowest[0]]} each"
    data: dict[str, JsonTree] = {
        "round": now.number,
        "options": option_ids(contest, lowest),
        "leading": option_ids(contest, leading),
    }
    if len(leading) == 1:
        leader, most = name_options(contest, leading), now.votes[leading[0]]
        reach = find_reach(state.ballots, standing, leading[0])
        if all(votes < most for votes in reach.values()):
            why = f"{leader} has {most}, more than any other can get while {leader} stands"
            text = f"{tie}. Their order does not matter: {why} ({totals_in_words(contest, reach)})."
            state.log.append(LogEntry("tie_without_effect", text, {**data, "reach": totals_by_id(contest, reach)}))
            text = f"{leader} wins in whichever order tied options are eliminated."
            return state.finish(text, winners=leading)
    if len(standing) == 2:
        return state.finish(f"{tie}, and nobody else stands: no winner.", tied=lowest, tied_for=TiedFor.SEAT)
    text = f"{tie}, and their order may decide who wins. The count stops here; {_who_leads(contest, now, leading)}."
    state.log.append(LogEntry("tie_for_elimination", text, data))
    text = f"Undecided: {name_options(contest, lowest)} tie for elimination in round {now.number}. No winner."
    return state.finish(text, tied=lowest, tied_for=TiedFor.ELIMINATION)


def _who_leads(contest: Contest, now: _Round, leading: Sequence[int]) -> str:
    if len(leading) == len(now.votes):
        return "nobody leads"
    names, most = name_options(contest, leading), now.votes[leading[0]]
    return f"{names} leads with {most}" if len(leading) == 1 else f"{names} lead with {most} each"


def _log_round(contest: Contest, now: _Round) -> LogEntry:
    return LogEntry(
        "round",
        f"Round {now.number}: {totals_in_words(contest, now.votes)}; exhausted {now.exhausted}.",
        {
            "round": now.number,
            "votes": totals_by_id(contest, now.votes),
            "continuing": str(now.continuing),
            "exhausted": str(now.exhausted),
        },
    )


def _log_elimination(state: _Count, standing: Standing, now: _Round, eliminated: Sequence[int]) -> LogEntry:
    """Write down who goes out of a round and where each of their votes goes."""
    contest = state.contest
    remaining = standing - frozenset(eliminated)
    transfers: dict[int, dict[int, int]] = {option: {} for option in eliminated}
    exhausted = 0
    for order, weight in state.ballots:
        source = _first_standing(order, standing)
        if source is None or source in remaining:
            continue
        target = _first_standing(order, remaining)
        if target is None:
            exhausted += weight
        else:
            transfers[source][target] = transfers[source].get(target, 0) + weight
    return LogEntry(
        "elimination",
        f"{_why_eliminated(contest, now, eliminated)}. {_transfers_in_words(contest, transfers.values(), exhausted)}",
        {
            "round": now.number,
            "options": option_ids(contest, eliminated),
            "transfers": {contest.options[source].id: totals_by_id(contest, to) for source, to in transfers.items()},
            "exhausted": str(exhausted),
        },
    )


def _why_eliminated(contest: Contest, now: _Round, eliminated: Sequence[int]) -> str:
    names = name_options(contest, eliminated)
    together = sum(now.votes[option] for option in eliminated)
    if len(eliminated) == 1:
        return f"{names} has the fewest votes, {together}, and is eliminated"
    return f"{names} have together fewer votes, {together}, than any other option, and are eliminated"


def _transfers_in_words(contest: Contest, transfers: Iterable[Mapping[int, int]], exhausted: int) -> str:
    sums: dict[int, int] = {}
    for targets in transfers:
        for target, votes in targets.items():
            sums[target] = sums.get(target, 0) + votes
    moved = f"Votes pass to {totals_in_words(contest, sums)}" if sums else "No votes pass on"
    return f"{moved}; exhausted {exhausted}."


def explain_marks(contest: Contest) -> str:
    """Tell how many options may be ranked."""
    most = contest.limits[MAX_RANKS.name]
    number = "as many as you like" if most == len(contest.options) else f"at most {most}"
    return (
        f"Rank the options, {number}: 1 for your first choice, 2 for the next; 0 for an option that you do not rank. "
        "Two options of the same rank spoil this contest of the ballot."
    )


RULES = MethodRules(
    min_options=2,
    max_seats=1,
    limits=(MAX_RANKS,),
    words=RANK,
    explain_marks=explain_marks,
    counting=(
        "Round by round the option with the fewest votes goes out and its ballots pass on to their next choice, "
        "until one has more than half of those that still count. "
        "Options that tie for going out end the count without a winner where their order may decide."
    ),
    blank_mark=0,
    find_fault=find_fault,
    count=count,
)
