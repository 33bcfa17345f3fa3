"""A chain with a few elections and long quiet stretches, which stays as it is: what every endpoint is asked about.

8 blocks in which elections are created, 480 without anything, 40 full of ballots, 480 without anything, and 100 with a
ballots in every ninth; the last 64 of these are not final.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fault_proxy import Node
from fork_chain import CENSUS, Cast, Deed, ForkChain, Plan, cancel, cast, create, make_plan

QUIET_BLOCKS = 480
BUSY_BLOCKS = 40
LATEST_BLOCKS = 100
CROWD_BLOCKS = 150


@dataclass(frozen=True)
class History:
    """The chain that was made. node: answers about it. latest: its last block, which has a ballot.

    busy: first and last block of the stretch with many. recent: a block with ballots that is not final. doubles: two
    blocks, one final and one not, in each of which one box has several logs.
    """

    chain: ForkChain
    node: Node
    latest: int
    busy: tuple[int, int]
    recent: int
    doubles: tuple[int, int]

    @property
    def url(self) -> str:
        return self.chain.devnet.url


@dataclass(frozen=True)
class Crowd:
    """A short chain in which every block has ballots. node, latest: as of `History`."""

    chain: ForkChain
    node: Node
    latest: int


def make_crowd(chain: ForkChain) -> Crowd:
    """Make it on an empty chain."""
    chance = random.Random("crowd")
    plans = [make_plan(number, chain.now + 30, chain.now + 10**7) for number in (1, 2)]
    chain.mine([tuple(create(plan) for plan in plans), (), ()])
    chain.mine([[_make_cast(chance, plans) for _ in range(chance.randint(1, 3))] for _ in range(CROWD_BLOCKS)])
    return Crowd(chain, Node(chain.devnet.url, lasting=True), chain.height)


def make_history(chain: ForkChain) -> History:
    """Make it on an empty chain."""
    chance = random.Random("history")
    now = chain.now
    early, late = make_plan(1, now + 30, now + 10**7), make_plan(2, now + 60, now + 10**7)
    dropped = make_plan(3, now + 10**6, now + 10**7)

    def make_cast() -> Deed:
        return _make_cast(chance, [early, late])

    chain.mine([(create(early),), (create(dropped),), (create(late), cancel(dropped)), (), (), (), (), (make_cast(),)])
    chain.mine_empty(QUIET_BLOCKS)
    first = chain.height + 1
    chain.mine([[make_cast() for _ in range(chance.randint(1, 3))] for _ in range(BUSY_BLOCKS)])
    busy = first, chain.height
    chain.mine_empty(QUIET_BLOCKS)
    chain.mine([(make_cast(), make_cast()) if offset % 9 == 0 else () for offset in range(LATEST_BLOCKS)])
    node = Node(chain.devnet.url, lasting=True)
    recent = max(busy[1] + QUIET_BLOCKS + 1 + offset for offset in range(0, LATEST_BLOCKS - 20, 9))
    logs = node.ask("eth_getLogs", {"fromBlock": hex(busy[0]), "toBlock": hex(chain.height)})
    counts = Counter((int(log["blockNumber"], 16), log["address"]) for log in logs)
    doubles = [block for (block, _), count in sorted(counts.items()) if count > 1]
    return History(chain, node, chain.height, busy, recent, (doubles[0], doubles[-1]))


def _make_cast(chance: random.Random, plans: Sequence[Plan]) -> Deed:
    plan = chance.choice(plans)
    if chance.random() < 0.5:
        return cast(Cast(plan, ((chance.randrange(len(CENSUS)), bytes(3)),)))
    sheet = chance.randrange(2) << CENSUS.sheet_bits
    ballots = tuple((sheet + voter, b"\0\1\0") for voter in range(chance.randint(1, 4)))
    return cast(Cast(plan, ballots, plan.arguments.opens_at + chance.randrange(12)))
