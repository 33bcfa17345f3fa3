"""The recipe in a census file: part of its one form, and of its hash."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.address import checksum_address
from qballot.core.census import build_census
from qballot.core.census_file import dump_census, load_census
from qballot.core.census_recipe import TokenKind, TokenRecipe, sort_addresses
from qballot.core.keccak import keccak
from qballot.core.types import Address, BlockNumber, ChainId, Hash32, Weight
from qballot.errors import InputError, ProofError, UnknownVersionError

pytestmark = pytest.mark.unit

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "census_files.json").read_text())["census_files"]
A, B = sorted(Address(keccak(b"voter %d" % index)[:20]) for index in range(2))
RECIPE = TokenRecipe(
    chain_id=ChainId(1),
    token=A,
    kind=TokenKind.ERC20,
    block_number=BlockNumber(20),
    block_hash=keccak(b"block"),
    from_block=BlockNumber(10),
    divide=10**18,
    min_weight=3,
    exclude=(A, B),
    follow_delegation=True,
)
CENSUS = build_census([(A, Weight(1)), (B, Weight(2))], 0, RECIPE)
DATA = dump_census(CENSUS)

addresses = st.binary(min_size=20, max_size=20).filter(any).map(Address)
blocks = st.integers(0, 2**53 - 1).map(BlockNumber)
recipes = st.builds(
    lambda first, second, **values: TokenRecipe(
        from_block=min(first, second), block_number=max(first, second), **values
    ),
    first=blocks,
    second=blocks,
    chain_id=st.integers(1, 2**53 - 1).map(ChainId),
    token=addresses,
    kind=st.sampled_from(TokenKind),
    block_hash=st.binary(min_size=32, max_size=32).map(Hash32),
    divide=st.integers(1, 2**256 - 1),
    min_weight=st.integers(1, 2**256 - 1),
    exclude=st.lists(addresses, max_size=4).map(sort_addresses),
    follow_delegation=st.booleans(),
    ignore_supply=st.booleans(),
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_census_file__vector__comes_back_byte_for_byte(vector: dict[str, Any]) -> None:
    data = vector["text"].encode()
    assert "0x" + keccak(data).hex() == vector["hash"]
    assert dump_census(load_census(data)) == data


def test_census_file__without_a_recipe__does_not_name_it() -> None:
    assert b"recipe" not in dump_census(build_census([(A, Weight(1))]))
    assert load_census(dump_census(build_census([(A, Weight(1))]))).recipe is None


@given(recipes)
def test_census_file__any_recipe__comes_back_and_is_rfc_8785(recipe: TokenRecipe) -> None:
    data = dump_census(replace(CENSUS, recipe=recipe))
    assert load_census(data).recipe == recipe
    assert data == rfc8785.dumps(json.loads(data))


def edited(**changes: Any) -> bytes:
    document = json.loads(DATA)
    document["recipe"] |= changes
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DATA.replace(b'"recipe":{', b'"recipe":{ '), "not in its one form"),
        (rfc8785.dumps({**json.loads(DATA), "recipe": None}), "not in its one form"),
        (edited(note="x"), "unknown field `note`"),
        (edited(kind="erc1155"), "Invalid enum value 'erc1155'"),
        (edited(block_number="20"), "Expected `int`, got `str`"),
        (edited(follow_delegation=1), "Expected `bool`, got `int`"),
        (edited(divide="0"), "recipe of the census file: divide: expected a whole number from 1"),
        (edited(divide="01"), "divide: expected a whole number"),
        (edited(divide="9" * 79), "divide: expected a whole number"),
        (edited(divide="9" * 78), r"divide must be 0 … 2\*\*256 - 1"),
        (edited(min_weight="1e3"), "min_weight: expected a whole number"),
        (edited(block_hash="0x" + "AB" * 32), "block_hash: expected 0x and 64 lower-case"),
        (edited(block_number=2**53), "block_number must be"),
        (edited(chain_id=-1), "chain_id must be"),
        (edited(from_block=21), "from_block must be 0 … 20, the block; found 21"),
        (edited(from_block=-1), "from_block must be"),
        (edited(token=checksum_address(A).lower()), "expected the checksummed form"),
        (edited(token="0x" + "00" * 20), "zero address"),
        (edited(exclude=[checksum_address(B), checksum_address(A)]), "exclude must be in ascending order"),
        (edited(exclude=[checksum_address(A)] * 2), "each address once"),
    ],
)
def test_load_census__recipe_in_another_form__is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_census(data)


@given(st.integers(0, len(DATA) * 8 - 1))
def test_load_census__any_bit_flipped__is_refused_or_another_recipe(bit: int) -> None:
    tampered = bytearray(DATA)
    tampered[bit // 8] ^= 1 << bit % 8
    try:
        found = load_census(bytes(tampered))
    except (InputError, ProofError, UnknownVersionError):
        return
    # A recipe is a claim: another one is another file with another hash, and never the same recipe.
    assert found.recipe != RECIPE
    assert dump_census(found) == bytes(tampered) != DATA
