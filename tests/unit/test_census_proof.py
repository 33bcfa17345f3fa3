"""A voter's proof file: made alike by one and by many, checked against a box, and no bit of it may change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.address import checksum_address
from qballot.core.census import Census, build_census
from qballot.core.census_file import dump_census, load_census
from qballot.core.census_proof import (
    VoterProof,
    build_voter_proof,
    check_census,
    check_voter_proof,
    dump_sheet_proofs,
    dump_voter_proof,
    is_voter_proof,
    load_voter_proof,
)
from qballot.core.keccak import keccak
from qballot.core.provenance import BoxArguments
from qballot.core.types import Address, UnixSeconds, VoterIndex, Weight
from qballot.errors import InputError, NotInCensusError, ProofError, QballotError, UnknownVersionError

pytestmark = pytest.mark.unit

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "census_files.json").read_text())


def make_census(voters: int, sheet_bits: int) -> Census:
    rows = ((Address(keccak(b"voter %d" % index)[:20]), Weight(index % 5 + 1)) for index in range(voters))
    return build_census(rows, sheet_bits)


def make_box(census: Census) -> BoxArguments:
    return BoxArguments(
        definition_hash=keccak(b"definition"),
        organizer=Address(b"\1" * 20),
        opens_at=UnixSeconds(1),
        closes_at=UnixSeconds(2),
        sheet_bits=census.sheet_bits,
        voters=len(census),
        max_ballot_bytes=1,
        sheet_roots=census.sheet_roots,
    )


CENSUS = make_census(11, 2)
BOX = make_box(CENSUS)
PROOF = build_voter_proof(CENSUS, CENSUS.addresses[5])
DATA = dump_voter_proof(PROOF)

censuses = st.builds(make_census, st.integers(1, 40), st.integers(0, 6))


@pytest.mark.parametrize("vector", VECTORS["proof_files"], ids=lambda vector: vector["census"])
def test_voter_proof__vector__is_what_we_write(vector: dict[str, Any]) -> None:
    text = next(item["text"] for item in VECTORS["census_files"] if item["name"] == vector["census"])
    census = load_census(text.encode())
    proof = load_voter_proof(vector["text"].encode())
    assert proof == build_voter_proof(census, proof.entry.address)
    assert dump_voter_proof(proof).decode() == vector["text"]
    check_voter_proof(proof, make_box(census))


@given(censuses, st.data())
def test_voter_proof__any_voter__comes_back_and_holds(census: Census, data: st.DataObject) -> None:
    entry = census.entry(data.draw(st.integers(0, len(census) - 1)))
    proof = build_voter_proof(census, entry.address)
    assert proof.entry == entry
    assert load_voter_proof(dump_voter_proof(proof)) == proof
    check_voter_proof(proof, make_box(census))


@given(censuses)
def test_sheet_proofs__all_of_a_census__are_those_made_one_by_one(census: Census) -> None:
    many = [item for sheet in range(census.sheet_count) for item in dump_sheet_proofs(census, sheet)]
    assert many == [(item, dump_voter_proof(build_voter_proof(census, item))) for item in census.addresses]


def test_build_voter_proof__somebody_else__is_refused() -> None:
    with pytest.raises(NotInCensusError):
        build_voter_proof(CENSUS, Address(b"\1" * 20))


@given(st.integers(0, len(DATA) * 8 - 1))
def test_voter_proof__any_bit_flipped__is_refused(bit: int) -> None:
    tampered = bytearray(DATA)
    tampered[bit // 8] ^= 1 << bit % 8
    with pytest.raises((InputError, ProofError, UnknownVersionError)):
        check_voter_proof(load_voter_proof(bytes(tampered)), BOX)


OTHER = keccak(b"other")
ENTRY = PROOF.entry


@pytest.mark.parametrize(
    ("proof", "message"),
    [
        (replace(PROOF, voters=12), "found a census of 12 voters with sheet_bits 2; the box is for 11"),
        (replace(PROOF, sheet_bits=3), "with sheet_bits 3; the box"),
        (replace(PROOF, root=OTHER), "leads to the root 0x.*; sheet 1 of the box has 0x"),
        (replace(PROOF, root=CENSUS.root_of(0)), "sheet 1 of the box has"),
        (replace(PROOF, proof=()), "does not show that"),
        (replace(PROOF, proof=(*PROOF.proof, OTHER)), "does not show that"),
        (replace(PROOF, proof=(OTHER, *PROOF.proof[1:])), "does not lead to the box's root of sheet 1"),
        (replace(PROOF, entry=replace(ENTRY, weight=Weight(2))), "with the weight 2"),
        (replace(PROOF, entry=replace(ENTRY, index=VoterIndex(6))), "is voter 6"),
        (replace(PROOF, entry=replace(ENTRY, index=VoterIndex(12))), "beyond the 11 voters"),
        (replace(PROOF, entry=replace(ENTRY, address=CENSUS.addresses[0])), "does not show that"),
    ],
)
def test_check_voter_proof__what_does_not_fit__is_said(proof: VoterProof, message: str) -> None:
    with pytest.raises(ProofError, match=message):
        check_voter_proof(proof, BOX)


def edited(**changes: Any) -> bytes:
    document = {**json.loads(DATA), **changes}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a voter's proof"),
        (b"[]", "not a voter's proof"),
        (DATA + b"\n", "not in its one form"),
        (json.dumps(json.loads(DATA)).encode(), "not in its one form"),
        (edited(note=1), "unknown field"),
        (edited(weight="0"), "weight of the voter's proof"),
        (edited(weight="1" * 30), "weight of the voter's proof"),
        (edited(sheet=0), "names sheet 0, which voter 5 is not in"),
        (edited(sheet_bits=-1), "with sheet_bits -1"),
        (edited(sheet_bits=10**9), "with sheet_bits 1000000000"),
        (edited(index=-1, sheet=-1), "voter -1 is not in"),
        (edited(root="0x" + "AB" * 32), "lower-case hex"),
        (edited(proof=["0x12"]), "lower-case hex"),
        (edited(address=checksum_address(ENTRY.address).lower()), "checksummed"),
    ],
)
def test_load_voter_proof__another_form__is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_voter_proof(data)


@given(st.binary(max_size=40))
def test_load_voter_proof__any_bytes__never_end_otherwise(data: bytes) -> None:
    with pytest.raises(QballotError):
        load_voter_proof(data)


def test_is_voter_proof__tells_the_two_files_apart() -> None:
    assert is_voter_proof(DATA)
    assert not is_voter_proof(dump_census(CENSUS))


@pytest.mark.parametrize(
    ("census", "box", "message"),
    [
        (make_census(10, 2), BOX, "found a census of 10 voters"),
        (make_census(11, 3), BOX, "with sheet_bits 3"),
        (
            build_census([(address, Weight(1)) for address in CENSUS.addresses], 2),
            BOX,
            "sheet 0 of the census has the root",
        ),
        (CENSUS, replace(BOX, sheet_roots=(*BOX.sheet_roots[:2], OTHER)), "sheet 2 of the census"),
        (CENSUS, replace(BOX, sheet_roots=BOX.sheet_roots[:2]), "the box has 2 sheet roots"),
    ],
)
def test_check_census__another_census__is_refused(census: Census, box: BoxArguments, message: str) -> None:
    check_census(CENSUS, BOX)
    with pytest.raises(ProofError, match=message):
        check_census(census, box)


def test_check_voter_proof__box_without_the_sheet__is_refused() -> None:
    last = build_voter_proof(CENSUS, CENSUS.addresses[10])
    with pytest.raises(ProofError, match="the box has 2 sheet roots"):
        check_voter_proof(last, replace(BOX, sheet_roots=BOX.sheet_roots[:2]))
