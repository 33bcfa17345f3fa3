"""`qballot census audit`: two lists of voters, compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qballot.cli.files import read_bytes
from qballot.cli.options import JsonOption, NetworkOption, connect, override_settings
from qballot.core.address import checksum_address
from qballot.core.census import CensusEntry
from qballot.core.census_audit import CensusAudit, Difference, VoterList, compare_voters
from qballot.core.census_file import list_voters

if TYPE_CHECKING:
    from qballot.census.codes import AccountCode

LISTED = 20
"""Voters of one kind that are printed for people; `--json` prints all."""


def audit_command(
    before: Annotated[Path, typer.Argument(metavar="A", help="Census file, or list of voters as CSV.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The same, to be compared with it.")],
    rpc_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Endpoint of a node, to look which addresses are contracts; none is asked else."
        ),
    ] = None,
    network: NetworkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say who was added or removed between two lists of voters, whose weight changed and whose index moved.

    Addresses that a list names twice are told, and with --rpc-url those that are contracts: they have no key to sign
    with, and vote only by a transaction of their own.

    Example: qballot census audit before.json after.json
    """
    old, new = list_voters(read_bytes(before)), list_voters(read_bytes(after))
    audit = compare_voters(old, new)
    codes: list[AccountCode] | None = None
    block = None
    if rpc_url is not None:
        from qballot.census.codes import find_codes
        from qballot.cli.progress import show_progress

        addresses = list(dict.fromkeys(address for address, _ in (*new, *old)))
        with connect(override_settings(rpc_url=rpc_url, network=network)) as rpc, show_progress() as report:
            block = rpc.block("latest").number
            codes = find_codes(rpc, addresses, block, report)
    if as_json:
        typer.echo(json.dumps(audit.to_json() | _codes_to_json(codes, block), indent=2))
    else:
        typer.echo("\n".join(_describe(audit, codes, block)))


def _codes_to_json(codes: Sequence[AccountCode] | None, block: int | None) -> dict[str, Any]:
    return {} if codes is None else {"block": block, "with_code": [code.to_json() for code in codes]}


def _describe(audit: CensusAudit, codes: Sequence[AccountCode] | None, block: int | None) -> Iterator[str]:
    yield f"A          {_sum_up(audit.before)}"
    yield f"B          {_sum_up(audit.after)}"
    for name, voters in (("A", audit.before), ("B", audit.after)):
        if voters.repeats:
            lines = (f"{checksum_address(item.address)} at {_list(item.indices)}" for item in voters.repeats)
            yield from _section(f"listed more than once in {name}", len(voters.repeats), lines)
    yield from _section("added", len(audit.added), map(_entry, audit.added))
    yield from _section("removed", len(audit.removed), map(_entry, audit.removed))
    yield from _section("changed weight", len(audit.changed), map(_change, audit.changed))
    yield from _section("moved index", len(audit.moved), map(_move, audit.moved))
    yield f"unchanged  {audit.unchanged:,}"
    if codes is not None:
        own = [code for code in codes if code.delegate is None]
        yield from _section(f"contracts at block {block}", len(own), map(_contract, own))
        lent = [code for code in codes if code.delegate is not None]
        yield from _section("accounts that run a contract's code (EIP-7702)", len(lent), map(_contract, lent))


def _section(title: str, count: int, lines: Iterable[str]) -> Iterator[str]:
    yield f"{title}: {count:,}"
    for number, line in enumerate(lines):
        if number == LISTED:
            yield f"  … and {count - LISTED:,} more: --json has them all"
            return
        yield f"  {line}"


def _sum_up(voters: VoterList) -> str:
    return f"{voters.voters:,} voters, total weight {voters.weight:,}"


def _entry(entry: CensusEntry) -> str:
    return f"{checksum_address(entry.address)}  voter {entry.index}, weight {entry.weight}"


def _change(item: Difference) -> str:
    moved = "" if item.before.index == item.after.index else f", voter {item.before.index} → {item.after.index}"
    return f"{checksum_address(item.after.address)}  weight {item.before.weight} → {item.after.weight}{moved}"


def _move(item: Difference) -> str:
    return f"{checksum_address(item.after.address)}  voter {item.before.index} → {item.after.index}"


def _contract(code: AccountCode) -> str:
    what = f"{code.size:,} bytes of code" if code.delegate is None else f"runs {checksum_address(code.delegate)}"
    return f"{checksum_address(code.address)}  {what}"


def _list(indices: Sequence[int]) -> str:
    return ", ".join(map(str, indices))
