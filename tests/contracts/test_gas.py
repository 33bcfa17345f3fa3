"""No price rises unnoticed: what ballots cost now, beside the figures that were kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

BENCH = Path(__file__).parents[2] / "bench" / "gas"
MAY_RISE = 1.01


@pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")  # web3.py imports it
def test_gas__every_kept_figure__has_not_risen_by_more_than_one_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    import figures  # noqa: PLC0415

    kept = json.loads((BENCH / "figures.json").read_text())
    now = figures.measure_named()
    assert now.keys() == kept.keys()
    risen = {name: (kept[name], gas) for name, gas in now.items() if gas > kept[name] * MAY_RISE}
    assert not risen, f"dearer than kept (kept, now): {risen}; if meant, `make bench-gas ARGS=--keep`"


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("direct_1k", 40_000),
        ("direct_100k", 40_000),
        ("direct_1m", 41_000),
        ("relayed_half_sheet", 7_500),
        ("create_election", 120_000 + 7_000 + 30 * 1_000),
    ],
)
def test_gas__kept_figure__meets_its_goal(name: str, goal: int) -> None:
    assert json.loads((BENCH / "figures.json").read_text())[name] <= goal
