"""Nobody falls for changed evidence or receipts: any byte, any field, any order. `make soak-evidence` goes on."""

from __future__ import annotations

from random import Random

import pytest
from evidence_mutations import TRUE, judge_evidence, judge_receipt
from evidence_samples import CHAIN_ID, PINS, find, read_good, read_receipt, trusted_hash
from hypothesis import given
from hypothesis import strategies as st
from soak_evidence import run_round

from qballot.core.proof import EvidenceCheck, read_evidence, read_receipt_file, verify_evidence_file
from qballot.errors import DecodeError

pytestmark = pytest.mark.unit

CHANGES = 2_000
EVERY = 3
"""Which byte of the longer files is changed: every third, each time another bit."""


def test_tampering__many_changes__are_all_refused_or_true() -> None:
    seen = run_round(Random("suite"), CHANGES)
    refused = {name.removeprefix("bundle: ") for name in seen if name.startswith("bundle: ")} - {TRUE}
    # The changes go deep enough to reach the steps that read them.
    assert refused >= {check.id for check in EvidenceCheck} - {
        "state",
        "tally",
        "records",
        "membership",
        "implementation",
    }
    assert sum(count for name, count in seen.items() if name.endswith(TRUE)) < CHANGES / 50


@pytest.mark.parametrize("name", ["small", "lot"])
def test_tampering__any_byte_of_a_bundle__is_refused(name: str) -> None:
    data, random = read_good(name), Random(name)
    for place in range(0, len(data), EVERY):
        changed = data[:place] + bytes([data[place] ^ random.randrange(1, 256)]) + data[place + 1 :]
        assert judge_evidence(name, changed) != TRUE, place


def test_tampering__any_byte_of_a_receipt__is_refused() -> None:
    data, random = read_receipt("direct"), Random(3)
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ random.randrange(1, 256)]) + data[place + 1 :]
        assert judge_receipt("direct", changed) != TRUE, place


@given(st.binary(max_size=300), st.integers(0, 9))
def test_tampering__any_bytes__are_refused_in_order(data: bytes, lines: int) -> None:
    good = read_good("small").splitlines(keepends=True)
    for start in (data, b"".join(good[:lines]) + data):
        if start == read_good("small"):
            continue
        with pytest.raises(DecodeError, match=r"line \d+: "):
            read_evidence([start])
    with pytest.raises(DecodeError):
        read_receipt_file(data)


def test_tampering__claims_that_nothing_proves__are_repeated_only() -> None:
    data = read_good("small").replace(b'"chain_id":31337', b'"chain_id":1')
    trusted = trusted_hash(find("good", "small"))
    found = verify_evidence_file([data], trusted, PINS)
    assert found.holds
    assert "chain 1 is claimed" in found.steps[5].text
    assert not verify_evidence_file([data], trusted, PINS, chain_id=CHAIN_ID).holds
