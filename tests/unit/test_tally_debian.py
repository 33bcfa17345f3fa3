"""Debian's election of 2020 by Schulze, where the file is at hand: the published pairs and winner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qballot.core.ballot import group_ballots
from qballot.core.ballot_csv import effective_rows, parse_ballot_csv
from qballot.core.definition import parse_definition_document
from qballot.core.tally import count_election

pytestmark = pytest.mark.unit

DEBIAN = Path(__file__).parents[3] / "shared" / "elections" / "debian-2020-schulze.csv"
OPTIONS = {
    "carter": "Jonathan Carter",
    "chandran": "Sruthi Chandran",
    "gupta": "Brian Gupta",
    "none": "None Of The Above",
}
PUBLISHED = {
    ("carter", "chandran"): (258, 57),
    ("carter", "gupta"): (281, 40),
    ("carter", "none"): (301, 34),
    ("chandran", "gupta"): (163, 114),
    ("chandran", "none"): (244, 76),
    ("gupta", "none"): (194, 125),
}


@pytest.mark.skipif(not DEBIAN.exists(), reason="the real elections are not part of the project")
@pytest.mark.parametrize("method", ["copeland", "schulze", "ranked_pairs", "minimax"])
def test_count_election__debian_2020__gives_the_published_pairs_and_winner(method: str) -> None:
    options = [{"id": key, "title": title} for key, title in OPTIONS.items()]
    contest = {"id": "leader", "title": "Leader", "method": method, "options": options}
    definition, _ = parse_definition_document(json.dumps({"qballot": 1, "title": "D", "contests": [contest]}))
    rows = parse_ballot_csv(DEBIAN.read_text(encoding="utf-8"), definition)
    groups = group_ballots((row.ballot, row.weight) for row in effective_rows(rows))
    result: Any = count_election(definition, groups).to_json()["contests"]
    (leader,) = result
    entries = {entry["kind"]: entry for entry in leader["log"]}
    votes = entries["pairwise"]["votes"]
    assert {(a, b): (int(votes[a][b]), int(votes[b][a])) for a, b in PUBLISHED} == PUBLISHED
    assert entries["condorcet"]["condorcet_winner"] == "carter"
    assert (leader["winners"], leader["ballots"], leader["spoiled"]) == (["carter"], 339, {})
