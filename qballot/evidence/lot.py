"""The headers that lead from the block that lots are drawn from to the block of the evidence."""

from __future__ import annotations

from qballot.census.progress import Report
from qballot.chain.lot import MAX_LOT_HEADERS, fetch_lot_headers, find_lot_number
from qballot.chain.rpc import Rpc
from qballot.core.proof import Header, Verification
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.types import BlockNumber, UnixSeconds


def needs_lot(found: Verification) -> bool:
    """Say whether a count waits for a lot that can be drawn at the block of its evidence."""
    if found.result is None or found.proven is None:
        return False
    is_time = found.proven.header.timestamp >= found.proven.arguments.closes_at + LOT_DELAY_SECONDS
    return is_time and any(contest.outcome.waits_for_lot for contest in found.result.contests)


def collect_lot(
    rpc: Rpc, header: Header, created_in: BlockNumber, closes_at: UnixSeconds, report: Report
) -> tuple[bytes, ...] | str:
    """Fetch the headers, encoded and oldest first, as `Evidence.lot` has them; or say why they are left out.

    header: of the evidence's block, late enough for the lot. created_in: a block before the close.
    Whether they are linked is not looked at. Raises ChainError, ProofError.
    """
    first = find_lot_number(rpc, created_in, header.number, closes_at + LOT_DELAY_SECONDS)
    count = header.number - first + 1
    if count > MAX_LOT_HEADERS:
        return (
            f"the lot is of block {first}, {count:,} headers before block {header.number}, and at most "
            f"{MAX_LOT_HEADERS:,} are put in: a tie stays open; ask an archive's endpoint for the evidence at a block "
            f"from {first} to {first + MAX_LOT_HEADERS - 1}"
        )
    return fetch_lot_headers(rpc, first, header.number, lambda done: report("reading the lot's headers", done, count))
