"""What a counting method has to say about itself: the form that every method's module fills in once.

A method is one module with one `MethodRules`, one member of `Method` and one row in `methods.py`. The definition's
reader, the ballot file's reader and the count ask the rules and know no method by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from qballot.core.ballot import Marks
from qballot.core.election import Contest
from qballot.core.tally.outcome import Outcome
from qballot.core.tally.ties import Ties
from qballot.core.tally.words import Words

MAX_SEATS = 127
"""Most seats that a method for several can fill: as many as a contest has options."""


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

    TOO_FEW_RANKS = "too_few_ranks"
    """Fewer options are ranked than the contest asks for."""

    TOO_MANY_VOTES = "too_many_votes"
    """More votes are given than a voter has, or than the voter's credits pay for."""


WeightedMarks: TypeAlias = Sequence[tuple[Marks, int]]
"""The ballots of a contest that are counted: marks that are valid and not blank, and the weight behind each."""


class Bound(Protocol):
    """A limit's bound or default, which may follow the contest's number of options and of seats."""

    def __call__(self, options: int, seats: int = 1) -> int:
        """Compute the bound for a contest of so many options, of which so many win."""
        ...


@dataclass(frozen=True, slots=True)
class Limit:
    """A whole number that a contest of some method may set.

    name: its key in the definition. meaning: a clause for messages and documentation.
    lowest, highest, default: each computed from the contest's number of options and of seats.
    """

    name: str
    meaning: str
    lowest: Bound
    highest: Bound
    default: Bound


@dataclass(frozen=True, slots=True)
class Variant:
    """A word by which a contest of some method picks one of its variants.

    name: its key in the definition. meaning: a clause for messages and documentation.
    words: each word with a clause that explains it. default: the word that stands where none is given.
    """

    name: str
    meaning: str
    words: Mapping[str, str]
    default: str

    def of(self, contest: Contest) -> str:
        """Return the word that a contest has picked."""
        return contest.variants.get(self.name, self.default)


class Sums(Protocol):
    """What one contest's counted ballots come to so far: kept so that ballots can be added to it and taken away.

    What `count` returns must depend on the ballots alone, not on their order nor on what was added and taken away
    again. A method whose count is a function of totals keeps the totals; see `keep_ballots` for one that needs all.
    """

    def add(self, marks: Marks, weight: int) -> None:
        """Add the weight of ballots with these marks, valid and not blank; a negative weight takes it away."""
        ...

    def count(self, ties: Ties) -> Outcome:
        """Count what there is. Never called without any ballot; the weights may all be 0."""
        ...


@dataclass(frozen=True, slots=True)
class MethodRules:
    """How one method reads and counts a contest.

    min_options: fewest options with which the method makes sense. max_seats: most options that it can elect.
    limits: the method's own numbers in the definition. variants: its own words there.
    words: how a voter says what the bytes mean.
    explain_marks: tells a voter what the contest's bytes mean and within which limits, in sentences.
    counting: tells how the winner is found, in sentences.
    blank_mark: the byte of an option about which the voter says nothing; a contest of only these is blank.
    find_fault: says why marks, not all blank, are spoiled, or None when they are valid.
    open: begins a count without any ballot.
    totals_are_votes: whether an option's total is the weight of the ballots that count for it at the end, so that a
    majority can be required of it.
    find_limits_fault: says what is wrong with limits that fit one by one but not together, with the limit's name.
    find_variants_fault: the same of variants.
    name_marks: names the bytes that have names, such as grades; a voter may say them for the numbers.
    """

    min_options: int
    max_seats: int
    limits: tuple[Limit, ...]
    words: Words
    explain_marks: Callable[[Contest], str]
    counting: str
    blank_mark: int
    find_fault: Callable[[Contest, Marks], SpoilReason | None]
    open: Callable[[Contest], Sums]
    totals_are_votes: bool
    variants: tuple[Variant, ...] = ()
    find_limits_fault: Callable[[Mapping[str, int]], tuple[str, str] | None] = lambda _: None
    find_variants_fault: Callable[[Mapping[str, str]], tuple[str, str] | None] = lambda _: None
    name_marks: Callable[[Contest], Mapping[int, str]] = lambda _: {}

    @property
    def keys(self) -> tuple[str, ...]:
        """The method's own keys in the definition, of limits and of variants."""
        return (*(limit.name for limit in self.limits), *(variant.name for variant in self.variants))


def count_ballots(rules: MethodRules, contest: Contest, ballots: WeightedMarks, ties: Ties) -> Outcome:
    """Count ballots at once: open, add each, count."""
    sums = rules.open(contest)
    for marks, weight in ballots:
        sums.add(marks, weight)
    return sums.count(ties)


def constant(value: int) -> Bound:
    """Make a limit's bound that is the same for every number of options."""

    def bound(options: int, seats: int = 1) -> int:  # noqa: ARG001 - the form that every bound has
        return value

    return bound


def number_of_options(options: int, seats: int = 1) -> int:  # noqa: ARG001 - the form that every bound has
    """Bound a limit by the contest's number of options."""
    return options


def number_of_seats(options: int, seats: int = 1) -> int:  # noqa: ARG001 - the form that every bound has
    """Let a limit be the contest's number of seats."""
    return seats
