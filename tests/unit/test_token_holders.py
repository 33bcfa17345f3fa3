"""From transfers to votes, without any chain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.census.transfers import TARGET_LOGS, TRANSFER, compute_next_size, decode_transfer
from qballot.chain.answers import Log
from qballot.core.address import ZERO_ADDRESS
from qballot.core.census_recipe import TokenKind, TokenRecipe, sort_addresses
from qballot.core.keccak import keccak
from qballot.core.token_holders import Ledger, Transfer, compute_voters, follow_delegation, sum_delegated
from qballot.core.types import Address, BlockNumber, ChainId, Hash32
from qballot.errors import DecodeError, InputError

pytestmark = pytest.mark.unit

PEOPLE = sort_addresses([Address(keccak(b"holder %d" % number)[:20]) for number in range(5)])
A, B, C, D, _ = PEOPLE
everyone = st.sampled_from([*PEOPLE, ZERO_ADDRESS])
balances_of = st.dictionaries(st.sampled_from(PEOPLE), st.integers(0, 10**6))
delegates_of = st.dictionaries(st.sampled_from(PEOPLE), everyone)


def make_recipe(divide: int = 1, min_weight: int = 1, exclude: tuple[Address, ...] = ()) -> TokenRecipe:
    return TokenRecipe(
        chain_id=ChainId(1),
        token=A,
        kind=TokenKind.ERC20,
        block_number=BlockNumber(1),
        block_hash=keccak(b""),
        from_block=BlockNumber(0),
        divide=divide,
        min_weight=min_weight,
        exclude=exclude,
    )


@given(st.lists(st.builds(Transfer, everyone, everyone, st.integers(0, 100)), max_size=20))
def test_ledger__erc20__moves_units_and_makes_none(transfers: list[Transfer]) -> None:
    ledger = Ledger(TokenKind.ERC20)
    ledger.apply(transfers)
    made = sum(item.value for item in transfers if item.sender == ZERO_ADDRESS != item.receiver)
    burned = sum(item.value for item in transfers if item.receiver == ZERO_ADDRESS != item.sender)
    assert sum(ledger.balances.values()) == made - burned
    assert ZERO_ADDRESS not in ledger.balances
    named = {item.sender for item in transfers} | {item.receiver for item in transfers}
    assert set(ledger.balances) == named - {ZERO_ADDRESS}


@given(st.lists(st.builds(Transfer, everyone, everyone, st.integers(0, 4)), max_size=20))
def test_ledger__erc721__the_last_receiver_owns_each_thing(transfers: list[Transfer]) -> None:
    ledger = Ledger(TokenKind.ERC721)
    ledger.apply(transfers)
    owners = {item.value: item.receiver for item in transfers}
    for holder, count in ledger.balances.items():
        assert count == sum(owner == holder for owner in owners.values())
    assert sum(ledger.balances.values()) == sum(owner != ZERO_ADDRESS for owner in owners.values())


@given(balances_of, delegates_of)
def test_delegation__any__loses_no_unit(balances: dict[Address, int], delegates: dict[Address, Address]) -> None:
    units = follow_delegation(balances, delegates)
    assert sum(units.values()) == sum(balances.values())
    assert ZERO_ADDRESS not in units
    delegated = sum_delegated(balances, delegates)
    own = {holder for holder in balances if delegates.get(holder, ZERO_ADDRESS) == ZERO_ADDRESS}
    assert sum(delegated.values()) == sum(balance for holder, balance in balances.items() if holder not in own)


@given(
    balances_of,
    delegates_of,
    st.integers(1, 1000),
    st.integers(1, 50),
    st.sets(st.sampled_from(PEOPLE)).map(lambda found: sort_addresses(list(found))),
)
def test_compute_voters__any_recipe__keeps_its_rules(
    balances: dict[Address, int],
    delegates: dict[Address, Address],
    divide: int,
    min_weight: int,
    exclude: tuple[Address, ...],
) -> None:
    recipe = make_recipe(divide, min_weight, exclude)
    try:
        voters = compute_voters(balances, recipe, delegates)
    except InputError:
        voters = []
    names = [address for address, _ in voters]
    assert names == sorted(set(names))
    assert not set(names) & set(exclude)
    weights = dict(voters)
    kept = {holder: balance for holder, balance in balances.items() if holder not in exclude}
    for voter in PEOPLE:
        units = sum(
            balance
            for holder, balance in kept.items()
            if (delegates.get(holder, ZERO_ADDRESS) == ZERO_ADDRESS and holder == voter)
            or delegates.get(holder) == voter != ZERO_ADDRESS
        )
        expected = units // divide if voter not in exclude else 0
        assert weights.get(voter, 0) == (expected if expected >= min_weight else 0)


def test_compute_voters__order_of_balances__does_not_matter() -> None:
    balances = {A: 1, B: 2, C: 3}
    assert compute_voters(balances, make_recipe()) == compute_voters(dict(reversed(balances.items())), make_recipe())


def test_compute_voters__balance_below_zero__is_no_vote() -> None:
    assert compute_voters({A: -5, B: 1}, make_recipe()) == [(B, 1)]


def make_log(topics: list[bytes], data: bytes) -> Log:
    return Log(A, tuple(map(Hash32, topics)), data, BlockNumber(1), keccak(b""), keccak(b""), 0)


def test_decode_transfer__any_number_of_indexed_words__is_the_same() -> None:
    words = [bytes(12) + A, bytes(12) + B, (7).to_bytes(32)]
    for indexed in range(4):
        log = make_log([TRANSFER, *words[:indexed]], b"".join(words[indexed:]))
        assert decode_transfer(log) == Transfer(A, B, 7)


@pytest.mark.parametrize(
    ("topics", "data"),
    [
        ([TRANSFER], b""),
        ([TRANSFER, bytes(12) + A], bytes(12) + B),
        ([TRANSFER, bytes(12) + A, bytes(12) + B], b"\7"),
        ([TRANSFER, bytes(12) + A, bytes(12) + B], bytes(64)),
        ([TRANSFER, b"\1" * 12 + A, bytes(12) + B], bytes(32)),
        ([TRANSFER, bytes(12) + A, b"\1" * 12 + B], bytes(32)),
    ],
)
def test_decode_transfer__another_form__is_refused(topics: list[bytes], data: bytes) -> None:
    with pytest.raises(DecodeError, match="block 1, log 0"):
        decode_transfer(make_log(topics, data))


@given(st.integers(1, 10**6), st.integers(0, 3 * TARGET_LOGS), st.booleans())
def test_next_size__any_answer__stays_possible_and_follows_the_logs(size: int, logs: int, refused: bool) -> None:
    following = compute_next_size(size, logs, refused=refused)
    assert following >= 1
    if logs > TARGET_LOGS:
        assert following == max(1, size // 2)
    if logs <= TARGET_LOGS // 2:
        assert size < following <= 2 * size
