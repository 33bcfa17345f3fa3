"""Who leads while voting goes on, where a count that ended now would be undecided."""

from __future__ import annotations

import json

import pytest

from indexer.results.service import _show_leading
from qballot.core.ballot import Group, encode_ballot
from qballot.core.definition import parse_definition_document
from qballot.core.tally import count_election

pytestmark = pytest.mark.unit


def test_leading__tie_for_elimination__is_who_leads_and_not_the_lowest() -> None:
    options = [{"id": name, "title": name.upper()} for name in "abcd"]
    contest = {"id": "chair", "title": "Chair", "method": "irv", "options": options}
    document = json.dumps({"qballot": 1, "title": "Club", "contests": [contest]})
    definition, _ = parse_definition_document(document)
    votes = {(1, 0, 0, 0): 5, (0, 1, 0, 0): 4, (0, 2, 1, 0): 3, (2, 0, 0, 1): 3}
    groups = {encode_ballot(marks): Group(count, count) for marks, count in votes.items()}
    (counted,) = count_election(definition, groups).to_json()["contests"]  # type: ignore[misc]
    assert (counted["tied"], counted["tied_for"]) == (["c", "d"], "elimination")
    shown = _show_leading(counted)
    assert (shown["leading"], shown["tied"], shown["tied_for"]) == (["a"], [], None)
