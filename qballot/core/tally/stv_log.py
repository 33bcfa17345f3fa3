"""What the log of a count by single transferable vote says: quota, stages, who is elected, where votes go, ties."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.outcome import LogEntry, Total, format_total, name_options, option_ids, show_total, totals_by_id
from qballot.core.tally.piles import EXHAUSTED, Moves, Surpluses


def log_quota(contest: Contest, cast: int, quota: Total, is_hare: bool) -> LogEntry:
    """Write down how many votes elect. cast: votes counted."""
    seats = contest.seats
    made = f"{cast} / {seats}" if is_hare else f"the whole part of {cast} / {seats + 1}, plus 1"
    text = f"Quota: {show_total(quota)} votes elect ({made}; {seats} to elect)."
    name = "hare" if is_hare else "droop"
    return LogEntry("quota", text, {"votes": str(cast), "quota": format_total(quota), "rule": name, "seats": seats})


def log_stage(contest: Contest, number: int, votes: Mapping[int, Total], cast: int) -> LogEntry:
    """Write down how the votes stand at the end of a stage. votes: of whoever is not excluded."""
    rest = cast - sum(votes.values())
    order = sorted(votes, key=lambda option: (-votes[option], option))
    listed = ", ".join(f"{contest.options[option].title} {show_total(votes[option])}" for option in order)
    return LogEntry(
        "stage",
        f"Stage {number}: {listed}; not transferable {show_total(rest)}.",
        {"stage": number, "votes": totals_by_id(contest, votes), "not_transferable": format_total(rest)},
    )


class Why(Enum):
    """Why options are elected, as what is said of one and of several."""

    QUOTA = ("reaches the quota and is elected", "reach the quota and are elected")
    LAST = ("is elected to the last seat, as no other option is left", "are elected, as no other options are left")
    AHEAD = (
        "is elected, as only one of the tied options can still go out",
        "are elected, as only one of the tied options can still go out",
    )


def log_elected(contest: Contest, number: int, options: Sequence[int], why: Why) -> LogEntry:
    """Write down who is elected at a stage. options: in the order of election."""
    reason = why.value[0 if len(options) == 1 else 1]
    in_order: list[JsonTree] = [contest.options[option].id for option in options]
    data: dict[str, JsonTree] = {"stage": number, "options": in_order, "why": why.name.lower()}
    return LogEntry("elected", f"{name_options(contest, options)} {reason}.", data)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Ballots on their way. number: of the stage that this makes.

    moved: weights by the pile that they come from and their next holder. values: what a ballot of each pile was worth
    when its holder received it. passes_at: what it is worth now.
    """

    number: int
    moved: Moves
    values: Mapping[Surpluses, Fraction]
    passes_at: Callable[[Surpluses], Fraction]


def log_surplus(contest: Contest, option: int, surplus: Total, transfer: Transfer) -> LogEntry:
    """Write down a surplus that passes on, at which values, and to whom."""
    paths = sorted({path for ((_, path), _), weight in transfer.moved.items() if weight})
    rates = {transfer.values[path]: transfer.passes_at(path) for path in paths}
    listed = ", ".join(
        show_total(rates[received])
        if received == 1
        else f"{show_total(rates[received])} (received at {show_total(received)})"
        for received in sorted(rates, reverse=True)
    )
    sums, ballots = _sum_up(transfer)
    stuck = surplus - sum(votes for target, votes in sums.items() if target != EXHAUSTED)
    text = (
        f"The surplus of {name_options(contest, [option])}, {show_total(surplus)}, passes on at the value {listed}. "
        f"{_in_words(contest, sums, stuck)}"
    )
    data: dict[str, JsonTree] = {
        "stage": transfer.number,
        "options": option_ids(contest, [option]),
        "surplus": format_total(surplus),
        "values": {format_total(received): format_total(rates[received]) for received in sorted(rates, reverse=True)},
    }
    return LogEntry("surplus", text, data | _transfers(contest, sums, ballots, stuck))


def log_exclusion(contest: Contest, options: Sequence[int], votes: Mapping[int, Total], transfer: Transfer) -> LogEntry:
    """Write down who is excluded and where the votes go. votes: at the stage before."""
    sums, ballots = _sum_up(transfer)
    stuck = sums.get(EXHAUSTED, 0)
    text = f"{_excluded(contest, options, votes)}. {_in_words(contest, sums, stuck)}"
    data: dict[str, JsonTree] = {"stage": transfer.number, "options": option_ids(contest, options)}
    return LogEntry("exclusion", text, data | _transfers(contest, sums, ballots, stuck))


def log_last_exclusion(contest: Contest, number: int, options: Sequence[int], votes: Mapping[int, Total]) -> LogEntry:
    """Write down who is excluded where the last seats can be filled then, for which no votes pass on."""
    text = f"{_excluded(contest, options, votes)}. The last seats can be filled, so that no votes pass on."
    return LogEntry("exclusion", text, {"stage": number, "options": option_ids(contest, options)})


def log_free_tie(contest: Contest, number: int, options: Sequence[int], text: str) -> LogEntry:
    """Write down a tie whose order does not matter. options: those concerned. text: the tie and what is done."""
    data: dict[str, JsonTree] = {"stage": number, "options": option_ids(contest, options)}
    return LogEntry("tie_without_effect", f"{text}, as their order does not matter.", data)


def log_stop(contest: Contest, number: int, text: str, tied: Sequence[int], leading: Sequence[int]) -> LogEntry:
    """Write down a tie that stops the count. leading: who is elected by then, and who of the rest has the most."""
    ids = {"options": option_ids(contest, tied), "leading": option_ids(contest, leading)}
    return LogEntry("tie_for_elimination", text, {"stage": number, **ids})


def _excluded(contest: Contest, options: Sequence[int], votes: Mapping[int, Total]) -> str:
    names = name_options(contest, options)
    if len(options) == 1:
        return f"{names} is excluded, with {show_total(votes[options[0]])}"
    return f"{names} are excluded, with {show_total(sum(votes[option] for option in options))} together"


def _sum_up(transfer: Transfer) -> tuple[dict[int, Total], dict[int, dict[str, int]]]:
    """Add up votes by their next holder, and weights by next holder and by the value that they were received at."""
    sums: dict[int, Total] = {}
    ballots: dict[int, dict[str, int]] = {}
    for ((_, path), target), weight in sorted(transfer.moved.items(), key=lambda item: item[0]):
        if weight:
            votes = sums.get(target, 0) + weight * transfer.passes_at(path)
            sums[target] = votes.numerator if votes.denominator == 1 else votes
            received = format_total(transfer.values[path])
            of_target = ballots.setdefault(target, {})
            of_target[received] = of_target.get(received, 0) + weight
    return sums, ballots


def _in_words(contest: Contest, sums: Mapping[int, Total], stuck: Total) -> str:
    order = sorted((target for target in sums if target != EXHAUSTED), key=lambda target: (-sums[target], target))
    listed = ", ".join(f"{contest.options[target].title} {show_total(sums[target])}" for target in order)
    return f"{f'Votes pass to {listed}' if order else 'No votes pass on'}; not transferable {show_total(stuck)}."


def _transfers(
    contest: Contest, sums: Mapping[int, Total], ballots: Mapping[int, Mapping[str, int]], stuck: Total
) -> dict[str, JsonTree]:
    """Write down for each next holder its votes, and the weight of its ballots by the value they were received at."""

    def ballots_of(target: int) -> dict[str, JsonTree]:
        return {value: str(weight) for value, weight in ballots.get(target, {}).items()}

    targets = sorted(target for target in sums if target != EXHAUSTED)
    return {
        "transfers": {
            contest.options[target].id: {"votes": format_total(sums[target]), "ballots": ballots_of(target)}
            for target in targets
        },
        "not_transferable": {"votes": format_total(stuck), "ballots": ballots_of(EXHAUSTED)},
    }
