"""How a census was made of a token's holders: all that is needed to make the same one again.

    for each voter:  floor(units / divide) votes, at least min_weight
    units:           the voter's balance at the block, or, with delegation followed, the balances of all that delegate
                     to the voter; who delegates to nobody keeps theirs

The recipe is part of the census file, and thus of its hash. The zero address is never a voter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Literal

import msgspec

from qballot.core.address import checksum_address, parse_checksum_address
from qballot.core.bounds import validate_uint
from qballot.core.types import Address, BlockNumber, ChainId, Hash32
from qballot.errors import InputError

MAX_JSON_INTEGER_BITS = 53
"""What a JavaScript number holds exactly."""

_DECIMAL = re.compile(r"[1-9][0-9]{0,77}")
_HASH = re.compile(r"0x[0-9a-f]{64}")


class TokenKind(StrEnum):
    """What a token's units are."""

    ERC20 = "erc20"
    """Amounts, in the token's smallest unit."""

    ERC721 = "erc721"
    """Things, one unit each."""


@dataclass(frozen=True, slots=True)
class TokenRecipe:
    """Holders of a token at a block, and what became of their balances.

    token: the contract. block_number, block_hash: the state that counts. from_block: where its Transfer logs begin.
    divide: units for one vote. min_weight: fewest votes of a voter. exclude: who is left out, ascending.
    follow_delegation: whether units go to whom their holder delegates to (ERC20Votes, ERC721Votes).
    ignore_supply: whether holders are taken although they do not add up to the token's total supply.
    """

    chain_id: ChainId
    token: Address
    kind: TokenKind
    block_number: BlockNumber
    block_hash: Hash32
    from_block: BlockNumber
    divide: int = 1
    min_weight: int = 1
    exclude: tuple[Address, ...] = ()
    follow_delegation: bool = False
    ignore_supply: bool = False

    def __post_init__(self) -> None:
        validate_uint("chain_id", self.chain_id, MAX_JSON_INTEGER_BITS)
        validate_uint("block_number", self.block_number, MAX_JSON_INTEGER_BITS)
        if not 0 <= self.from_block <= self.block_number:
            raise InputError(f"from_block must be 0 … {self.block_number}, the block; found {self.from_block}")
        for name, number in (("divide", self.divide), ("min_weight", self.min_weight)):
            validate_uint(name, number, 256)
            if number == 0:
                raise InputError(f"{name} must be at least 1; found 0")
        if any(a >= b for a, b in pairwise(self.exclude)):
            raise InputError("exclude must be in ascending order, each address once")


class RecipeDocument(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The recipe as JSON, its keys in the order of RFC 8785."""

    block_hash: str
    block_number: int
    chain_id: int
    divide: str
    exclude: list[str]
    follow_delegation: bool
    from_block: int
    ignore_supply: bool
    kind: Literal["erc20", "erc721"]
    min_weight: str
    token: str


def write_recipe(recipe: TokenRecipe) -> RecipeDocument:
    """Write a recipe as the census file has it."""
    return RecipeDocument(
        block_hash="0x" + recipe.block_hash.hex(),
        block_number=recipe.block_number,
        chain_id=recipe.chain_id,
        divide=str(recipe.divide),
        exclude=[checksum_address(address) for address in recipe.exclude],
        follow_delegation=recipe.follow_delegation,
        from_block=recipe.from_block,
        ignore_supply=recipe.ignore_supply,
        kind=recipe.kind.value,
        min_weight=str(recipe.min_weight),
        token=checksum_address(recipe.token),
    )


def read_recipe(document: RecipeDocument) -> TokenRecipe:
    """Read a recipe. Raises InputError for a value that is not in its one form, or out of range."""
    if not _HASH.fullmatch(document.block_hash):
        raise InputError(f"block_hash: expected 0x and 64 lower-case hex digits; found {document.block_hash[:80]!r}")
    return TokenRecipe(
        chain_id=ChainId(document.chain_id),
        token=parse_checksum_address(document.token),
        kind=TokenKind(document.kind),
        block_number=BlockNumber(document.block_number),
        block_hash=Hash32(bytes.fromhex(document.block_hash[2:])),
        from_block=BlockNumber(document.from_block),
        divide=_read_decimal("divide", document.divide),
        min_weight=_read_decimal("min_weight", document.min_weight),
        exclude=tuple(parse_checksum_address(text) for text in document.exclude),
        follow_delegation=document.follow_delegation,
        ignore_supply=document.ignore_supply,
    )


def sort_addresses(addresses: Sequence[Address]) -> tuple[Address, ...]:
    """Put addresses in ascending order, each once: the form that a recipe's `exclude` has."""
    return tuple(sorted(set(addresses)))


def _read_decimal(name: str, text: str) -> int:
    if not _DECIMAL.fullmatch(text):
        raise InputError(f"{name}: expected a whole number from 1, without leading zeros; found {text[:80]!r}")
    return int(text)
