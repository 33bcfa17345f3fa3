"""A count while voting goes on: whoever would win leads, and nobody has won or tied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from qballot.core.tally.outcome import LogEntry, Outcome, name_options, option_ids
from qballot.core.tally.result import ContestResult, ElectionResult

OUTCOME: Final = "outcome"
"""Kind of the entry that every complete count's log ends with, and no other's."""

TIE_FOR_ELIMINATION: Final = "tie_for_elimination"
"""Kind of the entry of a count that stops at options of which any may be the next to go out."""

LEADING: Final = "leading"
"""Kind of the entry that stands in the outcome's place."""


def show_leading(result: ElectionResult) -> ElectionResult:
    """Turn a count into that of an election that goes on: no winner, no tie, nothing passed, but who leads.

    Who leads stands in the last entry of each contest's log.
    """
    return replace(result, contests=tuple(map(_show_contest, result.contests)))


def _show_contest(result: ContestResult) -> ContestResult:
    contest, outcome = result.contest, result.outcome
    leading = find_leading(result)
    names = name_options(contest, leading)
    verb = "leads" if len(leading) == 1 else "lead"
    text = f"Voting goes on: {names} {verb}, and nobody has won." if leading else "Voting goes on: nobody leads."
    steps = [entry for entry in outcome.log if entry.kind != OUTCOME]
    log = (*steps, LogEntry(LEADING, text, {"leading": option_ids(contest, leading)}))
    return replace(result, outcome=Outcome((), (), outcome.totals, log), findings=())


def find_leading(result: ContestResult) -> tuple[int, ...]:
    """Find the options that would win, or tie for it, if voting ended now."""
    contest, outcome = result.contest, result.outcome
    # Options that tie for elimination are the lowest: who leads then stands in the log.
    for entry in outcome.log:
        if entry.kind == TIE_FOR_ELIMINATION:
            named = entry.data["leading"]
            ids = set(named) if isinstance(named, Iterable) else set()
            return tuple(place for place, option in enumerate(contest.options) if option.id in ids)
    return tuple(sorted({*outcome.winners, *outcome.tied}))
