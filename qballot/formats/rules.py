"""Overvotes and skipped ranks: what becomes of a rank with several options, or with none.

Cities differ, and the rule decides elections; so it is chosen, and never guessed from the ballots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from qballot.errors import BallotFileError
from qballot.formats.profile import Profile, Ranks, close_end


class Overvote(StrEnum):
    """What becomes of several options at one rank."""

    KEEP = "keep"
    """They are equal at this rank."""

    EXHAUST = "exhaust"
    """The ballot ends before this rank."""

    SKIP = "skip"
    """The rank is left out, as if it was not on the ballot; it is no skipped rank."""


class Skipped(StrEnum):
    """What becomes of a rank without an option that stands before one with an option."""

    KEEP = "keep"
    """The later ranks stay what they are: the third choice is a third choice."""

    IGNORE = "ignore"
    """The later ranks move up."""

    EXHAUST = "exhaust"
    """The ballot ends before this rank."""

    EXHAUST_AFTER_TWO = "exhaust-after-two"
    """One skipped rank is closed up; at two in a row the ballot ends."""


Position: TypeAlias = tuple[int, ...] | None
"""The options at one rank; None for an overvote of which it is not known whom it names."""


@dataclass(frozen=True, slots=True)
class RankRules:
    """The two rules by which ranks are read."""

    overvote: Overvote = Overvote.KEEP
    skipped: Skipped = Skipped.KEEP


def settle_ranks(row: int, positions: Sequence[Position], rules: RankRules) -> Ranks:
    """Apply the rules to one ballot, rank by rank from the first.

    Raises BallotFileError for an overvote that is to be kept and names nobody.
    """
    ranks: list[tuple[int, ...]] = []
    skipped = 0
    for number, position in enumerate(positions, start=1):
        if position is None or len(position) > 1:
            skipped = 0
            if rules.overvote is Overvote.EXHAUST:
                break
            if rules.overvote is Overvote.SKIP:
                continue
            if position is None:
                raise BallotFileError(row, f"rank {number} is an overvote that names no options: use --overvote")
        if position:
            skipped = 0
            ranks.append(tuple(sorted(position)))
            continue
        skipped += 1
        if rules.skipped is Skipped.EXHAUST or (rules.skipped is Skipped.EXHAUST_AFTER_TWO and skipped == 2):
            break
        if rules.skipped is Skipped.KEEP:
            ranks.append(())
    return close_end(ranks)


def apply_rules(profile: Profile, rules: RankRules) -> Profile:
    """Apply the rules to every ballot with ranks."""
    if rules == RankRules():
        return profile
    settled = (
        # A rank with one option is what it is under every rule.
        ballots
        if all(len(rank) == 1 for rank in ballots.ranks)
        else replace(ballots, ranks=settle_ranks(ballots.row, ballots.ranks, rules))
        for ballots in profile.ballots
    )
    return replace(profile, ballots=tuple(settled))
