"""Which block the index and the chain still agree on.

            fork
    ──┼──┼──┼──┼──┼──┼   the index, up to its cursor: blocks that it knows by their hash
            └──┼──┼──┼──┼   the chain, as an endpoint has it

A conflict is another hash at a height that the index knows. That an endpoint has fewer blocks is none: it lags, even if
its last ones are others, and is not followed before it is as far as the index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from indexer.storage.model import Block
from indexer.sync.checks import check_links
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import MAX_BATCH_REQUESTS, Rpc
from qballot.core.types import Hash32
from qballot.errors import EndpointError, FinalityError, MissingBlockError, ReorgError

T = TypeVar("T")


def find_last(items: Sequence[T], holds: Callable[[T], bool]) -> T | None:
    """Find the last item for which something holds, given that it holds for all before it. None for none.

    As few questions as can be: their number is the logarithm of how many items there are.
    """
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        if holds(items[middle]):
            low = middle + 1
        else:
            high = middle
    return items[low - 1] if low else None


def find_fork(endpoints: Endpoints, blocks: Sequence[Block], finalized: Block | None) -> Block:
    """Find the last of the index's blocks that is still in the chain; the cursor itself where nothing has changed.

    blocks: those that the index knows, ascending, the cursor's last. finalized: the final one among them.
    Raises FinalityError when every endpoint lacks even the final block, ReorgError when there is no final block and
    none of the others is left, EndpointError when no endpoint tells.
    """
    strangers: list[tuple[Rpc, EndpointError, Hash32]] = []

    def ask(rpc: Rpc) -> Block:
        fork = _find_fork_at(rpc, blocks)
        if fork is not None:
            return fork
        error = EndpointError(
            rpc.endpoint, f"has another block {blocks[0].number} than the index, and none of the later ones either"
        )
        strangers.append((rpc, error, rpc.block(blocks[0].number).hash))
        raise error

    try:
        fork = endpoints.run(ask)
    except EndpointError:
        if len(strangers) < len(endpoints.healths()):
            raise
    else:
        for rpc, fault, _ in strangers:
            # It answers everything else as if nothing were wrong.
            endpoints.report_fault(rpc, fault)
        return fork
    if finalized is not None:
        raise FinalityError(finalized_number=finalized.number)
    error = ReorgError(number=blocks[0].number, found=strangers[0][2], expected=blocks[0].hash)
    error.args = (f"{error}; that is further back than can be followed: read all again with `qballot index --reset`",)
    raise error


def _find_fork_at(rpc: Rpc, blocks: Sequence[Block]) -> Block | None:
    """Find the fork by what one endpoint says, and check that its own chain goes on from there."""
    cursor = blocks[-1]
    latest = rpc.block("latest").number
    if latest < cursor.number:
        raise MissingBlockError(rpc.endpoint, f"is at block {latest}, and the index at {cursor.number}: it lags")
    fork = find_last(blocks, lambda block: rpc.block(block.number).hash == block.hash)
    if fork is None or fork == cursor:
        return fork
    # An endpoint that contradicts itself is no reason to take anything back.
    for start in range(fork.number, cursor.number, MAX_BATCH_REQUESTS - 1):
        headers = rpc.blocks(range(start, min(start + MAX_BATCH_REQUESTS - 1, cursor.number) + 1))
        check_links(rpc, headers)
        if start == fork.number and headers[0].hash != fork.hash:
            raise EndpointError(rpc.endpoint, f"changed block {fork.number} while it was asked about it")
    return fork
