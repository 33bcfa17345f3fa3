"""A census out of a token's holders at a block.

    Transfer logs ──▶ balances ──▶ (delegation) ──▶ votes ──▶ census with its recipe
                        │ balanceOf of everyone ever named, and totalSupply, must agree
                        └ getVotes of every delegate, where delegation is followed

An endpoint that leaves out a log is found out by the token's own answers, as far as it does not lie about both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qballot.census.progress import Report, say_nothing
from qballot.census.token import Token
from qballot.census.transfers import fetch_transfers
from qballot.chain.answers import BlockHeader
from qballot.chain.rpc import Rpc
from qballot.core.address import ZERO_ADDRESS, checksum_address
from qballot.core.census import Census, build_census
from qballot.core.census_recipe import TokenKind, TokenRecipe, sort_addresses
from qballot.core.token_holders import Ledger, compute_voters, sum_delegated
from qballot.core.types import Address, BlockNumber
from qballot.errors import EndpointError, InputError, ProofError, ReorgError

DEFAULT_BLOCK_RANGE = 2_000
NAMED_MISMATCHES = 5
"""Disagreements that a message names one by one."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a person asks for. block: a number, or a tag such as `finalized`. from_block: None looks for it.

    kind: None finds out. The rest is as in `TokenRecipe`.
    """

    token: Address
    block: int | str
    from_block: int | None = None
    kind: TokenKind | None = None
    divide: int = 1
    min_weight: int = 1
    exclude: Sequence[Address] = ()
    follow_delegation: bool = False
    ignore_supply: bool = False


def build_token_census(
    rpc: Rpc,
    request: TokenRequest,
    *,
    sheet_bits: int | None = None,
    block_range: int = DEFAULT_BLOCK_RANGE,
    report: Report = say_nothing,
) -> Census:
    """Build the census of a token's holders; the same request at the same block gives the same census.

    block_range: blocks of the first range of logs. Raises InputError for what cannot be asked, ProofError when logs and
    token contradict each other, ReorgError when the block changed meanwhile, ChainErrors.
    """
    recipe = prepare_recipe(rpc, request)
    return cook(rpc, recipe, sheet_bits=sheet_bits, block_range=block_range, report=report)


def prepare_recipe(rpc: Rpc, request: TokenRequest) -> TokenRecipe:
    """Settle everything that a request leaves open: block, kind of token, first block."""
    block = rpc.block(request.block)
    token = Token(rpc, request.token, block.number)
    kind = request.kind or token.find_kind()
    from_block = token.find_deployment() if request.from_block is None else request.from_block
    return TokenRecipe(
        chain_id=rpc.chain_id(),
        token=request.token,
        kind=kind,
        block_number=block.number,
        block_hash=block.hash,
        from_block=BlockNumber(from_block),
        divide=request.divide,
        min_weight=request.min_weight,
        exclude=sort_addresses(request.exclude),
        follow_delegation=request.follow_delegation,
        ignore_supply=request.ignore_supply,
    )


def reproduce_census(
    rpc: Rpc, census: Census, *, block_range: int = DEFAULT_BLOCK_RANGE, report: Report = say_nothing
) -> Census:
    """Make a census anew by the recipe in it, on the recipe's chain at the recipe's block.

    Returns the new one, to be compared. Raises InputError when there is no recipe, WrongChainError, and as above.
    """
    if census.recipe is None:
        raise InputError("the census has no recipe: it was made of a list of voters, which only its maker has")
    rpc.check_chain(census.recipe.chain_id)
    return cook(rpc, census.recipe, sheet_bits=census.sheet_bits, block_range=block_range, report=report)


def cook(
    rpc: Rpc, recipe: TokenRecipe, *, sheet_bits: int | None, block_range: int, report: Report = say_nothing
) -> Census:
    """Make the census that a recipe describes. Raises as `build_token_census`."""
    _check_block(rpc, recipe)
    token = Token(rpc, recipe.token, recipe.block_number)
    ledger = Ledger(recipe.kind)
    for transfers in fetch_transfers(
        rpc, recipe.token, recipe.from_block, recipe.block_number, block_range=block_range, report=report
    ):
        ledger.apply(transfers)
    _check_balances(token, ledger.balances, recipe, report)
    delegates = _fetch_delegates(token, ledger.balances, report) if recipe.follow_delegation else None
    _check_block(rpc, recipe)
    return build_census(compute_voters(ledger.balances, recipe, delegates), sheet_bits, recipe)


def find_unfinal(rpc: Rpc, recipe: TokenRecipe) -> BlockHeader | None:
    """Return the latest finalized block where it is before the recipe's, which can then still be reorganised away.

    None also where the endpoint knows of no finalized block.
    """
    try:
        finalized = rpc.block("finalized")
    except EndpointError:
        return None
    return finalized if finalized.number < recipe.block_number else None


def _check_block(rpc: Rpc, recipe: TokenRecipe) -> None:
    found = rpc.block(recipe.block_number).hash
    if found != recipe.block_hash:
        raise ReorgError(number=recipe.block_number, found=found, expected=recipe.block_hash)


def _check_balances(token: Token, balances: Mapping[Address, int], recipe: TokenRecipe, report: Report) -> None:
    """Compare what the logs give with what the token says: everyone's balance, and all of them together."""
    if not balances:
        raise InputError(
            f"{checksum_address(token.address)} has no Transfer logs from block {recipe.from_block} "
            f"to {recipe.block_number}"
        )
    holders = sorted(balances)
    found = dict(zip(holders, token.fetch_balances(holders, report), strict=True))
    _refuse_mismatches(balances, found, "balanceOf()", "Transfer logs")
    supply = None if recipe.ignore_supply else token.fetch_supply()
    total = sum(balances.values())
    # Some old tokens burn by sending to the zero address, and go on counting what lies there.
    if supply is None or supply in (total, total + (token.fetch_balances([ZERO_ADDRESS])[0] or 0)):
        return
    raise ProofError(
        f"the Transfer logs give {len(holders):,} holders {total} units in all, and totalSupply() is {supply}: logs "
        "are missing (another endpoint may have them), --from-block is too late, or the token gave units without a "
        "log; --ignore-supply takes the holders that were found"
    )


def _fetch_delegates(token: Token, balances: Mapping[Address, int], report: Report) -> dict[Address, Address]:
    """Ask whom the holders delegate to, and check it by the votes that the token gives each delegate."""
    holding = {holder: balance for holder, balance in balances.items() if balance > 0}
    delegates = token.fetch_delegates(sorted(holding), report)
    expected = sum_delegated(holding, delegates)
    names = sorted(expected)
    _refuse_mismatches(
        expected,
        dict(zip(names, token.fetch_votes(names, report), strict=True)),
        "getVotes()",
        ("balances of all who delegate"),
    )
    return delegates


def _refuse_mismatches(
    expected: Mapping[Address, int], found: Mapping[Address, int | None], function: str, source: str
) -> None:
    wrong = [(address, number, found[address]) for address, number in expected.items() if found[address] != number]
    if not wrong:
        return
    named = [
        f"{checksum_address(address)}: {source} {number}, {function} {'refused' if answer is None else answer}"
        for address, number, answer in sorted(wrong)[:NAMED_MISMATCHES]
    ]
    rest = [f"and {len(wrong) - NAMED_MISMATCHES:,} more"] if len(wrong) > NAMED_MISMATCHES else []
    raise ProofError("\n  ".join([f"the token contradicts its logs for {len(wrong):,} addresses:", *named, *rest]))
