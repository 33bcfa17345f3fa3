"""Seats by an order of the options that may leave some of them side by side: how methods end that compare options.

The order says for each option which others are below it; what is below something is below all that is above that. With
S seats

    an option that all but fewer than S others are below       wins for certain
    an option that S or more others are above                  does not win
    all the others                                             tie for the seats left

    2 seats   A above B and D, C above D        A wins; B and C tie for 1 seat, as neither is above the other

With one seat this is: an option above all others wins; else those that no option is above tie. Where a lot decides, the
seats are filled one by one, each by lot among the tied options that no tied one without a seat is above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.option_sets import OptionSet, list_members
from qballot.core.tally.outcome import (
    LogEntry,
    Outcome,
    TiedFor,
    Total,
    log_outcome,
    name_options,
    option_ids,
)
from qballot.core.tally.ties import Fate, Ties


@dataclass(frozen=True, slots=True)
class Order:
    """Who is above whom.

    below: for each option those that it is above. by: what the order goes by, as in `by the strongest paths`.
    """

    below: Sequence[OptionSet]
    by: str

    def count_below(self) -> list[int]:
        """Count for each option those that it is above."""
        return [lower.bit_count() for lower in self.below]

    def log(self, contest: Contest) -> LogEntry:
        """Write down whom each option is above."""
        lines: list[str] = []
        above: dict[str, JsonTree] = {}
        for option, lower in zip(contest.options, self.below, strict=True):
            members = list_members(lower)
            lines.append(f"{option.title} is above {name_options(contest, members) if members else 'nobody'}")
            above[option.id] = option_ids(contest, members)
        return LogEntry("order", f"{self.by[0].upper()}{self.by[1:]}: {'; '.join(lines)}.", {"above": above})


def elect_by_order(
    contest: Contest, order: Order, totals: Sequence[Total], ties: Ties, log: Sequence[LogEntry]
) -> Outcome:
    """Fill the seats by an order, and those left by a tie by the contest's tie rule. log: the steps so far."""
    steps = list(log)
    certain, tied = split_by_order(order, contest.seats)
    tie, waits = "", False
    if tied:
        open_seats = contest.seats - len(certain)
        seats = "" if contest.seats == 1 else f" for {open_seats} of {contest.seats} seats"
        tie = f"{name_options(contest, tied)} tie{seats} {order.by}"
        taken, entries, waits = _fill(contest, order, tied, open_seats, tie=tie, ties=ties)
        steps += entries
        if taken:
            certain, tied = sorted((*certain, *taken)), []
    said = []
    if certain:
        verb = "wins" if len(certain) == 1 else "win"
        said.append(
            f"{name_options(contest, certain)} {verb} {'as the tie was broken' if tie and not tied else order.by}."
        )
    if tied:
        missing = "no winner" if contest.seats == 1 else "these seats are not filled"
        said.append(f"{tie}: {'waiting for the lot' if waits else missing}.")
    tied_for = TiedFor.SEAT if tied else None
    text = " ".join(said)
    steps.append(log_outcome(contest, text, winners=certain, tied=tied, tied_for=tied_for, waits_for_lot=waits))
    return Outcome(tuple(certain), tuple(tied), tuple(totals), tuple(steps), tied_for, waits)


def split_by_order(order: Order, seats: int) -> tuple[list[int], list[int]]:
    """Find who wins for certain by an order, and who ties for the seats left: nobody, or more than these seats."""
    below = order.below
    others, options = len(below) - 1, range(len(below))
    certain = [option for option in options if others - below[option].bit_count() < seats]
    open_to = [option for option in options if sum(lower >> option & 1 for lower in below) < seats]
    if len(open_to) == seats:
        return open_to, []
    return certain, [option for option in open_to if option not in certain]


def _fill(
    contest: Contest, order: Order, tied: Sequence[int], seats: int, *, tie: str, ties: Ties
) -> tuple[list[int], list[LogEntry], bool]:
    """Fill open seats one by one. Returns who takes them, or nobody; the steps; and whether the lot is waited for."""
    left, taken, log = list(tied), list[int](), list[LogEntry]()
    while len(taken) < seats:
        front = [one for one in left if not any(order.below[other] >> one & 1 for other in left)]
        if len(front) > 1:
            what = f"For the next seat {name_options(contest, front)} tie" if taken else tie
            decision = ties.take(front, what, Fate.WINS)
            if not decision.taken:
                return [], [], decision.waits
            log += decision.log
            front = list(decision.taken)
        taken += front
        left.remove(front[0])
    return taken, log, False
