from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.address import ZERO_ADDRESS
from qballot.core.census import (
    DEFAULT_SHEET_BITS,
    MAX_VOTERS,
    MAX_WEIGHT,
    Census,
    CensusEntry,
    build_census,
    choose_sheet_bits,
    count_sheets,
    hash_leaf,
    verify_entries,
    verify_entry,
)
from qballot.core.keccak import keccak
from qballot.core.provenance import MAX_SHEETS
from qballot.core.types import Address, Hash32, VoterIndex, Weight
from qballot.errors import InputError

pytestmark = pytest.mark.unit

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "censuses.json").read_text())["censuses"]


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def flip(data: bytes, bit: int) -> Hash32:
    flipped = bytearray(data)
    flipped[bit // 8 % len(data)] ^= 1 << bit % 8
    return Hash32(bytes(flipped))


def make_address(index: int) -> Address:
    return Address(keccak(b"voter %d" % index)[:20])


def make_census(voters: int, sheet_bits: int | None = None) -> Census:
    return build_census(((make_address(index), Weight(index % 5 + 1)) for index in range(voters)), sheet_bits)


def census_of(vector: dict[str, Any]) -> Census:
    rows = [(Address(unhex(voter["address"])), Weight(int(voter["weight"]))) for voter in vector["voters"]]
    return build_census(rows, vector["sheet_bits"])


@st.composite
def sheets(draw: st.DrawFn) -> tuple[Census, list[int]]:
    """Draw a census of 1 … 70 voters in sheets of any size, and some voters of one sheet."""
    census = make_census(draw(st.integers(1, 70)), draw(st.integers(0, 7)))
    sheet = draw(st.integers(0, census.sheet_count - 1))
    members = range(sheet << census.sheet_bits, min((sheet + 1) << census.sheet_bits, len(census)))
    return census, sorted(draw(st.sets(st.sampled_from(members), min_size=1)))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_census__vector__has_openzeppelin_s_roots_and_proofs(vector: dict[str, Any]) -> None:
    census = census_of(vector)
    roots = [unhex(root) for root in vector["sheet_roots"]]
    assert [*census.sheet_roots] == roots
    assert [census.root_of(sheet) for sheet in range(census.sheet_count)] == roots
    first = census.entry(0)
    assert hash_leaf(first.index, first.address, first.weight) == unhex(vector["first_leaf"])
    for one in vector["proofs"]:
        assert census.prove(one["index"]) == [unhex(node) for node in one["proof"]]
    for many in vector["multiproofs"]:
        assert census.prove_many(many["indices"]) == [unhex(node) for node in many["proof"]]


@given(sheets(), st.data())
def test_verify_entry__any_member__verifies_and_no_change_does(
    case: tuple[Census, list[int]], data: st.DataObject
) -> None:
    census, indices = case
    entry = census.entry(indices[0])
    root, proof = census.root_of(entry.index >> census.sheet_bits), census.prove(entry.index)

    def verify(root: Hash32, entry: CensusEntry, proof: list[Hash32]) -> bool:
        return verify_entry(root, len(census), census.sheet_bits, entry, proof)

    assert verify(root, entry, proof)
    bit = data.draw(st.integers(0, 255))
    other = data.draw(st.integers(0, len(census)).filter(lambda index: index != entry.index))
    assert not verify(flip(root, bit), entry, proof)
    assert not verify(root, replace(entry, index=VoterIndex(other)), proof)
    assert not verify(root, replace(entry, weight=Weight(entry.weight ^ 1 << bit % 96)), proof)
    assert not verify(root, replace(entry, address=Address(flip(entry.address, bit))), proof)
    assert not verify(root, entry, [*proof, root])
    for place, node in enumerate(proof):
        assert not verify(root, entry, [*proof[:place], flip(node, bit), *proof[place + 1 :]])
        assert not verify(root, entry, proof[:place] + proof[place + 1 :])


@given(sheets(), st.data())
def test_verify_entries__any_members__verify_and_no_change_does(
    case: tuple[Census, list[int]], data: st.DataObject
) -> None:
    census, indices = case
    entries = [census.entry(index) for index in indices]
    root, proof = census.root_of(indices[0] >> census.sheet_bits), census.prove_many(indices)

    def verify(root: Hash32, entries: list[CensusEntry], proof: list[Hash32]) -> bool:
        return verify_entries(root, len(census), census.sheet_bits, entries, proof)

    assert verify(root, entries, proof)
    bit, place = data.draw(st.integers(0, 255)), data.draw(st.integers(0, len(entries) - 1))
    entry = entries[place]
    for tampered in (
        replace(entry, index=VoterIndex(entry.index ^ 1 << bit % 7)),
        replace(entry, weight=Weight(entry.weight ^ 1 << bit % 96)),
        replace(entry, address=Address(flip(entry.address, bit))),
    ):
        assert not verify(root, [*entries[:place], tampered, *entries[place + 1 :]], proof)
    assert not verify(flip(root, bit), entries, proof)
    assert not verify(root, [*entries, entry], proof)
    assert not verify(root, entries[:place] + entries[place + 1 :], proof)
    assert not verify(root, entries, [*proof, root])
    assert len(entries) == 1 or not verify(root, entries[::-1], proof)
    for at, node in enumerate(proof):
        assert not verify(root, entries, [*proof[:at], flip(node, bit), *proof[at + 1 :]])
        assert not verify(root, entries, proof[:at] + proof[at + 1 :])


def test_verify_entries__voters_of_two_sheets__are_refused() -> None:
    census = make_census(4, 1)
    assert not verify_entries(census.root_of(0), 4, 1, [*census][1:3], census.prove(1))


@pytest.mark.parametrize(("voters", "sheet_bits"), [(4, 3), (9, 1), (3, 2), (MAX_VOTERS + 1, 2), (5, 17), (5, -1)])
def test_verify_entry__another_form_of_census__is_refused(voters: int, sheet_bits: int) -> None:
    census = make_census(5, 2)
    proof = census.prove(3)
    assert verify_entry(census.root_of(0), 5, 2, census.entry(3), proof)
    accepted = verify_entry(census.root_of(0), voters, sheet_bits, census.entry(3), proof)
    # In a sheet of the same four voters nothing differs.
    assert accepted == ((voters, sheet_bits) == (4, 3))


def test_census__members__are_found_by_index_and_address() -> None:
    census = make_census(5, 1)
    assert len(census) == 5
    assert [entry.index for entry in census] == [0, 1, 2, 3, 4]
    assert census.find(make_address(3)) == CensusEntry(VoterIndex(3), make_address(3), Weight(4)) == census.entry(3)
    assert census.find(make_address(5)) is None
    assert census.total_weight == 15
    assert census.sheet_count == 3
    assert census == make_census(5, 1) != make_census(5, 2)
    assert repr(census) == "Census(sheet_bits=1)"


@pytest.mark.parametrize("index", [-1, 5, 2**32])
def test_census__unknown_voter__is_refused(index: int) -> None:
    census = make_census(5)
    for ask in (census.entry, census.prove, lambda unknown: census.prove_many([unknown])):
        with pytest.raises(InputError, match=f"no voter {index}: the census has 5"):
            ask(index)


@pytest.mark.parametrize("sheet", [-1, 3])
def test_root_of__unknown_sheet__is_refused(sheet: int) -> None:
    with pytest.raises(InputError, match=f"no sheet {sheet}: the census has 3"):
        make_census(5, 1).root_of(sheet)


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([], "at least one voter"),
        ([1, 2], r"of one sheet; found sheets \[0, 1\]"),
        ([1, 0], "ascending"),
        ([0, 0], "ascending"),
    ],
)
def test_prove_many__voters_that_no_call_takes__are_refused(indices: list[int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_census(5, 1).prove_many(indices)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "1 … 50,069,504 voters; found 0"),
        ([(make_address(0), 0)], "voter 0: a weight is 1"),
        ([(make_address(0), 1), (make_address(1), -1)], "voter 1: a weight is 1"),
        ([(make_address(0), MAX_WEIGHT + 1)], "voter 0: a weight is 1"),
        ([(make_address(0), 1), (make_address(1), 1), (make_address(0), 1)], "voter 2 has the address of voter 0: 0x"),
        ([(make_address(0), 1), (ZERO_ADDRESS, 1)], "voter 1 has the zero address"),
        ([(make_address(0)[:19], 1)], "address of voter 0 must have 20 bytes; found 19"),
    ],
)
def test_build_census__unfit_voter__is_refused(rows: list[tuple[Address, Weight]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_census(rows)


def test_build_census__greatest_weight__is_accepted() -> None:
    census = build_census([(make_address(0), Weight(MAX_WEIGHT))])
    assert verify_entry(census.root_of(0), 1, census.sheet_bits, census.entry(0), [])


@pytest.mark.parametrize("sheet_bits", [-1, 17])
def test_build_census__sheet_bits_out_of_range__are_refused(sheet_bits: int) -> None:
    with pytest.raises(InputError, match=rf"sheet_bits must be 0 … 16; found {sheet_bits}"):
        make_census(3, sheet_bits)


def test_build_census__as_many_sheets_as_a_box_holds__is_accepted_and_one_more_is_not() -> None:
    assert make_census(MAX_SHEETS, 0).sheet_count == MAX_SHEETS
    with pytest.raises(
        InputError,
        match=r"765 voters in sheets of 1 make 765 sheets; a ballot box holds 764: choose sheets of at least 2",
    ):
        make_census(MAX_SHEETS + 1, 0)


@pytest.mark.parametrize(
    ("voters", "sheet_bits"),
    [
        (1, DEFAULT_SHEET_BITS),
        (782_336, 10),
        (782_337, 11),
        (1_000_000, 11),
        (49_000_000, 16),
        (MAX_VOTERS, 16),
    ],
)
def test_choose_sheet_bits__electorate__gets_the_least_that_fits(voters: int, sheet_bits: int) -> None:
    assert choose_sheet_bits(voters) == sheet_bits
    assert count_sheets(voters, sheet_bits) <= MAX_SHEETS


@pytest.mark.parametrize("voters", [0, MAX_VOTERS + 1])
def test_choose_sheet_bits__no_electorate_or_too_large__is_refused(voters: int) -> None:
    with pytest.raises(InputError, match="1 … 50,069,504 voters"):
        choose_sheet_bits(voters)


@given(st.integers(1, 10**7), st.integers(0, 16))
def test_count_sheets__any__is_the_ceiling(voters: int, sheet_bits: int) -> None:
    sheets = count_sheets(voters, sheet_bits)
    assert (sheets - 1) << sheet_bits < voters <= sheets << sheet_bits
