"""A verified count at a block before the close shows who leads, and nothing that sounds like an end."""

from __future__ import annotations

import json

import pytest

from qballot.core.ballot import Group, encode_ballot
from qballot.core.definition import parse_definition_document
from qballot.core.tally import ElectionResult, count_election, render_text
from qballot.core.tally.leading import LEADING, OUTCOME, find_leading, show_leading

pytestmark = pytest.mark.unit


def count(votes: dict[tuple[int, ...], int], **rules: object) -> ElectionResult:
    options = [{"id": name, "title": name.upper()} for name in "abcd"]
    contest = {"id": "chair", "title": "Chair", "options": options, **rules}
    definition, _ = parse_definition_document(json.dumps({"qballot": 1, "title": "Club", "contests": [contest]}))
    return count_election(definition, {encode_ballot(marks): Group(many, many) for marks, many in votes.items()})


@pytest.mark.parametrize(
    ("votes", "rules", "leading"),
    [
        ({(1, 0, 0, 0): 5, (0, 1, 0, 0): 4}, {"method": "plurality"}, (0,)),
        ({(1, 0, 0, 0): 4, (0, 1, 0, 0): 4}, {"method": "plurality"}, (0, 1)),
        ({(1, 0, 0, 0): 4, (0, 1, 0, 0): 4}, {"method": "plurality", "tie": "lot"}, (0, 1)),
        (
            {(1, 0, 0, 0): 5, (0, 1, 0, 0): 4, (0, 2, 1, 0): 3, (2, 0, 0, 1): 3},
            {"method": "irv"},
            (0,),
        ),
        ({(0, 0, 0, 0): 1}, {"method": "approval", "requires": {"turnout": {"of": "voters", "at_least": "1/2"}}}, ()),
    ],
)
def test_show_leading__any_count__names_who_leads_and_no_winner(
    votes: dict[tuple[int, ...], int], rules: dict[str, object], leading: tuple[int, ...]
) -> None:
    counted = count(votes, **rules)
    (contest,) = counted.contests
    assert find_leading(contest) == leading
    (shown,) = show_leading(counted).contests
    document = shown.to_json()
    assert (document["winners"], document["tied"], document["tied_for"], document["open_seats"]) == ([], [], None, 0)
    assert (document["verdict"], document["requirements"], document["waits_for_lot"]) == (None, [], False)
    assert (document["totals"], document["ballots"]) == (contest.to_json()["totals"], contest.to_json()["ballots"])
    assert shown.outcome.log[-1].kind == LEADING
    assert shown.outcome.log[-1].data == {"leading": ["abcd"[place] for place in leading]}
    assert OUTCOME not in {entry.kind for entry in shown.outcome.log}
    assert "Winner" not in render_text(show_leading(counted))
