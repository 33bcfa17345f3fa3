"""Make `ballots.csv`: invented voters of an invented town, the same ones on every run.

    python examples/city-council/make_ballots.py

Residents lean to one of a few camps, which shapes both of their answers. Some leave a contest blank, some spoil one,
and some change their mind and vote again, a few of them twice.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

SEED = 20_270_318
VOTERS = 1_000
SECOND_VOTES = 30
THIRD_VOTES = 6

STREET = ("car-free", "trial", "open")
CANDIDATES = ("okafor", "brandt", "silva", "novak", "haddad")

# For each camp: its share of the voters, how its members lean on the street, how much they like each candidate.
CAMPS = (
    (0.31, (0.75, 0.20, 0.05), (9.0, 0.6, 5.0, 0.6, 3.0)),
    (0.36, (0.08, 0.22, 0.70), (0.5, 9.0, 1.2, 4.0, 0.8)),
    (0.21, (0.35, 0.50, 0.15), (3.0, 1.5, 8.0, 1.0, 4.0)),
    (0.12, (0.30, 0.30, 0.40), (2.0, 2.0, 2.0, 4.0, 4.0)),
)

BLANK_SHARE = 0.02
SPOILED_SHARE = 0.015


class Dice:
    """A seeded source of choices built on `random()` alone, whose sequence Python keeps the same in every version."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - invented data, no secret

    def happens(self, share: float) -> bool:
        """Say yes with the probability `share`."""
        return self._random.random() < share

    def below(self, end: int) -> int:
        """Pick a number from 0 up to, not including, `end`."""
        return int(self._random.random() * end)

    def pick(self, weights: Sequence[float]) -> int:
        """Pick a position with a probability in proportion to its weight."""
        point = self._random.random() * sum(weights)
        for position, weight in enumerate(weights):
            point -= weight
            if point < 0:
                return position
        return len(weights) - 1


def mark_street(dice: Dice, leaning: Sequence[float]) -> list[int]:
    """Mark one answer; sometimes none, sometimes two."""
    marks = [0] * len(STREET)
    if dice.happens(BLANK_SHARE):
        return marks
    marks[dice.pick(leaning)] = 1
    if dice.happens(SPOILED_SHARE):
        marks[(marks.index(1) + 1) % len(marks)] = 1
    return marks


def rank_candidates(dice: Dice, liking: Sequence[float]) -> list[int]:
    """Rank some candidates in order of liking; sometimes none, sometimes two alike or one too far down."""
    ranks = [0] * len(CANDIDATES)
    if dice.happens(BLANK_SHARE):
        return ranks
    left = list(liking)
    for rank in range(1, 2 + dice.below(len(CANDIDATES))):
        candidate = dice.pick(left)
        ranks[candidate] = rank
        left[candidate] = 0.0
    if dice.happens(SPOILED_SHARE):
        ranks[ranks.index(0) if 0 in ranks else -1] = 1 if dice.happens(0.7) else len(CANDIDATES) + 1
    return ranks


def make_row(dice: Dice, voter: int) -> str:
    """Make one line of the file: the voter's name, then a number for every option."""
    _, leaning, liking = CAMPS[dice.pick([share for share, _, _ in CAMPS])]
    marks = [*mark_street(dice, leaning), *rank_candidates(dice, liking)]
    return ",".join([f"v{voter:04}", *(str(mark) if mark else "" for mark in marks)])


def make_ballots(seed: int = SEED) -> str:
    """Make the whole file: every voter once, then those who vote again, always on a later line than before."""
    dice = Dice(seed)
    voters = list(range(1, VOTERS + 1))
    others = voters.copy()
    again = [others.pop(dice.below(len(others))) for _ in range(SECOND_VOTES)]
    rows = [make_row(dice, voter) for voter in [*voters, *again, *again[:THIRD_VOTES]]]
    header = ["voter", *(f"market-street/{option}" for option in STREET), *(f"chair/{name}" for name in CANDIDATES)]
    return "\n".join([",".join(header), *rows]) + "\n"


def main() -> None:
    """Write the file next to this script."""
    Path(__file__).with_name("ballots.csv").write_text(make_ballots(), encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
