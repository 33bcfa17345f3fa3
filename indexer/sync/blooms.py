"""Does a block's filter allow what was said of its logs? Pure: a header and the logs that were given for it.

An item that a filter lacks is certainly not in the block; one that it has may be. So where the filter may hold a box
together with one of our topics, and no log of that box was given, the block deserves a second look (see `fetch.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from qballot.chain.answers import Log
from qballot.chain.contracts import BALLOT_BOX_CANCELLED, BALLOT_BOX_CREATED, BALLOTS_CAST
from qballot.core.bloom import compute_bloom, may_contain
from qballot.core.types import Address


def tells_anything(bloom: bytes) -> bool:
    """Say whether a header's filter tells anything: one without any bit is that of a block without any log, or none."""
    return any(bloom)


def may_hide_logs(
    bloom: bytes, given: Collection[Address], *, factory: Address | None, boxes: Iterable[Address]
) -> bool:
    """Say whether a block may have logs of factory or boxes although none was given.

    bloom: of the header, empty where the node does not give it, which tells nothing. given: who has logs that were
    given for the block. factory: None where it was not asked about.
    """
    if not tells_anything(bloom):
        return False
    if (
        factory is not None
        and factory not in given
        and may_contain(bloom, BALLOT_BOX_CREATED)
        and may_contain(bloom, factory)
    ):
        return True
    if not (may_contain(bloom, BALLOTS_CAST) or may_contain(bloom, BALLOT_BOX_CANCELLED)):
        return False
    return any(box not in given and may_contain(bloom, box) for box in boxes)


def compute_logs_bloom(logs: Iterable[Log]) -> bytes:
    """Compute the filter of a block that has these logs and no others. Returns 256 bytes."""
    return compute_bloom(item for log in logs for item in (log.address, *log.topics))
