"""The block that lots are drawn from, and the headers from there on: the first block that is late enough."""

from __future__ import annotations

from collections.abc import Callable

from qballot.chain.proofs import fetch_headers
from qballot.chain.rpc import Rpc
from qballot.core.proof import encode_header

MAX_LOT_HEADERS = 50_000
"""Most headers that are put in: a week of Ethereum's blocks, 60 MB."""

HEADERS_AT_ONCE = 100


def find_lot_number(rpc: Rpc, before: int, late: int, needed: int) -> int:
    """Find the first block of this second or later. late: one that is late enough. before: one that is not, or -1.

    It is looked for from `late` back in ever longer steps, since it mostly lies a few blocks away. Raises ChainError.
    """
    step = 1
    while late - step > before:
        if rpc.block(late - step).timestamp < needed:
            before = late - step
            break
        late -= step
        step *= 2
    while late - before > 1:
        middle = (before + late) // 2
        if rpc.block(middle).timestamp >= needed:
            late = middle
        else:
            before = middle
    return late


def fetch_lot_headers(
    rpc: Rpc, first: int, last: int, report: Callable[[int], None] | None = None
) -> tuple[bytes, ...]:
    """Fetch the headers from the parent of block `first` to the parent of block `last`, encoded, the oldest first.

    first: that lots are drawn from. last: of the evidence. report: is told how many there are so far. Whether they are
    linked is not looked at. Raises ChainError, ProofError.
    """
    headers: list[bytes] = []
    for start in range(first - 1, last, HEADERS_AT_ONCE):
        headers += map(encode_header, fetch_headers(rpc, range(start, min(start + HEADERS_AT_ONCE, last))))
        if report is not None:
            report(len(headers))
    return tuple(headers)
