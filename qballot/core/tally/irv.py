"""Instant-runoff voting: options go out one by one from the bottom, until one has more than half of what still counts.

A ballot ranks options 1 (first), 2, …; 0 is not ranked. Ranks only order, so gaps between them mean nothing. In every
round a ballot counts for its first option that is still standing; with none left it is *exhausted*.

    each round:  an option with more than half of the votes that are not exhausted wins;
                 else the option with the fewest votes is eliminated.

When several options have the fewest votes,

1. and have fewer together than any other option, they are eliminated together: whichever went first, the others would
   follow before anyone else, so that the order cannot matter;
2. else every order of eliminating them is followed to its end. If all of them elect the same option, it wins. If not,
   nobody does, and the tie is between the options that some order elects.
3. Past MAX_STANDING_SETS different sets of options this is given up, and all that still stand are reported as tied.

The totals are each option's votes in the last round in which it stood.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from qballot.core.ballot import Marks
from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.outcome import (
    LogEntry,
    Outcome,
    log_outcome,
    name_options,
    option_ids,
    totals_by_id,
    totals_in_words,
)
from qballot.core.tally.rules import Limit, MethodRules, SpoilReason, WeightedMarks, constant, number_of_options
from qballot.core.tally.words import RANK

MAX_STANDING_SETS = 256
"""Most sets of standing options that are looked at to see whether a tie matters."""

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
        fewest = min(self.votes.values())
        return [option for option, votes in self.votes.items() if votes == fewest]


@dataclass(slots=True)
class _Count:
    """A count under way: what does not change, and what has been written down so far."""

    contest: Contest
    ballots: Sequence[tuple[Order, int]]
    totals: dict[int, int] = field(default_factory=dict)
    log: list[LogEntry] = field(default_factory=list)

    def finish(self, text: str, *, winners: Iterable[int] = (), tied: Iterable[int] = ()) -> Outcome:
        """Write down the end and return the whole."""
        winners, tied = tuple(sorted(winners)), tuple(sorted(tied))
        self.log.append(log_outcome(self.contest, text, winners=winners, tied=tied))
        totals = tuple(self.totals[option] for option in range(len(self.contest.options)))
        return Outcome(winners, tied, totals, tuple(self.log))


def count(contest: Contest, ballots: WeightedMarks) -> Outcome:
    """Eliminate from the bottom until an option has more than half of the continuing votes or a tie stops the count."""
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
        lowest = now.lowest()
        if len(lowest) > 1 and not _fall_together(now, lowest):
            return _settle_tie(state, standing, now, lowest)
        state.log.append(_log_elimination(state, standing, now, lowest))
        standing -= frozenset(lowest)
        number += 1


def read_order(marks: Marks) -> Order:
    """Order the ranked options by their ranks; gaps close up."""
    return tuple(sorted((option for option, rank in enumerate(marks) if rank), key=lambda option: marks[option]))


def find_possible_winners(ballots: Sequence[tuple[Order, int]], standing: Standing) -> Standing | None:
    """Find every option that wins under some order of eliminating options that tie for the fewest votes.

    Returns None when more than MAX_STANDING_SETS different sets of standing options would have to be looked at; the
    number of sets that can be reached does not depend on the order of the search.
    """
    winners: set[int] = set()
    seen, waiting = {standing}, [standing]
    while waiting:
        options = waiting.pop()
        now = _count_round(ballots, options, 0)
        winner = now.majority()
        if winner is not None:
            winners.add(winner)
            continue
        lowest = now.lowest()
        eliminations = [lowest] if _fall_together(now, lowest) else [[option] for option in lowest]
        for eliminated in eliminations:
            remaining = options - frozenset(eliminated)
            if remaining not in seen:
                if len(seen) == MAX_STANDING_SETS:
                    return None
                seen.add(remaining)
                waiting.append(remaining)
    return frozenset(winners)


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


def _fall_together(now: _Round, lowest: Sequence[int]) -> bool:
    """Say whether the options with the fewest votes have fewer together than any other option."""
    others = [votes for option, votes in now.votes.items() if option not in lowest]
    return bool(others) and sum(now.votes[option] for option in lowest) < min(others)


def _settle_tie(state: _Count, standing: Standing, now: _Round, lowest: Sequence[int]) -> Outcome:
    """End a count at options that tie for elimination."""
    contest = state.contest
    possible = find_possible_winners(state.ballots, standing)
    tie = f"{name_options(contest, lowest)} tie for the fewest votes, {now.votes[lowest[0]]} each"
    data: dict[str, JsonTree] = {"round": now.number, "options": option_ids(contest, lowest)}
    data["possible_winners"] = None if possible is None else option_ids(contest, possible)
    state.log.append(LogEntry("tie", f"Round {now.number}: {tie}.", data))
    if possible is None:
        text = f"Too many orders of elimination to follow: {name_options(contest, standing)} are tied, no winner."
        return state.finish(text, tied=standing)
    if len(possible) == 1:
        text = f"{name_options(contest, possible)} wins in whichever order tied options are eliminated."
        return state.finish(text, winners=possible)
    text = f"The order of elimination decides between {name_options(contest, possible)}: they are tied, no winner."
    return state.finish(text, tied=possible)


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


def _log_elimination(state: _Count, standing: Standing, now: _Round, lowest: Sequence[int]) -> LogEntry:
    """Write down who goes out of a round and where each of their votes goes."""
    contest = state.contest
    remaining = standing - frozenset(lowest)
    transfers: dict[int, dict[int, int]] = {option: {} for option in lowest}
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
        f"{_why_eliminated(contest, now, lowest)}. {_transfers_in_words(contest, transfers.values(), exhausted)}",
        {
            "round": now.number,
            "options": option_ids(contest, lowest),
            "transfers": {contest.options[source].id: totals_by_id(contest, to) for source, to in transfers.items()},
            "exhausted": str(exhausted),
        },
    )


def _why_eliminated(contest: Contest, now: _Round, lowest: Sequence[int]) -> str:
    names, fewest = name_options(contest, lowest), now.votes[lowest[0]]
    if len(lowest) == 1:
        return f"{names} has the fewest votes, {fewest}, and is eliminated"
    return f"{names} have the fewest votes, {fewest} each and together fewer than any other, and are eliminated"


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
        "until one has more than half of those that still count."
    ),
    blank_mark=0,
    find_fault=find_fault,
    count=count,
)
