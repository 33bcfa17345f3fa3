"""Where the records depart from the chain, found by proofs: between two batches, the last that is right and the next.

    batch     0     1     2     3     4     5
    head      ✓     ✓     ✓     ✗     ✗     ✗        once wrong it stays wrong, so that few proofs are enough

A node keeps the states of its last blocks alone, unless it is an archive. Where it has none any more, everything behind
that is read anew: that costs time, and nothing else, for what is found has to end in the proven head in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from indexer.storage.model import Batch
from indexer.sync.repair_goal import Goal
from qballot.chain.proofs import fetch_head_proof, fetch_header
from qballot.chain.rpc import Rpc
from qballot.core.proof import BoxOrigin, Pins, encode_header, prove_head
from qballot.errors import ChainError, DecodeError, ProofError


def find_start(rpc: Rpc, goal: Goal, origin: BoxOrigin, pins: Pins) -> int:
    """Find how many of an election's batches may be kept, as far as an endpoint proves it; 0 where it proves nothing.

    They end with a block: no further batch of the same one follows.
    """
    ends = _find_ends(goal.batches)
    kept, first = 0, 0
    last = len(ends)
    while first < last:
        middle = (first + last) // 2
        is_right = _is_right(rpc, goal.batches[ends[middle] - 1], origin, pins)
        if is_right is None:
            # Whatever is older cannot be proved here either; what is younger may be.
            first = middle + 1
        elif is_right:
            first, kept = middle + 1, ends[middle]
        else:
            last = middle
    return kept


def _find_ends(batches: Sequence[Batch]) -> list[int]:
    """Find how many batches there are up to the end of each block that has any."""
    ends = [place for place, (one, other) in enumerate(pairwise(batches), 1) if _block(one) != _block(other)]
    return [*ends, len(batches)] if batches else []


def _block(batch: Batch) -> int:
    return batch.source.block_number


def _is_right(rpc: Rpc, batch: Batch, origin: BoxOrigin, pins: Pins) -> bool | None:
    """Say whether the box had this head after a batch's block; None where that is not to be proved."""
    number = _block(batch)
    try:
        header = encode_header(fetch_header(rpc, number))
        proof = fetch_head_proof(rpc, origin.box, pins.implementation, number)
        return prove_head(origin, header, proof, batch.source.block_hash, pins).head == batch.head
    except (ChainError, ProofError, DecodeError):
        return None
