from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak as eth_keccak
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from qballot.core.address import checksum_address
from qballot.core.keccak import keccak
from qballot.core.signing import (
    CURVE_ORDER,
    BallotForm,
    address_of_key,
    ballot_digest,
    ballot_typed_data,
    compact_signature,
    domain_separator,
    recover_signer,
    sign_digest,
)
from qballot.core.types import Address, ChainId, Hash32, VoterIndex
from qballot.errors import InputError, ProofError

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).parents[1] / "vectors"
FILES = [json.loads((FOLDER / name).read_text()) for name in ("signatures.json", "signatures_viem.json")]
VECTORS = [vector for file in FILES for vector in file["signatures"]]
TEXT_VECTORS = [vector for file in FILES for vector in file["text_signatures"]]

BOX = Address(b"\x11" * 20)
KEY = bytes.fromhex(VECTORS[0]["private_key"][2:])
DIGEST = keccak(b"a digest")
SIGNATURE = sign_digest(KEY, DIGEST)

keys = st.integers(1, CURVE_ORDER - 1).map(lambda number: number.to_bytes(32))
digests = st.binary(min_size=32, max_size=32).map(Hash32)


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def flip(data: bytes, bit: int) -> bytes:
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)


def check_vector(vector: dict[str, Any], form: BallotForm) -> None:
    chain_id, box = ChainId(int(vector["chain_id"])), Address(unhex(vector["box"]))
    voter, cast_at, ballot = VoterIndex(vector["voter"]), vector["cast_at"], unhex(vector["ballot"])
    assert domain_separator(chain_id, box) == unhex(vector["domain_separator"])
    digest = ballot_digest(chain_id, box, voter, cast_at, ballot, form=form)
    assert digest == unhex(vector["digest"])
    key, signature = unhex(vector["private_key"]), unhex(vector["r"]) + unhex(vector["vs"])
    assert sign_digest(key, digest) == signature
    assert checksum_address(recover_signer(digest, signature)) == vector["signer"]
    assert checksum_address(address_of_key(key)) == vector["signer"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["digest"][:10])
def test_signing__vector__agrees_with_eth_account_and_viem(vector: dict[str, Any]) -> None:
    check_vector(vector, BallotForm.BYTES)


@pytest.mark.parametrize("vector", TEXT_VECTORS, ids=lambda vector: vector["digest"][:10])
def test_signing__text_vector__agrees_with_eth_account_and_viem(vector: dict[str, Any]) -> None:
    check_vector(vector, BallotForm.TEXT)
    chain_id, box = ChainId(int(vector["chain_id"])), Address(unhex(vector["box"]))
    voter, cast_at, ballot = VoterIndex(vector["voter"]), vector["cast_at"], vector["text"].encode()
    assert ballot == unhex(vector["ballot"])
    # The same bytes, signed as bytes, are something else.
    assert ballot_digest(chain_id, box, voter, cast_at, ballot) == unhex(vector["bytes_digest"])
    assert vector["bytes_digest"] != vector["digest"]
    shown = ballot_typed_data(chain_id, box, voter, cast_at, ballot, form=BallotForm.TEXT)
    assert shown["message"]["ballot"] == vector["text"]


def test_text_vectors__bytes_that_both_lists_have__differ_by_the_form_alone() -> None:
    by_bytes = {vector["digest"] for vector in VECTORS}
    assert any(vector["bytes_digest"] in by_bytes for vector in TEXT_VECTORS)
    assert not by_bytes & {vector["digest"] for vector in TEXT_VECTORS}


@examples(50)
@given(
    st.integers(0, 2**256 - 1).map(ChainId),
    st.binary(min_size=20, max_size=20).map(Address),
    st.integers(0, 2**32 - 1).map(VoterIndex),
    st.integers(0, 2**40 - 1),
    st.binary(max_size=200).map(lambda ballot: (ballot, BallotForm.BYTES))
    | st.text(max_size=80).map(lambda text: (text.encode(), BallotForm.TEXT)),
)
def test_typed_data__any_ballot__is_the_same_digest_to_eth_account(
    chain_id: ChainId, box: Address, voter: VoterIndex, cast_at: int, content: tuple[bytes, BallotForm]
) -> None:
    ballot, form = content
    document = json.loads(json.dumps(ballot_typed_data(chain_id, box, voter, cast_at, ballot, form=form)))
    signable = encode_typed_data(full_message=document)
    digest = eth_keccak(b"\x19\x01" + signable.header + signable.body)
    assert digest == ballot_digest(chain_id, box, voter, cast_at, ballot, form=form)


def test_typed_data__text_that_is_not_utf_8__is_refused() -> None:
    with pytest.raises(InputError, match="not UTF-8 at byte 2, expected text"):
        ballot_typed_data(ChainId(1), BOX, VoterIndex(1), 1, b"ok\xff", form=BallotForm.TEXT)
    # As a digest it is something all the same: the box takes any bytes.
    assert len(ballot_digest(ChainId(1), BOX, VoterIndex(1), 1, b"ok\xff", form=BallotForm.TEXT)) == 32


def test_ballot_form__rule_of_a_box__names_its_type() -> None:
    assert BallotForm.of(False).ballot_type == "Ballot(uint32 voter,uint40 castAt,bytes ballot)"
    assert BallotForm.of(True).ballot_type == "Ballot(uint32 voter,uint40 castAt,string ballot)"


def test_ballot_digest__any_part_changed__differs() -> None:
    other = Address(b"\x12" * 20)
    digests = {
        ballot_digest(ChainId(1), BOX, VoterIndex(1), 1, b"\x01"),
        ballot_digest(ChainId(2), BOX, VoterIndex(1), 1, b"\x01"),
        ballot_digest(ChainId(1), other, VoterIndex(1), 1, b"\x01"),
        ballot_digest(ChainId(1), BOX, VoterIndex(2), 1, b"\x01"),
        ballot_digest(ChainId(1), BOX, VoterIndex(1), 2, b"\x01"),
        ballot_digest(ChainId(1), BOX, VoterIndex(1), 1, b"\x01\x00"),
        ballot_digest(ChainId(1), BOX, VoterIndex(1), 1, b"\x01", form=BallotForm.TEXT),
    }
    assert len(digests) == 7


@pytest.mark.parametrize(
    ("chain_id", "box", "voter", "cast_at", "name"),
    [
        (-1, BOX, 0, 0, "chain_id"),
        (2**256, BOX, 0, 0, "chain_id"),
        (1, bytes(19), 0, 0, "box"),
        (1, BOX, 2**32, 0, "voter"),
        (1, BOX, -1, 0, "voter"),
        (1, BOX, 0, 2**40, "cast_at"),
    ],
)
def test_ballot_digest__value_that_does_not_fit__is_refused_by_name(
    chain_id: int, box: bytes, voter: int, cast_at: int, name: str
) -> None:
    with pytest.raises(InputError, match=f"^{name} must"):
        ballot_digest(ChainId(chain_id), Address(box), VoterIndex(voter), cast_at, b"")


@examples(50)
@given(keys, digests)
def test_sign_digest__any_key__recovers_to_its_address(key: bytes, digest: Hash32) -> None:
    signature = sign_digest(key, digest)
    assert signature == sign_digest(key, digest)
    assert recover_signer(digest, signature) == address_of_key(key)
    assert int.from_bytes(signature[32:]) & (2**255 - 1) <= CURVE_ORDER // 2
    assert checksum_address(address_of_key(key)) == Account.from_key(key).address


def test_recover_signer__any_bit_of_the_signature_flipped__is_refused_or_somebody_else() -> None:
    signer = recover_signer(DIGEST, SIGNATURE)
    for bit in range(512):
        try:
            found = recover_signer(DIGEST, flip(SIGNATURE, bit))
        except ProofError:
            continue
        assert found != signer


def test_recover_signer__any_bit_of_the_digest_flipped__is_somebody_else() -> None:
    signer = recover_signer(DIGEST, SIGNATURE)
    assert all(recover_signer(Hash32(flip(DIGEST, bit)), SIGNATURE) != signer for bit in range(256))


def test_signature__high_s__is_refused() -> None:
    r, vs = int.from_bytes(SIGNATURE[:32]), int.from_bytes(SIGNATURE[32:])
    s, parity = vs & (2**255 - 1), vs >> 255
    # By the curve's arithmetic the twin recovers to the signer too; only the rule keeps it out.
    twin = Account._recover_hash(DIGEST, vrs=(28 - parity, r, CURVE_ORDER - s))
    assert twin == checksum_address(address_of_key(KEY))
    with pytest.raises(InputError, match="s must be"):
        compact_signature(r, CURVE_ORDER - s, 1 - parity)
    # Of the high values, compact form has room for those below 2**255 only.
    with pytest.raises(ProofError, match="high one"):
        recover_signer(DIGEST, SIGNATURE[:32] + (2**255 - 1).to_bytes(32))


def test_recover_signer__greatest_low_s__is_accepted_and_one_more_is_not() -> None:
    half = CURVE_ORDER // 2
    assert len(recover_signer(DIGEST, SIGNATURE[:32] + half.to_bytes(32))) == 20
    with pytest.raises(ProofError):
        recover_signer(DIGEST, SIGNATURE[:32] + (half + 1).to_bytes(32))


@pytest.mark.parametrize(
    ("digest", "signature"),
    [
        (DIGEST, b""),
        (DIGEST, SIGNATURE[:63]),
        (DIGEST, SIGNATURE + b"\x1b"),
        (DIGEST[:31], SIGNATURE),
        (DIGEST, bytes(32) + SIGNATURE[32:]),
        (DIGEST, SIGNATURE[:32] + bytes(32)),
        (DIGEST, SIGNATURE[:32] + (1 << 255).to_bytes(32)),
        (DIGEST, CURVE_ORDER.to_bytes(32) + SIGNATURE[32:]),
        (DIGEST, b"\xff" * 64),
        (DIGEST, (5).to_bytes(32) + SIGNATURE[32:]),
    ],
    ids=["empty", "short", "long", "short digest", "r zero", "s zero", "s zero odd", "r n", "all ones", "r no point"],
)
def test_recover_signer__no_signature__is_refused(digest: bytes, signature: bytes) -> None:
    with pytest.raises(ProofError):
        recover_signer(Hash32(digest), signature)


def test_compact_signature__v_of_either_kind__sets_the_top_bit() -> None:
    even, odd = (1).to_bytes(32) + (2).to_bytes(32), (1).to_bytes(32) + (2 | 1 << 255).to_bytes(32)
    assert [compact_signature(1, 2, v) for v in (0, 27, 1, 28)] == [even, even, odd, odd]


@pytest.mark.parametrize(
    ("r", "s", "v"), [(0, 1, 0), (CURVE_ORDER, 1, 0), (1, 0, 0), (-1, 1, 0), (1, 1, 2), (1, 1, 26), (1, 1, 35)]
)
def test_compact_signature__out_of_range__is_refused(r: int, s: int, v: int) -> None:
    with pytest.raises(InputError, match="a signature's"):
        compact_signature(r, s, v)


@pytest.mark.parametrize("key", [b"", KEY[:31], KEY + b"\x00", bytes(32), CURVE_ORDER.to_bytes(32)])
def test_sign_digest__no_key__is_refused_without_showing_it(key: bytes) -> None:
    with pytest.raises(InputError, match="expected a private key") as caught:
        sign_digest(key, DIGEST)
    assert not key or key.hex() not in str(caught.value)
    with pytest.raises(InputError, match="expected a private key"):
        address_of_key(key)


def test_sign_digest__digest_of_another_length__is_refused() -> None:
    with pytest.raises(InputError, match="digest must have 32 bytes"):
        sign_digest(KEY, Hash32(b"short"))
