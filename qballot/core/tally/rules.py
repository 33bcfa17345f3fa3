"""What a counting method has to say about itself: the form that every method's module fills in once.

A method is one module with one `MethodRules`, one member of `Method` and one row in `methods.py`. The definition's
reader, the ballot file's reader and the count ask the rules and know no method by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from qballot.core.ballot import Marks
from qballot.core.election import Contest
from qballot.core.tally.outcome import Outcome
from qballot.core.tally.words import Words


class Use(StrEnum):
    """What is done with a contest of a ballot that breaks no rule."""

    COUNTED = "counted"
    """It says something and is counted."""

    BLANK = "blank"
    """It says nothing about any option."""


class SpoilReason(StrEnum):
    """Why a contest of a ballot is not counted. A ballot with several faults is spoiled for the first in this order."""

    WRONG_LENGTH = "wrong_length"
    """The ballot has more or fewer bytes than the definition asks for; this spoils every contest of it."""

    OUT_OF_RANGE = "out_of_range"
    """A byte means nothing in the contest's method: a mark other than 0 and 1, a score or a rank beyond its limits."""

    TOO_MANY_CHOICES = "too_many_choices"
    """More options are marked or ranked than the contest allows."""

    EQUAL_RANKS = "equal_ranks"
    """Two options have the same rank where the method needs an order."""


WeightedMarks: TypeAlias = Sequence[tuple[Marks, int]]
"""The ballots of a contest that are counted: marks that are valid and not blank, and the weight behind each."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A whole number that a contest of some method may set.

    name: its key in the definition. meaning: a clause for messages and documentation.
    lowest, highest, default: each computed from the contest's number of options.
    """

    name: str
    meaning: str
    lowest: Callable[[int], int]
    highest: Callable[[int], int]
    default: Callable[[int], int]


@dataclass(frozen=True, slots=True)
class MethodRules:
    """How one method reads and counts a contest.

    min_options: fewest options with which the method makes sense. max_seats: most options that it can elect.
    limits: the method's own keys in the definition.
    words: how a voter says what the bytes mean.
    explain_marks: tells a voter what the contest's bytes mean and within which limits, in sentences.
    counting: tells how the winner is found, in sentences.
    blank_mark: the byte of an option about which the voter says nothing; a contest of only these is blank.
    find_fault: says why marks, not all blank, are spoiled, or None when they are valid.
    count: counts valid marks; the result must not depend on their order. Never called without any.
    find_limits_fault: says what is wrong with limits that fit one by one but not together, with the limit's name.
    """

    min_options: int
    max_seats: int
    limits: tuple[Limit, ...]
    words: Words
    explain_marks: Callable[[Contest], str]
    counting: str
    blank_mark: int
    find_fault: Callable[[Contest, Marks], SpoilReason | None]
    count: Callable[[Contest, WeightedMarks], Outcome]
    find_limits_fault: Callable[[Mapping[str, int]], tuple[str, str] | None] = lambda _: None


def constant(value: int) -> Callable[[int], int]:
    """Make a limit's bound that is the same for every number of options."""
    return lambda _: value


def number_of_options(number: int) -> int:
    """Bound a limit by the contest's number of options."""
    return number
