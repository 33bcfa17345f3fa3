"""Secrets that a person types or a file holds: never an argument, never shown, never in a variable without its mask."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import typer
from pydantic import SecretStr

from qballot.errors import InputError
from qballot.settings import Settings

MAX_PASSWORD_FILE_BYTES = 4_096


def ask_password(settings: Settings, prompt: str, *, twice: bool = False) -> SecretStr:
    """Take a password from the file that the settings name, else by a hidden prompt.

    twice: ask again and compare, for a new password. Raises InputError when there is neither file nor terminal, and
    for an empty password.
    """
    if settings.keystore_password_file is not None:
        return _read_password(settings.keystore_password_file.expanduser())
    if not sys.stdin.isatty():
        raise InputError(
            "nobody can be asked for the password, since stdin is no terminal: name a file that holds it in "
            "QBALLOT_KEYSTORE_PASSWORD_FILE"
        )
    return ask_hidden(prompt, twice=twice)


def ask_hidden(prompt: str, *, twice: bool = False) -> SecretStr:
    """Ask for a secret on the terminal without showing what is typed. It is not empty: a prompt repeats until then."""
    return SecretStr(
        typer.prompt(prompt, hide_input=True, confirmation_prompt="Once more" if twice else False, err=True)
    )


def read_secret_line() -> SecretStr:
    """Read the one line that stdin holds. Raises InputError when there is none, or more."""
    first = SecretStr(sys.stdin.readline())
    if not first.get_secret_value().strip() or sys.stdin.read(1).strip():
        raise InputError("expected one line on stdin, the private key")
    return first


def _read_password(path: Path) -> SecretStr:
    try:
        status = path.stat()
        with path.open("rb") as file:
            data = SecretStr(file.read(MAX_PASSWORD_FILE_BYTES).decode("utf-8"))
    except OSError as error:
        raise InputError(f"QBALLOT_KEYSTORE_PASSWORD_FILE: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        data = SecretStr("")
    if stat.S_ISREG(status.st_mode) and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        typer.echo(f"warning: others can read {path}, the password: run chmod 600 {path}", err=True)
    password = SecretStr(data.get_secret_value().split("\n", 1)[0].rstrip("\r"))
    if not password.get_secret_value():
        raise InputError(f"QBALLOT_KEYSTORE_PASSWORD_FILE: {path} holds no password in its first line")
    return password
