"""What endpoints do wrong, each around another behaviour: they refuse, lag, forget, repeat, invent and hang."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from fault_proxy import Behaviour, Call, Failure, Node, Raw, Reply, Result, read_range

from qballot.chain.contracts import BALLOTS_CAST
from qballot.core.keccak import keccak


@dataclass(frozen=True, slots=True)
class Asked:
    """A range of blocks that is too wide. limit: of the endpoint. fits: the widest from its start that is not."""

    start: int
    end: int
    limit: int
    fits: tuple[int, int]

    @property
    def blocks(self) -> int:
        return self.end - self.start + 1


Refuse = Callable[[Asked], Failure | Raw]


def limit_blocks(inner: Behaviour, limit: int, refuse: Refuse) -> Behaviour:
    """Refuse ranges of more blocks than that."""

    def behave(call: Call) -> Reply:
        if call.method == "eth_getLogs" and "fromBlock" in call.params[0]:
            start, end = read_range(call)
            if end - start + 1 > limit:
                return refuse(Asked(start, end, limit, (start, start + limit - 1)))
        return inner(call)

    return behave


def limit_logs(inner: Behaviour, limit: int, refuse: Refuse) -> Behaviour:
    """Refuse to return more logs than that; a single block's are given whatever their number."""

    def behave(call: Call) -> Reply:
        reply = inner(call)
        if call.method != "eth_getLogs" or not isinstance(reply, Result) or len(reply.value) <= limit:
            return reply
        start, end = read_range(call)
        if start == end:
            return reply
        fits = max(start, int(reply.value[limit]["blockNumber"], 16) - 1)
        return refuse(Asked(start, end, limit, (start, fits)))

    return behave


def limit_bytes(inner: Behaviour, limit: int, refuse: Refuse) -> Behaviour:
    """Refuse answers of more bytes than that, but for a single block's."""

    def behave(call: Call) -> Reply:
        reply = inner(call)
        if call.method != "eth_getLogs" or not isinstance(reply, Result):
            return reply
        start, end = read_range(call)
        if start == end or len(json.dumps(reply.value)) <= limit:
            return reply
        return refuse(Asked(start, end, limit, (start, start)))

    return behave


def choke_on(inner: Behaviour, blocks: Collection[int], refuse: Refuse) -> Behaviour:
    """Refuse ranges that contain one of these blocks, unless it is asked for alone."""

    def behave(call: Call) -> Reply:
        if call.method == "eth_getLogs":
            start, end = read_range(call)
            if start < end and any(start <= block <= end for block in blocks):
                return refuse(Asked(start, end, 1, (start, start)))
        return inner(call)

    return behave


def fail_at_first(inner: Behaviour, reply: Reply, *, times: int, methods: Collection[str] = ()) -> Behaviour:
    """Give this reply to the first few requests for these methods, or for any."""
    left = [times]

    def behave(call: Call) -> Reply:
        if left[0] and call.leads and (not methods or call.method in methods):
            left[0] -= 1
            return reply
        return inner(call)

    return behave


def fail_after(inner: Behaviour, reply: Reply, requests: int) -> Behaviour:
    """Answer so many requests, then give this reply for ever."""
    seen = [0]

    def behave(call: Call) -> Reply:
        seen[0] += call.leads
        return inner(call) if seen[0] <= requests else reply

    return behave


def limit_rate(inner: Behaviour, reply: Reply, *, requests: int, clock: Callable[[], float]) -> Behaviour:
    """Answer so many requests a second, and give this reply to all others."""
    seen: Counter[int] = Counter()

    def behave(call: Call) -> Reply:
        second = int(clock())
        seen[second] += call.leads
        return inner(call) if seen[second] <= requests else reply

    return behave


def change_result(inner: Behaviour, method: str, change: Callable[[Call, Any], Any]) -> Behaviour:
    """Let a method answer something else."""

    def behave(call: Call) -> Reply:
        reply = inner(call)
        if call.method != method or not isinstance(reply, Result):
            return reply
        return Result(change(call, reply.value))

    return behave


def change_at_first(inner: Behaviour, method: str, change: Callable[[Call, Any], Any], *, times: int) -> Behaviour:
    """Let a method answer something else, at its first few calls for which that makes any difference."""
    left = [times]

    def change_once(call: Call, result: Any) -> Any:
        changed = change(call, json.loads(json.dumps(result)))
        if not left[0] or changed == result:
            return result
        left[0] -= 1
        return changed

    return change_result(inner, method, change_once)


NOTHING = Result(None)
NO_LOGS = Result([])

DISTANCES = {"latest": 0, "pending": 0, "safe": 32, "finalized": 64}
"""How far below anvil's latest block each of its tags lies."""


def lag(node: Node, head: Callable[[], int], *, missing: Reply = NOTHING) -> Behaviour:
    """A node that has the chain up to `head` and no further: beyond it, blocks are `missing` and logs none."""

    def behave(call: Call) -> Reply:
        top = head()
        if call.method == "eth_blockNumber":
            return Result(hex(top))
        if call.method == "eth_getBlockByNumber":
            number = _resolve(call.params[0], top)
            return missing if number > top else node(Call(call.method, [hex(number), *call.params[1:]]))
        if call.method == "eth_getLogs":
            start, end = read_range(call)
            shorter = Call(call.method, [{**call.params[0], "toBlock": hex(min(end, top))}])
            return NO_LOGS if start > top else node(shorter)
        reply = node(call)
        if call.method in {"eth_call", "eth_getCode"} and _resolve(call.params[1], top) > top:
            reply = Failure(-32000, "header not found")
        elif call.method == "eth_getBlockReceipts" and _read_receipts_block(reply, default=0) > top:
            reply = missing
        return reply

    return behave


def prune(inner: Behaviour, below: int, *, logs: Reply = NO_LOGS, receipts: Reply = NO_LOGS) -> Behaviour:
    """A node that has dropped the receipts of older blocks: it has their headers and says that they had no logs.

    logs, receipts: what it says of ranges that begin in that part, and of blocks there.
    """

    def behave(call: Call) -> Reply:
        if call.method == "eth_getLogs":
            start, end = read_range(call)
            if start < below and (end < below or logs != NO_LOGS):
                return logs
            return inner(Call(call.method, [{**call.params[0], "fromBlock": hex(max(start, below))}]))
        reply = inner(call)
        if call.method == "eth_getBlockReceipts" and _read_receipts_block(reply, default=below) < below:
            return receipts
        return reply

    return behave


def _resolve(asked: str, top: int) -> int:
    return max(0, top - DISTANCES[asked]) if asked in DISTANCES else int(asked, 16)


def _read_receipts_block(reply: Reply, *, default: int) -> int:
    """Read of which block these receipts are."""
    return int(reply.value[0]["blockNumber"], 16) if isinstance(reply, Result) and reply.value else default


def hide_logs(inner: Behaviour, block: int, *, receipts: bool = True) -> Behaviour:
    """Say that a block had no logs. receipts: leave them out of its receipts too."""

    def behave(call: Call) -> Reply:
        reply = inner(call)
        if not isinstance(reply, Result):
            return reply
        if call.method == "eth_getLogs":
            return Result([log for log in reply.value if int(log["blockNumber"], 16) != block])
        if call.method == "eth_getBlockReceipts" and receipts:
            here = reply.value and int(reply.value[0]["blockNumber"], 16) == block
            return Result([{**receipt, "logs": []} for receipt in reply.value] if here else reply.value)
        return reply

    return behave


def hide_one_log(inner: Behaviour, block: int) -> Behaviour:
    """Leave out the first log of a block, and the same one of its receipts."""

    def is_it(log: Any) -> bool:
        return int(log["blockNumber"], 16) == block and int(log["logIndex"], 16) == 0

    def behave(call: Call) -> Reply:
        reply = inner(call)
        if not isinstance(reply, Result):
            return reply
        if call.method == "eth_getLogs":
            return Result([log for log in reply.value if not is_it(log)])
        if call.method == "eth_getBlockReceipts" and reply.value:
            kept = [[log for log in receipt["logs"] if not is_it(log)] for receipt in reply.value]
            return Result([{**receipt, "logs": logs} for receipt, logs in zip(reply.value, kept, strict=True)])
        return reply

    return behave


# Changes of what `eth_getLogs` answers.


def repeat_first_log(_call: Call, logs: list[Any]) -> list[Any]:
    return [*logs, *logs[:1]]


def add_log_after_range(call: Call, logs: list[Any]) -> list[Any]:
    """Add a log of the block after the asked ones."""
    return [*logs, *({**log, "blockNumber": hex(read_range(call)[1] + 1)} for log in logs[:1])]


def add_log_before_range(call: Call, logs: list[Any]) -> list[Any]:
    return [*({**log, "blockNumber": hex(max(0, read_range(call)[0] - 1))} for log in logs[:1]), *logs]


def forge_block_hash(_call: Call, logs: list[Any]) -> list[Any]:
    """Give all logs of the last block that has any the hash of a block of another chain."""
    last = logs[-1]["blockHash"] if logs else ""
    other = "0x" + keccak(b"a block of another fork").hex()
    return [{**log, "blockHash": other} if log["blockHash"] == last else log for log in logs]


def add_foreign_address(_call: Call, logs: list[Any]) -> list[Any]:
    """Add a log of a contract that nobody asked about."""
    return [*logs, *({**log, "address": "0x" + "66" * 20, "logIndex": hex(10_000)} for log in logs[-1:])]


def cut_data(_call: Call, logs: list[Any]) -> list[Any]:
    """Tear a hex digit off the last log's data."""
    return [*logs[:-1], *({**log, "data": log["data"][:-1]} for log in logs[-1:])]


def cut_records(_call: Call, logs: list[Any]) -> list[Any]:
    """Make the last record in the first batch one byte shorter than it says; the log itself stays well-formed."""
    first = next((log for log in logs if log["topics"] == ["0x" + BALLOTS_CAST.hex()]), None)
    if first is None:
        return logs
    data = bytearray.fromhex(first["data"][2:])
    length = int.from_bytes(data[32:64]) - 1
    data[32:64] = length.to_bytes(32)
    data[64 + length :] = bytes(len(data) - 64 - length)
    return [{**log, "data": "0x" + data.hex()} if log is first else log for log in logs]


def mark_removed(_call: Call, logs: list[Any]) -> list[Any]:
    """Say of the last log that a reorganisation took it away."""
    return [*logs[:-1], *({**log, "removed": True} for log in logs[-1:])]
