"""Keys in files: encrypted, the owner's alone, never overwritten, opened by the right password only, never shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from pydantic import SecretStr
from tracebacks import show_everything

from qballot.chain.accounts import LocalSigner
from qballot.chain.keystore import MAX_FILE_BYTES, STANDARD_SCRYPT_COST, Keystore
from qballot.core.address import checksum_address
from qballot.errors import InputError

pytestmark = pytest.mark.unit

KEY = b"\x5e" * 32
PASSWORD = SecretStr("correct horse")
CHEAP = 2


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    return Keystore(tmp_path / "keys", scrypt_cost=CHEAP)


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_store__key__comes_back_with_its_password_only(keystore: Keystore) -> None:
    entry = keystore.store("committee", LocalSigner(KEY), PASSWORD)
    assert keystore.find("committee") == entry
    assert keystore.unlock(entry, PASSWORD).address == LocalSigner(KEY).address == entry.address
    for wrong in ("", "correct horse ", "Correct horse"):
        with pytest.raises(InputError, match="the password is wrong, or the file is damaged") as caught:
            keystore.unlock(entry, SecretStr(wrong))
        assert "5e5e" not in show_everything(caught.value)


def test_store__file__is_the_standard_format_that_others_read(keystore: Keystore) -> None:
    entry = keystore.store("committee", LocalSigner(KEY), PASSWORD)
    assert bytes(Account.decrypt(read(entry.path), "correct horse")) == KEY
    assert "5e5e" not in entry.path.read_text()
    assert (read(entry.path)["version"], read(entry.path)["crypto"]["kdf"]) == (3, "scrypt")


def test_keystore__standard_cost__is_geths(tmp_path: Path) -> None:
    entry = Keystore(tmp_path).store("committee", LocalSigner(KEY), PASSWORD)
    parameters = read(entry.path)["crypto"]["kdfparams"]
    assert (parameters["n"], parameters["r"], parameters["p"]) == (STANDARD_SCRYPT_COST, 8, 1) == (2**18, 8, 1)


def test_store__files_of_others__are_opened_too(keystore: Keystore) -> None:
    keystore.folder.mkdir()
    for kdf in ("scrypt", "pbkdf2"):
        document = Account.encrypt(KEY, "correct horse", kdf=kdf, iterations=CHEAP)
        (keystore.folder / f"{kdf}.json").write_text(json.dumps(document))
        assert keystore.unlock(keystore.find(kdf), PASSWORD).address == LocalSigner(KEY).address


def test_store__permissions__are_the_owners_alone(keystore: Keystore) -> None:
    entry = keystore.store("committee", LocalSigner(KEY), PASSWORD)
    assert (keystore.folder.stat().st_mode & 0o777, entry.path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert keystore.find_loose_permissions(entry) == []
    assert [path.name for path in keystore.folder.iterdir()] == ["committee.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_find_loose_permissions__others_may_use_it__says_how_to_mend_it(keystore: Keystore, mode: int) -> None:
    entry = keystore.store("committee", LocalSigner(KEY), PASSWORD)
    entry.path.chmod(mode)
    (warning,) = keystore.find_loose_permissions(entry)
    assert warning.endswith(f"run chmod 600 {entry.path}")
    keystore.folder.chmod(0o755)
    assert f"run chmod 700 {keystore.folder}" in keystore.find_loose_permissions(entry)[0]


def test_store__name_taken__is_never_overwritten(keystore: Keystore) -> None:
    entry = keystore.store("committee", LocalSigner(KEY), PASSWORD)
    before = entry.path.read_bytes()
    for action in (
        lambda: keystore.store("committee", LocalSigner(b"\x01" * 32), PASSWORD),
        lambda: keystore.create("committee", PASSWORD),
    ):
        with pytest.raises(InputError, match="exists and is never overwritten"):
            action()
    assert entry.path.read_bytes() == before


def test_store__taken_in_the_meantime__is_not_overwritten_either(
    keystore: Keystore, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = keystore.store("committee", LocalSigner(KEY), PASSWORD)
    before = entry.path.read_bytes()
    monkeypatch.setattr(Keystore, "validate_free", lambda self, name: entry.path)  # as if it had been free just now
    with pytest.raises(InputError, match="exists and is never overwritten"):
        keystore.store("committee", LocalSigner(b"\x01" * 32), PASSWORD)
    assert entry.path.read_bytes() == before
    assert [path.name for path in keystore.folder.iterdir()] == ["committee.json"]


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", "A", "-a", "a.b", "a b", "é", "a" * 65, "ape:x", "a\n", "~"])
def test_keystore__name_that_is_none__is_refused(keystore: Keystore, name: str) -> None:
    for action in (lambda: keystore.create(name, PASSWORD), lambda: keystore.find(name)):
        with pytest.raises(InputError, match="expected 1 to 64 lower-case letters"):
            action()
    assert not keystore.folder.exists()


def test_find__unknown_name__suggests_neighbours(keystore: Keystore) -> None:
    keystore.create("committee", PASSWORD)
    with pytest.raises(InputError, match="did you mean committee"):
        keystore.find("comittee")
    with pytest.raises(InputError, match="see `qballot account list`"):
        keystore.find("xyz")


def test_create__twice__are_two_keys(keystore: Keystore) -> None:
    first, second = keystore.create("one", PASSWORD), keystore.create("two", PASSWORD)
    assert first.address != second.address
    assert [entry.name for entry in keystore.list_entries()] == ["one", "two"]
    assert keystore.unlock(first, PASSWORD).address == first.address


def test_store__empty_password__is_refused(keystore: Keystore) -> None:
    with pytest.raises(InputError, match="empty password"):
        keystore.create("one", SecretStr(""))
    assert not keystore.folder.exists()


def test_unlock__address_exchanged__is_refused(keystore: Keystore) -> None:
    entry = keystore.store("committee", LocalSigner(KEY), PASSWORD)
    entry.path.write_text(json.dumps(read(entry.path) | {"address": "77" * 20}))
    found = keystore.find("committee")
    with pytest.raises(InputError, match="somebody changed the file") as caught:
        keystore.unlock(found, PASSWORD)
    assert checksum_address(found.address) in str(caught.value)
    assert "5e5e" not in show_everything(caught.value)


@pytest.mark.parametrize("part", ["ciphertext", "mac", "iv", "salt"])
def test_unlock__one_bit_changed__is_refused(keystore: Keystore, part: str) -> None:
    entry = keystore.store("committee", LocalSigner(KEY), PASSWORD)
    document = read(entry.path)
    crypto = document["crypto"]
    holder = {"iv": crypto["cipherparams"], "salt": crypto["kdfparams"]}.get(part, crypto)
    holder[part] = f"{int(holder[part], 16) ^ 1:0{len(holder[part])}x}"
    entry.path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"wrong, or the file is damaged|somebody changed the file"):
        keystore.unlock(keystore.find("committee"), PASSWORD)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 1}, "no encrypted key file of version 3"),
        ({"crypto": {}}, "no encrypted key file of version 3"),
        ({"crypto": {"kdf": "scrypt", "kdfparams": {"n": 2**30, "r": 8}}}, "bytes of memory or rounds"),
        ({"crypto": {"kdf": "scrypt", "kdfparams": {"n": -1, "r": 8}}}, "bytes of memory or rounds"),
        ({"crypto": {"kdf": "pbkdf2", "kdfparams": {"c": 2**31}}}, "bytes of memory or rounds"),
        ({"crypto": {"kdf": "md5", "kdfparams": {"c": 1}}}, "scrypt or pbkdf2"),
        ({"crypto": {"kdf": "scrypt", "kdfparams": {"n": 2, "r": 8}}}, "wrong, or the file is damaged"),
        ({"crypto": {"kdf": "scrypt", "kdfparams": {"n": "x", "r": 8}}}, "no encrypted key file of version 3"),
    ],
)
def test_unlock__file_of_another_form__is_refused(keystore: Keystore, change: dict[str, Any], message: str) -> None:
    entry = keystore.store("committee", LocalSigner(KEY), PASSWORD)
    entry.path.write_text(json.dumps(read(entry.path) | change))
    with pytest.raises(InputError, match=message):
        keystore.unlock(keystore.find("committee"), PASSWORD)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"\xff", b'{"address": "x"}', b"[" * 100_000, b" " * 70_000]
)
def test_find__no_key_file__is_refused(keystore: Keystore, content: bytes) -> None:
    keystore.folder.mkdir()
    (keystore.folder / "broken.json").write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.json"):
        keystore.find("broken")
    assert MAX_FILE_BYTES < 70_000


def test_store__folder_cannot_be_made__is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written") as caught:
        Keystore(tmp_path / "file" / "keys", CHEAP).store("one", LocalSigner(KEY), PASSWORD)
    assert "5e5e" not in show_everything(caught.value)
    assert "horse" not in show_everything(caught.value)
