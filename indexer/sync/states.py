"""Whether logs are complete, by what the chain itself remembers.

        head(start − 1) ──── the range's logs ────▶ head(end)        of every box

A box's head after the range follows from its head before and from all of its logs in between, and from nothing less. In
the same way a factory's nonce counts the boxes that it has created. So two questions about the chain's state settle
whether a range of thousands of blocks is complete, and an endpoint that has old logs mostly has old states as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from indexer.sync.events import BoxEvent, follow_head
from qballot.chain.abi import load_function
from qballot.chain.artifacts import BALLOT_BOX
from qballot.chain.rpc import Rpc
from qballot.chain.transport import Request
from qballot.core.provenance import FIRST_BOX_NONCE
from qballot.core.types import Address, Hash32
from qballot.errors import (
    ContractReverted,
    EndpointError,
    MissingBlockError,
    NoAnswerError,
    QuotaExhaustedError,
    SlowDownError,
)

_HEAD = re.compile("0x[0-9a-fA-F]{64}")
_NONCE = re.compile("0x[0-9a-fA-F]{1,16}")

_TELLS_NOTHING = (SlowDownError, QuotaExhaustedError, NoAnswerError)
"""Errors that say nothing of whether an endpoint has what it was asked for."""


class Gap(NamedTuple):
    """Why logs and states do not fit. is_sure: it is not that states of other blocks were given for the asked ones."""

    reason: str
    is_sure: bool


class _State(NamedTuple):
    """What the chain remembers after a block. nonce: of the factory. heads: of boxes, None where there is none yet."""

    nonce: int
    heads: Mapping[Address, Hash32 | None]


def find_gap(
    rpc: Rpc,
    start: int,
    end: int,
    *,
    factory: Address | None,
    created: Mapping[Address, Hash32],
    boxes: Iterable[Address],
    events: Sequence[BoxEvent],
) -> Gap | None:
    """Compare a range's logs with the chain's state before and after it. Returns what does not fit, None if all does.

    factory: None where it was not asked about. created: the range's new boxes with the hashes of their definitions,
    which are their first heads. boxes: those that were there before.
    Raises MissingBlockError when the endpoint does not have these states, any other EndpointError when it does not
    answer.
    """
    emitters = dict.fromkeys(event.box for event in events)
    earlier = [box for box in dict.fromkeys([*emitters, *boxes]) if box not in created]
    compared = [*earlier, *created]
    # A chain's first block has nothing of anyone's, so that its state will do where there is none before.
    before, after = _fetch_states(rpc, factory, compared, max(start - 1, 0), end)
    if any(before.heads[box] is None for box in earlier) or any(after.heads[box] is None for box in compared):
        raise MissingBlockError(rpc.endpoint, f"has boxes without a head at block {start - 1} or {end}")
    if max(after.nonce, FIRST_BOX_NONCE) - max(before.nonce, FIRST_BOX_NONCE) > len(created):
        return Gap("its logs do not tell of all boxes that the factory has created", is_sure=True)
    heads = {box: head for box in earlier if (head := before.heads[box]) is not None} | dict(created)
    for event in events:
        if event.box in heads:
            heads[event.box] = follow_head(heads[event.box], event)
    wrong = [box for box in compared if heads[box] != after.heads[box]]
    if not wrong:
        return None
    # A head never comes back to what it was, and before its creation no box has one. Where it seems otherwise, the
    # endpoint answers for another block than it was asked about.
    is_sure = any(after.heads[box] != before.heads[box] for box in wrong)
    return Gap("its logs do not lead from the heads of the boxes before to those after", is_sure)


def _fetch_states(
    rpc: Rpc, factory: Address | None, boxes: Sequence[Address], first: int, last: int
) -> tuple[_State, _State]:
    """Read the chain's state after each of two blocks, in as few requests as there can be."""
    parts = [_make_requests(factory, boxes, block) for block in (first, last)]
    answers = _ask(rpc, parts[0] + parts[1])
    size = len(parts[0])
    return _read_state(rpc, factory, boxes, answers[:size]), _read_state(rpc, factory, boxes, answers[size:])


def _make_requests(factory: Address | None, boxes: Sequence[Address], block: int) -> list[Request]:
    data = "0x" + load_function(BALLOT_BOX, "head").encode().hex()
    heads: list[Request] = [("eth_call", [{"to": "0x" + box.hex(), "data": data}, hex(block)]) for box in boxes]
    return heads if factory is None else [*heads, ("eth_getTransactionCount", ["0x" + factory.hex(), hex(block)])]


def _read_state(rpc: Rpc, factory: Address | None, boxes: Sequence[Address], answers: Sequence[str]) -> _State:
    heads = {
        box: Hash32(bytes.fromhex(answer[2:])) if _HEAD.fullmatch(answer) else None
        for box, answer in zip(boxes, answers, strict=False)
    }
    if factory is None:
        return _State(0, heads)
    if not _NONCE.fullmatch(answers[-1]):
        raise MissingBlockError(rpc.endpoint, f"has no nonce of the factory: found {rpc.mask(repr(answers[-1]))}")
    return _State(int(answers[-1], 16), heads)


def _ask(rpc: Rpc, requests: Sequence[Request]) -> list[str]:
    try:
        return [str(answer) for answer in rpc.call_many(requests)]
    except ContractReverted as error:
        raise MissingBlockError(rpc.endpoint, f"a box did not tell its head: {error}") from error
    except EndpointError as error:
        if error.code is None or isinstance(error, _TELLS_NOTHING):
            raise
        raise MissingBlockError(rpc.endpoint, str(error), code=error.code) from error
