from __future__ import annotations

import json

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.address import checksum_address
from qballot.core.census import MAX_WEIGHT, Census, build_census
from qballot.core.census_file import MAX_REPORTED_ROWS, dump_census, load_census, parse_voters_csv
from qballot.core.keccak import keccak
from qballot.core.types import Address, Weight
from qballot.errors import CensusError, InputError, ProofError

pytestmark = pytest.mark.unit

A, B, C = (Address(keccak(b"voter %d" % index)[:20]) for index in range(3))
TEXT_A, TEXT_B, TEXT_C = map(checksum_address, (A, B, C))
CENSUS = build_census([(A, Weight(1)), (B, Weight(MAX_WEIGHT)), (C, Weight(3))], sheet_bits=1)
DATA = dump_census(CENSUS)

voter_lists = st.lists(
    st.tuples(st.binary(min_size=20, max_size=20).filter(any).map(Address), st.integers(1, MAX_WEIGHT).map(Weight)),
    min_size=1,
    max_size=12,
    unique_by=lambda row: row[0],
)


@pytest.mark.parametrize(
    "text",
    [
        f"address,weight\n{TEXT_A},1\n{TEXT_B},25\n",
        f"address,weight\r\n{TEXT_A},1\r\n{TEXT_B},25\r\n",
        f"\ufeffaddress,weight\n{TEXT_A},1\n{TEXT_B},25",
        f"weight,address\n1,{TEXT_A}\n25,{TEXT_B}\n",
        f' "address" , weight \n\n "{TEXT_A}" ,"1"\n\r\n{TEXT_B.lower()}, 0025 \n\n'.replace(' "', '"').replace(
            '" ', '"'
        ),
    ],
    ids=["plain", "crlf", "byte order mark", "other order", "spaces, quotes and blank lines"],
)
def test_parse_voters_csv__accepted_form__gives_the_voters_in_order(text: str) -> None:
    assert parse_voters_csv(text) == [(A, 1), (B, 25)]


def test_parse_voters_csv__no_weights__is_one_vote_each() -> None:
    assert parse_voters_csv(f"address\n{TEXT_B}\n{TEXT_A}\n") == [(B, 1), (A, 1)]


def test_parse_voters_csv__greatest_weight__is_accepted() -> None:
    assert parse_voters_csv(f"address,weight\n{TEXT_A},{MAX_WEIGHT}\n") == [(A, MAX_WEIGHT)]


@pytest.mark.parametrize(
    ("text", "row", "message"),
    [
        ("", 1, "found an empty file"),
        ("\ufeff\n\n", 1, "found an empty file"),
        ("weight\n1\n", 1, "found `weight` alone"),
        ("address,wieght\n", 1, "unknown column 'wieght': did you mean `weight`?"),
        ("Address\n", 1, "unknown column 'Address': did you mean `address`?"),
        ("address,name\n", 1, "unknown column 'name'. The columns are `address` and `weight`"),
        (f"{TEXT_A}\n{TEXT_B}\n", 1, "unknown column '0x"),
        ("address;weight\n", 1, "unknown column 'address;weight'"),
        ("address,address\n", 1, "a column is named twice"),
        ("address,weight\n", 1, "no voter follows the header"),
        (f"address\n{TEXT_A}\n\n{TEXT_A.lower()}\n", 4, f"{TEXT_A} is listed already, in row 2"),
        (f"address\n{TEXT_A[:-1]}{TEXT_A[-1].swapcase()}\n", 2, "the checksum of address"),
        (f"address\n{TEXT_A}\n0x{'0' * 40}\n", 3, "found the zero address"),
        ("address\nalice\n", 2, "expected an address, 0x and 40 hex digits; found 'alice'"),
        (f"address,weight\n{TEXT_A},0\n", 2, "a weight is a whole number, 1 … 2**96 - 1; found '0'"),
        (f"address,weight\n{TEXT_A},{MAX_WEIGHT + 1}\n", 2, "a weight is a whole number"),
        (f"address,weight\n{TEXT_A},{'9' * 5000}\n", 2, "a weight is a whole number"),
        (f"address,weight\n{TEXT_A},-1\n", 2, "found '-1'"),
        (f"address,weight\n{TEXT_A},1.0\n", 2, "found '1.0'"),
        (f"address,weight\n{TEXT_A},1e3\n", 2, "found '1e3'"),
        (f"address,weight\n{TEXT_A},1_000\n", 2, "found '1_000'"),
        (f"address,weight\n{TEXT_A},٣\n", 2, "found '٣'"),
        (f"address,weight\n{TEXT_A},\n", 2, "the weight is empty"),
        (f"address,weight\n{TEXT_A}\n", 2, "expected 2 cells (address, weight); found 1"),
        (f"address\n{TEXT_A},1\n", 2, "expected 1 cells (address); found 2"),
        (f'address\n"{TEXT_A}\n', 2, "not readable as CSV"),
        (f'address\n{TEXT_A}\n"{TEXT_B}"x\n', 3, "not readable as CSV"),
    ],
)
def test_parse_voters_csv__bad_file__is_refused_with_the_row(text: str, row: int, message: str) -> None:
    with pytest.raises(CensusError) as caught:
        parse_voters_csv(text)
    assert caught.value.row == row
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"row {row}: ")


def test_parse_voters_csv__several_bad_rows__are_reported_together() -> None:
    with pytest.raises(CensusError) as caught:
        parse_voters_csv(f"address,weight\n{TEXT_A},0\n{TEXT_B},2\n{TEXT_B},3\nnobody,1\n")
    assert [row for row, _ in caught.value.problems] == [2, 4, 5]
    assert str(caught.value).splitlines()[1] == f"row 4: {TEXT_B} is listed already, in row 3"


def test_parse_voters_csv__bad_rows_without_end__stop_at_a_number() -> None:
    with pytest.raises(CensusError) as caught:
        parse_voters_csv("address\n" + "nobody\n" * 1000)
    assert len(caught.value.problems) == MAX_REPORTED_ROWS


def test_dump_census__sample__is_the_documented_form() -> None:
    assert json.loads(DATA) == {
        "qballot_census": 1,
        "voters": [[TEXT_A, "1"], [TEXT_B, str(MAX_WEIGHT)], [TEXT_C, "3"]],
        "sheet_bits": 1,
        "sheet_roots": ["0x" + root.hex() for root in CENSUS.sheet_roots],
    }


@given(voter_lists, st.integers(0, 3))
def test_census_file__any_census__comes_back_and_is_rfc_8785(
    rows: list[tuple[Address, Weight]], sheet_bits: int
) -> None:
    census = build_census(rows, sheet_bits)
    data = dump_census(census)
    assert load_census(data) == census
    assert load_census(data).sheet_roots == census.sheet_roots
    assert data == rfc8785.dumps(json.loads(data))


@given(voter_lists)
def test_parse_voters_csv__written_list__comes_back(rows: list[tuple[Address, Weight]]) -> None:
    text = "address,weight\n" + "".join(f"{checksum_address(address)},{weight}\n" for address, weight in rows)
    assert parse_voters_csv(text) == rows


def edited(**changes: object) -> bytes:
    return msgspec.json.encode({**json.loads(DATA), **changes}, order="sorted")


VOTERS = json.loads(DATA)["voters"]
ROOTS = json.loads(DATA)["sheet_roots"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a census file"),
        (b"\xff\xfe", "not a census file"),
        (b"[]", "not a census file"),
        (b"{}", "missing required field `qballot_census`"),
        (b'{"qballot_census":1}', "missing required field"),
        (edited(note="hello"), "unknown field `note`"),
        (edited(voters=[[TEXT_A, 1]]), r"Expected `str`, got `int` - at `\$\.voters\[0\]\[1\]`"),
        (edited(sheet_bits=1.5), "sheet_bits"),
        (DATA + b"\n", "not in its one form"),
        (json.dumps(json.loads(DATA)).encode(), "not in its one form"),
        (DATA.replace(b'"1"', b'"\\u0031"'), "not in its one form"),
        (DATA.replace(b'{"qballot_census":1', b'{"qballot_census":1,"qballot_census":1'), "not in its one form"),
        (
            edited(voters=[[TEXT_A.lower(), "1"], *VOTERS[1:]]),
            r"voters\[0\] of the census file: expected the checksummed",
        ),
        (edited(voters=[*VOTERS[:2], [TEXT_C, "03"]]), r"voters\[2\] of the census file: a weight is written without"),
        (edited(voters=[*VOTERS[:2], [TEXT_C, "0"]]), r"voters\[2\] of the census file: a weight"),
        (edited(voters=[*VOTERS, VOTERS[0]]), "voter 3 has the address of voter 0"),
        (edited(voters=[]), "found 0"),
        (edited(sheet_bits=17), "sheet_bits must be 0 … 16; found 17"),
    ],
)
def test_load_census__another_form__is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_census(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (edited(sheet_roots=ROOTS[:1]), "names 1 sheet roots; its voters make 2 sheets"),
        (edited(sheet_roots=[*ROOTS, ROOTS[0]]), "names 3 sheet roots"),
        (edited(sheet_roots=[ROOTS[1], ROOTS[0]]), "as root of sheet 0; its voters give 0x"),
        (edited(sheet_roots=[ROOTS[0], ROOTS[1].upper()]), "as root of sheet 1"),
        (edited(sheet_bits=0), "names 2 sheet roots; its voters make 3 sheets"),
        (edited(voters=[VOTERS[1], VOTERS[0], VOTERS[2]]), "as root of sheet 0"),
        (edited(voters=[[TEXT_A, "2"], *VOTERS[1:]]), "as root of sheet 0"),
        (edited(voters=VOTERS[:2]), "its voters make 1 sheets"),
    ],
)
def test_load_census__roots_that_are_not_its_voters__are_refused(data: bytes, message: str) -> None:
    with pytest.raises(ProofError, match=message):
        load_census(data)


@given(st.integers(0, len(DATA) * 8 - 1))
def test_load_census__any_bit_flipped__is_refused(bit: int) -> None:
    tampered = bytearray(DATA)
    tampered[bit // 8] ^= 1 << bit % 8
    with pytest.raises((InputError, ProofError)):
        load_census(bytes(tampered))


def test_load_census__what_was_dumped__proves_the_same() -> None:
    census: Census = load_census(DATA)
    assert [census.prove(index) for index in range(3)] == [CENSUS.prove(index) for index in range(3)]
    assert census.find(B) == CENSUS.find(B)
