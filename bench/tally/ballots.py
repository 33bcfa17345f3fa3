"""A million ballots that rank up to eight options, from a few camps of voters: the same ones on every run.

A voter of a camp draws the options one after another with chances in proportion to the camp's liking of them, as in
Plackett and Luce's model, and ranks a number of options drawn before. The likings are near enough to one another that
some 70,000 of the 109,600 possible rankings occur.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

OPTIONS = 8

CAMPS: tuple[tuple[int, tuple[int, ...]], ...] = (
    (40, (30, 21, 15, 10, 7, 5, 4, 3)),
    (35, (3, 5, 9, 30, 21, 14, 7, 4)),
    (25, (6, 3, 4, 7, 10, 9, 30, 22)),
)
"""Camps: how many of a hundred voters, and how much they like each option."""

RANKED = (2, 6, 12, 12, 10, 8, 6, 44)
"""Chances to rank one option, two, …, all."""


def make_ballots(number: int, seed: int) -> Iterator[bytes]:
    """Make ballots of one byte an option: its rank, 0 for none."""
    chooser = random.Random(seed)
    draw = chooser.random
    camps = [likings for _, likings in CAMPS]
    sizes = [size for size, _ in CAMPS]
    lengths = range(1, OPTIONS + 1)
    for likings in chooser.choices(camps, sizes, k=number):
        # The first of several clocks to ring, each with its own rate: that is a draw in proportion to the rates.
        rings = [chooser.expovariate(liking) for liking in likings]
        yield rings
