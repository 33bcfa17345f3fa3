"""What a file of ballots says, whatever its form: the options, and how many ballots say what about them.

    27 ballots   Ada first, Ben and Cem equal second     ranks   ((0,), (1, 2))
     3 ballots   Cem first, no second choice, Ada third   ranks   ((2,), (), (0,))
     5 ballots   Ada 5 points, Ben 0, nothing of Cem      scores  ((0, 5), (1, 0))
     2 ballots   blank                                    neither

Options are meant by their place in the profile, from 0. Approvals and single votes are one rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from qballot.core.ballot_csv import MAX_WEIGHT
from qballot.errors import BallotFileError

Ranks: TypeAlias = tuple[tuple[int, ...], ...]
"""Options rank by rank, the first choice first: those of one rank in ascending order; a rank without any was skipped.
The last rank is never empty.
"""

Scores: TypeAlias = tuple[tuple[int, int], ...]
"""Options with the score that each has, in ascending order of the options; without those that have none."""


class Kind(StrEnum):
    """What the ballots of a file say about the options."""

    RANKS = "ranks"
    SCORES = "scores"


@dataclass(frozen=True, slots=True)
class Alternative:
    """An option. title: as people read it. name: what the file calls it for short, empty where it does not."""

    title: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Ballots:
    """Ballots that say the same, from one row of a file; blank ones have neither ranks nor scores.

    row: the line of the file, from 1. count: how many they are, or what they weigh, 1 … 2**96 - 1.
    """

    row: int
    count: int
    ranks: Ranks = ()
    scores: Scores = ()

    @property
    def blank(self) -> bool:
        """Whether they say nothing."""
        return not self.ranks and not self.scores


@dataclass(frozen=True, slots=True)
class Profile:
    """A file of ballots of one contest.

    kind: what the ballots say; blank ones are of either kind.
    seats: how many options win, None where the file does not say.
    scale: the least and the greatest score that a ballot could have, None where the file does not say.
    withdrawn: options that stood down after they were put on the ballots.
    """

    alternatives: tuple[Alternative, ...]
    kind: Kind
    ballots: tuple[Ballots, ...]
    title: str = ""
    description: str = ""
    seats: int | None = None
    scale: tuple[int, int] | None = None
    withdrawn: frozenset[int] = frozenset()

    @property
    def total(self) -> int:
        """How many ballots there are, or what they weigh."""
        return sum(ballots.count for ballots in self.ballots)


def merge_equal(profile: Profile) -> Profile:
    """Put ballots that say the same together, in the order in which each first stands, with the row of the first.

    Raises BallotFileError where they would be more than one row can count.
    """
    first: dict[tuple[Ranks, Scores], Ballots] = {}
    counts: dict[tuple[Ranks, Scores], int] = {}
    for ballots in profile.ballots:
        key = (ballots.ranks, ballots.scores)
        first.setdefault(key, ballots)
        counts[key] = counts.get(key, 0) + ballots.count
        if counts[key] > MAX_WEIGHT:
            raise BallotFileError(
                ballots.row, f"with the equal ones before it {counts[key]} ballots, expected below 2**96"
            )
    merged = (replace(ballots, count=counts[key]) for key, ballots in first.items())
    return replace(profile, ballots=tuple(merged))


def drop_withdrawn(profile: Profile) -> Profile:
    """Take withdrawn options off the list and off every ballot, as if they had never been on it.

    A rank that held only such options is closed up; it is not a skipped one.
    """
    if not profile.withdrawn:
        return profile
    kept = [place for place in range(len(profile.alternatives)) if place not in profile.withdrawn]
    places = {old: new for new, old in enumerate(kept)}

    def renumber(ballots: Ballots) -> Ballots:
        ranks = [(rank, tuple(places[option] for option in rank if option in places)) for rank in ballots.ranks]
        left = close_end([after for before, after in ranks if after or not before])
        scores = tuple((places[option], score) for option, score in ballots.scores if option in places)
        return replace(ballots, ranks=left, scores=scores)

    return replace(
        profile,
        alternatives=tuple(profile.alternatives[place] for place in kept),
        ballots=tuple(renumber(ballots) for ballots in profile.ballots),
        withdrawn=frozenset(),
    )


def close_end(ranks: list[tuple[int, ...]]) -> Ranks:
    """Leave out the skipped ranks after the last that says something: they say nothing."""
    end = len(ranks)
    while end and not ranks[end - 1]:
        end -= 1
    return tuple(ranks[:end])


def find_gaps(profile: Profile) -> Iterator[Ballots]:
    """Find the ballots with a skipped rank before one that is not."""
    return (ballots for ballots in profile.ballots if () in ballots.ranks)


def find_equal_ranks(profile: Profile) -> Iterator[Ballots]:
    """Find the ballots with several options of one rank."""
    return (ballots for ballots in profile.ballots if any(len(rank) > 1 for rank in ballots.ranks))
