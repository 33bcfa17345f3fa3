"""A local chain of one's own: anvil on a free port, which ends when we end, whatever happens.

    with Devnet() as devnet:
        devnet.rpc.block("latest")

Three things end it: leaving the `with`, the interpreter's exit, and on Linux the kernel when our process is killed.
"""

from __future__ import annotations

import atexit
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from qballot.chain.rpc import DEFAULT_TIMEOUT_SECONDS, Rpc
from qballot.core.types import Address
from qballot.errors import ToolError

HARDFORK = "osaka"
"""Rules of the chain: those of Ethereum's mainnet since December 2025 (transaction gas cap and all)."""

START_SECONDS = 30.0
"""How long anvil may take to listen; it needs a fraction of a second unless the machine is busy."""

STOP_SECONDS = 5.0
"""How long anvil may take to end by itself before it is killed."""

KEPT_LINES = 40
"""Lines of anvil's output that are kept for an error message."""

_PORT_TAKEN = "Address already in use"
"""What anvil says when another program listens on its port."""

_LISTENING = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")

# Runs between our process and anvil, which it becomes: asks the kernel (prctl PR_SET_PDEATHSIG, 1) to kill it when its
# parent ends, then makes sure that the parent had not ended before. Python's own preexec_fn is unsafe with threads.
_TRAMPOLINE = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]): sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


def find_anvil(explicit: str | None = None) -> Path:
    """Find the anvil program.

    explicit: its path as a person set it. Otherwise npm's, in the working directory or one above it, then beside this
    package's own checkout, then the one on PATH. Raises ToolError that says what to do.
    """
    if explicit is not None:
        path = Path(explicit)
        if not (path.is_file() and os.access(path, os.X_OK)):
            raise ToolError(f"found no program at {explicit}, expected anvil (QBALLOT_ANVIL names it)")
        return path.absolute()
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).parents[2]):
        path = folder / _npm_path()
        if path.is_file() and os.access(path, os.X_OK):
            return path
    on_path = shutil.which("anvil")
    if on_path is None:
        raise ToolError(
            "anvil, the local chain, is not installed: run `npm ci` in QBallot's folder, or set QBALLOT_ANVIL"
        )
    return Path(on_path)


def _npm_path() -> Path:
    """Where npm puts the native program for this machine."""
    machine = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    system = {"win32": "win32", "darwin": "darwin"}.get(sys.platform, "linux")
    program = "anvil.exe" if system == "win32" else "anvil"
    return Path("node_modules") / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / program


class Devnet:
    """An anvil process and a connection to it. Use as a context manager, or call `stop`.

    anvil: path of the program; searched for when None. accounts: how many of anvil's public accounts get 10,000 ether.
    port: where it listens; 0 takes any free one. chain_id: anvil's own, 31337, when None. starts_at: unix seconds of
    its first block, from which its clock goes on; now when None. hardfork: the chain's rules, by anvil's name. options:
    further ones of the program's, as in a shell.
    Start it from a thread that lives as long as it: on Linux the kernel counts that thread's end as our end.
    Raises ToolError when anvil is missing or does not start.
    """

    def __init__(
        self,
        anvil: str | None = None,
        accounts: int = 10,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        *,
        port: int = 0,
        chain_id: int | None = None,
        starts_at: int | None = None,
        hardfork: str = HARDFORK,
        options: Sequence[str] = (),
    ) -> None:
        self._output: deque[str] = deque(maxlen=KEPT_LINES)
        self._listening = threading.Event()
        self._asked_port = port
        self._port = 0
        # Port 0: anvil takes a free one and says which, so that there is no moment in which another could take it.
        command = [str(find_anvil(anvil)), "--port", str(port), "--hardfork", hardfork, "--accounts", str(accounts)]
        command += [] if chain_id is None else ["--chain-id", str(chain_id)]
        command += [] if starts_at is None else ["--timestamp", str(starts_at)]
        command += options
        try:
            self._process = _start(command)
        except OSError as error:
            raise ToolError(f"{command[0]} cannot be run: {error.strerror}") from error
        atexit.register(self.stop)
        self._reader = threading.Thread(target=self._read_output, name="anvil-output", daemon=True)
        self._reader.start()
        try:
            self._wait_until_listening()
            self.url = f"http://127.0.0.1:{self._port}"
            self.rpc = Rpc(self.url, timeout_seconds)
            self.rpc.chain_id()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def process_id(self) -> int:
        """The anvil process's id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether anvil is there still."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End anvil and close the connection. Does nothing the second time."""
        atexit.unregister(self.stop)
        if hasattr(self, "rpc"):
            self.rpc.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def warp(self, to_unix: int) -> None:
        """Mine a block whose timestamp is `to_unix`, later than the latest block's; the clock goes on from there."""
        self.rpc.call("evm_setNextBlockTimestamp", [to_unix])
        self.rpc.call("evm_mine")

    def mine(self, blocks: int = 1) -> None:
        """Mine empty blocks."""
        self.rpc.call("anvil_mine", [hex(blocks)])

    def set_balances(self, balances: Mapping[Address, int]) -> None:
        """Give accounts so many wei each."""
        self.rpc.call_many(
            [("anvil_setBalance", ["0x" + address.hex(), hex(wei)]) for address, wei in balances.items()]
        )

    def snapshot(self) -> str:
        """Remember the chain's state; `revert` goes back to it, once."""
        return str(self.rpc.call("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Go back to a snapshot, which is used up by this, as are all that were taken after it."""
        if self.rpc.call("evm_revert", [snapshot]) is not True:
            raise ToolError(f"anvil does not know snapshot {snapshot}")

    def _read_output(self) -> None:
        """Read anvil's output to its end: an unread pipe would fill up and stop it."""
        stream = self._process.stdout
        if stream is None:
            return
        with stream:
            for line in stream:
                self._output.append(line.rstrip())
                found = None if self._port else _LISTENING.search(line)
                if found:
                    self._port = int(found.group(1))
                    self._listening.set()
        self._listening.set()

    def _wait_until_listening(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        self._listening.wait(max(0.0, deadline - time.monotonic()))
        if self._port == 0:
            said = "\n".join(self._output) or "nothing"
            if _PORT_TAKEN in said:
                raise ToolError(f"port {self._asked_port} of 127.0.0.1 is in use: choose another, or end what uses it")
            raise ToolError(f"anvil did not start to listen within {START_SECONDS:g} s; it said:\n{said}")


def _start(command: list[str]) -> subprocess.Popen[str]:
    """Start a program in a session of its own: Ctrl-C in the terminal then reaches us alone, and we end it in order."""
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", _TRAMPOLINE, str(os.getpid()), *command]
    return subprocess.Popen(  # noqa: S603 # a list, no shell; the program is the user's own anvil
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
