"""Seats for the greatest totals: how every method ends that adds up one number for each option.

With S seats the options are taken from the greatest total downwards. Who has a total that fewer than S others reach or
exceed wins for certain. Where equal totals stand across the last seats, exactly those options tie for the seats left.

    3 seats   A 9   B 7   C 5   D 5   E 5        A and B win; C, D and E tie for 1 seat
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qballot.core.election import Contest
from qballot.core.tally.outcome import (
    LogEntry,
    Outcome,
    TiedFor,
    Total,
    format_total,
    log_outcome,
    name_options,
    totals_by_id,
    totals_in_words,
)
from qballot.core.tally.ties import Fate, Ties


def elect_greatest(
    contest: Contest,
    totals: Sequence[Total],
    unit: str,
    ties: Ties,
    log: Sequence[LogEntry] = (),
    *,
    say: Callable[[Total], str] | None = None,
) -> Outcome:
    """End a count whose seats go to the greatest totals; a tie for the last seats goes by the contest's tie rule.

    unit: what is summed, in a plural with -s (`votes`, `points`). log: the steps so far; totals and outcome are added.
    say: what stands after `wins with`, where a total is not an amount of the unit.
    """
    say = say or (lambda total: _amount(total, unit))
    steps = [*log, log_totals(contest, totals, unit)]
    certain, tied = find_greatest(totals, contest.seats)
    waits, tie = False, ""
    if tied:
        open_seats = contest.seats - len(certain)
        seats = "" if contest.seats == 1 else f" for {open_seats} of {contest.seats} seats"
        tie = f"{name_options(contest, tied)} tie{seats} with {say(totals[tied[0]])} each"
        decision = ties.take(tied, tie, Fate.WINS, open_seats)
        steps += decision.log
        waits = decision.waits
        if decision.taken:
            certain, tied = tuple(sorted((*certain, *decision.taken))), ()
    tied_for = TiedFor.SEAT if tied else None
    said = [_say_winners(contest, certain, totals, say)] if certain else []
    if tied:
        missing = "no winner" if contest.seats == 1 else "these seats are not filled"
        said.append(f"{tie}: {'waiting for the lot' if waits else missing}.")
    text = " ".join(said)
    steps.append(log_outcome(contest, text, winners=certain, tied=tied, tied_for=tied_for, waits_for_lot=waits))
    return Outcome(certain, tied, tuple(totals), tuple(steps), tied_for, waits)


def find_greatest(totals: Sequence[Total], seats: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Find who has one of the greatest totals for certain, and who ties for the seats that are left.

    Returns positions in order; nobody ties, or more than there are seats left.
    """
    last = sorted(totals, reverse=True)[min(seats, len(totals)) - 1]
    above = tuple(option for option, total in enumerate(totals) if total > last)
    level = tuple(option for option, total in enumerate(totals) if total == last)
    if len(above) + len(level) <= seats:
        return tuple(sorted((*above, *level))), ()
    return above, level


def log_totals(contest: Contest, totals: Sequence[Total], unit: str) -> LogEntry:
    """Make the entry that lists every option's total. unit: as in `elect_greatest`."""
    sums = dict(enumerate(totals))
    text = f"{unit.capitalize()}: {totals_in_words(contest, sums)}."
    return LogEntry("totals", text, {"totals": totals_by_id(contest, sums)})


def _say_winners(contest: Contest, winners: Sequence[int], totals: Sequence[Total], say: Callable[[Total], str]) -> str:
    if len(winners) == 1:
        return f"{name_options(contest, winners)} wins with {say(totals[winners[0]])}."
    return f"{name_options(contest, winners)} win."


def _amount(total: Total, unit: str) -> str:
    return f"{format_total(total)} {unit[:-1] if total == 1 else unit}"
