"""`qballot cancel`: call an election off before it opens."""

from __future__ import annotations

from typing import Annotated

import typer

from qballot.cli.deploy import print_done
from qballot.cli.options import (
    AccountOption,
    DryRunOption,
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
from qballot.core.moments import format_moment


def cancel_command(
    box: Annotated[str, typer.Argument(metavar="BOX", help="Address of the election's ballot box.")],
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
    """Cancel an election before it opens, for ever; only its organizer can, and after the opening nobody.

    Example: qballot cancel $BOX --yes
    """
    from qballot.chain.deployments import Deployments
    from qballot.deploy import cancel_planned, plan_cancel, resume_cancel

    how = Spending(account, sender, dry_run, unsigned, output, yes, as_json)
    asked = parse_address(box)
    settings = override_settings(rpc_url=rpc_url, network=network)
    payer = find_payer(settings, how)
    with connect(settings) as rpc:
        plan = plan_cancel(rpc, asked, payer.address)
        records = Deployments(settings.deployments, rpc.chain_id())
        receipt = None
        is_done = resume_cancel(rpc, plan, records) if how.sends else plan.call is None
        if not is_done and plan.call is not None:
            quotes = quote_calls(rpc, payer, [plan.call], how)
            known = {"opens": f"{plan.arguments.opens_at}, {format_moment(plan.arguments.opens_at)}"}
            signer = settle(payer, quotes, how, known=known)
            if signer is None:
                return
            receipt = cancel_planned(rpc, signer, plan, quotes[0], records)
        facts = {"chain_id": rpc.chain_id(), "box": checksum_address(asked), "cancelled_now": receipt is not None}
    lines = [
        f"chain        {facts['chain_id']}",
        f"ballot box   {facts['box']}",
        "cancelled    it never takes a ballot",
    ]
    print_done(lines, facts, receipt, None if receipt else "nothing to do: it was cancelled already", how)
