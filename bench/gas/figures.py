"""The figures that are kept: what is measured under which name, and what Amsterdam makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import governor
import ours
from amsterdam import AMSTERDAM, Gas, knows_amsterdam

from qballot.chain.devnet import HARDFORK
from qballot.core.provenance import MAX_SHEETS

SHEET = 1_024
BATCHES = (10, 100, SHEET // 4, SHEET // 2, SHEET * 9 // 10)
"""Ballots in a batch: few, and 25, 50 and 90 percent of a sheet of 1,024 voters."""

NAMED_BATCHES = (10, SHEET // 2, SHEET * 9 // 10)

SHEET_BITS = (7, 8, 9, 10, 11, 12)
"""Sheets of 128 to 4,096 voters. The last two only where an election has too many voters for smaller ones."""
USUAL_SHEET_BITS = 10

Figures = dict[str, Gas]


def measure_under_both(measure: Callable[[str], Figures]) -> tuple[Figures, Figures | None]:
    """Measure on Osaka's rules, from which Amsterdam's prices are computed; where anvil knows them, measure these too.

    measure: given a hardfork. Returns the figures, with measured prices of Amsterdam if there are any, and the figures
    with computed ones if those are others.
    """
    computed = measure(HARDFORK)
    if not knows_amsterdam():
        return computed, None
    measured = measure(AMSTERDAM)
    return {name: Gas(gas.now, measured[name].now) for name, gas in computed.items()}, computed


def measure_election(
    voters: int, sheet_bits: int, batches: Sequence[int] = BATCHES, hardfork: str = HARDFORK
) -> Figures:
    """Measure one size of electorate with ballots of 4 options: direct casts, and batches. batches: their sizes."""
    with ours.open_election(voters, sheet_bits, 4, hardfork=hardfork) as election:
        figures = {"create": election.create_gas(), "direct": election.cast_direct(4)}
        figures |= {f"relayed_{size}": election.cast_batch(size, 4) for size in batches}
        twice = [0, 1, 2]
        election.cast_direct(4, voters=twice)
        figures["direct_again"] = election.cast_direct(4, voters=twice)
    return figures


def measure_ballots(options: int, weight: int = 1, hardfork: str = HARDFORK) -> Figures:
    """Measure one form of ballot in a full sheet of 1,024 voters."""
    with ours.open_election(SHEET, 10, options, weight=weight, hardfork=hardfork) as election:
        return {"direct": election.cast_direct(options), "relayed_half_sheet": election.cast_batch(SHEET // 2, options)}


def measure_text(hardfork: str = HARDFORK) -> Figures:
    """Measure ballots that are signed as text: `c: o0, o2`, as long as 9 options would be in bytes."""
    with ours.open_election(SHEET, 10, 4, text=True, hardfork=hardfork) as election:
        return {"direct_text": election.cast_direct(4), "relayed_text_half_sheet": election.cast_batch(SHEET // 2, 4)}


def measure_sheets(voters: int, sheet_bits: int, hardfork: str = HARDFORK) -> Figures:
    """Measure one size of sheets: creation, a direct cast, and batches of a half and a tenth of a sheet; 4 options.

    When a tenth of the voters' ballots are brought, each size of sheets makes batches of another size.
    """
    with ours.open_election(voters, sheet_bits, 4, hardfork=hardfork) as election:
        return {
            "create": election.create_gas(),
            "direct": election.cast_direct(4),
            "relayed_half_sheet": election.cast_batch(len(election.keys) // 2, 4),
            "relayed_tenth_of_sheet": election.cast_batch(len(election.keys) // 10, 4),
        }


def choose_sheet_bits(voters: int) -> list[int]:
    """Choose the sizes of sheets that are measured: the usual ones that the factory takes, or the two next ones."""
    possible = [bits for bits in SHEET_BITS if -(-voters >> bits) <= MAX_SHEETS]
    return [bits for bits in possible if bits <= USUAL_SHEET_BITS] or possible


def measure_named(hardfork: str = HARDFORK) -> Figures:
    """Measure the figures that users compare: gas, relayed ones a ballot; 4 options, one sheet by default."""
    small = measure_election(SHEET, 10, NAMED_BATCHES, hardfork)
    baseline = governor.measure(hardfork)
    return {
        "direct_1k": small["direct"],
        "direct_100k": measure_election(100_000, 10, (), hardfork)["direct"],
        "direct_1m": measure_election(1_000_000, 11, (), hardfork)["direct"],
        "relayed_10": small["relayed_10"],
        "relayed_half_sheet": small[f"relayed_{SHEET // 2}"],
        "relayed_most_of_sheet": small[f"relayed_{SHEET * 9 // 10}"],
        **measure_text(hardfork),
        "create_election": small["create"],
        "deploy_factory": ours.deploy_factory_gas(hardfork),
        "oz_cast_vote": baseline.cast_vote,
        "oz_cast_vote_by_sig": baseline.cast_vote_by_sig,
    }


def flatten(figures: Figures) -> dict[str, float]:
    """Return each figure under its name, and what it is under Amsterdam under `…_amsterdam`."""
    now = {name: round(float(gas.now), 1) for name, gas in figures.items()}
    return now | {f"{name}_amsterdam": round(float(gas.amsterdam), 1) for name, gas in figures.items()}
