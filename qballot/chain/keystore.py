"""Encrypted private keys in files, one an account: web3 secret storage version 3 with scrypt, as geth and others have.

The folder is its owner's alone (0700), each file too (0600). A file is never overwritten: it may be the only copy of a
key. A key is in memory in a `LocalSigner` only, and in no error: the library that encrypts has it in its own frames,
so whatever it raises is replaced by an error of ours that has no cause.
Source: https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage
"""

from __future__ import annotations

import difflib
import json
import os
import re
import secrets
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from qballot.chain.accounts import LocalSigner
from qballot.core.address import checksum_address, parse_address
from qballot.core.types import Address
from qballot.errors import InputError

STANDARD_SCRYPT_COST = 1 << 18
"""scrypt's N with r = 8, p = 1: 256 MiB and about a second a try. Source: geth, accounts/keystore, StandardScryptN."""

MAX_SCRYPT_BYTES = 1 << 30
"""Most memory that a file may ask for when it is opened (128 · N · r)."""

MAX_FILE_BYTES = 64 * 1024
NAME_RULE = "1 to 64 lower-case letters, digits, - and _, the first a letter or digit"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class KeystoreEntry:
    """An account in the keystore. address: as its file says, which is compared with the key when that is opened."""

    name: str
    address: Address
    path: Path


class Keystore:
    """A folder of encrypted keys. `~` in it is the user's home. scrypt_cost: N for new files, a power of two."""

    def __init__(self, folder: Path, scrypt_cost: int = STANDARD_SCRYPT_COST) -> None:
        self.folder = folder.expanduser()
        self._scrypt_cost = scrypt_cost

    def list_entries(self) -> list[KeystoreEntry]:
        """Return every account by name. Raises InputError for a file that is no key file."""
        names = sorted(path.stem for path in self.folder.glob("*.json") if _NAME.fullmatch(path.stem))
        return [self.find(name) for name in names]

    def find(self, name: str) -> KeystoreEntry:
        """Return an account by its name. Raises InputError that names near ones when there is none."""
        path = self._path(name)
        if not path.exists():
            names = sorted(other.stem for other in self.folder.glob("*.json"))
            near = difflib.get_close_matches(name, names, 3, 0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else "see `qballot account list`"
            raise InputError(f"no account {name!r} in {self.folder}: {hint}")
        document = _read_document(path)
        try:
            text = str(document["address"])
            address = parse_address("0x" + text.lower().removeprefix("0x"))
        except (KeyError, InputError):
            raise InputError(f"{path} names no address, expected an encrypted key file of version 3") from None
        return KeystoreEntry(name, address, path)

    def create(self, name: str, password: SecretStr) -> KeystoreEntry:
        """Make a new key at random and store it. Errors as of `store`."""
        self.validate_free(name)
        # secp256k1's order is so near 2**256 that a random number is out of it once in 2**127 times.
        return self.store(name, LocalSigner(secrets.token_bytes(32)), password)

    def store(self, name: str, signer: LocalSigner, password: SecretStr) -> KeystoreEntry:
        """Encrypt a key into a new file, and read it back before it counts as stored.

        Raises InputError when the name does not fit or is taken, when the password is empty, when the folder cannot
        be written.
        """
        path = self.validate_free(name)
        if not password.get_secret_value():
            raise InputError("found an empty password, expected one that is hard to guess")
        document = _encrypt(signer, password, self._scrypt_cost)
        _write_private(path, json.dumps(document, indent=2).encode() + b"\n")
        return KeystoreEntry(name, signer.address, path)

    def validate_free(self, name: str) -> Path:
        """Return where an account of this name would be. Raises InputError when the name does not fit or is taken."""
        path = self._path(name)
        if path.exists():
            raise InputError(f"{path} exists and is never overwritten: choose another name")
        return path

    def unlock(self, entry: KeystoreEntry, password: SecretStr) -> LocalSigner:
        """Decrypt an account's key. Raises InputError for a wrong password and for a file that is not what it says."""
        document = _read_document(entry.path)
        problem = _find_cost_problem(document)
        signer = None if problem else _decrypt(document, password)
        if signer is None:
            problem = problem or "the password is wrong, or the file is damaged: try again"
            raise InputError(f"account {entry.name} ({entry.path}): {problem}")
        if signer.address != entry.address:
            raise InputError(
                f"account {entry.name}: {entry.path} holds the key of {checksum_address(signer.address)}, expected "
                f"that of {checksum_address(entry.address)}, which it names: somebody changed the file"
            )
        return signer

    def find_loose_permissions(self, entry: KeystoreEntry) -> list[str]:
        """Return a warning for each of folder and file that others than the owner can use."""
        if sys.platform == "win32":
            return []
        warnings = []
        for path, mode, what in ((self.folder, "700", "the keystore"), (entry.path, "600", "an encrypted key")):
            if path.stat().st_mode & _OTHERS:
                warnings.append(f"others can use {path}, {what}: run chmod {mode} {path}")
        return warnings

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InputError(f"found the account name {name!r}, expected {NAME_RULE}")
        return self.folder / f"{name}.json"


def _encrypt(signer: LocalSigner, password: SecretStr, cost: int) -> dict[str, Any]:
    from eth_keyfile.keyfile import create_keyfile_json  # noqa: PLC0415 # half a second to load, for few commands

    document = None
    try:
        document = create_keyfile_json(
            signer.reveal().get_secret_value(), password.get_secret_value().encode(), kdf="scrypt", iterations=cost
        )
        if _decrypt(document, password) is None:
            document = None
    except (ValueError, TypeError, MemoryError):
        pass  # raised below, outside of this block: the error's context would hold the key
    if document is None:
        raise InputError("the key cannot be encrypted on this machine: scrypt needs 256 MiB of memory")
    return document


def _decrypt(document: dict[str, Any], password: SecretStr) -> LocalSigner | None:
    """Return the key in a file's document; None for a wrong password or a document that is none."""
    from eth_keyfile.keyfile import decode_keyfile_json  # noqa: PLC0415 # half a second to load, for few commands

    try:
        return LocalSigner(decode_keyfile_json(document, password.get_secret_value().encode()))
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, MemoryError, InputError):
        return None


def _find_cost_problem(document: dict[str, Any]) -> str | None:
    """Say why a file is not opened: another format, or a cost that would fill the memory."""
    try:
        kdf, parameters = document["crypto"]["kdf"], document["crypto"]["kdfparams"]
        cost = 128 * int(parameters["n"]) * int(parameters["r"]) if kdf == "scrypt" else int(parameters["c"])
        if document["version"] != 3 or kdf not in {"scrypt", "pbkdf2"}:
            return "it is no encrypted key file of version 3 with scrypt or pbkdf2"
    except (KeyError, TypeError, ValueError):
        return "it is no encrypted key file of version 3"
    if not 0 < cost <= MAX_SCRYPT_BYTES:
        return f"to open it asks for {cost:,} bytes of memory or rounds, expected at most {MAX_SCRYPT_BYTES:,}"
    return None


def _read_document(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        document = json.loads(data) if len(data) <= MAX_FILE_BYTES else None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InputError(f"{path} is no encrypted key file, expected JSON (web3 secret storage, version 3)")
    return {str(key).lower(): value for key, value in document.items()}


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read: whole or not at all, never over another."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)  # unlike a rename, fails when the name is taken
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        raise InputError(f"{path} exists and is never overwritten: choose another name") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
