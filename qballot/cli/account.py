"""`qballot account`: encrypted keys in files, so that none stands in the environment or in a shell's history."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from qballot.cli.options import JsonOption, override_settings
from qballot.cli.passwords import ask_hidden, ask_password, read_secret_line
from qballot.core.address import checksum_address
from qballot.errors import InputError

if TYPE_CHECKING:
    from qballot.chain.keystore import KeystoreEntry

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="Of the account: lower-case letters, digits, - and _.")
]
PASSWORD_PROMPT = "New password of this account"  # noqa: S105 # a prompt

app = typer.Typer(no_args_is_help=True, help="Keys of accounts, encrypted in files.")


@app.callback()
def _group() -> None:
    pass


@app.command("new")
def new_command(name: NameArgument, as_json: JsonOption = False) -> None:
    """Make a new key at random and keep it encrypted. Nobody can restore a lost file or password: back both up.

    The password is asked for, or taken from the file that QBALLOT_KEYSTORE_PASSWORD_FILE names.

    Example: qballot account new committee
    """
    from qballot.chain.keystore import Keystore

    settings = override_settings()
    keystore = Keystore(settings.keystore)
    keystore.validate_free(name)
    _print_entry(keystore.create(name, ask_password(settings, PASSWORD_PROMPT, twice=True)), as_json=as_json)


@app.command("import")
def import_command(name: NameArgument, as_json: JsonOption = False) -> None:
    """Keep an existing key encrypted: it is asked for and not shown, or read from stdin; it is never an argument.

    With the key on stdin the password comes from the file that QBALLOT_KEYSTORE_PASSWORD_FILE names.

    Example: qballot account import committee
    """
    from qballot.chain.accounts import load_key
    from qballot.chain.keystore import Keystore

    settings = override_settings()
    keystore = Keystore(settings.keystore)
    keystore.validate_free(name)
    is_asked = sys.stdin.isatty()
    if not is_asked and settings.keystore_password_file is None:
        raise InputError("the key comes on stdin, so QBALLOT_KEYSTORE_PASSWORD_FILE must name a file with the password")
    signer = load_key(ask_hidden("Private key (0x and 64 hex digits)") if is_asked else read_secret_line())
    _print_entry(keystore.store(name, signer, ask_password(settings, PASSWORD_PROMPT, twice=True)), as_json=as_json)


@app.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """List the accounts in the keystore with their addresses, as their files name them.

    Example: qballot account list
    """
    from qballot.chain.keystore import Keystore

    keystore = Keystore(override_settings().keystore)
    entries = keystore.list_entries()
    for warning in dict.fromkeys(text for entry in entries for text in keystore.find_loose_permissions(entry)):
        typer.echo(f"warning: {warning}", err=True)
    if as_json:
        listed = [{"name": item.name, "address": checksum_address(item.address)} for item in entries]
        typer.echo(json.dumps({"keystore": str(keystore.folder), "accounts": listed}, indent=2))
        return
    for item in entries:
        typer.echo(f"{checksum_address(item.address)}  {item.name}")
    if not entries:
        typer.echo(f"no account in {keystore.folder}: make one with `qballot account new NAME`", err=True)


def _print_entry(entry: KeystoreEntry, *, as_json: bool) -> None:
    shown = {"name": entry.name, "address": checksum_address(entry.address), "file": str(entry.path)}
    if as_json:
        typer.echo(json.dumps(shown, indent=2))
    else:
        typer.echo(f"account  {shown['name']}\naddress  {shown['address']}\nfile     {shown['file']}")
