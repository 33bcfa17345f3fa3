"""Which elections the chains hold: who casts what in which block. The same every time; nothing here asks anyone."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from qballot.core.definition import parse_definition_document
from qballot.testing.elections import FIRST_KEY

STARTS_AT = 1_798_761_600
"""Unix seconds of the chains' first block."""

OPENS_AFTER = 100_000
"""Seconds to the opening: the accounts get their ether before it."""

LASTS = 10_000_000
BLOCK_SECONDS = 12
OPTIONS = 4
MAX_WEIGHT = 100


@dataclass(frozen=True)
class Cast:
    """One transaction: a voter's own, or a batch of ballots that voters of one sheet signed, ascending."""

    voters: tuple[int, ...]
    is_direct: bool


@dataclass(frozen=True)
class Election:
    """What one chain holds.

    voters: in the census, in sheets of 2**sheet_bits. direct: ballots by the voters' own transactions.
    signed: ballots in batches of at most `batch`. again: how many of each kind are a voter's second ballot.
    casts_a_block: transactions in each block. The last `spare` voters of the census do not vote.
    """

    name: str
    voters: int
    sheet_bits: int
    direct: int
    signed: int
    batch: int
    again: int
    casts_a_block: int
    spare: int = 0

    @property
    def ballots(self) -> int:
        """Ballots in all."""
        return self.direct + self.signed

    def blocks(self) -> Iterator[list[Cast]]:
        """Give the transactions of every block; a voter's second ballot is in a later block than the first."""
        chooser = random.Random(self.name)
        order = list(range(self.voters - self.spare))
        if self.direct:
            chooser.shuffle(order)
        direct, signed = (
            order[: self.direct - self.again],
            order[self.direct - self.again :][: self.signed - self.again],
        )
        first = self._casts(direct, signed)
        second = self._casts(signed[: self.again], direct[: self.again])
        if self.direct:
            chooser.shuffle(first)
            chooser.shuffle(second)
        yield from _cut(first, self.casts_a_block)
        yield from _cut(second, self.casts_a_block)

    def _casts(self, direct: Sequence[int], signed: Sequence[int]) -> list[Cast]:
        sheets: defaultdict[int, list[int]] = defaultdict(list)
        for voter in signed:
            sheets[voter >> self.sheet_bits].append(voter)
        batches = [part for sheet in sheets.values() for part in _cut(sorted(sheet), self.batch)]
        return [*(Cast((voter,), True) for voter in direct), *(Cast(tuple(batch), False) for batch in batches)]


MIXED = Election(
    "mixed",
    voters=101_000,
    sheet_bits=10,
    direct=20_000,
    signed=80_000,
    batch=100,
    again=1_000,
    casts_a_block=52,
    spare=1_000,
)
"""100,000 ballots, a fifth of them direct, in blocks of about 52 logs that fill a fifteenth of one of mainnet's."""

MILLION = Election(
    "million",
    voters=1_000_000,
    sheet_bits=11,
    direct=0,
    signed=1_000_000,
    batch=1_024,
    again=0,
    casts_a_block=4,
)
"""1,000,000 ballots, all signed, in batches of half a sheet and blocks that are half full, as mainnet's are."""


def make_definition() -> bytes:
    """Write a definition with one IRV contest of four options; return its canonical bytes."""
    options = [{"id": f"o{number}", "title": f"Option {number}"} for number in range(OPTIONS)]
    contest = {"id": "c", "title": "Who shall it be?", "method": "irv", "options": options}
    document = {"qballot": 1, "title": "Bench", "description": "", "organizer": "Bench", "language": "en"}
    return parse_definition_document(json.dumps({**document, "contests": [contest]}))[1]


def make_ballot(voter: int, block: int) -> bytes:
    """Make a ballot as voters do: some of the options ranked, 1 first; now and then a blank one."""
    chooser = random.Random(voter << 32 | block)
    ranked = chooser.sample(range(OPTIONS), chooser.randrange(OPTIONS + 1))
    return bytes(ranked.index(option) + 1 if option in ranked else 0 for option in range(OPTIONS))


def make_weight(voter: int) -> int:
    """Make a voter's weight, 1 … MAX_WEIGHT."""
    return 1 + voter * 7919 % MAX_WEIGHT


def voter_key(voter: int) -> bytes:
    """Make a voter's private key."""
    return (FIRST_KEY + voter).to_bytes(32)


def _cut(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
