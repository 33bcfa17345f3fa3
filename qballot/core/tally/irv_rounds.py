"""The rounds of an instant runoff, and what its log says of them: votes, who goes out and where votes go, ties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.outcome import LogEntry, name_options, option_ids, totals_by_id, totals_in_words
from qballot.core.tally.piles import EXHAUSTED, Moves


@dataclass(frozen=True, slots=True)
class Round:
    """How the votes stand while a set of options does. votes: by option. exhausted: votes with no option left."""

    number: int
    votes: Mapping[int, int]
    exhausted: int

    @property
    def continuing(self) -> int:
        """Votes that are not exhausted."""
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

    def pass_on(self, standing: frozenset[int], moves: Moves) -> Round:
        """Make the next round, in which only `standing` do and to which these votes have moved."""
        votes = {option: self.votes[option] for option in sorted(standing)}
        exhausted = self.exhausted
        for (_, target), moved in moves.items():
            if target == EXHAUSTED:
                exhausted += moved
            else:
                votes[target] += moved
        return Round(self.number + 1, votes, exhausted)

    def _options_with(self, number: int) -> list[int]:
        return [option for option, votes in self.votes.items() if votes == number]


def log_round(contest: Contest, now: Round) -> LogEntry:
    """Write down how the votes stand in a round."""
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


def log_elimination(
    contest: Contest, now: Round, eliminated: Sequence[int], moves: Moves, is_broken_tie: bool
) -> LogEntry:
    """Write down who goes out of a round and where each of their votes goes."""
    transfers: dict[int, dict[int, int]] = {option: {} for option in sorted(eliminated)}
    exhausted = 0
    for ((source, _), target), votes in moves.items():
        if target == EXHAUSTED:
            exhausted += votes
        elif votes:
            transfers[source][target] = votes
    why = (
        f"{name_options(contest, eliminated)} is eliminated, as the tie was broken"
        if is_broken_tie
        else _why_eliminated(contest, now, eliminated)
    )
    return LogEntry(
        "elimination",
        f"{why}. {_transfers_in_words(contest, transfers, exhausted)}",
        {
            "round": now.number,
            "options": option_ids(contest, eliminated),
            "transfers": {contest.options[source].id: totals_by_id(contest, to) for source, to in transfers.items()},
            "exhausted": str(exhausted),
        },
    )


def log_tie_without_effect(contest: Contest, now: Round, tie: str, reach: Mapping[int, int]) -> LogEntry:
    """Write down a tie for elimination that cannot keep the leader from winning. reach: see `find_reach`."""
    (leader,) = now.leading()
    name = name_options(contest, [leader])
    why = f"{name} has {now.votes[leader]}, more than any other can get while {name} stands"
    text = f"{tie}. Their order does not matter: {why} ({totals_in_words(contest, reach)})."
    return LogEntry("tie_without_effect", text, {**_tie_data(contest, now), "reach": totals_by_id(contest, reach)})


def log_tie(contest: Contest, now: Round, tie: str, waits: bool) -> LogEntry:
    """Write down a tie for elimination that stops the count, and who leads by then."""
    stop = "The count waits here for the lot" if waits else "The count stops here"
    text = f"{tie}, and their order may decide who wins. {stop}; {_who_leads(contest, now)}."
    return LogEntry("tie_for_elimination", text, _tie_data(contest, now))


def _tie_data(contest: Contest, now: Round) -> dict[str, JsonTree]:
    return {
        "round": now.number,
        "options": option_ids(contest, now.lowest()),
        "leading": option_ids(contest, now.leading()),
    }


def _who_leads(contest: Contest, now: Round) -> str:
    leading = now.leading()
    if len(leading) == len(now.votes):
        return "nobody leads"
    names, most = name_options(contest, leading), now.votes[leading[0]]
    return f"{names} leads with {most}" if len(leading) == 1 else f"{names} lead with {most} each"


def _why_eliminated(contest: Contest, now: Round, eliminated: Sequence[int]) -> str:
    names = name_options(contest, eliminated)
    together = sum(now.votes[option] for option in eliminated)
    if len(eliminated) == 1:
        return f"{names} has the fewest votes, {together}, and is eliminated"
    return f"{names} have together fewer votes, {together}, than any other option, and are eliminated"


def _transfers_in_words(contest: Contest, transfers: Mapping[int, Mapping[int, int]], exhausted: int) -> str:
    sums: dict[int, int] = {}
    for targets in transfers.values():
        for target, votes in targets.items():
            sums[target] = sums.get(target, 0) + votes
    moved = f"Votes pass to {totals_in_words(contest, sums)}" if sums else "No votes pass on"
    return f"{moved}; exhausted {exhausted}."
