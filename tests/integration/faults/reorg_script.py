"""Seeded random histories of a chain: it grows, reorganises, rolls back, and returns to an earlier state.

The same seed gives the same history on every run, whatever reads the chain meanwhile.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from enum import Enum

from fork_chain import CENSUS, Cast, Deed, ForkChain, Plan, cancel, cast, create, make_plan

MAX_DEPTH = 64
"""Blocks that anvil's `finalized` lies below its latest one."""

BALLOTS = (b"\1\0\0", b"\0\1\0", b"\0\0\1", b"\0\0\0", b"\1\1\0", b"\1")

Blocks = Sequence[tuple[Deed, ...]]


class Change(Enum):
    """What a reorganisation does to the ballots in the blocks that it takes away."""

    DROPPED = "dropped"
    MOVED = "moved"
    REPLACED = "replaced"
    MINED_AGAIN = "mined again"


def change_blocks(blocks: Blocks, change: Change, chance: random.Random) -> list[tuple[Deed, ...]]:
    """Make the blocks that come in place of some."""
    if change is Change.MINED_AGAIN:
        return list(blocks)
    changed: list[list[Deed]] = [[] for _ in blocks]
    for offset, deeds in enumerate(blocks):
        for deed in deeds:
            if change is Change.MOVED:
                changed[chance.randrange(len(blocks))].append(deed)
            elif change is Change.REPLACED and deed.cast is not None:
                changed[offset].append(cast(deed.cast.with_ballot(chance.choice(BALLOTS))))
            elif change is Change.REPLACED or chance.random() < 0.5:
                changed[offset].append(deed)
    return [tuple(deeds) for deeds in changed]


class ReorgScript:
    """One history. seed: says which. finalized: the highest block that anyone may have been told to be final.

    watched: something reads the chain at any moment, not only when the script says so.
    """

    def __init__(self, chain: ForkChain, seed: str, *, watched: bool = False) -> None:
        self.chain = chain
        self.finalized = chain.base
        self.told: list[str] = []
        self._chance = random.Random(seed)
        self._watched = watched
        self._highest = chain.height
        self._floor = chain.base + self._chance.choice([0, 4, 4, 4])
        self._snapshots: list[tuple[str, bytes, list[tuple[Deed, ...]]]] = []
        now = chain.now
        self._plans = (
            make_plan(1, now + 30, now + 10**7),
            make_plan(2, now + 60, now + 10**7),
            make_plan(3, now + 300, now + 1_500),
            *(make_plan(number, now + 10**6, now + 10**7) for number in range(4, 9)),
        )

    def play(self, look: Callable[[], None]) -> None:
        """Play it. look: called when whoever reads the chain should do so; at the end too."""
        chance = self._chance
        self._mine([(create(self._plans[0]), create(self._plans[1])), tuple(map(create, self._plans[3:6])), (), ()])
        for _ in range(chance.randint(5, 14)):
            step = chance.choices(
                [self._grow, self._wait, self._reorganise, self._roll_back, self._remember, self._return],
                [6, 2, 6, 2, 1, 2],
            )[0]
            step()
            if chance.random() < 0.6:
                self._look(look)
        # Above every block that was ever seen, since a head that is lower is no reason to forget anything.
        self._mine([self._make_deeds(), *[()] * max(0, self._highest - self.chain.height)])
        self._look(look)

    def _look(self, look: Callable[[], None]) -> None:
        self._tell(f"look at {self.chain.height}")
        self.finalized = max(self.finalized, self.chain.height - MAX_DEPTH)
        look()

    def _grow(self) -> None:
        self._mine([self._make_deeds() for _ in range(self._chance.randint(1, 8))])

    def _wait(self) -> None:
        self._mine([()] * self._chance.randint(1, 80))

    def _reorganise(self) -> None:
        depth = self._choose_depth()
        if not depth:
            return
        change = self._chance.choice(list(Change))
        self._tell(f"reorganise {depth}, {change.value}")
        self.chain.reorganise(change_blocks(self.chain.tail(depth), change, self._chance))
        self._forget_snapshots()
        if self._chance.random() < 0.7:
            self._grow()

    def _roll_back(self) -> None:
        depth = self._choose_depth()
        if not depth:
            return
        change = self._chance.choice(list(Change))
        self._tell(f"roll back {depth}, {change.value}")
        tail = self.chain.tail(depth)
        self.chain.roll_back(depth)
        self._forget_snapshots()
        if self._chance.random() < 0.8:
            self._mine(change_blocks(tail, change, self._chance)[: self._chance.randint(1, depth)])

    def _remember(self) -> None:
        self._snapshots.append(
            (self.chain.devnet.snapshot(), self._read_hash(self.chain.height), list(self.chain.blocks))
        )

    def _return(self) -> None:
        """Back to an earlier state, and on in another way."""
        if not self._snapshots:
            return
        snapshot, _, blocks = self._snapshots.pop()
        if self.chain.base + len(blocks) < max(self.finalized, self._floor):
            return
        self._tell(f"return to {self.chain.base + len(blocks)}")
        self.chain.devnet.revert(snapshot)
        self.chain.blocks = blocks
        self.chain.change_coinbase()
        self._mine([self._make_deeds() for _ in range(self._chance.randint(1, 4))])

    def _choose_depth(self) -> int:
        """One that does not reach past a final block, often a small one; 0 where there is none.

        In most histories the first elections stay.
        """
        most = max(0, min(MAX_DEPTH, self.chain.height - max(self.finalized, self._floor)))
        return min(most, self._chance.choice([1, 2, self._chance.randint(1, 8), self._chance.randint(1, MAX_DEPTH)]))

    def _mine(self, blocks: Blocks) -> None:
        if blocks:
            self._tell(f"mine {len(blocks)}")
            self.chain.mine(blocks)
            self._highest = max(self._highest, self.chain.height)
            if self._watched:
                self.finalized = max(self.finalized, self.chain.height - MAX_DEPTH)

    def _forget_snapshots(self) -> None:
        """Keep those that lie in what is left of the chain: anvil cannot return to the others.

        The same blocks may have been mined anew, under other hashes.
        """
        left = len(self.chain.blocks)
        self._snapshots = [
            (name, tip, then)
            for name, tip, then in self._snapshots
            if len(then) < left and self._read_hash(self.chain.base + len(then)) == tip
        ]

    def _read_hash(self, height: int) -> bytes:
        return self.chain.devnet.rpc.block(height).hash

    def _tell(self, what: str) -> None:
        self.told.append(what)

    def _make_deeds(self) -> tuple[Deed, ...]:
        return tuple(self._make_deed() for _ in range(self._chance.choice([0, 1, 1, 2, 3])))

    def _make_deed(self) -> Deed:
        chance = self._chance
        plan = chance.choice(self._plans[:4])
        kind = chance.random()
        if kind < 0.1:
            return create(chance.choice(self._plans))
        if kind < 0.25:
            return cancel(chance.choice(self._plans[2:]))
        if kind < 0.6:
            return cast(Cast(plan, ((chance.randrange(len(CENSUS)), chance.choice(BALLOTS)),)))
        return cast(Cast(plan, self._make_batch(), self._choose_moment(plan)))

    def _make_batch(self) -> tuple[tuple[int, bytes], ...]:
        size = 1 << CENSUS.sheet_bits
        sheet = range(self._chance.randrange(len(CENSUS.sheet_roots)) * size, len(CENSUS))[:size]
        voters = self._chance.sample(sheet, self._chance.randint(1, len(sheet)))
        return tuple((voter, self._chance.choice(BALLOTS)) for voter in sorted(voters))

    def _choose_moment(self, plan: Plan) -> int:
        """When a ballot is signed: at the opening, or as long after it as the chain's clock has come."""
        opens_at = plan.arguments.opens_at
        return self._chance.randint(opens_at, max(opens_at, self.chain.now))
