"""`qballot census from-token` and `reproduce`: a census out of a token's holders, with its recipe in the file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qballot.cli.census_report import describe_census, format_report
from qballot.cli.files import read_bytes, write_same
from qballot.cli.options import (
    JsonOption,
    NetworkOption,
    RpcUrlOption,
    SheetSizeOption,
    connect,
    override_settings,
)
from qballot.core.address import parse_address
from qballot.core.census import read_sheet_size
from qballot.core.census_file import dump_census, load_census
from qballot.core.census_recipe import TokenKind, TokenRecipe
from qballot.errors import InputError, ProofError

if TYPE_CHECKING:
    from qballot.chain.rpc import Rpc

_TAGS = ("latest", "safe", "finalized")
_AMOUNT = re.compile(r"([1-9][0-9]{0,77})(?:e([0-9]{1,2}))?")


def from_token_command(
    token: Annotated[str, typer.Argument(metavar="ADDRESS", help="The token's contract, ERC-20 or ERC-721.")],
    block: Annotated[
        str, typer.Option(metavar="N", help="Block whose holders vote: a number, or finalized, safe or latest.")
    ],
    least: Annotated[str, typer.Option("--min", metavar="VOTES", help="Fewest votes with which somebody is in.")] = "1",
    divide: Annotated[
        str,
        typer.Option(
            metavar="UNITS", help="Units for one vote, the rest is dropped: 1e18 for whole ether-like tokens."
        ),
    ] = "1",
    follow_delegation: Annotated[
        bool,
        typer.Option(
            "--follow-delegation", help="Votes go to whom a holder delegates to (ERC20Votes); else they stay."
        ),
    ] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Leave this address out, such as a treasury; repeatable."),
    ] = None,
    from_block: Annotated[
        int | None, typer.Option(min=0, help="Where the token's logs begin; found by itself on an archive node.")
    ] = None,
    kind: Annotated[
        TokenKind | None, typer.Option(help="What it is, where it does not say.", show_default=False)
    ] = None,
    ignore_supply: Annotated[
        bool, typer.Option("--ignore-supply", help="Go on though the holders do not add up to the total supply.")
    ] = False,
    sheet_size: SheetSizeOption = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the census file goes.")] = Path("census.json"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite a different file.")] = False,
    rpc_url: RpcUrlOption = None,
    network: NetworkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a census of everyone who held a token at a block, out of its Transfer logs.

    Each balance is checked against the token's own answer at that block, and all of them against its total supply. The
    zero address is left out. Voters stand in the order of their addresses; the same recipe, which is part of the file,
    gives the same file again (`qballot census reproduce`).

    Example: qballot census from-token 0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984 --block finalized --divide 1e18
    """
    from qballot.census.from_token import TokenRequest, build_token_census, find_unfinal
    from qballot.cli.progress import show_progress

    request = TokenRequest(
        token=parse_address(token),
        block=_parse_block(block),
        from_block=from_block,
        kind=kind,
        divide=_parse_amount("--divide", divide),
        min_weight=_parse_amount("--min", least),
        exclude=[parse_address(address) for address in exclude or ()],
        follow_delegation=follow_delegation,
        ignore_supply=ignore_supply,
    )
    sheet_bits = None if sheet_size is None else read_sheet_size(sheet_size)
    settings = override_settings(rpc_url=rpc_url, network=network)
    with connect(settings) as rpc:
        with show_progress() as report:
            census = build_token_census(
                rpc, request, sheet_bits=sheet_bits, block_range=settings.block_range, report=report
            )
        data = dump_census(census)
        write_same(output, data, overwrite=force)
        described = describe_census(census, output, data, is_size_chosen=sheet_size is not None)
        typer.echo(json.dumps(described, indent=2) if as_json else format_report(described))
        if census.recipe is not None:
            if find_unfinal(rpc, census.recipe) is not None:
                number = census.recipe.block_number
                typer.echo(f"warning: block {number} is not final yet: a reorganisation can undo it", err=True)
            _suggest_divide(rpc, census.recipe)


def reproduce_command(
    census: Annotated[Path, typer.Argument(metavar="CENSUS", help="Census file with a recipe in it.")],
    rpc_url: RpcUrlOption = None,
    network: NetworkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token's census anew by the recipe in its file, and compare.

    Exit status 3 says that the recipe gives another census. The endpoint must keep the state of the recipe's block.

    Example: qballot census reproduce census.json
    """
    from qballot.census.from_token import reproduce_census
    from qballot.cli.progress import show_progress

    loaded = load_census(read_bytes(census))
    settings = override_settings(rpc_url=rpc_url, network=network)
    with connect(settings) as rpc, show_progress() as report:
        again = reproduce_census(rpc, loaded, block_range=settings.block_range, report=report)
    if again != loaded:
        raise ProofError(
            f"the recipe gives another census, of {len(again):,} voters and a total weight of {again.total_weight}; "
            f"the file has {len(loaded):,} voters and {loaded.total_weight}"
        )
    words = f"ok: the recipe gives this census of {len(loaded):,} voters, byte for byte"
    typer.echo(json.dumps({"same": True, "voters": len(loaded)}) if as_json else words)


def _parse_block(text: str) -> int | str:
    if text in _TAGS:
        return text
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    raise InputError(f"--block: found {text[:60]!r}, expected a block's number or one of {', '.join(_TAGS)}")


def _parse_amount(option: str, text: str) -> int:
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise InputError(f"{option}: found {text[:60]!r}, expected a whole number from 1, such as 5 or 1e18")
    return int(match[1] + "0" * int(match[2] or 0))


def _suggest_divide(rpc: Rpc, recipe: TokenRecipe) -> None:
    """Say what people would call one token, where a vote is the smallest unit of it."""
    from qballot.census.token import Token

    if recipe.divide > 1 or recipe.kind is not TokenKind.ERC20:
        return
    decimals = Token(rpc, recipe.token, recipe.block_number).fetch_decimals()
    if decimals:
        typer.echo(
            f"note: the token has {decimals} decimals; --divide 1e{decimals} gives a vote a whole token", err=True
        )
