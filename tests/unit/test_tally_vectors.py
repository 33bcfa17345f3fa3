"""The count on shared vectors, and on a real election with a published outcome where the file is at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qballot.core.ballot import Group, group_ballots
from qballot.core.ballot_csv import effective_rows, parse_ballot_csv
from qballot.core.definition import parse_definition_document
from qballot.core.election import Contest, Method, Option
from qballot.core.tally import Electorate, count_election, judge_marks
from qballot.core.types import Hash32

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
CASES = [
    case
    for file in sorted(VECTORS.glob("tally*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))["cases"]
]
BALLOTS = json.loads((VECTORS / "ballots.json").read_text(encoding="utf-8"))
BURLINGTON = ROOT.parent / "shared" / "elections" / "burlington-2009-irv.csv"
BURLINGTON_OPTIONS = ["Bob Kiss", "Kurt Wright", "Andy Montroll", "Dan Smith", "James Simpson", "Write-in"]


@pytest.mark.parametrize("case", BALLOTS["judged"], ids=lambda case: f"{case['method']} {case['marks']}")
def test_judge_marks__vector__is_counted_blank_or_spoiled(case: dict[str, Any]) -> None:
    options = tuple(Option(f"o{index}", f"O{index}") for index in range(case["options"]))
    contest = Contest("c", "C", "", Method(case["method"]), options, limits=case["limits"])
    assert judge_marks(contest, tuple(case["marks"])) == case["expected"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_count_election__vector__gives_the_result(case: dict[str, Any]) -> None:
    definition, _ = parse_definition_document(json.dumps(case["definition"]))
    groups = {
        bytes.fromhex(row["ballot"][2:]): Group(row["ballots"], int(row["weight"])) for row in case["groups"]
    }  # fmt: skip
    lot = Hash32(bytes.fromhex(case["lot"][2:])) if "lot" in case else None
    known = {key: number and int(number) for key, number in case.get("electorate", {}).items()}
    result = json.loads(json.dumps(count_election(definition, groups, lot, Electorate(**known)).to_json()))
    for found, expected in zip(result["contests"], case["contests"], strict=True):
        rounds = [
            {"votes": entry["votes"], "exhausted": entry["exhausted"]}
            for entry in found["log"]
            if entry["kind"] == "round"
        ]
        stages = [
            {"votes": entry["votes"], "not_transferable": entry["not_transferable"]}
            for entry in found["log"]
            if entry["kind"] == "stage"
        ]
        verdicts = [finding["verdict"] for finding in found["requirements"]]
        steps = {"rounds": rounds, "stages": stages, "verdicts": verdicts}
        seen = {**found, **steps, "tied_for": found["log"][-1].get("tied_for")}
        assert {key: seen[key] for key in expected} == expected
        assert found["log"][-1]["kind"] == "outcome"
        assert all(entry["text"] for entry in found["log"])


@pytest.mark.parametrize("method", Method)
def test_vectors__every_method__has_two_examples_with_a_source_and_one_of_a_tie(method: Method) -> None:
    sourced = [case for case in CASES if "source" in case and case["definition"]["contests"][0]["method"] == method]
    assert len(sourced) >= 2
    assert any(case["contests"][0].get("tied") for case in sourced)


@pytest.mark.skipif(not BURLINGTON.exists(), reason="the real elections are not part of the project")
def test_count_election__burlington_2009__gives_the_published_outcome() -> None:
    options = [{"id": title.lower().replace(" ", "-"), "title": title} for title in BURLINGTON_OPTIONS]
    contest = {"id": "mayor", "title": "Mayor", "method": "irv", "options": options}
    definition, _ = parse_definition_document(json.dumps({"qballot": 1, "title": "B", "contests": [contest]}))
    rows = parse_ballot_csv(BURLINGTON.read_text(encoding="utf-8"), definition)
    groups = group_ballots((row.ballot, row.weight) for row in effective_rows(rows))
    result: Any = count_election(definition, groups).to_json()["contests"]
    mayor = result[0]
    rounds = [entry for entry in mayor["log"] if entry["kind"] == "round"]
    first, final = rounds[0]["votes"], rounds[-1]
    assert (first["kurt-wright"], first["bob-kiss"], first["andy-montroll"]) == ("2951", "2585", "2063")
    assert final["votes"] == {"bob-kiss": "4313", "kurt-wright": "4060"}
    # The published 607 exhausted ballots include the four that rank nobody.
    assert int(final["exhausted"]) + mayor["blank"] == 607
    assert (mayor["winners"], mayor["ballots"], mayor["blank"], mayor["spoiled"]) == (["bob-kiss"], 8980, 4, {})
