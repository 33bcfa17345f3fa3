"""A million ballots that rank up to eight options, from a few camps of voters: the same ones on every run.

A voter ranks options one after another, each with a chance in proportion to how much the voter's camp likes it among
those left: the model of R. L. Plackett, "The analysis of permutations", Applied Statistics 24 (1975), and R. D. Luce.
Many rank all options, others the first few only. The likings are near enough to one another that some 70,000 of the
109,600 possible ballots occur.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

OPTIONS = 8
"""Options of the one contest; a ballot has a byte for each: its rank, 0 for none."""

CAMPS = (
    (40, (42, 24, 15, 9, 6, 4, 3, 2)),
    (35, (2, 4, 8, 42, 24, 14, 6, 3)),
    (25, (5, 2, 3, 6, 9, 8, 42, 24)),
)
"""How many of a hundred voters belong to each camp, and how much it likes each option."""

DEPTHS = (4, 8, 12, 12, 8, 4, 4, 48)
"""How many of a hundred voters rank one option, two, …, all."""


def make_ballots(number: int, seed: int) -> Iterator[bytes]:
    """Make so many ballots. The same seed makes the same ones."""
    chooser = random.Random(seed)
    ring = chooser.expovariate
    camps = chooser.choices([likings for _, likings in CAMPS], [size for size, _ in CAMPS], k=number)
    depths = chooser.choices(range(1, OPTIONS + 1), DEPTHS, k=number)
    for likings, depth in zip(camps, depths, strict=True):
        # Of clocks that ring at random, each with its own rate, each rings first with a chance in proportion to it.
        rings = [ring(liking) for liking in likings]
        ballot = bytearray(OPTIONS)
        for rank, option in enumerate(sorted(range(OPTIONS), key=rings.__getitem__)[:depth], start=1):
            ballot[option] = rank
        yield bytes(ballot)


def make_scores(ballot: bytes) -> bytes:
    """Read ranks as scores from 0 to 5, for methods that go by scores: 5 for the first, 1 for the fifth."""
    return bytes(6 - rank if 0 < rank < 6 else 0 for rank in ballot)
