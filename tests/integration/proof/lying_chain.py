"""The chain that endpoints lie about: elections that are over, open, cancelled, and one that nobody voted in.

It is made once and stays as it is. Beside it stands another with the same factory and boxes in which other people
voted otherwise: what a liar can show who serves a whole chain of his own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from fault_proxy import Node
from fork_chain import (
    BLOCK_SECONDS,
    CENSUS,
    Cast,
    Deed,
    ForkChain,
    Plan,
    cancel,
    cast,
    create,
    make_plan,
    run_fork_chain,
)

from qballot.core.types import Address

CAST_BLOCKS = 16
QUIET_BLOCKS = 70
"""More than lie between anvil's latest block and the one that it calls final."""

AHEAD_BLOCKS = 4
"""By which the honest operator's node is ahead of a liar's: nobody is contradicted about a block just found."""

LOT_SECONDS = 700
"""Between three blocks after the close, for the time of lots to have come by the end."""


@dataclass(frozen=True)
class World:
    """A chain as its node tells it. logs: all that factory and boxes emitted, as JSON. headers: by number."""

    chain: ForkChain
    node: Node
    plans: tuple[Plan, ...]
    latest: int
    logs: list[dict[str, Any]] = field(repr=False)
    headers: dict[int, dict[str, Any]] = field(repr=False)

    @property
    def url(self) -> str:
        return self.chain.devnet.url

    @property
    def told(self) -> int:
        """The block that liars call the latest."""
        return self.latest - AHEAD_BLOCKS

    @property
    def boxes(self) -> tuple[Address, ...]:
        return tuple(plan.box for plan in self.plans)

    @property
    def first(self) -> int:
        """The block that creates the elections."""
        return min(int(log["blockNumber"], 16) for log in self.logs)


@contextmanager
def run_worlds() -> Iterator[tuple[World, World]]:
    """Run the true chain and the invented one, which have the same boxes."""
    with ExitStack() as stack:
        worlds = [make_world(stack.enter_context(run_fork_chain()), name) for name in ("true", "invented")]
        for world in worlds:
            stack.callback(world.node.close)
        yield worlds[0], worlds[1]


def make_world(chain: ForkChain, name: str, *, close_seconds: int = BLOCK_SECONDS) -> World:
    """Make one on an empty chain. name: decides who votes how. close_seconds: between three blocks after the close."""
    chance = random.Random(name)
    now = chain.now
    over = make_plan(1, now + 30, now + 12 * (CAST_BLOCKS + 6))
    open_still = make_plan(2, now + 30, now + 10**7)
    cancelled = make_plan(3, now + 10**6, now + 10**7)
    unused = make_plan(4, now + 30, now + 60)
    plans = (over, open_still, cancelled, unused)
    chain.mine([tuple(create(plan) for plan in plans), (cancel(cancelled),), ()])
    chain.mine([_make_deeds(chance, [over, open_still], place) for place in range(CAST_BLOCKS)])
    chain.mine([(), ()])
    chain.mine([_make_deeds(chance, [open_still], place) for place in range(4)])
    for _ in range(3):
        # `anvil_mine` would keep to the chain's own interval.
        chain.devnet.rpc.call("evm_setNextBlockTimestamp", [hex(chain.now + close_seconds)])
        chain.devnet.rpc.call("evm_mine", [])
    chain.devnet.rpc.call("anvil_mine", [hex(QUIET_BLOCKS), "0xc"])
    node = Node(chain.devnet.url, lasting=True)
    latest = chain.devnet.rpc.block("latest").number
    boxes = ["0x" + plan.box.hex() for plan in plans]
    creations = node.ask("eth_getLogs", {"fromBlock": "0x0", "toBlock": hex(latest)})
    headers = {number: node.ask("eth_getBlockByNumber", hex(number), False) for number in range(latest + 1)}
    assert {log["address"] for log in creations} >= set(boxes[:3])
    return World(chain, node, plans, latest, creations, headers)


def _make_deeds(chance: random.Random, plans: list[Plan], place: int) -> tuple[Deed, ...]:
    """Let some vote in a block, some by themselves and some together, and some again."""
    if place % 5 == 4:
        return ()
    deeds: dict[object, Deed] = {}
    for _ in range(chance.randint(1, 3)):
        plan = chance.choice(plans)
        ballot = bytes((chance.randrange(2), chance.randrange(2), 0))
        if chance.random() < 0.5:
            voter = chance.randrange(len(CENSUS))
            deeds[voter] = cast(Cast(plan, ((voter, ballot),)))
        else:
            sheet = chance.randrange(2) << CENSUS.sheet_bits
            ballots = tuple((sheet + voter, ballot) for voter in range(chance.randint(1, 4)))
            deeds["together"] = cast(Cast(plan, ballots, plan.arguments.opens_at + place))
    return tuple(deeds.values())
