"""The lot: an order of a contest's options that neither voter nor organizer can choose.

It is derived by hash from 32 bytes that nobody knew while votes could be cast: the RANDAO mix (`mixHash` in the header)
of the first block whose timestamp is at least LOT_DELAY_SECONDS after the election's close. Whoever proposes a block of
that time can give the block up and so have the next one's mix, a choice between two values at the price of a block's
reward: the lot can be biased a little, by proposers alone, and not chosen.

    key(option) = keccak256(mix ‖ keccak256(contest id) ‖ keccak256(option id))      ids in UTF-8, 96 bytes in all

The options in ascending order of their keys are the lot's order. The first is the most favoured: of tied options it is
the first to win a seat and the last to go out.

Source: EIP-4399 for the mix in the header; consensus specification, `process_randao`, for what a proposer can do.
"""

from __future__ import annotations

from qballot.core.election import Contest
from qballot.core.keccak import keccak
from qballot.core.types import Hash32

LOT_DELAY_SECONDS = 1_536
"""Four epochs of 32 slots of 12 seconds from the close to the block that the lot is drawn from."""


def draw_order(contest: Contest, mix: Hash32) -> tuple[int, ...]:
    """Order a contest's options by lot, the most favoured first. mix: 32 bytes of the lot's block."""
    prefix = mix + keccak(contest.id.encode())
    keys = [keccak(prefix + keccak(option.id.encode())) for option in contest.options]
    return tuple(sorted(range(len(keys)), key=keys.__getitem__))
