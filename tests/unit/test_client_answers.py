"""What the client makes of JSON: exact values of the right kind, or a refusal."""

from __future__ import annotations

from fractions import Fraction

import pytest
from pydantic import ValidationError

from qballot.client.answers import Block, Contest, ElectionSummary, Turnout
from qballot.client.http import Connection
from qballot.errors import InputError

pytestmark = pytest.mark.unit

SUMMARY = {"title": None, "phase": "open", "opens_at": 1, "closes_at": 2, "voters": 3, "records": 4}
BOX = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


def test_answers__weight_beyond_64_bits__is_exact() -> None:
    assert (
        Turnout.model_validate({"voters_cast": 1, "voters": 2, "weight_cast": str(2**96 - 1)}).weight_cast == 2**96 - 1
    )


@pytest.mark.parametrize("text", ["1.5", "1/2", "-1", "", "0x1", "1e9", " 1", 1, None, "1/0", "9" * 5000])
def test_answers__no_weight__is_refused(text: object) -> None:
    with pytest.raises(ValidationError, match="weight_cast"):
        Turnout.model_validate({"voters_cast": 1, "voters": 2, "weight_cast": text})


def test_answers__totals__are_exact_numbers() -> None:
    contest = {
        "id": "a", "title": "A", "method": "stv",
        "seats": 2, "open_seats": 0, "waits_for_lot": False, "verdict": None, "requirements": [],
        "winners": [], "tied": [], "tied_for": None, "leading": [], "log": [],
        "totals": {"x": "-7/3", "y": "12"}, "ballots": 0, "counted": 0, "blank": 0, "spoiled": {},
        "ballots_weight": "0", "counted_weight": "0", "blank_weight": "0", "spoiled_weight": {"length": "3"},
    }  # fmt: skip
    found = Contest.model_validate(contest)
    assert found.totals == {"x": Fraction(-7, 3), "y": Fraction(12)}
    assert found.spoiled_weight == {"length": 3}


@pytest.mark.parametrize("text", ["0x12", BOX[:-1] + "4", BOX.replace("F", "f", 1), "", None])
def test_answers__no_address_or_wrong_checksum__is_refused(text: object) -> None:
    assert ElectionSummary.model_validate({**SUMMARY, "election": BOX}).election.hex() == BOX[2:].lower()
    with pytest.raises(ValidationError, match="election"):
        ElectionSummary.model_validate({**SUMMARY, "election": text})


@pytest.mark.parametrize("text", ["0x", "0x" + "a" * 63, "a" * 64, "0x" + "g" * 64, "0x" + "a" * 66])
def test_answers__no_hash__is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="hash"):
        Block.model_validate({"number": 1, "hash": text, "timestamp": 1})


@pytest.mark.parametrize(
    "url", ["", "host", "ftp://host", "http://", "http://user:secret@host", "http://h:99999", "http://h?x=1"]
)
def test_connection__no_url_of_an_api__is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InputError, match="found an API URL") as caught:
        Connection(url, 1.0)
    assert "secret" not in str(caught.value)
