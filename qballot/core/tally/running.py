"""A count that runs along: ballots are added and taken away, and the result is asked for at any time.

    ballot ──cut──▶ a contest's part ──judged once──▶ its use, its marks
                                                        │
                          weight added to or taken from ▼
                     counted · blank · spoiled · the method's sums ──▶ result

Each different part of a ballot is judged once and remembered, so that a million ballots cost a million additions and as
many judgements as there are different parts. The sums are the method's (`rules.Sums`): what is asked for after a change
costs the change and what the method does with its sums, not the ballots all over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

from qballot.core.ballot import Group, Marks, encode_ballot
from qballot.core.election import Contest, Definition
from qballot.core.tally.methods import METHODS
from qballot.core.tally.outcome import LogEntry, Outcome, log_outcome
from qballot.core.tally.requirements import UNKNOWN_ELECTORATE, Electorate, check_requirements
from qballot.core.tally.result import ContestResult, ElectionResult
from qballot.core.tally.rules import SpoilReason, Use
from qballot.core.tally.ties import Ties
from qballot.core.types import Hash32


class RunningCount:
    """The count of an election whose ballots come and go."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._length = definition.ballot_length
        self._misfits = _Tally()
        self._contests: list[tuple[slice, _ContestCount]] = []
        start = 0
        for contest in definition.contests:
            end = start + len(contest.options)
            self._contests.append((slice(start, end), _ContestCount(contest)))
            start = end

    def add(self, ballot: bytes, ballots: int, weight: int) -> None:
        """Add ballots that are equal byte for byte; negative numbers take them away again.

        ballot: any bytes. ballots: how many. weight: what they count for together.
        """
        self.add_groups({ballot: Group(ballots, weight)})

    def add_groups(self, groups: Mapping[bytes, Group]) -> None:
        """Add grouped ballots, as `count_election` takes them."""
        fitting: list[tuple[bytes, Group]] = []
        for ballot, group in groups.items():
            if len(ballot) == self._length:
                fitting.append((ballot, group))
            else:
                self._misfits.ballots += group.ballots
                self._misfits.weight += group.weight
        for place, contest in self._contests:
            contest.add(place, fitting)

    def result(self, lot: Hash32 | None = None, electorate: Electorate = UNKNOWN_ELECTORATE) -> ElectionResult:
        """Count what there is, as `count_election` does."""
        misfits = self._misfits.group
        contests = tuple(contest.result(misfits, lot, electorate) for _, contest in self._contests)
        return ElectionResult(self._definition, contests)


def judge_marks(contest: Contest, marks: Marks) -> Use | SpoilReason:
    """Say whether one contest of a ballot is counted, blank, or spoiled and why.

    marks: one for each of the contest's options.
    """
    rules = METHODS[contest.method]
    if marks.count(rules.blank_mark) == len(marks):
        return Use.BLANK
    return rules.find_fault(contest, marks) or Use.COUNTED


class _Tally:
    """A number of ballots and their weight, which change."""

    __slots__ = ("ballots", "weight")

    def __init__(self) -> None:
        self.ballots = self.weight = 0

    @property
    def group(self) -> Group:
        return Group(self.ballots, self.weight)


class _ContestCount:
    """One contest's ballots by their use, and its method's sums of those that are counted."""

    def __init__(self, contest: Contest) -> None:
        self._contest = contest
        self._unpack = struct.Struct(f"{len(contest.options)}b").unpack
        self._rules = METHODS[contest.method]
        self._sums = self._rules.open(contest)
        self._blank = encode_ballot([self._rules.blank_mark] * len(contest.options))
        self._uses: dict[Use | SpoilReason, _Tally] = {use: _Tally() for use in (*Use, *SpoilReason)}
        # Every different part that was ever met: its marks if it is counted, else where it belongs. Nothing is made
        # around the marks, as the collector of garbage would go through it again and again.
        self._judged: dict[bytes, Marks | _Tally] = {}

    def add(self, place: slice, groups: Iterable[tuple[bytes, Group]]) -> None:
        """Add ballots of the right length. place: the contest's own in them."""
        judged, judge, add = self._judged, self._judge, self._sums.add
        counted = self._uses[Use.COUNTED]
        for ballot, group in groups:
            part = ballot[place]
            found = judged.get(part)
            if found is None:
                found = judged[part] = judge(part)
            weight = group.weight
            if isinstance(found, tuple):
                add(found, weight)
                use = counted
            else:
                use = found
            use.ballots += group.ballots
            use.weight += weight

    def _judge(self, part: bytes) -> Marks | _Tally:
        # As `judge_marks` does, on bytes: this is most of the time that a large count takes.
        if part == self._blank:
            return self._uses[Use.BLANK]
        marks: Marks = self._unpack(part)
        fault = self._rules.find_fault(self._contest, marks)
        return marks if fault is None else self._uses[fault]

    def result(self, misfits: Group, lot: Hash32 | None, electorate: Electorate) -> ContestResult:
        contest = self._contest
        groups = {use: tally.group for use, tally in self._uses.items()}
        groups[SpoilReason.WRONG_LENGTH] = misfits
        # Every ballot of the election has one use in every contest, so that these are all that were cast.
        cast = Group(sum(group.ballots for group in groups.values()), sum(group.weight for group in groups.values()))
        spoiled = {reason: groups[reason] for reason in SpoilReason if groups[reason].ballots}
        counted = groups[Use.COUNTED]
        outcome = self._sums.count(Ties(contest, lot)) if counted.ballots else _outcome_of_nothing(contest)
        findings = check_requirements(contest, outcome, cast, counted, electorate)
        return ContestResult(contest, outcome, cast, counted, groups[Use.BLANK], spoiled, findings)


def _outcome_of_nothing(contest: Contest) -> Outcome:
    """End a count without a ballot: nobody wins and nobody is tied, whatever the method."""
    log: tuple[LogEntry, ...] = (log_outcome(contest, "No ballot was counted: no winner."),)
    return Outcome((), (), (0,) * len(contest.options), log)
