"""`qballot cast-signed`: bring ballots that voters signed, many in one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qballot.cli.ballot_paper import open_election
from qballot.cli.files import read_bytes
from qballot.cli.options import (
    AccountOption,
    DryRunOption,
    FactoryOption,
    JsonOption,
    NetworkOption,
    RpcUrlOption,
    SenderOption,
    UnsignedFileOption,
    UnsignedOption,
    YesOption,
    connect,
    override_settings,
)
from qballot.core.address import checksum_address
from qballot.core.ballot_words import describe_ballot
from qballot.errors import InputError, QballotError

if TYPE_CHECKING:
    from qballot.chain.answers import Receipt
    from qballot.chain.rpc import Rpc
    from qballot.cli.spending import Payer, Spending
    from qballot.core.election import Definition
    from qballot.voting.bring import Delivery, Plan


def cast_signed_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Ballots as `qballot sign` writes them.")],
    census: Annotated[Path, typer.Option("--census", metavar="FILE", help="The election's census file.")],
    box: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Bring the ballots of this box, where there are of several.")
    ] = None,
    useless_too: Annotated[
        bool, typer.Option("--all", help="Bring also ballots that cannot count any more; by default they are skipped.")
    ] = False,
    account: AccountOption = None,
    sender: SenderOption = None,
    network: NetworkOption = None,
    rpc_url: RpcUrlOption = None,
    factory: FactoryOption = None,
    dry_run: DryRunOption = False,
    unsigned: UnsignedOption = False,
    output: UnsignedFileOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring signed ballots to their box, in batches of one sheet each; you pay, whoever you are.

    Every signature and census entry is checked first. What is in the box already is skipped. Says of every file what
    became of it; the exit status is 1 when one could not be brought.

    Example: qballot cast-signed ballot.json --census census.json --yes
    """
    from qballot.cli.spending import Spending, find_payer
    from qballot.core.census_file import load_census
    from qballot.voting.bring import plan_deliveries

    how = Spending(account, sender, dry_run, unsigned, output, yes, as_json)
    settings = override_settings(rpc_url=rpc_url, network=network, factory=factory)
    payer = find_payer(settings, how)
    deliveries = [_read(path) for path in files]
    electorate = load_census(read_bytes(census))
    with connect(settings) as rpc:
        election = open_election(rpc, settings, box or _find_box(deliveries))
        plan = plan_deliveries(
            rpc, election, electorate, deliveries, useless_too=useless_too, block_range=settings.block_range
        )
        receipts = _bring(rpc, payer, plan, election.definition, how) if plan.batches else []
    if receipts is not None:
        _report(plan, receipts, election.definition, as_json=as_json)
    if any(item.fate in ("refused", "failed") for item in plan.deliveries):
        raise typer.Exit(1)


def _bring(rpc: Rpc, payer: Payer, plan: Plan, definition: Definition, how: Spending) -> list[Receipt] | None:
    """Price the batches, let a person agree and send them; None when nothing is to be sent."""
    from qballot.chain.transactions import send_quoted
    from qballot.cli.spending import quote_calls, settle
    from qballot.voting.bring import deliver

    quotes = quote_calls(rpc, payer, [planned.call for planned in plan.batches], how)
    for item in plan.deliveries:
        typer.echo(_line(item, definition), err=True)
    signer = settle(payer, quotes, how, known={"ballots": _sum_up(plan)})
    if signer is None:
        return None
    prices = iter(quotes)
    return deliver(plan, lambda _planned: send_quoted(rpc, [signer], [next(prices)])[0])


def _read(path: Path) -> Delivery:
    from qballot.core.signed_ballot import load_signed_ballot
    from qballot.voting.bring import Delivery, Fate

    try:
        return Delivery(str(path), load_signed_ballot(read_bytes(path)))
    except QballotError as error:
        return Delivery(str(path), None, Fate.REFUSED, str(error))


def _find_box(deliveries: Sequence[Delivery]) -> str:
    """Return the box that all ballots are for. Raises InputError when there is none or several."""
    boxes = {checksum_address(item.ballot.box) for item in deliveries if item.ballot is not None}
    if len(boxes) > 1:
        raise InputError(f"the ballots are for {len(boxes)} boxes ({', '.join(sorted(boxes))}): choose one with --box")
    if not boxes:
        reasons = "\n".join(f"  {item.name}: {item.note}" for item in deliveries)
        raise InputError(f"none of the files is a signed ballot:\n{reasons}")
    return boxes.pop()


def _sum_up(plan: Plan) -> str:
    """Say how many ballots there are of each fate."""
    counts: dict[str, int] = {}
    for item in plan.deliveries:
        counts[item.fate] = counts.get(item.fate, 0) + 1
    listed = ", ".join(f"{count} {fate}" for fate, count in counts.items())
    batches = "1 transaction" if len(plan.batches) == 1 else f"{len(plan.batches)} transactions"
    return f"{listed}; {batches}"


def _line(item: Delivery, definition: Definition) -> str:
    note = f": {item.note}" if item.note else ""
    if item.ballot is None:
        return f"{item.fate:<8} {item.name}{note}"
    record = item.ballot.signed.record
    words = describe_ballot(definition, record.ballot).text
    return f"{item.fate:<8} {item.name}  voter {record.voter}{note}\n         {words}\n         0x{record.ballot.hex()}"


def _report(plan: Plan, receipts: Sequence[Receipt], definition: Definition, *, as_json: bool) -> None:
    if as_json:
        document = {
            "files": [_to_json(item, definition) for item in plan.deliveries],
            "transactions": [
                {
                    "transaction": "0x" + receipt.transaction_hash.hex(),
                    "block": receipt.block_number,
                    "gas_used": receipt.gas_used,
                }
                for receipt in receipts
            ],
        }
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for item in plan.deliveries:
        typer.echo(_line(item, definition))
    for receipt in receipts:
        typer.echo("\n".join(receipt.describe()))


def _to_json(item: Delivery, definition: Definition) -> dict[str, Any]:
    hashed = item.transaction_hash
    report: dict[str, Any] = {
        "file": item.name,
        "fate": str(item.fate),
        "note": item.note,
        "transaction": None if hashed is None else "0x" + hashed.hex(),
    }
    if item.ballot is not None:
        record = item.ballot.signed.record
        report |= {
            "voter": record.voter,
            "cast_at": record.cast_at,
            "ballot": "0x" + record.ballot.hex(),
            "contests": [contest.to_json() for contest in describe_ballot(definition, record.ballot).contests],
        }
    return report
