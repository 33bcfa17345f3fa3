"""What every command that spends has in common: who pays, what it costs, and that a person agrees.

how = Spending(account=…, sender=…, dry_run=…, unsigned=…, output=…, yes=…, as_json=…)
payer = find_payer(settings, how)
quotes = quote_calls(rpc, payer, calls, how)
signer = settle(payer, quotes, how, known={"ballot box": "0x…"})
if signer is None:
    return                      # --dry-run and --unsigned end here
send_quoted(rpc, [signer] * len(quotes), quotes)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from qballot.cli.files import write_same
from qballot.cli.passwords import ask_password
from qballot.core.address import checksum_address, parse_address
from qballot.core.types import Address
from qballot.errors import InputError
from qballot.settings import Settings

if TYPE_CHECKING:
    from qballot.chain.accounts import Signer
    from qballot.chain.rpc import Rpc
    from qballot.chain.transactions import Call, Quote

APE_PREFIX = "ape:"


@dataclass(frozen=True, slots=True)
class Spending:
    """How a person wants to spend: the options that every such command has.

    account: whose key signs. sender: who will send it, where no key is at hand. output: where `unsigned` writes.
    """

    account: str | None = None
    sender: str | None = None
    dry_run: bool = False
    unsigned: bool = False
    output: Path | None = None
    yes: bool = False
    as_json: bool = False

    def __post_init__(self) -> None:
        if self.dry_run and self.unsigned:
            raise InputError("found --dry-run and --unsigned, expected one of them")
        if self.sender is not None and self.sends:
            raise InputError(
                "found --from without --dry-run or --unsigned: what is sent needs a key, from --account or "
                "QBALLOT_PRIVATE_KEY"
            )
        if self.sender is not None and self.account is not None:
            raise InputError("found --from and --account, expected one of them")
        if self.output is not None and not self.unsigned:
            raise InputError("found --output without --unsigned, which is what it is for")

    @property
    def sends(self) -> bool:
        """Whether anything is to be sent at all."""
        return not (self.dry_run or self.unsigned)


@dataclass(frozen=True, slots=True)
class Payer:
    """An account that pays. unlock: gives its signer, and may ask a person for a password or a device's button."""

    address: Address
    unlock: Callable[[], Signer]


def find_payer(settings: Settings, how: Spending) -> Payer:
    """Find the account that pays, without asking for a password yet.

    Raises InputError for an unknown account, SettingsError without any.
    """
    from qballot.chain.accounts import load_payer

    if how.sender is not None:
        address = parse_address(how.sender)
        return Payer(address, _no_signer)
    if how.account is None:
        if settings.private_key is None and not how.sends:
            raise InputError("found no account, expected --from ADDRESS, --account NAME or QBALLOT_PRIVATE_KEY")
        signer: Signer = load_payer(settings.private_key)
        return Payer(signer.address, lambda: signer)
    return find_account(settings, how.account)


def find_account(settings: Settings, name: str) -> Payer:
    """Find an account by its name in the keystore, or by `ape:` and its alias, without asking for a password yet.

    Says on stderr where others could read its file. Raises InputError for an unknown account, ToolError without ape.
    """
    from qballot.chain.keystore import Keystore

    if name.startswith(APE_PREFIX):
        from qballot.chain.ape_account import load_ape_account

        ape_signer = load_ape_account(name.removeprefix(APE_PREFIX))
        return Payer(ape_signer.address, lambda: ape_signer)
    keystore = Keystore(settings.keystore)
    entry = keystore.find(name)
    for warning in keystore.find_loose_permissions(entry):
        typer.echo(f"warning: {warning}", err=True)
    return Payer(
        entry.address, lambda: keystore.unlock(entry, ask_password(settings, f"Password of the account {name}"))
    )


def quote_calls(rpc: Rpc, payer: Payer, calls: Sequence[Call], how: Spending) -> list[Quote]:
    """Try calls out and price them. Where something is to be sent, the payer must have the ether for all of them.

    Raises ContractReverted, InsufficientFundsError, ChainError.
    """
    from qballot.chain.transactions import quote_many

    return quote_many(rpc, [(payer.address, call) for call in calls], check_funds=how.sends)


def settle(
    payer: Payer, quotes: Sequence[Quote], how: Spending, *, known: Mapping[str, str] | None = None
) -> Signer | None:
    """Show what the transactions do and cost, and let a person agree. Returns the signer, or None when that is all.

    known: what is known before anything is sent, such as the address of a new contract, by what it is.
    `--dry-run` prints it on stdout and ends, `--unsigned` prints the transactions and ends. Otherwise it is shown on
    stderr and a person is asked, unless `--yes`.
    Raises InputError when nobody can be asked; typer.Abort when the answer is no.
    """
    known = known or {}
    if how.unsigned:
        _write_unsigned(quotes, how.output)
        for name, value in known.items():
            typer.echo(f"{name}: {value}", err=True)
        return None
    if how.dry_run:
        if how.as_json:
            typer.echo(json.dumps(_to_json(quotes, known), indent=2))
        else:
            typer.echo(describe_quotes(quotes, known) + "\nnothing was sent (--dry-run)")
        return None
    typer.echo(describe_quotes(quotes, known), err=True)
    if not how.yes:
        if not sys.stdin.isatty():
            raise InputError("nobody can be asked, since stdin is no terminal: add --yes to spend, or --dry-run")
        what = "this transaction" if len(quotes) == 1 else f"these {len(quotes)} transactions"
        if not typer.confirm(f"Send {what}?", err=True):
            typer.echo("nothing was sent", err=True)
            raise typer.Abort
    return payer.unlock()


def describe_quotes(quotes: Sequence[Quote], known: Mapping[str, str]) -> str:
    """Describe transactions for people before they are sent: calls, gas, price."""
    from qballot.chain.amounts import format_ether, format_gwei
    from qballot.chain.calls import decode_call, format_value
    from qballot.chain.networks import describe_chain

    first = quotes[0]
    lines = [f"chain        {describe_chain(first.chain_id)}", f"from         {checksum_address(first.sender)}"]
    for item in quotes:
        function, arguments = decode_call(item.call)
        lines += [f"to           {checksum_address(item.call.to)}", f"call         {function}"]
        lines += [f"  {name} = {format_value(value)}" for name, value in arguments.items()]
        lines.append(f"gas          {item.gas:,}, limit {item.gas_limit:,}")
    lines += [f"{name:<12} {value}" for name, value in known.items()]
    fees = first.fees
    likely, worst = sum(item.likely_wei for item in quotes), sum(item.worst_wei for item in quotes)
    lines += [
        f"price        {format_gwei(fees.base_fee)} a gas now and {format_gwei(fees.tip)} tip, at most "
        f"{format_gwei(fees.most)} in all",
        f"cost         about {format_ether(likely)}, at most {format_ether(worst)}",
        f"balance      {format_ether(first.balance)}" + ("" if first.balance >= worst else ", which is NOT enough"),
    ]
    return "\n".join(lines)


def _to_json(quotes: Sequence[Quote], known: Mapping[str, str]) -> dict[str, Any]:
    from qballot.chain.calls import decode_call

    transactions = []
    for item in quotes:
        function, arguments = decode_call(item.call)
        transactions.append(
            {
                "to": checksum_address(item.call.to),
                "function": function,
                "arguments": arguments,
                "value_wei": str(item.call.value),
                "gas": item.gas,
                "gas_limit": item.gas_limit,
            }
        )
    return {
        "sent": False,
        "chain_id": quotes[0].chain_id,
        "from": checksum_address(quotes[0].sender),
        **{name.replace(" ", "_"): value for name, value in known.items()},
        "transactions": transactions,
        "base_fee_wei": str(quotes[0].fees.base_fee),
        "tip_wei": str(quotes[0].fees.tip),
        "highest_price_wei": str(quotes[0].fees.most),
        "likely_cost_wei": str(sum(item.likely_wei for item in quotes)),
        "highest_cost_wei": str(sum(item.worst_wei for item in quotes)),
        "balance_wei": str(quotes[0].balance),
    }


def _write_unsigned(quotes: Sequence[Quote], output: Path | None) -> None:
    documents = [item.to_unsigned_json() for item in quotes]
    text = json.dumps(documents[0] if len(documents) == 1 else documents, indent=2)
    if output is None:
        typer.echo(text)
    else:
        write_same(output, text.encode() + b"\n", overwrite=False)
        typer.echo(f"written: {output}", err=True)


def _no_signer() -> Signer:
    raise InputError("no key was chosen: nothing can be signed")
