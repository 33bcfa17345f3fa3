"""`qballot deploy factory` and `qballot deploy election`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qballot.cli.deploy_check import check_command, parse_salt
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
from qballot.cli.spending import Spending, find_payer, quote_calls, settle
from qballot.core.address import checksum_address, parse_address
from qballot.core.moments import format_moment, parse_moment

if TYPE_CHECKING:
    from qballot.chain.answers import Receipt
    from qballot.deploy import ElectionDeployment, ElectionPlan

MomentHelp = "Unix seconds, or a time with its zone: 2031-03-01T08:00:00+01:00."
SaltOption = Annotated[
    str | None,
    typer.Option(metavar="0x…", help="32 bytes that tell equal elections of one organizer apart; else zeros."),
]

app = typer.Typer(no_args_is_help=True, help="Put the factory and elections on a chain, and check what stands there.")


@app.callback()
def _group() -> None:
    pass


@app.command("factory")
def factory_command(
    account: AccountOption = None,
    sender: SenderOption = None,
    network: NetworkOption = None,
    rpc_url: RpcUrlOption = None,
    dry_run: DryRunOption = False,
    unsigned: UnsignedOption = False,
    output: UnsignedFileOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put this version's factory on a chain, at its one address; once is enough for everyone.

    Does nothing when it is there. Gas and price are shown before you agree. What was done is written to
    deployments/CHAIN.json (QBALLOT_DEPLOYMENTS); after an interruption the same command goes on.

    Example: qballot deploy factory --network local --yes
    """
    from qballot.chain.deployments import Deployments
    from qballot.deploy import Deployment, deploy_planned, plan_factory, resume_factory

    how = Spending(account, sender, dry_run, unsigned, output, yes, as_json)
    settings = override_settings(rpc_url=rpc_url, network=network)
    with connect(settings) as rpc:
        plan = plan_factory(rpc)
        records = Deployments(settings.deployments, rpc.chain_id())
        found = resume_factory(rpc, plan, records) if how.sends else None
        if found is None and plan.call is not None:
            payer = find_payer(settings, how)
            quotes = quote_calls(rpc, payer, [plan.call], how)
            signer = settle(payer, quotes, how, known={"factory": checksum_address(plan.factory)})
            if signer is None:
                return
            found, is_new = deploy_planned(rpc, signer, plan, quotes[0], records), True
        else:
            found, is_new = found or Deployment(plan.factory, plan.implementation, None), False
        facts = {
            "chain_id": rpc.chain_id(),
            "factory": checksum_address(found.factory),
            "implementation": checksum_address(found.implementation),
            "deployed_now": is_new,
        }
    lines = [
        f"chain        {facts['chain_id']}",
        f"factory      {facts['factory']}",
        f"box code     {facts['implementation']} (every ballot box is a clone of it)",
    ]
    print_done(lines, facts, found.receipt, None if is_new else "nothing to do: the factory was there already", how)


@app.command("election")
def election_command(
    definition_file: Annotated[
        Path, typer.Argument(metavar="DEFINITION.json", help="What voters are asked (`qballot definition`).")
    ],
    census_file: Annotated[Path, typer.Argument(metavar="CENSUS.json", help="Who may vote (`qballot census`).")],
    opens_at: Annotated[
        str, typer.Option("--opens-at", metavar="WHEN", help="First second for ballots. " + MomentHelp)
    ],
    closes_at: Annotated[str, typer.Option("--closes-at", metavar="WHEN", help="First second for none. " + MomentHelp)],
    salt: SaltOption = None,
    max_ballot_bytes: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Longest ballot taken; else the definition's.")
    ] = None,
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
    """Create an election's ballot box. The account that sends it is the organizer, who may cancel it until it opens.

    All is checked and the box's address is shown before you agree. The same election asked for again is the same box:
    after an interruption the same command goes on, and never makes a second one. To have another with everything
    equal, give it a --salt.

    Example: qballot deploy election definition.json census.json --opens-at 2031-03-01T08:00:00Z
    --closes-at 2031-03-02T08:00:00Z --yes
    """
    from qballot.chain.deployments import Deployments
    from qballot.core.census_file import load_census
    from qballot.core.definition import parse_definition_document
    from qballot.deploy import create_planned, plan_election, record_unsigned, resume_election

    how = Spending(account, sender, dry_run, unsigned, output, yes, as_json)
    window = {"opens_at": parse_moment(opens_at), "closes_at": parse_moment(closes_at)}
    chosen_salt = parse_salt(salt)
    _, definition = parse_definition_document(read_bytes(definition_file))
    census = load_census(read_bytes(census_file))
    settings = override_settings(rpc_url=rpc_url, network=network, factory=factory)
    payer = find_payer(settings, how)
    with connect(settings) as rpc:
        plan = plan_election(
            rpc,
            payer.address,
            definition,
            census,
            **window,
            salt=chosen_salt,
            max_ballot_bytes=max_ballot_bytes,
            factory=parse_address(settings.factory) if settings.factory else None,
        )
        records = Deployments(settings.deployments, rpc.chain_id())
        may_be_done = how.sends or plan.exists
        found = resume_election(rpc, plan, records, from_block=settings.from_block) if may_be_done else None
        is_new = found is None
        if found is None:
            quotes = quote_calls(rpc, payer, [plan.call], how)
            signer = settle(payer, quotes, how, known=_describe_plan(plan))
            if signer is None:
                if how.unsigned:
                    record_unsigned(plan, records)
                return
            found = create_planned(rpc, signer, plan, quotes[0], records)
        facts = {"chain_id": rpc.chain_id(), **_election_facts(found, plan), "created_now": is_new}
    lines = [
        f"chain        {facts['chain_id']}",
        *(f"{name:<12} {text}" for name, text in _describe_plan(plan).items()),
    ]
    note = None if is_new else "nothing to do: this very election exists already (another --salt makes another one)"
    print_done([*lines, f"salt         {facts['salt']}"], facts, found.receipt, note, how)


app.command("check")(check_command)


def _describe_plan(plan: ElectionPlan) -> dict[str, str]:
    arguments = plan.arguments
    return {
        "ballot box": checksum_address(plan.box),
        "title": plan.title,
        "definition": "0x" + arguments.definition_hash.hex(),
        "organizer": checksum_address(arguments.organizer),
        "opens": f"{arguments.opens_at}, {format_moment(arguments.opens_at)}",
        "closes": f"{arguments.closes_at}, {format_moment(arguments.closes_at)}",
        "voters": f"{arguments.voters:,} in {_count(len(arguments.sheet_roots), 'sheet')}",
    }


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _election_facts(found: ElectionDeployment, plan: ElectionPlan) -> dict[str, Any]:
    arguments = found.arguments
    return {
        "box": checksum_address(found.box),
        "factory": checksum_address(found.factory),
        "organizer": checksum_address(arguments.organizer),
        "title": plan.title,
        "definition_hash": "0x" + arguments.definition_hash.hex(),
        "opens_at": arguments.opens_at,
        "closes_at": arguments.closes_at,
        "voters": arguments.voters,
        "sheet_count": len(arguments.sheet_roots),
        "salt": "0x" + found.salt.hex(),
    }


def print_done(
    lines: list[str], facts: dict[str, Any], receipt: Receipt | None, note: str | None, how: Spending
) -> None:
    """Print what was done: facts as lines or JSON, the transaction if there was one, and a note for people."""
    if how.as_json:
        of_receipt = {} if receipt is None else receipt.to_json()
        typer.echo(json.dumps({**facts, **of_receipt}, indent=2, ensure_ascii=False))
        return
    shown = [*lines, *(receipt.describe() if receipt else []), *([note] if note else [])]
    typer.echo("\n".join(shown))
