"""What a method's count ends in: who won, the totals, and a log that a person can follow with a pencil."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

from qballot.core.canonical import JsonTree
from qballot.core.election import Contest

Total: TypeAlias = int | Fraction
"""An exact number of votes or points."""


class TiedFor(StrEnum):
    """What tied options tie for."""

    SEAT = "seat"
    """The seat is open between exactly the tied options."""

    ELIMINATION = "elimination"
    """Each may be the next to go out, and the count stopped. An option that is not tied may yet be the one to win."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One step of a count.

    kind: what sort of step, a word that programs may switch on. text: the step in English, with the options' titles.
    data: the step's numbers; weights and points are decimal text, options are named by id.
    """

    kind: str
    text: str
    data: Mapping[str, JsonTree] = field(default_factory=dict, hash=False)

    def to_json(self) -> dict[str, JsonTree]:
        """Write the entry as one JSON object."""
        return {"kind": self.kind, "text": self.text, **self.data}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A contest counted by its method; options are positions in the contest.

    winners: as many as there are seats, or none when nobody was elected.
    tied: the options whose tie keeps the count from electing; empty without a tie.
    tied_for: what they tie for; None exactly when `tied` is empty.
    totals: one for each option, what the result page draws as bars.
    """

    winners: tuple[int, ...]
    tied: tuple[int, ...]
    totals: tuple[Total, ...]
    log: tuple[LogEntry, ...]
    tied_for: TiedFor | None = None


def format_total(total: Total) -> str:
    """Write an exact number as decimal digits, or as a fraction in lowest terms like `7/3`."""
    return str(total)


def list_in_words(words: Sequence[str]) -> str:
    """Join words as English does: `A`, `A and B`, `A, B and C`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def name_options(contest: Contest, options: Iterable[int]) -> str:
    """List options' titles in words, in the definition's order."""
    return list_in_words([contest.options[option].title for option in sorted(options)])


def option_ids(contest: Contest, options: Iterable[int]) -> list[JsonTree]:
    """List options' ids in the definition's order."""
    return [contest.options[option].id for option in sorted(options)]


def totals_by_id(contest: Contest, totals: Mapping[int, Total]) -> dict[str, JsonTree]:
    """Name totals by option id, in the definition's order, as text."""
    return {contest.options[option].id: format_total(totals[option]) for option in sorted(totals)}


def totals_in_words(contest: Contest, totals: Mapping[int, Total]) -> str:
    """List options with their totals, the greatest first and equal ones in the definition's order."""
    order = sorted(totals, key=lambda option: (-totals[option], option))
    return ", ".join(f"{contest.options[option].title} {format_total(totals[option])}" for option in order)


def elect_greatest(contest: Contest, totals: Sequence[Total], unit: str, log: Sequence[LogEntry] = ()) -> Outcome:
    """End a count whose one seat goes to the greatest total.

    unit: what is summed, in a plural with -s (`votes`, `points`). log: the steps so far; totals and outcome are added.
    """
    sums = dict(enumerate(totals))
    greatest = max(totals)
    first = tuple(option for option, total in sums.items() if total == greatest)
    listed = LogEntry(
        "totals", f"{unit.capitalize()}: {totals_in_words(contest, sums)}.", {"totals": totals_by_id(contest, sums)}
    )
    amount = f"{format_total(greatest)} {unit[:-1] if greatest == 1 else unit}"
    if len(first) == 1:
        end = log_outcome(contest, f"{name_options(contest, first)} wins with {amount}.", winners=first)
        return Outcome(first, (), tuple(totals), (*log, listed, end))
    text = f"{name_options(contest, first)} tie with {amount} each: no winner."
    end = log_outcome(contest, text, tied=first, tied_for=TiedFor.SEAT)
    return Outcome((), first, tuple(totals), (*log, listed, end), TiedFor.SEAT)


def log_outcome(
    contest: Contest,
    text: str,
    *,
    winners: Iterable[int] = (),
    tied: Iterable[int] = (),
    tied_for: TiedFor | None = None,
) -> LogEntry:
    """Make the entry that every count ends with; `tied_for` is in it only where options tie."""
    data: dict[str, JsonTree] = {"winners": option_ids(contest, winners), "tied": option_ids(contest, tied)}
    if tied_for:
        data["tied_for"] = tied_for.value
    return LogEntry("outcome", text, data)
