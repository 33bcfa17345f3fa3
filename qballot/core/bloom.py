"""The filter of a block's logs that stands in its header: it never misses an item that is there.

Each log puts its contract's address and every one of its topics in. An item sets three of 2048 bits, chosen by its
hash; an item whose three bits are set may be there, an item that lacks one of them is not. So a header tells, without
the logs, that a block has none of ours, and an empty answer for a block that may have some deserves a second look.
Source: Ethereum Yellow Paper, section 4.3.1 (the function M3:2048); ethereum/execution-specs, bloom.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from qballot.core.keccak import keccak

BLOOM_BYTES = 256

_BITS = 8 * BLOOM_BYTES


@lru_cache(maxsize=4096)
def _mask(item: bytes) -> int:
    """Return the item's three bits in the filter read as one number.

    Each of the first three pairs of bytes of the hash names a bit, counted from the number's lowest.
    """
    digest = keccak(item)
    mask = 0
    for start in (0, 2, 4):
        mask |= 1 << (int.from_bytes(digest[start : start + 2]) % _BITS)
    return mask


def may_contain(bloom: bytes, item: bytes) -> bool:
    """Say whether an item may be in a filter; False means that it is not.

    bloom: 256 bytes. item: an address or a topic.
    """
    mask = _mask(item)
    return int.from_bytes(bloom) & mask == mask


def compute_bloom(items: Iterable[bytes]) -> bytes:
    """Make the filter of these addresses and topics. Returns 256 bytes."""
    bloom = 0
    for item in items:
        bloom |= _mask(item)
    return bloom.to_bytes(BLOOM_BYTES)
