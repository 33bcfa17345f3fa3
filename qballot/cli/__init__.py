"""The `qballot` command: one file a group of commands, all joined here.

Data goes to stdout, progress and errors to stderr. Exit status: 0 done, 1 failed, or made for a newer version, 2 wrong
usage, 3 a verification found a mismatch, 4 what was verified is partial, since ballots can follow. Command modules
import services inside their functions, so that `--help` and the small commands do not wait for SQLAlchemy or FastAPI to
load.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from qballot import __version__
from qballot.cli import account, census, definition, deploy, devnet, index, receipt
from qballot.cli.ballots import ballots_command
from qballot.cli.cancel import cancel_command
from qballot.cli.cast_signed import cast_signed_command
from qballot.cli.certificate import certificate_command
from qballot.cli.compile import compile_command
from qballot.cli.convert import convert_command
from qballot.cli.evidence import evidence_command
from qballot.cli.rehearse import rehearse_command
from qballot.cli.serve import serve_command
from qballot.cli.tally import tally_command
from qballot.cli.verify import recount_command, verify_command
from qballot.cli.vote import sign_command, vote_command
from qballot.errors import InputError, ProofError, QballotError, UnknownHeaderError

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_MISMATCH = 3

app = typer.Typer(
    name="qballot",
    help="Elections on Ethereum whose result anyone can check without trusting whoever serves it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(definition.app, name="definition")
app.add_typer(census.app, name="census")
app.add_typer(account.app, name="account")
app.add_typer(deploy.app, name="deploy")
app.command("cancel")(cancel_command)
app.command("vote")(vote_command)
app.command("sign")(sign_command)
app.command("cast-signed")(cast_signed_command)
app.command("ballots")(ballots_command)
app.command("evidence")(evidence_command)
app.command("verify")(verify_command)
app.command("recount")(recount_command)
app.command("certificate")(certificate_command)
app.add_typer(receipt.app, name="receipt")
app.add_typer(devnet.app, name="devnet")
app.command("tally")(tally_command)
app.command("convert")(convert_command)
app.command("rehearse")(rehearse_command)
app.add_typer(index.app, name="index")
app.command("serve")(serve_command)
app.command("compile")(compile_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"qballot {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def exit_status(error: QballotError) -> int:
    """Map an error to the command's exit status."""
    if isinstance(error, ProofError) and not isinstance(error, UnknownHeaderError):
        return EXIT_MISMATCH
    return EXIT_USAGE if isinstance(error, InputError) else EXIT_FAILED


def main() -> None:
    """Run the command line; errors made on purpose are printed without a traceback."""
    try:
        app()
    except QballotError as error:
        typer.echo(f"qballot: {error}", err=True)
        sys.exit(exit_status(error))
