"""Which block the index and the chain still agree on.

            fork
    ──┼──┼──┼──┼──┼──┼   the index, up to its cursor: blocks that it knows by their hash
            └──┼──┼──┼──┼   the chain, as an endpoint has it

A conflict is another hash at a height that the index knows. That an endpoint has fewer blocks is none: it lags, even if
its last ones are others, and is not followed before it is as far as the index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from indexer.storage.model import Block
from indexer.sync.checks import check_links
from indexer.sync.survey import Survey, ask_all
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import MAX_BATCH_REQUESTS, Rpc
from qballot.errors import ChainError, EndpointError, FinalityError, MissingBlockError, ReorgError

FAILURES_TO_GIVE_UP = 6
"""Failures in a row after which an endpoint is not waited for: some ten seconds of them."""

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


class _Found(NamedTuple):
    """What one endpoint says. latest: its height. fork: None where it has none of the index's blocks."""

    latest: int
    fork: Block | None


def find_fork(endpoints: Endpoints, blocks: Sequence[Block], finalized: Block | None) -> Block:
    """Find the last of the index's blocks that is still in the chain; the cursor itself where nothing has changed.

    All endpoints are asked, and the longest chain is followed: one that stands still on a block that was reorganised
    away takes nothing back. Of chains as long as each other, the one that shares most with the index.

    blocks: those that the index knows, ascending, the cursor's last. finalized: the final one among them.
    Raises FinalityError when every endpoint that answers lacks even the final block, ReorgError when there is no final
    block and none of the others is left, EndpointError when no endpoint tells.
    """
    survey = ask_all(endpoints, lambda rpc: _find_fork_at(rpc, blocks))
    tellers = [(answer.value.latest, fork) for answer in survey.answers if (fork := answer.value.fork) is not None]
    strangers = [answer for answer in survey.answers if answer.value.fork is None]
    for answer in strangers:
        error = EndpointError(
            answer.rpc.endpoint,
            f"has another block {blocks[0].number} than the index, and none of the later ones either",
        )
        if not tellers and _may_yet_tell(endpoints, survey):
            raise error
        if tellers:
            # It answers everything else as if nothing were wrong.
            endpoints.report_fault(answer.rpc, error)
    if tellers:
        return max(tellers, key=lambda told: (told[0], told[1].number))[1]
    if not strangers:
        raise _choose_error(endpoints, survey)
    if finalized is not None:
        raise FinalityError(finalized_number=finalized.number)
    found = strangers[0].rpc.block(blocks[0].number).hash
    lost = ReorgError(number=blocks[0].number, found=found, expected=blocks[0].hash)
    lost.args = (f"{lost}; that is further back than can be followed: read all again with `qballot index --reset`",)
    raise lost


def _may_yet_tell(endpoints: Endpoints, survey: Survey[_Found]) -> bool:
    """Whether an endpoint that did not answer is worth waiting for: one that lags is, one that is long down is not."""
    answered = {answer.name for answer in survey.answers}
    return any(
        isinstance(survey.errors.get(health.name), MissingBlockError) or health.failures < FAILURES_TO_GIVE_UP
        for health in endpoints.healths()
        if health.name not in answered
    )


def _choose_error(endpoints: Endpoints, survey: Survey[_Found]) -> ChainError:
    """Choose what to raise where nobody answered: an error that may pass, if there is one."""
    errors = list(survey.errors.values())
    if not errors:
        names = ", ".join(member.name for member in endpoints.members)
        return EndpointError(names, "did not say which of the index's blocks are still in the chain")
    return next((error for error in errors if error.retryable), errors[-1])


def _find_fork_at(rpc: Rpc, blocks: Sequence[Block]) -> _Found:
    """Find the fork by what one endpoint says, and check that its own chain goes on from there."""
    cursor = blocks[-1]
    latest = rpc.block("latest")
    if latest.number < cursor.number:
        raise MissingBlockError(rpc.endpoint, f"is at block {latest.number}, and the index at {cursor.number}: it lags")
    if latest.number > cursor.number and rpc.block(latest.number).hash != latest.hash:
        raise EndpointError(rpc.endpoint, f"changed block {latest.number} while it was asked about it")
    fork = find_last(blocks, lambda block: rpc.block(block.number).hash == block.hash)
    if fork is None or fork == cursor:
        return _Found(latest.number, fork)
    # An endpoint that contradicts itself is no reason to take anything back.
    for start in range(fork.number, cursor.number, MAX_BATCH_REQUESTS - 1):
        headers = rpc.blocks(range(start, min(start + MAX_BATCH_REQUESTS - 1, cursor.number) + 1))
        check_links(rpc, headers)
        if start == fork.number and headers[0].hash != fork.hash:
            raise EndpointError(rpc.endpoint, f"changed block {fork.number} while it was asked about it")
    return _Found(latest.number, fork)
