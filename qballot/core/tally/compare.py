"""What the same ballots give under other methods.

A comparison, and no result: voters who are asked otherwise answer otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from qballot.core.ballot import Group, Marks, decode_marks, encode_ballot
from qballot.core.canonical import JsonTree
from qballot.core.election import Contest, Definition, Method
from qballot.core.tally.count import count_election
from qballot.core.tally.methods import METHODS
from qballot.core.tally.reread import Reading, Rewrite, find_reading
from qballot.core.tally.result import ContestResult
from qballot.core.tally.rules import SpoilReason
from qballot.core.tally.running import judge_marks
from qballot.core.types import Hash32


@dataclass(frozen=True, slots=True)
class Comparison:
    """One contest under one method.

    result: what it gives, None where the ballots cannot be read so. words: how they are read, or why they cannot be.
    Ballots that the contest's own method spoils stay spoiled for its reason where they are rewritten.
    """

    method: Method
    result: ContestResult | None
    words: str

    def to_json(self) -> dict[str, JsonTree]:
        """Write the comparison: how the ballots are read, and winners, totals and ballots as results have them."""
        if self.result is None:
            return {"method": self.method.value, "comparable": False, "why": self.words}
        contest = self.result.contest
        kept = (
            "winners", "tied", "tied_for", "open_seats", "waits_for_lot", "totals",
            "ballots", "counted", "blank", "spoiled", "counted_weight",
        )  # fmt: skip
        written = self.result.to_json()
        return {
            "method": self.method.value,
            "comparable": True,
            "reading": self.words,
            "limits": dict(contest.limits),
            "variants": dict(contest.variants),
            **{key: written[key] for key in kept},
        }


@dataclass(frozen=True, slots=True)
class ContestComparison:
    """One contest under several methods, its own first."""

    contest: Contest
    comparisons: tuple[Comparison, ...]

    def to_json(self) -> dict[str, JsonTree]:
        """Write the contest with all its comparisons."""
        contest = self.contest
        return {
            "id": contest.id,
            "title": contest.title,
            "method": contest.method.value,
            "seats": contest.seats,
            "compared": [comparison.to_json() for comparison in self.comparisons],
        }


def compare_methods(
    definition: Definition, groups: Mapping[bytes, Group], methods: Sequence[Method], lot: Hash32 | None = None
) -> tuple[ContestComparison, ...]:
    """Count every contest under its own method and under others.

    groups: the ballots that count, as `count_election` takes them. methods: in the order to show them. lot: as there.
    """
    compared = []
    start = 0
    for contest in definition.contests:
        end = start + len(contest.options)
        parts = _cut(groups, definition.ballot_length, slice(start, end))
        asked = dict.fromkeys((contest.method, *methods))
        comparisons = tuple(_compare(definition, contest, parts, method, lot) for method in asked)
        compared.append(ContestComparison(contest, comparisons))
        start = end
    return tuple(compared)


def _cut(groups: Mapping[bytes, Group], length: int, place: slice) -> dict[bytes, Group]:
    """Take one contest's part of every ballot; of one of a wrong length nothing, which is of a wrong length too."""
    return _gather((ballot[place] if len(ballot) == length else b"", group) for ballot, group in groups.items())


def _gather(parts: Iterator[tuple[bytes, Group]]) -> dict[bytes, Group]:
    gathered: dict[bytes, Group] = {}
    for part, group in parts:
        before = gathered.get(part, Group(0, 0))
        gathered[part] = Group(before.ballots + group.ballots, before.weight + group.weight)
    return gathered


def _compare(
    definition: Definition, contest: Contest, parts: Mapping[bytes, Group], method: Method, lot: Hash32 | None
) -> Comparison:
    reading = find_reading(contest, method)
    if isinstance(reading, str):
        return Comparison(method, None, reading)
    spoiled: dict[SpoilReason, Group] = {}
    if reading.rewrite is not None:
        parts, spoiled = _rewrite(contest, parts, reading, reading.rewrite)
    (result,) = count_election(replace(definition, contests=(reading.contest,)), parts, lot).contests
    return Comparison(method, _add_spoiled(result, spoiled), reading.words)


def _rewrite(
    contest: Contest, parts: Mapping[bytes, Group], reading: Reading, rewrite: Rewrite
) -> tuple[dict[bytes, Group], dict[SpoilReason, Group]]:
    """Rewrite every ballot that its own method counts. Returns them, and those that it spoils by reason."""
    rewritten: list[tuple[bytes, Group]] = []
    spoiled: dict[SpoilReason, Group] = {}
    for part, group in parts.items():
        marks = decode_marks(part)
        found = judge_marks(contest, marks) if marks else SpoilReason.WRONG_LENGTH
        if isinstance(found, SpoilReason):
            before = spoiled.get(found, Group(0, 0))
            spoiled[found] = Group(before.ballots + group.ballots, before.weight + group.weight)
        else:
            rewritten.append((encode_ballot(_apply(contest, marks, reading, rewrite)), group))
    return _gather(iter(rewritten)), spoiled


def _apply(contest: Contest, marks: Marks, reading: Reading, rewrite: Rewrite) -> Marks:
    """Rewrite marks; blank ones stay blank."""
    if marks.count(METHODS[contest.method].blank_mark) == len(marks):
        return (METHODS[reading.contest.method].blank_mark,) * len(marks)
    return rewrite(contest, marks)


def _add_spoiled(result: ContestResult, spoiled: Mapping[SpoilReason, Group]) -> ContestResult:
    """Count in the ballots that were spoiled before they were rewritten."""
    if not spoiled:
        return result
    merged = {
        reason: Group(
            sum(groups[reason].ballots for groups in (result.spoiled, spoiled) if reason in groups),
            sum(groups[reason].weight for groups in (result.spoiled, spoiled) if reason in groups),
        )
        for reason in SpoilReason
        if reason in result.spoiled or reason in spoiled
    }
    cast = Group(
        result.cast.ballots + sum(group.ballots for group in spoiled.values()),
        result.cast.weight + sum(group.weight for group in spoiled.values()),
    )
    return replace(result, cast=cast, spoiled=merged)
