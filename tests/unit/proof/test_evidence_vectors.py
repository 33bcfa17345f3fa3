"""Every kept bundle and receipt ends as its index says: the good ones in their result, the bad ones at their step."""

from __future__ import annotations

from typing import Any

import pytest
from evidence_samples import CHAIN_ID, INDEX, PINS, find, read_bad, read_good, read_receipt, read_unknown, trusted_hash

from qballot.chain.pins import default_pins
from qballot.core.keccak import keccak
from qballot.core.proof import (
    EvidenceCheck,
    Outcome,
    ReceiptCheck,
    Verification,
    digest_evidence,
    read_evidence,
    read_receipt_file,
    verify_evidence,
    verify_evidence_file,
    verify_receipt_file,
    write_evidence,
    write_receipt_file,
)

pytestmark = pytest.mark.unit

CANNOT_FAIL = {EvidenceCheck.STATE, EvidenceCheck.TALLY}
"""These say what follows from the others."""


def names(kind: str) -> list[str]:
    return [item["name"] for item in INDEX[kind]]


def verify_good(name: str) -> Verification:
    return verify_evidence_file([read_good(name)], trusted_hash(find("good", name)), PINS, chain_id=CHAIN_ID)


def results(found: Verification, key: str) -> dict[str, Any]:
    return {} if found.result is None else {item["id"]: item[key] for item in found.result.to_json()["contests"]}  # type: ignore


def test_vectors__pins__are_those_of_this_version() -> None:
    assert default_pins() == PINS  # if the contracts have changed: make the vectors anew


@pytest.mark.parametrize("name", [item["name"] for item in INDEX["good"] if item["invalid_at_step"] is None])
def test_vectors__good_bundle__verifies_with_its_result(name: str) -> None:
    item, found = find("good", name), verify_good(name)
    assert found.failure is None
    assert found.holds
    assert [step.check for step in found.steps] == list(EvidenceCheck)
    assert found.state == item["state"]
    assert found.is_electorate_checked == item["electorate_checked"]
    assert (found.records, found.voters_who_cast) == (item["records"], item["voters_who_cast"])
    assert (found.lot is not None) == item["draws_lot"]
    assert results(found, "totals") == item["totals"]
    if item["draws_lot"]:
        assert set(results(found, "waits_for_lot").values()) == {False}
        assert all(len(winners) == 1 for winners in results(found, "winners").values())
    else:
        assert results(found, "winners") == item["winners"]
    assert not found.is_trust_own


def test_vectors__lot_not_yet__waits_for_it() -> None:
    assert results(verify_good("lot-not-yet"), "waits_for_lot") == {"lunch": True}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("invalid-definition", "contests: is missing"),
        ("invalid-text-ballots", "the box takes ballots that are signed as text"),
        ("invalid-ballot-limit", "at most 2 bytes, but the longest that its definition allows has 3"),
    ],
)
def test_vectors__invalid_election__is_proven_to_be_invalid(name: str, text: str) -> None:
    item, found = find("good", name), verify_good(name)
    assert [step.check.number for step in found.steps if step.outcome is Outcome.FAILS] == [item["invalid_at_step"]]
    assert (found.state, found.result, found.holds) == ("invalid", None, False)
    assert (found.records, found.voters_who_cast, found.is_electorate_checked) == (
        item["records"],
        item["voters_who_cast"],
        item["electorate_checked"],
    )
    assert found.failure is not None
    assert text in found.failure.text
    assert found.steps[EvidenceCheck.STATE.number - 1].text.startswith("invalid: ")


def test_vectors__invalid_elections__are_all_looked_at() -> None:
    invalid = {item["name"] for item in INDEX["good"] if item["invalid_at_step"] is not None}
    assert invalid == {"invalid-definition", "invalid-text-ballots", "invalid-ballot-limit"}


@pytest.mark.parametrize("name", names("unknown"))
def test_vectors__of_a_newer_version__end_as_unknown_at_their_step(name: str) -> None:
    item = find("unknown", name)
    found = verify_evidence_file([read_unknown(name)], trusted_hash(item), PINS, chain_id=CHAIN_ID)
    assert found.unknown is not None
    assert found.unknown.check.number == item["unknown_at_step"]
    assert found.unknown.text.startswith("made for a newer version of QBallot (found ")
    assert (found.failure, found.state, found.result, found.holds) == (None, None, None, False)
    assert {step.outcome for step in found.steps[: found.unknown.check.number - 1]} <= {Outcome.HOLDS}
    after = found.steps[found.unknown.check.number :]
    assert {step.outcome for step in after} == {Outcome.SKIPPED}
    assert "ended as unknown" in after[0].text


@pytest.mark.parametrize("name", names("bad"))
def test_vectors__bad_bundle__fails_first_at_its_step(name: str) -> None:
    item = find("bad", name)
    found = verify_evidence_file([read_bad(name)], trusted_hash(item), PINS, chain_id=CHAIN_ID)
    assert found.failure is not None
    assert found.failure.check.number == item["fails_at_step"], found.failure.text
    assert (found.state, found.result, found.holds) == (None, None, False)
    assert len(found.failure.text) > 20
    after = found.steps[found.failure.check.number :]
    assert found.unknown is None
    assert found.failure.check is EvidenceCheck.DEFINITION or {step.outcome for step in after} <= {Outcome.SKIPPED}


def test_vectors__bad_bundles__are_there_for_every_step_that_can_fail() -> None:
    steps = {item["fails_at_step"] for item in INDEX["bad"]}
    assert steps == {check.number for check in EvidenceCheck} - {check.number for check in CANNOT_FAIL}
    receipts = {item["fails_at_step"] for item in INDEX["receipts"]} - {None}
    assert receipts == {check.number for check in ReceiptCheck}


@pytest.mark.parametrize("name", names("good"))
def test_vectors__good_bundle__is_written_as_it_was_read(name: str) -> None:
    data = read_good(name)
    pieces = [data[start : start + 7] for start in range(0, len(data), 7)]
    evidence = read_evidence(pieces)
    lines = list(write_evidence(evidence))
    assert b"".join(lines) == data
    assert digest_evidence(lines) == digest_evidence(pieces) == keccak(data)


def test_vectors__wrong_hash_or_chain__fails_at_the_header() -> None:
    evidence = read_evidence([read_good("small")])
    for other in (
        verify_evidence(evidence, keccak(b""), PINS),
        verify_evidence(evidence, evidence.block_hash, PINS, chain_id=1),
    ):
        assert other.failure is not None
        assert other.failure.check is EvidenceCheck.HEADER
    assert verify_evidence(evidence, evidence.block_hash, PINS).holds


def test_vectors__hash_of_the_bundle_itself__is_said() -> None:
    found = verify_evidence_file([read_good("small")], None, PINS)
    assert found.holds
    assert found.is_trust_own
    assert found.to_json()["trusted_hash_is_of_the_evidence_itself"] is True


@pytest.mark.parametrize("name", names("receipts"))
def test_vectors__receipt__ends_as_the_index_says(name: str) -> None:
    item = find("receipts", name)
    found = verify_receipt_file(read_receipt(name), trusted_hash(item), chain_id=CHAIN_ID)
    if item["unknown_at_step"] is not None:
        assert found.unknown is not None
        assert found.unknown.check.number == item["unknown_at_step"]
        assert (found.failure, found.record, found.holds) == (None, None, False)
        return
    if item["fails_at_step"] is None:
        assert found.failure is None
        assert found.record is not None
        shown = found.to_json()["record"]
        assert isinstance(shown, dict)
        assert {key: shown[key] for key in item["record"]} == item["record"]
        assert write_receipt_file(read_receipt_file(read_receipt(name))) == read_receipt(name)
        return
    assert found.failure is not None
    assert found.failure.check.number == item["fails_at_step"]
    assert (found.record, found.batch) == (None, None)
