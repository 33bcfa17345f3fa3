"""No price rises unnoticed: what ballots cost now, beside the figures that were kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qballot.core.prices import AMSTERDAM_PRICES, OSAKA_PRICES, Payload, compute_floor_gas

pytestmark = pytest.mark.integration

BENCH = Path(__file__).parents[2] / "bench" / "gas"
MAY_RISE = 1.01


@pytest.fixture(autouse=True)
def _bench(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))


@pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")  # web3.py imports it
def test_gas__every_kept_figure__has_not_risen_by_more_than_one_percent() -> None:
    import figures  # noqa: PLC0415

    kept = json.loads((BENCH / "figures.json").read_text())
    now = figures.flatten(figures.measure_under_both(figures.measure_named)[0])
    assert now.keys() == kept.keys()
    risen = {name: (kept[name], gas) for name, gas in now.items() if gas > kept[name] * MAY_RISE}
    assert not risen, f"dearer than kept (kept, now): {risen}; if meant, `make bench-gas ARGS=--keep`"


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("direct_1k", 40_000),
        ("direct_100k", 40_000),
        ("direct_1m", 41_000),
        ("relayed_10", 14_500),
        ("relayed_half_sheet", 6_400),
        ("relayed_half_sheet_amsterdam", 6_400),
        ("create_election", 120_000 + 7_000 + 30 * 1_000),
    ],
)
def test_gas__kept_figure__meets_its_goal(name: str, goal: int) -> None:
    assert json.loads((BENCH / "figures.json").read_text())[name] <= goal


def test_operations__of_a_cast__are_those_of_any_number_of_ballots() -> None:
    import ours  # noqa: PLC0415
    from amsterdam import Operations, count_operations  # noqa: PLC0415

    # The implementation called, its own code read for head's rules and for the roots, the head written.
    cast = Operations(cold_accounts=1, code_reads=2, change_slots=1)
    with ours.open_election(1_024, 10, 4) as election:
        assert election.batch_operations == cast
        receipt = election.bring(range(0, 1_024, 16), [bytes([1, 0, 1, 0])] * 64)
        assert count_operations(election.devnet, receipt.transaction_hash) == cast
        creation = count_operations(election.devnet, election.deployment.receipt.transaction_hash)
        assert (creation.creates, creation.set_slots, creation.deployed) == (1, 1, (147,))


def test_amsterdam__of_a_known_receipt__follows_from_its_prices() -> None:
    from amsterdam import Operations, compute_amsterdam  # noqa: PLC0415

    # Base -6,000, one cold account +400, one slot changed +7,200, two reads of code +200.
    cast = Operations(cold_accounts=1, code_reads=2, change_slots=1)
    assert compute_amsterdam(60_000, Payload(other_bytes=500), cast) == 61_800
    # 548 bytes pay the floor of 64 each.
    direct = Payload(zero_bytes=215, other_bytes=333)
    assert compute_amsterdam(39_832, direct, cast) == 15_000 + 64 * 548 == compute_floor_gas(direct, AMSTERDAM_PRICES)
    # A box of one sheet with 146 bytes of code, an account and a slot, 1,530 gas a byte.
    create = Operations(cold_accounts=2, code_reads=4, creates=1, set_slots=1, deployed=(146,))
    assert compute_amsterdam(144_871, Payload(zero_bytes=327, other_bytes=1_053), create) == 585_901


def test_amsterdam__receipt_at_osakas_floor__is_refused() -> None:
    from amsterdam import Operations, compute_amsterdam  # noqa: PLC0415

    payload = Payload(other_bytes=1_000)
    with pytest.raises(ValueError, match="Osaka's floor"):
        compute_amsterdam(compute_floor_gas(payload, OSAKA_PRICES), payload, Operations())


def test_measure_under_both__anvil_that_knows_amsterdam__measures_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import figures  # noqa: PLC0415
    from amsterdam import AMSTERDAM, Gas  # noqa: PLC0415

    def measure(hardfork: str) -> dict[str, Gas]:
        return {"direct": Gas(50_000, 50_000) if hardfork == AMSTERDAM else Gas(40_000, 49_900)}

    monkeypatch.setattr(figures, "knows_amsterdam", lambda: True)
    found, computed = figures.measure_under_both(measure)
    assert (found, computed) == ({"direct": Gas(40_000, 50_000)}, {"direct": Gas(40_000, 49_900)})
    monkeypatch.setattr(figures, "knows_amsterdam", lambda: False)
    assert figures.measure_under_both(measure) == (computed, None)
