"""Locking pairs: the strongest defeats first, each unless the stronger ones say the contrary already.

Defeats of one strength that contradict one another have no order of their own: which of them is locked depends on
which is taken first. Without an order such a pair stays *open*, and the rest is settled as far as it is the same in
every order: a pair is locked if nothing that is locked or open says the contrary, it is skipped if what is locked says
the contrary, and is open otherwise.

    strength 8   A over B                     locked
    strength 5   B over C, C over A           open: with A over B, either of them keeps the other out
                 D over C                     locked: nothing leads from C to D
    strength 4   B over D                     open: skipped if C over A is locked, which puts D above B; else locked
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TypeAlias

from qballot.core.tally.option_sets import OptionSet, list_members


class PairFate(StrEnum):
    """What became of a defeat."""

    LOCKED = "locked"
    SKIPPED = "skipped"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Pair:
    """One defeat: the winner of the pair, its loser, and how strong it is."""

    winner: int
    loser: int
    strength: int


@dataclass(frozen=True, slots=True)
class Step:
    """One defeat and what became of it.

    through: of a skipped one, the option locked above the winner on a way from the loser down to it; maybe the loser.
    """

    pair: Pair
    fate: PairFate
    through: int | None = None


class Chains:
    """Who is above whom by chains of pairs."""

    def __init__(self, options: int) -> None:
        self.below: list[OptionSet] = [0] * options
        self._direct: list[OptionSet] = [0] * options

    def copy(self) -> Chains:
        """Make chains of the same pairs that go their own way."""
        twin = Chains(0)
        twin.below, twin._direct = [*self.below], [*self._direct]
        return twin

    def join(self, winner: int, loser: int) -> None:
        """Put the winner, and all above it, above the loser and all below it."""
        self._direct[winner] |= 1 << loser
        gained = self.below[loser] | 1 << loser
        for option, lower in enumerate(self.below):
            if option == winner or lower >> winner & 1:
                self.below[option] |= gained

    def leads(self, upper: int, lower: int) -> bool:
        """Tell whether one option is above another."""
        return bool(self.below[upper] >> lower & 1)

    def find_last(self, upper: int, lower: int) -> int:
        """Find the last option before the end of a chain from one option down to another: the first, if it can be."""
        if self._direct[upper] >> lower & 1:
            return upper
        return next(one for one in list_members(self.below[upper]) if self._direct[one] >> lower & 1)


Chooser: TypeAlias = Callable[[Sequence[Pair]], Sequence[int] | None]
"""Orders the winners of pairs of one strength that cannot all be locked; None leaves these open."""


@dataclass(frozen=True, slots=True)
class Locking:
    """What became of every defeat, in the order in which they were looked at, and who is above whom in the end.

    below: for each option those that it is above in every order that the open pairs can have.
    """

    steps: tuple[Step, ...]
    below: tuple[OptionSet, ...]

    @property
    def has_open(self) -> bool:
        """Whether a pair is open."""
        return any(step.fate is PairFate.OPEN for step in self.steps)


def list_pairs(strengths: Sequence[Sequence[int]]) -> list[Pair]:
    """List defeats, the strongest first. strengths: by winner and then loser, 0 for no defeat."""
    pairs = [
        Pair(winner, loser, strength)
        for winner, row in enumerate(strengths)
        for loser, strength in enumerate(row)
        if strength
    ]
    return sorted(pairs, key=lambda pair: -pair.strength)


def lock_pairs(options: int, pairs: Iterable[Pair], choose: Chooser = lambda _: None) -> Locking:
    """Lock defeats in their order. pairs: the strongest first. choose: asked about pairs that would be open."""
    work = _Work(options)
    for _, group in groupby(pairs, key=lambda pair: pair.strength):
        work.take_equal(list(group), choose)
    return Locking(tuple(work.steps), tuple(work.sure.below))


class _Work:
    """A locking under way. sure: by locked pairs. possible: by locked and open ones."""

    def __init__(self, options: int) -> None:
        self.sure = Chains(options)
        self.possible = Chains(options)
        self.steps: list[Step] = []

    def take_equal(self, pairs: Sequence[Pair], choose: Chooser) -> None:
        """Lock, skip or leave open all defeats of one strength."""
        left = [pair for pair in pairs if not self._skip(pair)]
        for pair in left:
            self.possible.join(pair.winner, pair.loser)
        clear = [pair for pair in left if not self.possible.leads(pair.loser, pair.winner)]
        for pair in clear:
            self._lock(pair)
        contrary = [pair for pair in left if self.possible.leads(pair.loser, pair.winner)]
        order = choose(contrary) if contrary else None
        if order is None:
            self.steps += [Step(pair, PairFate.OPEN) for pair in contrary]
            return
        # Two pairs that one option wins never keep each other out: a circle passes through it only once.
        for pair in sorted(contrary, key=lambda pair: order.index(pair.winner)):
            if not self._skip(pair):
                self._lock(pair)
        self.possible = self.sure.copy()

    def _lock(self, pair: Pair) -> None:
        self.sure.join(pair.winner, pair.loser)
        self.steps.append(Step(pair, PairFate.LOCKED))

    def _skip(self, pair: Pair) -> bool:
        if not self.sure.leads(pair.loser, pair.winner):
            return False
        self.steps.append(Step(pair, PairFate.SKIPPED, self.sure.find_last(pair.loser, pair.winner)))
        return True
