"""How long after the node has a block the API serves its ballot, with `qballot index` and `qballot serve` as they are.

bench ──a ballot, a block──▶ anvil ──newHeads──▶ bench: the clock starts
                               └──▶ qballot index ──▶ database ──▶ qballot serve ──▶ bench: the clock ends
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chains import KEPT, Chain, mine_block, serve
from elections import BLOCK_SECONDS, Election
from electorate import Electorate, make_census
from post_only import post_only_proxy
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from qballot.core.address import checksum_address
from qballot.core.census import Census

QBALLOT = [sys.executable, "-c", "from qballot.cli import main; main()"]
BALLOTS = 100
READY_SECONDS = 120.0
POLL_SECONDS = 0.1
"""How often the indexer looks for a new block, which matters where it has no websocket."""

LOOK_SECONDS = 0.002
"""Pause between two questions to the API."""

LONGEST_PAUSE_SECONDS = 0.4
"""Between two ballots; at random, so that blocks come at any moment between two looks of the indexer's."""


@dataclass(frozen=True)
class Lags:
    """Milliseconds, one for each ballot, ascending."""

    websocket: list[float]
    polling: list[float]


def percentile(values: list[float], percent: int) -> float:
    """Return the least value that so many percent of the values do not exceed. values: ascending."""
    return values[-(-len(values) * percent // 100) - 1]


def measure(chain: Chain, election: Election) -> Lags:
    """Measure over both ways to learn of a block, each when all ballots of the chain are indexed."""
    census = make_census(election)
    return Lags(
        _measure_way(chain, election, census, with_websocket=True),
        _measure_way(chain, election, census, with_websocket=False),
    )


def _measure_way(chain: Chain, election: Election, census: Census, *, with_websocket: bool) -> list[float]:
    chooser = random.Random(1)
    lags = []
    with serve(chain) as devnet, ExitStack() as stack:
        devnet.rpc.call("evm_setAutomine", [False])
        electorate = Electorate(election, census, chain.box, devnet.rpc.chain_id(), 0)
        heads = stack.enter_context(_watch_heads(devnet.url))
        url = devnet.url if with_websocket else stack.enter_context(post_only_proxy(devnet.url))
        api = stack.enter_context(_run_qballot(url))
        path = f"/elections/{checksum_address(chain.box)}"
        _wait_until(lambda: api.get(path).get("records") == chain.ballots)
        for voter in islice(range(election.voters - election.spare, election.voters), BALLOTS):
            time.sleep(chooser.uniform(0, LONGEST_PAUSE_SECONDS))
            last = devnet.rpc.block("latest")
            signed = electorate.sign_direct(voter, last.number)
            heads.clear()
            mine_block(devnet, [signed], last.timestamp + BLOCK_SECONDS)
            _wait_until(partial(_has_ballot, api, f"{path}/ballots?voter={voter}"))
            served = time.perf_counter()
            _wait_until(lambda: heads)
            lags.append((served - heads[last.number + 1]) * 1000)
    return sorted(lags)


def _has_ballot(api: _Api, path: str) -> bool:
    return bool(api.get(path).get("ballots"))


class _Api:
    """A connection to `qballot serve`."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def get(self, path: str) -> dict[str, Any]:
        """Return an answer's JSON, of an error too."""
        self._connection.request("GET", path)
        answer: dict[str, Any] = json.loads(self._connection.getresponse().read())
        return answer


@contextmanager
def _watch_heads(url: str) -> Iterator[dict[int, float]]:
    """Give a dictionary that fills with the moment at which the node announced each block."""
    heads: dict[int, float] = {}
    # Anvil closes without a word.
    with connect(url.replace("http", "ws", 1), close_timeout=0) as socket:
        socket.send('{"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}')
        socket.recv()

        def watch() -> None:
            with suppress(ConnectionClosed):
                for message in socket:
                    now = time.perf_counter()
                    heads[int(json.loads(message)["params"]["result"]["number"], 16)] = now

        watcher = threading.Thread(target=watch)
        watcher.start()
        yield heads
    watcher.join()


@contextmanager
def _run_qballot(rpc_url: str) -> Iterator[_Api]:
    """Run indexer and server as processes of their own over a new SQLite file."""
    with tempfile.TemporaryDirectory(dir=KEPT) as folder, ExitStack() as stack:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("QBALLOT_")}
        settings = {
            "QBALLOT_RPC_URL": rpc_url,
            "QBALLOT_DATABASE_URL": "sqlite:///index.sqlite3",
            "QBALLOT_POLL_SECONDS": str(POLL_SECONDS),
            "QBALLOT_PORT": "0",
        }
        logs = {name: Path(folder) / f"{name}.log" for name in ("index", "serve")}
        for name, log in logs.items():
            with log.open("w") as stderr:
                process = subprocess.Popen([*QBALLOT, name], cwd=folder, env={**kept, **settings}, stderr=stderr)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        served = re.compile(r"is served on (\S+)")
        _wait_until(lambda: served.search(logs["serve"].read_text()))
        found = served.search(logs["serve"].read_text())
        assert found is not None
        yield _Api(found[1])


def _wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"not so within {READY_SECONDS:g} s")
        time.sleep(LOOK_SECONDS)
