"""From grouped ballots to a result: each contest of a ballot is counted, blank or spoiled, and its method counts."""

from __future__ import annotations

from collections.abc import Mapping

from qballot.core.ballot import Group, Marks, split_ballot
from qballot.core.election import Contest, Definition
from qballot.core.tally.methods import METHODS
from qballot.core.tally.outcome import LogEntry, Outcome, log_outcome
from qballot.core.tally.result import ContestResult, ElectionResult
from qballot.core.tally.rules import SpoilReason, Use

_NOTHING = Group(0, 0)


def count_election(definition: Definition, groups: Mapping[bytes, Group]) -> ElectionResult:
    """Count every contest of an election.

    groups: the ballots that count, by their bytes, as `EffectiveBallots.groups` or `group_ballots` give them. Any bytes
    are allowed: what breaks a rule is spoiled, never an error. The result does not depend on the mapping's order.

    A weight of 0 comes from an invalid census, whose weights are 1 … 2**96 - 1, and may be on chain all the same. Its
    ballot is a ballot like others, counted, blank or spoiled, and adds 0 to every total.
    """
    misfits = _NOTHING
    shares: list[dict[Marks, Group]] = [{} for _ in definition.contests]
    for ballot, group in groups.items():
        parts = split_ballot(definition, ballot)
        if parts is None:
            misfits = _join(misfits, group)
            continue
        for share, marks in zip(shares, parts, strict=True):
            share[marks] = _join(share.get(marks, _NOTHING), group)
    contests = zip(definition.contests, shares, strict=True)
    return ElectionResult(definition, tuple(_count_contest(contest, share, misfits) for contest, share in contests))


def judge_marks(contest: Contest, marks: Marks) -> Use | SpoilReason:
    """Say whether one contest of a ballot is counted, blank, or spoiled and why.

    marks: one for each of the contest's options.
    """
    rules = METHODS[contest.method]
    if all(mark == rules.blank_mark for mark in marks):
        return Use.BLANK
    return rules.find_fault(contest, marks) or Use.COUNTED


def _count_contest(contest: Contest, share: Mapping[Marks, Group], misfits: Group) -> ContestResult:
    counted, blank = _NOTHING, _NOTHING
    spoiled = {SpoilReason.WRONG_LENGTH: misfits} if misfits.ballots else {}
    valid: list[tuple[Marks, int]] = []
    for marks, group in share.items():
        verdict = judge_marks(contest, marks)
        if verdict is Use.COUNTED:
            counted = _join(counted, group)
            valid.append((marks, group.weight))
        elif verdict is Use.BLANK:
            blank = _join(blank, group)
        else:
            spoiled[verdict] = _join(spoiled.get(verdict, _NOTHING), group)
    in_order = {reason: spoiled[reason] for reason in SpoilReason if reason in spoiled}
    cast = _join(counted, blank, *in_order.values())
    outcome = METHODS[contest.method].count(contest, valid) if valid else _outcome_of_nothing(contest)
    return ContestResult(contest, outcome, cast, counted, blank, in_order)


def _outcome_of_nothing(contest: Contest) -> Outcome:
    """End a count without a ballot: nobody wins and nobody is tied, whatever the method."""
    log: tuple[LogEntry, ...] = (log_outcome(contest, "No ballot was counted: no winner."),)
    return Outcome((), (), (0,) * len(contest.options), log)


def _join(*groups: Group) -> Group:
    return Group(sum(group.ballots for group in groups), sum(group.weight for group in groups))
