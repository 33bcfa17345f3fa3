"""A signed ballot's file: what is written is read back, and whatever was altered is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.records import Record, SignedRecord
from qballot.core.signed_ballot import SignedBallot, dump_signed_ballot, load_signed_ballot
from qballot.core.signing import BallotForm, address_of_key, ballot_digest, sign_digest
from qballot.core.types import Address, ChainId, Hash32, VoterIndex, Weight
from qballot.errors import InputError, ProofError

pytestmark = pytest.mark.unit

KEY = (10**40).to_bytes(32)
BOX = Address(bytes.fromhex("72c10e0ecfb2b38fc87ec7a2f7689d7051806f49"))


def _sign(ballot: bytes = b"\x01\x00", voter: int = 7, cast_at: int = 1_700_000_000, weight: int = 3) -> SignedBallot:
    chain_id = ChainId(31_337)
    signature = sign_digest(KEY, ballot_digest(chain_id, BOX, VoterIndex(voter), cast_at, ballot))
    record = Record(VoterIndex(voter), cast_at, Weight(weight), ballot)
    signed = SignedRecord(record, signature[:32], signature[32:])
    return SignedBallot(chain_id, BOX, address_of_key(KEY), signed, ("Chair: 1. Ada",), (Hash32(bytes(32)),))


def _document(**changes: Any) -> bytes:
    return json.dumps({**json.loads(dump_signed_ballot(_sign())), **changes}).encode()


@given(st.binary(max_size=60), st.integers(0, 2**32 - 1), st.integers(0, 2**39 - 1), st.integers(1, 2**96 - 1))
def test_signed_ballot__written_and_read__is_the_same(ballot: bytes, voter: int, cast_at: int, weight: int) -> None:
    signed = _sign(ballot, voter, cast_at, weight)
    assert load_signed_ballot(dump_signed_ballot(signed)) == signed


def test_signed_ballot__in_text__says_so_and_is_signed_as_such() -> None:
    text = b"lunch: soup"
    signature = sign_digest(KEY, ballot_digest(ChainId(31_337), BOX, VoterIndex(7), 1, text, form=BallotForm.TEXT))
    record = Record(VoterIndex(7), 1, Weight(3), text)
    signed = SignedRecord(record, signature[:32], signature[32:])
    ballot = SignedBallot(ChainId(31_337), BOX, address_of_key(KEY), signed, form=BallotForm.TEXT)
    data = dump_signed_ballot(ballot)
    assert load_signed_ballot(data) == ballot
    assert json.loads(data)["form"] == "text"
    assert "form" not in json.loads(dump_signed_ballot(_sign()))
    with pytest.raises(ProofError, match="the signature is not that of"):
        load_signed_ballot(data.replace(b',\n  "form": "text"', b""))


def test_signed_ballot__wallet_signature_of_65_bytes__is_taken() -> None:
    signed = _sign()
    r, vs = signed.signed.r, int.from_bytes(signed.signed.vs)
    v, s = 27 + (vs >> 255), (vs & (2**255 - 1)).to_bytes(32)
    assert load_signed_ballot(_document(signature="0x" + (r + s + bytes([v])).hex())) == signed


def test_signed_ballot__without_proof__is_taken() -> None:
    document = json.loads(dump_signed_ballot(_sign()))
    del document["proof"]
    assert load_signed_ballot(json.dumps(document).encode()).proof is None


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 1},
        {"box": "0x00000000000000000000000000000000000000b1"},
        {"voter": 8},
        {"cast_at": 1_700_000_001},
        {"ballot": "0x0001"},
        {"account": "0x00000000000000000000000000000000000000b1"},
        {"signature": "0x" + "11" * 64},
    ],
)
def test_signed_ballot__anything_signed_altered__is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProofError):
        load_signed_ballot(_document(**change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"form": "bytes"}, "Invalid enum value 'bytes' - at `$.form`"),
        ({"more": 1}, "unknown field"),
        ({"voter": -1}, "voter of the signed ballot is -1"),
        ({"voter": 2**32}, "voter of the signed ballot is"),
        ({"cast_at": 2**39}, "cast_at of the signed ballot is"),
        ({"chain_id": 0}, "chain_id of the signed ballot is 0"),
        ({"weight": "0"}, "weight of the signed ballot"),
        ({"weight": "1e3"}, "weight of the signed ballot"),
        ({"weight": str(2**96)}, "weight of the signed ballot"),
        ({"ballot": "01"}, "ballot of the signed ballot"),
        ({"ballot": "0x0"}, "ballot of the signed ballot"),
        ({"signature": "0x" + "11" * 63}, "signature of the signed ballot has 63 bytes"),
        ({"proof": ["0x11"]}, "a node of 1 bytes"),
        ({"box": "0x12"}, "0x12"),
    ],
)
def test_signed_ballot__value_that_does_not_fit__is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        load_signed_ballot(_document(**change))
    assert said in str(caught.value)


@given(st.binary(max_size=300))
def test_signed_ballot__any_bytes__are_refused_in_order(data: bytes) -> None:
    with pytest.raises(InputError):
        load_signed_ballot(data)


def test_signed_ballot__huge_file__is_not_parsed() -> None:
    with pytest.raises(InputError, match="1000001 bytes"):
        load_signed_ballot(b" " * 1_000_001)
