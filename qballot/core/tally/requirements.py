"""What a contest requires beside the most votes, and whether it is met: turnout, a majority, a least total.

    turnout    ballots cast, blank and spoiled ones included   of   the voters, or the weight, in the census
    majority   the winner's total, which is votes              of   votes counted, votes cast, the weight in the census
    total      the winner's total                              by itself

Several winners must each meet what is required of the winner, so the least of their totals is compared. Fractions are
compared by cross-multiplication, exactly; `more_than` asks for more than the bound and `at_least` for as much or more.
A share of nothing (no votes counted, no weight) is no share: not met. What is required of a winner is not met where
nobody won, and open (`unknown`) where a tie or a lot that is still to be drawn keeps winners from being known.
Source: Robert's Rules of Order Newly Revised (12th edition), 40:1-5 for quorums and 44:1-10 for the bases of a vote.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from qballot.core.ballot import Group
from qballot.core.canonical import JsonTree
from qballot.core.election import Base, Contest, Demand, Requirement
from qballot.core.tally.outcome import Outcome, Total, format_total


class Verdict(StrEnum):
    """Whether what was required is met."""

    PASSED = "passed"
    NOT_PASSED = "not_passed"
    UNKNOWN = "unknown"
    """A number is not known here, or not yet."""


@dataclass(frozen=True, slots=True)
class Electorate:
    """How many may vote: what turnout and a majority of the electorate are measured by; None where it is not known.

    voters: of the census, as the ballot box holds it. weight: of the whole census, which only the census file says.
    """

    voters: int | None = None
    weight: int | None = None


UNKNOWN_ELECTORATE = Electorate()


@dataclass(frozen=True, slots=True)
class Finding:
    """One requirement, looked at.

    part: what was reached. whole: what it is a share of; None where it is not known, or the requirement is no share.
    text: all of it in a sentence.
    """

    requirement: Requirement
    verdict: Verdict
    part: Total | None
    whole: int | None
    text: str

    def to_json(self) -> dict[str, JsonTree]:
        """Write the finding as one JSON object; numbers are decimal text or fractions, null where unknown."""
        requirement = self.requirement
        return {
            "requires": requirement.demand.value,
            "of": None if requirement.base is None else requirement.base.value,
            "more_than" if requirement.strict else "at_least": format_total(requirement.bound),
            "verdict": self.verdict.value,
            "reached": None if self.part is None else format_total(self.part),
            "whole": None if self.whole is None else format_total(self.whole),
            "text": self.text,
        }


def check_requirements(
    contest: Contest, outcome: Outcome, cast: Group, counted: Group, electorate: Electorate
) -> tuple[Finding, ...]:
    """Look at everything that a contest requires. cast: all ballots of the election. counted: those of the contest."""
    return tuple(_check(requirement, outcome, cast, counted, electorate) for requirement in contest.requires)


def sum_up(findings: Iterable[Finding]) -> Verdict | None:
    """Say whether all is met: one that is not decides, then one that is unknown. None where nothing is required."""
    verdicts = {finding.verdict for finding in findings}
    for verdict in (Verdict.NOT_PASSED, Verdict.UNKNOWN, Verdict.PASSED):
        if verdict in verdicts:
            return verdict
    return None


def _check(requirement: Requirement, outcome: Outcome, cast: Group, counted: Group, electorate: Electorate) -> Finding:
    part: Total | None
    if requirement.demand is Demand.TURNOUT:
        part = cast.ballots if requirement.base is Base.VOTERS else cast.weight
    else:
        part = min((outcome.totals[winner] for winner in outcome.winners), default=None)
    whole = _find_whole(requirement, cast, counted, electorate)
    verdict = _judge(requirement, outcome, part, whole)
    return Finding(requirement, verdict, part, whole, _describe(requirement, verdict, part, whole))


def _find_whole(requirement: Requirement, cast: Group, counted: Group, electorate: Electorate) -> int | None:
    if requirement.base is Base.COUNTED:
        return counted.weight
    if requirement.base is Base.CAST:
        return cast.weight
    if requirement.base is Base.VOTERS:
        return electorate.voters
    return None if requirement.base is None else electorate.weight


def _judge(requirement: Requirement, outcome: Outcome, part: Total | None, whole: int | None) -> Verdict:
    if part is None:
        return Verdict.UNKNOWN if outcome.tied else Verdict.NOT_PASSED
    if requirement.base is None:
        met = _reaches(part, requirement, requirement.bound)
    elif whole is None:
        return Verdict.UNKNOWN
    else:
        met = whole > 0 and _reaches(part, requirement, requirement.bound * whole)
    if not met:
        return Verdict.NOT_PASSED
    # Whoever wins a seat that is open yet may have less.
    is_open = requirement.demand is not Demand.TURNOUT and bool(outcome.tied)
    return Verdict.UNKNOWN if is_open else Verdict.PASSED


def _reaches(part: Total, requirement: Requirement, needed: Total) -> bool:
    return part > needed if requirement.strict else part >= needed


BASES = {
    Base.VOTERS: "voters in the census",
    Base.WEIGHT: "votes in the census",
    Base.COUNTED: "votes counted",
    Base.CAST: "votes cast",
    Base.ELECTORATE: "votes in the census",
}
"""What each base counts, in a plural."""


def describe_requirement(requirement: Requirement) -> str:
    """Say what is required, as a clause: `turnout of at least 1/4 of the voters in the census`."""
    bound = f"{'more than' if requirement.strict else 'at least'} {format_total(requirement.bound)}"
    if requirement.base is None:
        return f"a total of {bound}"
    return f"{requirement.demand.value} of {bound} of the {BASES[requirement.base]}"


def _describe(requirement: Requirement, verdict: Verdict, part: Total | None, whole: int | None) -> str:
    """Say what is required, what was reached and what follows."""
    required = describe_requirement(requirement)
    reached = "there is no winner" if part is None else format_total(part)
    if part is not None and requirement.base is not None:
        reached += f" of {format_total(whole)}" if whole is not None else ", of a number that is not known here"
    return f"Required: {required}. Reached: {reached}. {verdict.replace('_', ' ').capitalize()}."
