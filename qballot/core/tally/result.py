"""An election's result, and its one JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qballot.core.ballot import Group
from qballot.core.canonical import JsonTree
from qballot.core.election import Contest, Definition
from qballot.core.tally.outcome import Outcome, format_total, option_ids, totals_by_id
from qballot.core.tally.requirements import Finding, Verdict, sum_up
from qballot.core.tally.rules import SpoilReason


@dataclass(frozen=True, slots=True)
class ContestResult:
    """One contest, counted.

    cast: all ballots of the election, each of which is in exactly one of `counted`, `blank` and `spoiled`.
    spoiled: by reason, only reasons that occur, in the order of SpoilReason.
    outcome: winners, ties, totals and the count log.
    findings: everything that the contest requires, looked at.
    """

    contest: Contest
    outcome: Outcome
    cast: Group
    counted: Group
    blank: Group
    spoiled: Mapping[SpoilReason, Group] = field(hash=False)
    findings: tuple[Finding, ...] = ()

    @property
    def winners(self) -> tuple[str, ...]:
        """Ids of the options that won, in the definition's order; empty when nobody did."""
        return tuple(self.contest.options[option].id for option in self.outcome.winners)

    @property
    def tied(self) -> tuple[str, ...]:
        """Ids of the options that tie, in the definition's order; `outcome.tied_for` says for what."""
        return tuple(self.contest.options[option].id for option in self.outcome.tied)

    @property
    def open_seats(self) -> int:
        """Seats that a tie leaves open; 0 without a tie."""
        return self.contest.seats - len(self.outcome.winners) if self.outcome.tied else 0

    @property
    def verdict(self) -> Verdict | None:
        """Whether all that the contest requires is met; None where it requires nothing."""
        return sum_up(self.findings)

    def to_json(self) -> dict[str, JsonTree]:
        """Write the contest's result; totals and weights are decimal text, numbers of ballots are integers."""
        contest, outcome = self.contest, self.outcome
        return {
            "id": contest.id,
            "title": contest.title,
            "method": contest.method.value,
            "seats": contest.seats,
            "winners": option_ids(contest, outcome.winners),
            "tied": option_ids(contest, outcome.tied),
            "tied_for": None if outcome.tied_for is None else outcome.tied_for.value,
            "open_seats": self.open_seats,
            "waits_for_lot": outcome.waits_for_lot,
            "verdict": None if self.verdict is None else self.verdict.value,
            "requirements": [finding.to_json() for finding in self.findings],
            "totals": totals_by_id(contest, dict(enumerate(outcome.totals))),
            "log": [entry.to_json() for entry in outcome.log],
            **self._ballots_json(),
        }

    def _ballots_json(self) -> dict[str, JsonTree]:
        return {
            "ballots": self.cast.ballots,
            "counted": self.counted.ballots,
            "blank": self.blank.ballots,
            "spoiled": {reason.value: group.ballots for reason, group in self.spoiled.items()},
            "ballots_weight": format_total(self.cast.weight),
            "counted_weight": format_total(self.counted.weight),
            "blank_weight": format_total(self.blank.weight),
            "spoiled_weight": {reason.value: format_total(group.weight) for reason, group in self.spoiled.items()},
        }


@dataclass(frozen=True, slots=True)
class ElectionResult:
    """Every contest of an election, counted, in the definition's order."""

    definition: Definition
    contests: tuple[ContestResult, ...]

    def to_json(self) -> dict[str, JsonTree]:
        """Write the result as `{"contests": [...]}`, the same for the same ballots in any order."""
        return {"contests": [contest.to_json() for contest in self.contests]}
