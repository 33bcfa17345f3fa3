"""The figures that are kept: what is measured under which name."""

from __future__ import annotations

import governor
import ours

SHEET = 1_024
BATCHES = (10, 100, SHEET // 4, SHEET // 2, SHEET * 9 // 10)
"""Ballots in a batch: few, and 25, 50 and 90 percent of a sheet of 1,024 voters."""


def measure_election(voters: int, sheet_bits: int) -> dict[str, float]:
    """Measure one size of electorate with ballots of 4 options: direct casts, and batches of each of `BATCHES`."""
    with ours.open_election(voters, sheet_bits, 4) as election:
        figures = {"create": float(election.deployment.receipt.gas_used), "direct": election.cast_direct(4)}
        figures |= {f"relayed_{size}": election.cast_batch(size, 4) for size in BATCHES}
        twice = [0, 1, 2]
        election.cast_direct(4, voters=twice)
        figures["direct_again"] = election.cast_direct(4, voters=twice)
    return figures


def measure_ballots(options: int, weight: int = 1) -> dict[str, float]:
    """Measure one form of ballot in a full sheet of 1,024 voters."""
    with ours.open_election(SHEET, 10, options, weight=weight) as election:
        return {"direct": election.cast_direct(options), "relayed_half_sheet": election.cast_batch(SHEET // 2, options)}


def measure_named() -> dict[str, float]:
    """Measure the figures that users compare: gas, relayed ones a ballot; 4 options, one sheet by default."""
    small = measure_election(SHEET, 10)
    baseline = governor.measure()
    return {
        "direct_1k": small["direct"],
        "direct_100k": measure_election(100_000, 10)["direct"],
        "direct_1m": measure_election(1_000_000, 11)["direct"],
        "relayed_10": small["relayed_10"],
        "relayed_half_sheet": small[f"relayed_{SHEET // 2}"],
        "relayed_most_of_sheet": small[f"relayed_{SHEET * 9 // 10}"],
        "create_election": small["create"],
        "deploy_factory": float(ours.deploy_factory_gas()),
        "oz_cast_vote": float(baseline.cast_vote),
        "oz_cast_vote_by_sig": float(baseline.cast_vote_by_sig),
    }
