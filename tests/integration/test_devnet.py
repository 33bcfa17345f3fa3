"""The local chain starts, does what it is told, and ends with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qballot.chain.devnet import Devnet, find_anvil
from qballot.core.types import Address
from qballot.errors import EndpointError, ToolError

pytestmark = pytest.mark.integration

SOMEONE = Address(b"\x77" * 20)
CHILD = """
import sys, time
from qballot.chain.devnet import Devnet
devnet = Devnet()
print(devnet.process_id, devnet.url, flush=True)
{then}
"""


def is_running(process_id: int) -> bool:
    """Say whether a process runs; one that has ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until_ended(process_id: int) -> bool:
    deadline = time.monotonic() + 10
    while is_running(process_id) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(process_id)


def start_child(then: str) -> tuple[subprocess.Popen[str], int]:
    """Start a program that starts a chain; return it and the chain's process."""
    root = str(Path(__file__).parents[2])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD.format(then=then)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
        cwd=root,
    )
    assert child.stdout is not None
    return child, int(child.stdout.readline().split()[0])


def test_devnet__start_and_stop__leaves_nothing() -> None:
    with Devnet() as devnet:
        assert devnet.rpc.chain_id() == 31337
        assert is_running(devnet.process_id)
    assert not is_running(devnet.process_id)
    devnet.stop()
    with pytest.raises(EndpointError):
        devnet.rpc.chain_id()


def test_devnet__two_at_once__have_ports_of_their_own() -> None:
    with Devnet() as one, Devnet() as other:
        assert one.url != other.url
        one.mine(3)
        assert (one.rpc.block().number, other.rpc.block().number) == (3, 0)


def test_devnet__chain_id_and_start__are_the_chains() -> None:
    with Devnet(chain_id=11_155_111, starts_at=1_929_081_600) as devnet:
        assert devnet.rpc.chain_id() == 11_155_111
        assert devnet.rpc.block().timestamp == 1_929_081_600
        devnet.mine()
        assert 0 <= devnet.rpc.block().timestamp - 1_929_081_600 < 60


def test_devnet__warp_and_mine__move_clock_and_height(devnet: Devnet) -> None:
    before = devnet.rpc.block()
    devnet.warp(before.timestamp + 86_400)
    after = devnet.rpc.block()
    assert (after.number, after.timestamp) == (before.number + 1, before.timestamp + 86_400)
    devnet.mine(7)
    assert devnet.rpc.block().number == after.number + 7
    assert devnet.rpc.block().timestamp < after.timestamp + 60


def test_devnet__revert__undoes_blocks_balances_and_clock(devnet: Devnet) -> None:
    before = devnet.rpc.block()
    snapshot = devnet.snapshot()
    devnet.set_balances({SOMEONE: 5})
    devnet.warp(before.timestamp + 86_400)
    assert devnet.rpc.balance(SOMEONE) == 5
    devnet.revert(snapshot)
    assert devnet.rpc.balance(SOMEONE) == 0
    assert devnet.rpc.block() == before
    devnet.mine()
    assert devnet.rpc.block().timestamp < before.timestamp + 60
    with pytest.raises(ToolError, match="does not know snapshot"):
        devnet.revert(snapshot)


def test_devnet__much_output__does_not_stop_it(devnet: Devnet) -> None:
    for _ in range(40):
        devnet.rpc.call_many([("eth_blockNumber", ())] * 100)
    assert devnet.rpc.chain_id() == 31337


def test_devnet__interpreter_ends_without_stopping_it__ends_too() -> None:
    child, chain = start_child("sys.exit(0)")
    with child:
        assert child.wait(20) == 0
    assert wait_until_ended(chain)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_devnet__parent_is_killed__ends_too(how: signal.Signals) -> None:
    child, chain = start_child("time.sleep(60)")
    with child:
        assert is_running(chain)
        child.send_signal(how)
        child.wait(20)
    assert wait_until_ended(chain)


def test_devnet__program_that_is_no_anvil__says_what_it_said(tmp_path: Path) -> None:
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\necho no chain today\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(ToolError, match="no chain today"):
        Devnet(anvil=str(program))


def test_find_anvil__nowhere__says_to_run_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("qballot.chain.devnet.__file__", str(tmp_path / "a" / "b" / "devnet.py"))
    with pytest.raises(ToolError, match="npm ci"):
        find_anvil()
    with pytest.raises(ToolError, match="found no program at nowhere"):
        find_anvil("nowhere")
    program = tmp_path / "anvil"
    program.write_text("")
    program.chmod(0o755)
    assert find_anvil() == find_anvil(str(program)) == program


def test_find_anvil__npm_folder_above__is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    assert "node_modules" in find_anvil().parts
