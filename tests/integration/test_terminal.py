"""What a person types at a terminal: secrets are asked for and never shown, spending can be refused."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from commands import PROGRAM

from qballot.chain.accounts import DEVNET_KEYS, devnet_account
from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address
from qballot.testing import make_election

pytestmark = pytest.mark.integration

PASSWORD = "correct horse"
DEADLINE_SECONDS = 60.0


def type_in(
    folder: Path, arguments: Sequence[str], typed: Sequence[tuple[str, str]], **settings: str
) -> tuple[int, str]:
    """Run a command at a terminal; type an answer when its prompt appears. Returns status and all that was shown."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("QBALLOT_")}
    chosen = {f"QBALLOT_{name.upper()}": value for name, value in settings.items()}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *arguments], cwd=folder, env=inherited | chosen, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown, waiting, deadline = "", list(typed), time.monotonic() + DEADLINE_SECONDS
    seen = 0
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    shown += os.read(ours, 4096).decode()
                except OSError:
                    break  # the terminal's other end is closed
            if waiting and waiting[0][0] in shown[seen:]:
                seen = len(shown)
                time.sleep(0.2)  # until it has turned the echo off
                os.write(ours, waiting.pop(0)[1].encode() + b"\n")
        return process.wait(DEADLINE_SECONDS), shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_account__new_and_import_at_a_terminal__show_no_secret(tmp_path: Path) -> None:
    settings = {"keystore": str(tmp_path / "keys")}
    status, shown = type_in(
        tmp_path,
        ["account", "new", "committee"],
        [("New password", PASSWORD), ("Once more", "another"), ("New password", PASSWORD), ("Once more", PASSWORD)],
        **settings,
    )
    assert (status, "address  0x" in shown) == (0, True), shown
    assert PASSWORD not in shown
    status, shown = type_in(
        tmp_path,
        ["account", "import", "second"],
        [("Private key", DEVNET_KEYS[1]), ("New password", PASSWORD), ("Once more", PASSWORD)],
        **settings,
    )
    assert (status, checksum_address(devnet_account(1).address) in shown) == (0, True), shown
    assert DEVNET_KEYS[1][2:] not in shown
    assert PASSWORD not in shown
    status, shown = type_in(
        tmp_path, ["account", "import", "third"], [("Private key", DEVNET_KEYS[2][:-1])], **settings
    )
    assert (status, "expected 0x and 64 hex digits" in shown) == (2, True), shown
    assert DEVNET_KEYS[2][2:-1] not in shown
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["committee.json", "second.json"]


def test_spending__asked_at_a_terminal__only_yes_spends(devnet: Devnet, tmp_path: Path) -> None:
    box = checksum_address(make_election(devnet).deployment.box)
    settings = {"rpc_url": devnet.url, "private_key": DEVNET_KEYS[0]}
    before = devnet.rpc.block()
    for reply in ("n", "", "x\nn"):
        status, shown = type_in(tmp_path, ["cancel", box], [("Send this transaction? [y/N]", reply)], **settings)
        assert (status, "nothing was sent" in shown) == (1, True), shown
        assert "cost         about" in shown
    assert devnet.rpc.block() == before
    status, shown = type_in(tmp_path, ["cancel", box], [("Send this transaction? [y/N]", "y")], **settings)
    assert (status, "it never takes a ballot" in shown) == (0, True), shown


def test_spending__keystore_account_at_a_terminal__password_comes_after_the_price(
    devnet: Devnet, tmp_path: Path
) -> None:
    box = checksum_address(make_election(devnet).deployment.box)
    settings = {"rpc_url": devnet.url, "keystore": str(tmp_path / "keys")}
    typed = [("Private key", DEVNET_KEYS[0]), ("New password", PASSWORD), ("Once more", PASSWORD)]
    assert type_in(tmp_path, ["account", "import", "committee"], typed, **settings)[0] == 0
    arguments = ["cancel", box, "--account", "committee"]
    asked = [("Send this transaction?", "y"), ("Password of the account committee", "wrong")]
    status, shown = type_in(tmp_path, arguments, asked, **settings)
    assert (status, "the password is wrong" in shown) == (2, True), shown
    asked = [("Send this transaction?", "y"), ("Password of the account committee", PASSWORD)]
    status, shown = type_in(tmp_path, arguments, asked, **settings)
    assert (status, "it never takes a ballot" in shown) == (0, True), shown
    assert PASSWORD not in shown
