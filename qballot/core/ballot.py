"""A ballot: one signed byte for each option, contests one after another.

    contest "chair" (3 options)   contest "budget" (2 options)
    ┌────┬────┬────┐              ┌────┬────┐
    │ 02 │ 01 │ 00 │              │ 80 │ 05 │     ada second, ben first; no answer, five points
    └────┴────┴────┘              └────┴────┘

What a byte means is its contest's method's: a mark, a rank, a score. Equal ballots are equal bytes, so ballots are
grouped before they are counted: a million ballots hold few different ones.
"""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from qballot.core.election import Definition
from qballot.errors import InputError

NO_ANSWER = -128
"""The byte that says nothing about an option, in methods where 0 would say something (score)."""

MIN_MARK = -128
MAX_MARK = 127

Marks: TypeAlias = tuple[int, ...]
"""One contest's part of a ballot: a number from -128 to 127 for each option, in the definition's order."""


@dataclass(frozen=True, slots=True)
class Group:
    """Ballots that are equal byte for byte.

    ballots: how many voters cast them. weight: what they count for together, in whole votes.
    """

    ballots: int
    weight: int


def encode_ballot(marks: Sequence[int]) -> bytes:
    """Write a ballot's marks, all contests one after another, as one int8 each.

    Raises InputError that names the first mark outside -128 … 127.
    """
    for position, mark in enumerate(marks):
        if not MIN_MARK <= mark <= MAX_MARK:
            raise InputError(f"mark {position} is {mark}, expected a number from {MIN_MARK} to {MAX_MARK}")
    return struct.pack(f"{len(marks)}b", *marks)


def decode_marks(ballot: bytes) -> Marks:
    """Read a ballot's bytes as numbers from -128 to 127; the reverse of `encode_ballot`."""
    return struct.unpack(f"{len(ballot)}b", ballot)


def split_ballot(definition: Definition, ballot: bytes) -> tuple[Marks, ...] | None:
    """Cut a ballot into its contests' marks, in the definition's order; None when it has the wrong length."""
    if len(ballot) != definition.ballot_length:
        return None
    marks = decode_marks(ballot)
    parts: list[Marks] = []
    start = 0
    for contest in definition.contests:
        end = start + len(contest.options)
        parts.append(marks[start:end])
        start = end
    return tuple(parts)


def group_ballots(ballots: Iterable[tuple[bytes, int]]) -> dict[bytes, Group]:
    """Group (ballot, weight) pairs, one a voter, by the ballots' bytes."""
    weights: defaultdict[bytes, list[int]] = defaultdict(list)
    for ballot, weight in ballots:
        # Looking up one list a ballot takes half the time of adding to a number and to a sum.
        weights[ballot].append(weight)
    return {ballot: Group(len(found), sum(found)) for ballot, found in weights.items()}


def group_columns(ballots: Sequence[bytes], weights: Sequence[int]) -> dict[bytes, Group]:
    """Group ballots and their weights, one of each a voter, as `group_ballots` does."""
    if not weights or len(weights) != len(ballots) or weights.count(weights[0]) < len(weights):
        return group_ballots(zip(ballots, weights, strict=True))
    # Most elections give every voter the same weight, and counting alone is the fastest.
    weight = weights[0]
    return {ballot: Group(number, number * weight) for ballot, number in Counter(ballots).items()}
