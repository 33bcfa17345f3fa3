"""What an election asks of its voters: contests, their options, and how each contest is counted.

These are the values that a definition's document is read into (`qballot.core.definition`) and that ballots are counted
by (`qballot.core.tally`). They are valid once made by the reader; nothing here checks them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Method(StrEnum):
    """How a contest is counted. The rules of each stand in `qballot.core.tally`, one module a method."""

    PLURALITY = "plurality"
    """One mark; the option with the most votes wins."""

    APPROVAL = "approval"
    """A mark for every option that a voter approves of; the option with the most marks wins."""

    SCORE = "score"
    """A number for each option, possibly negative; the option with the greatest sum wins."""

    IRV = "irv"
    """Ranks; the option with the fewest votes goes out and its ballots pass on, until one has more than half."""


class TieRule(StrEnum):
    """What happens when the ballots alone do not say who wins."""

    REPORT = "report"
    """The tie is the result: no winner, and the tied options are named."""


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
    """

    id: str
    title: str
    description: str
    method: Method
    options: tuple[Option, ...]
    seats: int = 1
    tie: TieRule = TieRule.REPORT
    limits: Mapping[str, int] = field(default_factory=dict, hash=False)


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
