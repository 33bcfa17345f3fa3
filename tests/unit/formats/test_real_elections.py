"""The real elections, where they are at hand: every round is the same after a way through other formats."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from qballot.core.ballot import group_ballots
from qballot.core.ballot_csv import effective_rows, parse_ballot_csv
from qballot.core.definition import parse_definition_document
from qballot.core.definition.slug import propose_id
from qballot.core.election import Definition
from qballot.core.tally import count_election
from qballot.formats.convert import Format, Request, convert

pytestmark = pytest.mark.unit

ELECTIONS = Path(__file__).parents[4] / "shared" / "elections"


def _read(name: str, method: str) -> tuple[Definition, str]:
    text = (ELECTIONS / name).read_text(encoding="utf-8")
    options = [{"id": propose_id(title, (), "x"), "title": title} for title in text.splitlines()[0].split(",")]
    contest = {"id": "c", "title": "C", "method": method, "options": options}
    return parse_definition_document(json.dumps({"qballot": 1, "title": "T", "contests": [contest]}))[0], text


def _count(definition: Definition, text: str) -> dict[str, Any]:
    rows = effective_rows(parse_ballot_csv(text, definition))
    result: Any = count_election(definition, group_ballots((row.ballot, row.weight) for row in rows)).to_json()
    return {key: result["contests"][0][key] for key in ("winners", "totals", "ballots", "blank", "log")}


@pytest.mark.skipif(not ELECTIONS.exists(), reason="the real elections are not part of the project")
@pytest.mark.parametrize(
    ("name", "method", "way"),
    [
        ("burlington-2009-irv.csv", "irv", [Format.BLT, Format.CVR, Format.ABIF]),
        ("burlington-2009-irv.csv", "irv", [Format.SOI, Format.TOI]),
        ("debian-2020-schulze.csv", "schulze", [Format.ABIF, Format.TOI, Format.BLT]),
        ("libertarian-2020-star.csv", "star", [Format.ABIF, Format.ABIF]),
    ],
)
def test_convert__real_election_there_and_back__counts_the_same(name: str, method: str, way: list[Format]) -> None:
    definition, text = _read(name, method)
    written = convert(
        text, Request(Format.CSV, way[0], definition=definition, keep_blank=way[0] is not Format.SOI)
    ).text
    for source, target in pairwise(way):
        written = convert(written, Request(source, target, file_name="x")).text
    again = convert(written, Request(way[-1], Format.CSV, definition=definition)).text
    before, after = _count(definition, text), _count(definition, again)
    if way[0] is Format.SOI:
        before["ballots"] -= before.pop("blank")
        assert after.pop("blank") == 0
    assert after == before
