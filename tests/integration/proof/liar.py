"""An endpoint that tells a story: a behaviour as those in `faults/`, around the honest node of a world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fault_proxy import Behaviour, Call, Reply, Result
from lying_chain import World
from story import Json, Story, number_of, rename

from qballot.chain.abi import load_function
from qballot.chain.artifacts import BALLOT_BOX

HEAD_CALL = "0x" + load_function(BALLOT_BOX, "head").encode().hex()

Change = Callable[[Call, Any], Any]


def tell(story: Story) -> Behaviour:
    """Answer as the story has it, and whatever it says nothing of as the node does."""
    world = story.world
    back = {told: true for true, told in story.names.items()}
    numbers = {header["hash"]: number for number, header in world.headers.items()}

    def behave(call: Call) -> Reply:
        asked = Call(call.method, rename(call.params, back), call.nth, call.leads)
        if asked.method == "eth_getLogs":
            return Result(rename(filter_logs(story.logs, asked.params[0], world.latest), story.names))
        if asked.method == "eth_call" and asked.params[0].get("data", asked.params[0].get("input")) == HEAD_CALL:
            told = story.head(asked.params[0]["to"], _height(world, asked.params[1]))
            return world.node(asked) if told is None else Result(told)
        reply = world.node(asked)
        if not isinstance(reply, Result) or reply.value is None:
            return reply
        if asked.method in {"eth_getBlockByNumber", "eth_getBlockByHash"}:
            header = story.headers.get(int(reply.value["number"], 16), reply.value)
            return Result(header)
        if asked.method == "eth_getBlockReceipts":
            name = asked.params[0]
            number = numbers[name] if name in numbers else _height(world, name)
            return Result(rename(story.receipts(number, reply.value), story.names))
        return reply

    return behave


def change(inner: Behaviour, methods: set[str], how: Change) -> Behaviour:
    """Let some methods answer something else."""

    def behave(call: Call) -> Reply:
        reply = inner(call)
        if call.method not in methods or not isinstance(reply, Result) or reply.value is None:
            return reply
        return Result(how(call, reply.value))

    return behave


def filter_logs(logs: list[Json], query: Json, latest: int) -> list[Json]:
    """Find the logs that a query asks for."""
    start, end = (_number(query[name], latest) for name in ("fromBlock", "toBlock"))
    addresses = query.get("address")
    wanted = None if addresses is None else {addresses} if isinstance(addresses, str) else set(addresses)
    topics = query.get("topics") or []
    return [
        log
        for log in logs
        if start <= number_of(log) <= end and (wanted is None or log["address"] in wanted) and _fits(log, topics)
    ]


def _fits(log: Json, topics: list[Any]) -> bool:
    for place, allowed in enumerate(topics):
        options = [allowed] if isinstance(allowed, str) else allowed
        if options is not None and (place >= len(log["topics"]) or log["topics"][place] not in options):
            return False
    return True


def _number(text: str, latest: int) -> int:
    return int(text, 16) if text.startswith("0x") else latest


def _height(world: World, block: str) -> int:
    return _number(block, world.latest)
