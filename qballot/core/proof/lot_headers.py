"""The block that lots are drawn from, shown by the headers between it and the block that is trusted; step 15.

    parent ──▶ lot's block ──▶ … ──▶ last of them ──▶ trusted block      each names the hash of the one before
    too early    late enough

Timestamps only grow along a chain, so the two first headers show that no earlier block was late enough.
"""

from __future__ import annotations

from collections.abc import Sequence

from qballot.core.keccak import keccak
from qballot.core.proof.header import Header, decode_header
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.types import UnixSeconds
from qballot.errors import ProofError


def find_lot_block(headers: Sequence[bytes], trusted: bytes, closes_at: UnixSeconds) -> Header:
    """Find the header of the block that lots are drawn from: its `mix_hash` is the lot.

    headers: encoded, from the parent of the lot's block to the parent of the trusted one, oldest first, at least one.
    trusted: encoded header of the trusted block. closes_at: of the election.
    Raises ProofError that names the header which is not linked, or what the two first ones do not show.
    """
    if not headers:
        raise ProofError("found no header before the trusted block's, expected the parent of the lot's block at least")
    _check_links([*headers, trusted])
    parent, block = decode_header(headers[0]), decode_header(headers[1] if len(headers) > 1 else trusted)
    needed = closes_at + LOT_DELAY_SECONDS
    if block.timestamp < needed:
        raise ProofError(f"block {block.number} is of second {block.timestamp}, expected {needed} or later for the lot")
    if parent.timestamp >= needed:
        raise ProofError(
            f"block {parent.number} is of second {parent.timestamp}: the lot is drawn from it or an earlier block, "
            f"the first one of second {needed} or later, and not from block {block.number}"
        )
    if block.difficulty:
        raise ProofError(
            f"block {block.number} has the difficulty {block.difficulty}, expected 0: before the merge there is no "
            "randomness in a header"
        )
    return block


def _check_links(headers: Sequence[bytes]) -> None:
    for place in range(len(headers) - 1):
        found = keccak(headers[place])
        named = decode_header(headers[place + 1]).parent_hash
        if found != named:
            following = f"header {place + 1}" if place + 2 < len(headers) else "the trusted block"
            raise ProofError(
                f"header {place} of the lot hashes to 0x{found.hex()}, but {following} has the parent 0x{named.hex()}"
            )
