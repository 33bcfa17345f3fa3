"""What forks charge: the table, and the examples that the EIPs give."""

from __future__ import annotations

import pytest

from qballot.core.forks import FORKS
from qballot.core.prices import (
    AMSTERDAM_PRICES,
    LONDON_PRICES,
    NO_GROWTH,
    OSAKA_PRICES,
    PRAGUE_PRICES,
    SHANGHAI_PRICES,
    Payload,
    Prices,
    StateGrowth,
    compute_capped_gas,
    compute_floor_gas,
    compute_intrinsic_gas,
    compute_state_gas,
)

pytestmark = pytest.mark.unit

CALL = Payload()


def test_forks__each__has_its_prices() -> None:
    assert {fork.name: fork.prices for fork in FORKS} == {
        "London": LONDON_PRICES,
        "Shanghai": SHANGHAI_PRICES,
        "Cancun": SHANGHAI_PRICES,
        "Prague": PRAGUE_PRICES,
        "Osaka": OSAKA_PRICES,
        "Amsterdam": AMSTERDAM_PRICES,
    }
    assert [fork.prices.transaction_gas_cap for fork in FORKS] == [None] * 4 + [16_777_216] * 2
    assert {fork.prices.pool_transaction_bytes for fork in FORKS} == {4 * 32 * 1024}


@pytest.mark.parametrize(
    ("payload", "osaka", "amsterdam"),
    [
        # The table of cases in EIP-2780.
        (Payload(is_to_self=True, has_value=True), 21_000, 12_000),
        (CALL, 21_000, 15_000),
        (Payload(has_value=True), 21_000, 21_000),
        (Payload(is_creation=True), 53_000, 24_000),
        (Payload(is_creation=True, has_value=True), 53_000, 24_000),
        # EIP-2028: 4 and 16 a byte, in every fork; EIP-3860: 2 for each started word of init code.
        (Payload(zero_bytes=10, other_bytes=100), 21_000 + 1_640, 15_000 + 1_640),
        (Payload(other_bytes=33, is_creation=True), 53_000 + 33 * 16 + 4, 24_000 + 33 * 16 + 4),
        # EIP-2930; EIP-8038 and EIP-7981 since Amsterdam.
        (Payload(list_addresses=1, list_keys=1), 21_000 + 4_300, 15_000 + 2_900 + 1_280 + 2_000 + 2_048),
        # EIP-7702; EIP-8037 since Amsterdam.
        (Payload(authorizations=2), 21_000 + 50_000, 15_000 + 15_632),
    ],
)
def test_intrinsic_gas__cases_of_the_eips__are_met(payload: Payload, osaka: int, amsterdam: int) -> None:
    assert compute_intrinsic_gas(payload, OSAKA_PRICES) == osaka
    assert compute_intrinsic_gas(payload, AMSTERDAM_PRICES) == amsterdam


def test_intrinsic_gas__before_its_eip__is_without_it() -> None:
    assert compute_intrinsic_gas(Payload(other_bytes=64, is_creation=True), LONDON_PRICES) == 53_000 + 64 * 16
    with pytest.raises(ValueError, match="no EIP-7702"):
        compute_intrinsic_gas(Payload(authorizations=1), SHANGHAI_PRICES)


@pytest.mark.parametrize(
    ("payload", "prices", "expected"),
    [
        # EIP-7623: 10 for a zero byte, 40 for another; EIP-7976: 64 for any.
        (Payload(zero_bytes=7, other_bytes=100), PRAGUE_PRICES, 21_000 + 70 + 4_000),
        (Payload(zero_bytes=7, other_bytes=100), OSAKA_PRICES, 21_000 + 70 + 4_000),
        (Payload(zero_bytes=7, other_bytes=100), AMSTERDAM_PRICES, 15_000 + 107 * 64),
        (Payload(zero_bytes=7, other_bytes=100), SHANGHAI_PRICES, 21_000),
        # A contract's creation does not count towards Prague's floor; towards Amsterdam's it does.
        (Payload(other_bytes=100, is_creation=True), OSAKA_PRICES, 21_000 + 4_000),
        (Payload(other_bytes=100, is_creation=True), AMSTERDAM_PRICES, 24_000 + 6_400),
        # EIP-7981: an access list's bytes count too.
        (Payload(list_addresses=1, list_keys=2), OSAKA_PRICES, 21_000),
        (Payload(list_addresses=1, list_keys=2), AMSTERDAM_PRICES, 15_000 + 1_280 + 2 * 2_048),
    ],
)
def test_floor_gas__cases_of_the_eips__are_met(payload: Payload, prices: Prices, expected: int) -> None:
    assert compute_floor_gas(payload, prices) == expected


def test_payload__of_a_call__counts_its_bytes() -> None:
    assert Payload.of_call(b"\x00\x01\x00\xff\x02") == Payload(zero_bytes=2, other_bytes=3)


def test_state_gas__as_of_eip_8037__is_paid_by_the_byte() -> None:
    assert compute_state_gas(StateGrowth(accounts=1), AMSTERDAM_PRICES) == 183_600
    assert compute_state_gas(StateGrowth(slots=1), AMSTERDAM_PRICES) == 97_920
    # A box of 489 sheets, for a million voters in sheets of 2,048: 114 bytes and its roots.
    box = StateGrowth(accounts=1, slots=1, code_bytes=114 + 489 * 32)
    assert compute_state_gas(box, AMSTERDAM_PRICES) == 24_397_380
    assert compute_state_gas(box, OSAKA_PRICES) == 0
    assert compute_state_gas(NO_GROWTH, AMSTERDAM_PRICES) == 0


def test_capped_gas__since_amsterdam__is_without_state() -> None:
    growth = StateGrowth(slots=1)
    assert compute_capped_gas(1_000_000, growth, OSAKA_PRICES) == 1_000_000
    assert compute_capped_gas(1_000_000, growth, AMSTERDAM_PRICES) == 1_000_000 - 97_920
