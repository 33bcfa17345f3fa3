"""Options that several commands share, each overriding the setting of the same name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from qballot.errors import SettingsError
from qballot.settings import Settings, load_settings

if TYPE_CHECKING:
    from qballot.chain.rpc import Rpc

RpcUrlOption = Annotated[
    str | None, typer.Option("--rpc-url", "--rpc", metavar="URL", help="Endpoint of a node; else QBALLOT_RPC_URL.")
]
SheetSizeOption = Annotated[
    int | None,
    typer.Option(
        "--sheet-size",
        metavar="VOTERS",
        help="Voters a sheet, a power of two up to 65,536; by default 1,024, or more if the electorate needs it.",
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; else QBALLOT_DATABASE_URL."
    ),
]
FactoryOption = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="The factory; else QBALLOT_FACTORY, else this version's own.")
]

NetworkOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The chain it must be: mainnet, sepolia or local; else QBALLOT_NETWORK."),
]
AccountOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Keystore account (`qballot account`), or ape:ALIAS; else the key in QBALLOT_PRIVATE_KEY."
    ),
]
SenderOption = Annotated[
    str | None,
    typer.Option("--from", metavar="ADDRESS", help="Who will send it, with --unsigned or --dry-run: no key needed."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the decoded call, gas and price, and end.")]
UnsignedOption = Annotated[
    bool, typer.Option("--unsigned", help="Print the transaction as JSON for a Safe or another signer, and end.")
]
UnsignedFileOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where --unsigned writes instead of printing.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Spend without asking.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def connect(settings: Settings) -> Iterator[Rpc]:
    """Connect to the endpoint of the settings, once it is clear that it serves the chain that it must.

    Raises WrongChainError, InputError for an unknown network.
    """
    from qballot.chain.networks import compute_expected_chain
    from qballot.chain.rpc import Rpc

    expected = compute_expected_chain(settings.network, settings.chain_id)
    with Rpc(settings.primary_rpc_url, settings.rpc_timeout_seconds) as rpc:
        rpc.check_chain(expected)
        yield rpc


def override_settings(**options: Any) -> Settings:
    """Load the settings and put the options that were given in their place, checked like them. Raises SettingsError."""
    given = {name: value for name, value in options.items() if value is not None}
    settings = load_settings()
    try:
        return Settings(_env_file=None, **{**settings.model_dump(), **given})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise SettingsError([f"{_option(problem['loc'])}: {problem['msg']}" for problem in problems]) from None


def _option(place: tuple[int | str, ...]) -> str:
    field = str(place[0])
    return "--" + {"database_url": "database"}.get(field, field).replace("_", "-")
