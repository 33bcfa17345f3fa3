from __future__ import annotations

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.address import checksum_address, parse_address, parse_checksum_address
from qballot.core.types import Address
from qballot.errors import InputError

pytestmark = pytest.mark.unit

# The examples of EIP-55: all capitals, all small, mixed.
EIP_55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


@pytest.mark.parametrize("text", EIP_55)
def test_address__example_of_eip_55__survives_both_ways(text: str) -> None:
    assert checksum_address(parse_address(text)) == text
    assert parse_checksum_address(text) == bytes.fromhex(text[2:])


@given(st.binary(min_size=20, max_size=20))
def test_checksum_address__any__is_eth_utils_s(raw: bytes) -> None:
    assert checksum_address(Address(raw)) == to_checksum_address(raw)


@pytest.mark.parametrize("text", EIP_55[4:])
def test_parse_address__one_case_alone__is_accepted_without_checksum(text: str) -> None:
    expected = bytes.fromhex(text[2:])
    assert parse_address(text.lower()) == expected
    assert parse_address("0x" + text[2:].upper()) == expected
    with pytest.raises(InputError, match=f"expected the checksummed form {text}"):
        parse_checksum_address(text.lower())


@pytest.mark.parametrize("text", EIP_55[4:])
def test_parse_address__case_of_any_letter_flipped__is_refused(text: str) -> None:
    for place in range(2, 42):
        flipped = text[:place] + text[place].swapcase() + text[place + 1 :]
        if flipped != text:
            with pytest.raises(InputError, match=f"this is {text}"):
                parse_address(flipped)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found nothing"),
        ("0x", "found '0x'"),
        (EIP_55[0][:-1], "expected an address"),
        (EIP_55[0] + "0", "expected an address"),
        (EIP_55[0] + "\n", "expected an address"),
        (EIP_55[0][2:], "expected an address"),
        ("0X" + EIP_55[0][2:], "expected an address"),
        ("0x" + "g" * 40, "expected an address"),
        ("0x" + "٣" * 40, "expected an address"),
        ("vitalik.eth", "found 'vitalik.eth'"),
        ("x" * 1000, r"… \(1000 characters\)"),
        ("0x" + "0" * 40, "the zero address"),
    ],
)
def test_parse_address__another_form__is_refused_with_what_was_found(text: str, message: str) -> None:
    for parse in (parse_address, parse_checksum_address):
        with pytest.raises(InputError, match=message):
            parse(text)


def test_checksum_address__another_length__is_refused() -> None:
    with pytest.raises(InputError, match="must have 20 bytes; found 21"):
        checksum_address(Address(bytes(21)))
