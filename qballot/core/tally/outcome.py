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


SHOWN_PLACES = 5
MAX_SHOWN_CHARACTERS = 16


class TiedFor(StrEnum):
    """What tied options tie for."""

    SEAT = "seat"
    """The seats that are open are open between exactly the tied options, of whom there are more than seats."""

    ELIMINATION = "elimination"
    """Each may be the next to go out, and the count stopped. An option that is not tied may yet be the one to win."""

    TRANSFER = "transfer"
    """They are elected with equal surpluses, the order in which these pass on may decide, and the count stopped."""

    NEXT_SEAT = "next_seat"
    """Each may be the next to be elected, and the count stopped before other seats, which an option that is not tied
    may win.
    """


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

    winners: the options that have won for certain, in the definition's order: as many as there are seats, fewer where a
    tie leaves seats open, none when nobody was elected.
    tied: the options whose tie keeps the count from filling the other seats; empty without a tie. A winner is tied only
    for TRANSFER.
    tied_for: what they tie for; None exactly when `tied` is empty.
    totals: one for each option, what the result page draws as bars.
    waits_for_lot: the tie stands only because the lot that decides it is not drawn yet.
    """

    winners: tuple[int, ...]
    tied: tuple[int, ...]
    totals: tuple[Total, ...]
    log: tuple[LogEntry, ...]
    tied_for: TiedFor | None = None
    waits_for_lot: bool = False


def format_total(total: Total) -> str:
    """Write an exact number as decimal digits, or as a fraction in lowest terms like `7/3`."""
    return str(total)


def show_total(total: Total) -> str:
    """Write an exact number for people: as a decimal where it ends within five places, else as a fraction if short.

    A long fraction is cut to five places and marked with `≈`; a log's data has it exactly.
    """
    text = format_total(total)
    units = Fraction(total) * 10**SHOWN_PLACES
    ends = units.denominator == 1
    if "/" not in text or (not ends and len(text) <= MAX_SHOWN_CHARACTERS):
        return text
    whole, rest = divmod(int(abs(units)), 10**SHOWN_PLACES)
    decimal = f"{whole}.{rest:0{SHOWN_PLACES}}"
    return f"{'' if ends else '≈'}{'-' if units < 0 else ''}{decimal.rstrip('0') if ends else decimal}"


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


def log_outcome(
    contest: Contest,
    text: str,
    *,
    winners: Iterable[int] = (),
    tied: Iterable[int] = (),
    tied_for: TiedFor | None = None,
    waits_for_lot: bool = False,
) -> LogEntry:
    """Make the entry that every count ends with; what belongs to a tie is in it only where options tie."""
    data: dict[str, JsonTree] = {"winners": option_ids(contest, winners), "tied": option_ids(contest, tied)}
    if tied_for:
        data["tied_for"] = tied_for.value
    if waits_for_lot:
        data["waits_for_lot"] = True
    return LogEntry("outcome", text, data)
