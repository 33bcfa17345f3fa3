from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.address import checksum_address, parse_address
from qballot.core.keccak import keccak
from qballot.core.provenance import (
    DETERMINISTIC_DEPLOYER,
    MAX_CODE_BYTES,
    MAX_SHEETS,
    BoxArguments,
    box_address,
    clone_init_code,
    clone_runtime_code,
    compute_create2_address,
    compute_create_address,
    compute_factory_address,
    compute_implementation_address,
    parse_clone_code,
)
from qballot.core.types import Address, Hash32, UnixSeconds
from qballot.errors import DecodeError, InputError

pytestmark = pytest.mark.unit

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "addresses.json").read_text())

addresses = st.binary(min_size=20, max_size=20).map(Address)
hashes = st.binary(min_size=32, max_size=32).map(Hash32)
boxes = st.builds(
    BoxArguments,
    definition_hash=hashes,
    organizer=addresses,
    opens_at=st.integers(0, 2**40 - 1).map(UnixSeconds),
    closes_at=st.integers(0, 2**40 - 1).map(UnixSeconds),
    sheet_bits=st.integers(0, 255),
    voters=st.integers(0, 2**32 - 1),
    max_ballot_bytes=st.integers(0, 2**16 - 1),
    sheet_roots=st.lists(hashes, max_size=5).map(tuple),
    text_ballots=st.booleans(),
)
SAMPLE = BoxArguments(
    definition_hash=keccak(b"definition"),
    organizer=Address(b"\x11" * 20),
    opens_at=UnixSeconds(1_800_000_000),
    closes_at=UnixSeconds(1_800_086_400),
    sheet_bits=10,
    voters=1_500,
    max_ballot_bytes=4,
    sheet_roots=(keccak(b"0"), keccak(b"1")),
)
IMPLEMENTATION = Address(b"\x22" * 20)
FACTORY = Address(b"\x33" * 20)
SALT = keccak(b"salt")
TEXT_BALLOTS_BYTE = 45 + 69
"""Where a clone's code says whether ballots are text."""


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def address_of(text: str) -> Address:
    return Address(unhex(text))


def arguments_of(vector: dict[str, Any]) -> BoxArguments:
    values = dict(vector["arguments"])
    values["definition_hash"] = unhex(values["definition_hash"])
    values["organizer"] = unhex(values["organizer"])
    values["sheet_roots"] = tuple(unhex(root) for root in values["sheet_roots"])
    return BoxArguments(**values)


@pytest.mark.parametrize("vector", VECTORS["create"], ids=lambda vector: str(vector["nonce"]))
def test_create_address__vector__is_solady_s(vector: dict[str, Any]) -> None:
    assert checksum_address(compute_create_address(address_of(vector["sender"]), vector["nonce"])) == vector["address"]


@given(addresses, st.integers(0, 2**64 - 1))
def test_create_address__any_nonce__hashes_the_rlp(sender: Address, nonce: int) -> None:
    assert compute_create_address(sender, nonce) == keccak(rlp.encode([sender, nonce]))[12:]


@pytest.mark.parametrize("vector", VECTORS["create2"], ids=lambda vector: vector["address"])
def test_create2_address__example_of_eip_1014__agrees(vector: dict[str, Any]) -> None:
    salt, init_code = Hash32(unhex(vector["salt"])), unhex(vector["init_code"])
    found = compute_create2_address(address_of(vector["sender"]), salt, init_code)
    assert checksum_address(found) == vector["address"]


def test_deterministic_deployer__its_keyless_transaction__made_it() -> None:
    # Signed with r = s = 0x22…, so that nobody has the key; source: github.com/Arachnid/deterministic-deployment-proxy.
    transaction = (
        "0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba0"
        + "22" * 32 + "a0" + "22" * 32
    )  # fmt: skip
    signer = parse_address(Account.recover_transaction(transaction))
    assert compute_create_address(signer, 0) == DETERMINISTIC_DEPLOYER


def test_factory_and_implementation__init_code__follow() -> None:
    init_code = b"\x60\x00factory"
    factory = compute_factory_address(init_code)
    assert factory == compute_create2_address(DETERMINISTIC_DEPLOYER, Hash32(bytes(32)), init_code)
    assert compute_implementation_address(factory) == compute_create_address(factory, 1)


@pytest.mark.parametrize("vector", VECTORS["boxes"], ids=lambda vector: vector["box"])
def test_box__vector__has_solady_s_codes_and_address(vector: dict[str, Any]) -> None:
    arguments, implementation = arguments_of(vector), address_of(vector["implementation"])
    assert arguments.pack() == unhex(vector["packed"])
    assert clone_init_code(implementation, arguments) == unhex(vector["init_code"])
    assert clone_runtime_code(implementation, arguments) == unhex(vector["runtime_code"])
    assert parse_clone_code(unhex(vector["runtime_code"])) == (implementation, arguments)
    box = box_address(address_of(vector["factory"]), implementation, Hash32(unhex(vector["salt"])), arguments)
    assert checksum_address(box) == vector["box"]


@given(addresses, boxes)
def test_parse_clone_code__any_clone__comes_back(implementation: Address, arguments: BoxArguments) -> None:
    assert parse_clone_code(clone_runtime_code(implementation, arguments)) == (implementation, arguments)
    assert BoxArguments.unpack(arguments.pack()) == arguments


def test_box_address__any_bit_of_code_flipped__is_another_or_no_clone() -> None:
    code = clone_runtime_code(IMPLEMENTATION, SAMPLE)
    box = box_address(FACTORY, IMPLEMENTATION, SALT, SAMPLE)
    for bit in range(8 * len(code)):
        tampered = bytearray(code)
        tampered[bit // 8] ^= 1 << bit % 8
        try:
            implementation, arguments = parse_clone_code(bytes(tampered))
        except DecodeError:
            # The proxy's own code, or the byte that is 0 or 1.
            assert bit // 8 < 10 or 30 <= bit // 8 < 45 or (bit // 8 == TEXT_BALLOTS_BYTE and bit % 8 > 0)
            continue
        assert box_address(FACTORY, implementation, SALT, arguments) != box


def test_box_address__other_factory_or_salt__differs() -> None:
    box = box_address(FACTORY, IMPLEMENTATION, SALT, SAMPLE)
    assert box != box_address(IMPLEMENTATION, IMPLEMENTATION, SALT, SAMPLE)
    assert box != box_address(FACTORY, IMPLEMENTATION, keccak(b"other"), SAMPLE)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (b"", "no code"),
        (b"\x60\x80\x60\x40", "4 bytes that start with 0x60806040"),
        (clone_runtime_code(IMPLEMENTATION, SAMPLE)[:44], "44 bytes"),
        (clone_runtime_code(IMPLEMENTATION, SAMPLE)[:45], "found 0 in all"),
        (clone_runtime_code(IMPLEMENTATION, SAMPLE)[:114], "found 69 in all"),
        (clone_runtime_code(IMPLEMENTATION, SAMPLE)[:-1], "found 133 in all"),
        (clone_runtime_code(IMPLEMENTATION, SAMPLE) + b"\x00", "found 135 in all"),
        (clone_runtime_code(IMPLEMENTATION, SAMPLE) + bytes(32 * 763), "at most 764 sheets; found 765"),
    ],
)
def test_parse_clone_code__other_code__is_refused(code: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        parse_clone_code(code)


def test_box_arguments__text_ballots__is_one_byte_behind_max_ballot_bytes() -> None:
    text = dataclasses.replace(SAMPLE, text_ballots=True)
    packed = SAMPLE.pack()
    assert packed[67:70] == b"\x00\x04\x00"
    assert text.pack() == packed[:69] + b"\x01" + packed[70:]
    assert box_address(FACTORY, IMPLEMENTATION, SALT, text) != box_address(FACTORY, IMPLEMENTATION, SALT, SAMPLE)


@pytest.mark.parametrize("value", [2, 128, 255])
def test_unpack__text_ballots_neither_0_nor_1__is_refused(value: int) -> None:
    packed = SAMPLE.pack()
    with pytest.raises(DecodeError, match=f"found textBallots {value}, expected 0 or 1"):
        BoxArguments.unpack(packed[:69] + bytes([value]) + packed[70:])


def test_max_sheets__a_full_box__fits_in_a_contract_s_code_and_one_more_sheet_does_not() -> None:
    full = dataclasses.replace(SAMPLE, sheet_roots=(keccak(b"root"),) * MAX_SHEETS)
    size = len(clone_runtime_code(IMPLEMENTATION, full))
    assert size <= MAX_CODE_BYTES < size + 32
    with pytest.raises(InputError, match="at most 764 sheets; found 765"):
        dataclasses.replace(full, sheet_roots=(*full.sheet_roots, keccak(b"root")))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"definition_hash": b"short"}, "definition_hash"),
        ({"organizer": bytes(21)}, "organizer"),
        ({"opens_at": -1}, "opens_at"),
        ({"closes_at": 2**40}, "closes_at"),
        ({"sheet_bits": 256}, "sheet_bits"),
        ({"voters": 2**32}, "voters"),
        ({"max_ballot_bytes": 2**16}, "max_ballot_bytes"),
        ({"sheet_roots": (bytes(32), bytes(31))}, r"sheet_roots\[1\]"),
    ],
)
def test_box_arguments__value_that_does_not_fit__is_refused_by_name(change: dict[str, Any], name: str) -> None:
    with pytest.raises(InputError, match=f"^{name} must"):
        dataclasses.replace(SAMPLE, **change)
