"""What an election asks of its voters: contests, their options, and how each contest is counted.

These are the values that a definition's document is read into (`qballot.core.definition`) and that ballots are counted
by (`qballot.core.tally`). They are valid once made by the reader; nothing here checks them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction


class Method(StrEnum):
    """How a contest is counted. The rules of each stand in `qballot.core.tally`, one module a method."""

    PLURALITY = "plurality"
    """One mark; the option with the most votes wins."""

    BLOCK_PLURALITY = "block_plurality"
    """Several marks; as many options as there are seats win, those with the most votes."""

    APPROVAL = "approval"
    """A mark for every option that a voter approves of; the option with the most marks wins."""

    SCORE = "score"
    """A number for each option, possibly negative; the option with the greatest sum wins."""

    IRV = "irv"
    """Ranks; the option with the fewest votes goes out and its ballots pass on, until one has more than half."""

    STV = "stv"
    """Ranks; several seats in proportion: a quota elects, what exceeds it passes on, and the lowest go out."""

    BORDA = "borda"
    """Ranks; each place on a ballot is worth points, and the option with the most points wins."""

    COPELAND = "copeland"
    """Ranks; options are compared two by two, and the one that wins the most pairs, less those it loses, wins."""

    SCHULZE = "schulze"
    """Ranks; options are compared two by two, and the strongest chains of defeats decide."""

    RANKED_PAIRS = "ranked_pairs"
    """Ranks; options are compared two by two, and the strongest defeats that do not contradict one another decide."""

    MINIMAX = "minimax"
    """Ranks; options are compared two by two, and the one whose worst defeat is the weakest wins."""

    STAR = "star"
    """A score for each option; of the two with the greatest sums the one that more voters score higher wins."""

    MAJORITY_JUDGMENT = "majority_judgment"
    """A grade for each option; the one with the best grade that more than half of the votes give it at least wins."""

    CUMULATIVE = "cumulative"
    """A number of votes to spread over the options; those with the most votes win."""

    QUADRATIC = "quadratic"
    """Credits to buy votes with, which cost their square; the options with the most votes win."""


class TieRule(StrEnum):
    """What happens when the ballots alone do not say who wins, or who goes out. See `qballot.core.tally.ties`."""

    REPORT = "report"
    """The tie is the result: the tied options are named, and none of them wins or goes out."""

    PREVIOUS_ROUNDS = "previous-rounds"
    """The latest earlier round in which they differ decides; a tie that it does not decide is the result."""

    LOT = "lot"
    """A lot decides that nobody chose: an order of the options derived from a block after the close."""

    PREVIOUS_ROUNDS_THEN_LOT = "previous-rounds-then-lot"
    """The earlier rounds decide, and where they do not, the lot."""

    @property
    def asks_earlier_rounds(self) -> bool:
        """Whether earlier rounds break a tie."""
        return self in (TieRule.PREVIOUS_ROUNDS, TieRule.PREVIOUS_ROUNDS_THEN_LOT)

    @property
    def draws_lots(self) -> bool:
        """Whether a lot breaks a tie that nothing else does."""
        return self in (TieRule.LOT, TieRule.PREVIOUS_ROUNDS_THEN_LOT)


class Base(StrEnum):
    """What a required share is a share of. Each is in votes, that is weight, but VOTERS, who count one each."""

    VOTERS = "voters"
    """Turnout: voters who cast a ballot, blank and spoiled ones included, of the voters in the census."""

    WEIGHT = "weight"
    """Turnout: the weight of all ballots cast, of the weight in the census."""

    COUNTED = "counted"
    """Majority: the winner's votes of the votes counted in the contest; blank and spoiled ballots are left out."""

    CAST = "cast"
    """Majority: the winner's votes of all votes cast, blank and spoiled ones included."""

    ELECTORATE = "electorate"
    """Majority: the winner's votes of the weight in the census."""


class Demand(StrEnum):
    """What a contest may require beside the most votes. Each is a key under `requires`."""

    TURNOUT = "turnout"
    """Enough of the electorate voted."""

    MAJORITY = "majority"
    """The winner has a large enough share of the votes; with several winners, each of them."""

    TOTAL = "total"
    """The winner's total is large enough; with several winners, each one's."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a contest requires for its result to pass.

    base: what the share is of; None for TOTAL, which is no share. bound: the share or the total.
    strict: whether more than the bound is needed, and not just as much.
    """

    demand: Demand
    base: Base | None
    bound: Fraction
    strict: bool


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be chosen in a contest.

    id: lower-case letters, digits and hyphens, unique in its contest.
    title: one line, unique in its contest.
    description: text of any number of lines, possibly empty.
    """

    id: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Contest:
    """One question of an election.

    id, title: unique in the definition. description: possibly empty.
    options: in the order of the ballot's bytes.
    seats: how many options win.
    limits: the method's own limits by name, every one present, defaults filled in.
    variants: the words that pick among the method's variants, by name, every one present, defaults filled in.
    requires: what the result needs to pass, each demand at most once, in the order of Demand.
    """

    id: str
    title: str
    description: str
    method: Method
    options: tuple[Option, ...]
    seats: int = 1
    tie: TieRule = TieRule.REPORT
    limits: Mapping[str, int] = field(default_factory=dict, hash=False)
    variants: Mapping[str, str] = field(default_factory=dict, hash=False)
    requires: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole election as its voters see it.

    organizer: who holds it, in words; the account that created it stands on the chain.
    language: BCP 47 tag of the texts.
    contests: in the order of the ballot's bytes.
    """

    title: str
    description: str
    organizer: str
    language: str
    contests: tuple[Contest, ...]

    @property
    def ballot_length(self) -> int:
        """Bytes of a ballot: one for every option of every contest."""
        return sum(len(contest.options) for contest in self.contests)

    @property
    def longest_ballot(self) -> int:
        """Bytes of the longest ballot that is counted, which a box must take: all have one length."""
        return self.ballot_length
