"""Ballots in piles, one a holder, that pass on to the next choice: the tables of a count by transfer.

    at first      every ballot lies with its first choice
    event 0       the ballots of some options pass on, each to its first choice among the receivers
    event 1       …

Where a ballot lies after some events follows from its ranks and the events alone, never from what the piles weigh. So
what every pile weighs at first and what every event moves are sums: a ballot that is added later is followed through
the events that there were, and counting again after a thousand new ballots looks at sums and not at ballots, as long as
the same events follow from them. From the first event that differs on, the ballots are passed on anew.

A *surplus* passes at a reduced value. Ballots that were part of the same surpluses have the same value, so a pile is
named by its holder and by the numbers of those events; what that value is, is the method's.
"""

from __future__ import annotations

from collections.abc import ItemsView, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from qballot.core.ballot import MAX_MARK, Marks
from qballot.core.tally.ranks import UNRANKED, find_first

EXHAUSTED = UNRANKED
"""Holder of the ballots that rank no further option that could receive them."""

Surpluses: TypeAlias = tuple[int, ...]
"""The numbers of the events at which some ballots were part of a surplus, in order."""

Pile: TypeAlias = tuple[int, Surpluses]
"""A holder, and the surpluses that its ballots were part of."""


@dataclass(frozen=True, slots=True)
class Event:
    """Ballots pass on. sources: whose. receivers: who may get them. surplus: at a value reduced by a surplus."""

    sources: frozenset[int]
    receivers: frozenset[int]
    surplus: bool = False


Moves: TypeAlias = Mapping[tuple[Pile, int], int]
"""The weight that an event passes from a pile to its next holder. It may be 0, and changes as ballots are added."""


class Piles:
    """The ballots of one contest, and the events that they went through when they were last counted."""

    def __init__(self) -> None:
        self._ballots: dict[Marks, int] = {}
        self._firsts: dict[int, int] | None = None
        self._events: list[Event] = []
        self._moves: list[dict[tuple[Pile, int], int]] = []
        # Which different ballots each holder has after the last event; what is exhausted lies nowhere.
        self._piles: dict[int, dict[Surpluses, list[Marks]]] = {}

    @property
    def ballots(self) -> ItemsView[Marks, int]:
        """Every different ballot with the weight behind it."""
        return self._ballots.items()

    def add(self, marks: Marks, weight: int) -> None:
        """Add the weight of ballots with these ranks, no two equal and some not 0; a negative weight takes it away."""
        before = self._ballots.get(marks)
        self._ballots[marks] = weight if before is None else before + weight
        if self._firsts is not None:
            pile = self._follow(self._firsts, marks, weight)
            if before is None:
                self._lay(pile, [marks])

    def begin(self) -> Mapping[int, int]:
        """Return the weight of the ballots by their first choice; options that are nobody's may be missing."""
        if self._firsts is None:
            sorted_ballots: dict[int, list[Marks]] = {}
            for marks in self._ballots:
                first = _find_first_choice(marks)
                if first in sorted_ballots:
                    sorted_ballots[first].append(marks)
                else:
                    sorted_ballots[first] = [marks]
            self._firsts = {first: self._weigh(ballots) for first, ballots in sorted_ballots.items()}
            self._piles = {first: {(): ballots} for first, ballots in sorted_ballots.items()}
        return self._firsts

    def after(self, number: int, event: Event) -> Moves:
        """Let event `number`, from 0, follow upon those before it, and return what it moves."""
        if number < len(self._events):
            if self._events[number] == event:
                return self._moves[number]
            self._go_back(number)
        self._events.append(event)
        self._moves.append(self._pass_on(number, event))
        return self._moves[-1]

    def _weigh(self, ballots: list[Marks]) -> int:
        return sum(map(self._ballots.__getitem__, ballots))

    def _lay(self, pile: Pile, ballots: list[Marks]) -> None:
        holder, surpluses = pile
        if holder != EXHAUSTED:
            self._piles.setdefault(holder, {}).setdefault(surpluses, []).extend(ballots)

    def _follow(self, firsts: dict[int, int], marks: Marks, weight: int) -> Pile:
        """Add a weight wherever such a ballot passes, event by event. Returns the pile that it ends in."""
        first = _find_first_choice(marks)
        firsts[first] = firsts.get(first, 0) + weight
        pile: Pile = (first, ())
        for number, event in enumerate(self._events):
            if pile[0] in event.sources:
                move = (pile, find_first(marks, event.receivers))
                moves = self._moves[number]
                moves[move] = moves.get(move, 0) + weight
                pile = next_pile(*move, number, event)
        return pile

    def _go_back(self, number: int) -> None:
        """Forget the events from `number` on, and sort the ballots as they lay before it."""
        del self._events[number:]
        del self._moves[number:]
        self._piles = {}
        for marks in self._ballots:
            pile: Pile = (_find_first_choice(marks), ())
            for index, event in enumerate(self._events):
                if pile[0] in event.sources:
                    pile = next_pile(pile, find_first(marks, event.receivers), index, event)
            self._lay(pile, [marks])

    def _pass_on(self, number: int, event: Event) -> dict[tuple[Pile, int], int]:
        """Pass the ballots of an event's sources on, one different ballot after another."""
        moves: dict[tuple[Pile, int], int] = {}
        receivers = sorted(event.receivers)
        for holder in event.sources:
            for surpluses, pile in self._piles.pop(holder, {}).items():
                source = (holder, surpluses)
                for target, ballots in _sort_by_first(pile, receivers).items():
                    moves[source, target] = self._weigh(ballots)
                    self._lay(next_pile(source, target, number, event), ballots)
        return moves


def next_pile(pile: Pile, target: int, number: int, event: Event) -> Pile:
    """Name the pile in which ballots come to lie that an event passes from another to a new holder."""
    return target, ((*pile[1], number) if event.surplus else pile[1])


def _sort_by_first(ballots: list[Marks], receivers: list[int]) -> dict[int, list[Marks]]:
    targets: dict[int, list[Marks]] = {}
    for marks in ballots:
        target, lowest = EXHAUSTED, MAX_MARK + 1
        # `find_first`, without the call: the one loop in which a large count spends its time.
        for option in receivers:
            if 0 < marks[option] < lowest:
                target, lowest = option, marks[option]
        if target in targets:
            targets[target].append(marks)
        else:
            targets[target] = [marks]
    return targets


def _find_first_choice(marks: Marks) -> int:
    """Find the option of the lowest rank, which is nearly always rank 1."""
    return marks.index(1) if 1 in marks else find_first(marks, range(len(marks)))
