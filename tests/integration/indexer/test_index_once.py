"""`qballot index --once`, whose exit status has to tell cron whether it came to the latest block."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from bad_endpoint import respond, run_bad_endpoint
from index_process import opened, run_indexer
from scenes import hold_election

from indexer.storage.repository import Repository
from qballot.chain.devnet import Devnet

pytestmark = pytest.mark.integration


@contextmanager
def forward(devnet: Devnet, decide: Callable[[Any], tuple[Any, str] | None]) -> Iterator[str]:
    """Run an endpoint that hands requests on to the local chain, unless it is to answer otherwise. Gives its URL."""
    with httpx.Client() as client:

        def reply(request: Any) -> bytes:
            other = decide(request)
            if other is not None:
                return respond(other[0], other[1], request)
            return respond(client.post(devnet.url, json=request).json(), "200 OK", None)

        with run_bad_endpoint(reply) as endpoint:
            yield endpoint.url


def test_index__once_and_stopped_on_the_way__says_so_and_fails(devnet: Devnet, tmp_path: Path) -> None:
    hold_election(devnet)
    asked, goes_on = threading.Event(), threading.Event()

    def hold_back(request: Any) -> None:
        if isinstance(request, dict) and request["method"] == "eth_getLogs":
            asked.set()
            goes_on.wait(20)

    with forward(devnet, hold_back) as url, run_indexer(tmp_path, "--once", "--rpc-url", url) as indexer:
        assert asked.wait(20)
        indexer.process.send_signal(signal.SIGTERM)
        _, said = indexer.process.communicate(timeout=20)
        goes_on.set()
    assert indexer.process.returncode == 1, said
    latest = devnet.rpc.block("latest").number
    assert f"qballot: stopped at no block of {latest:,}: the index is whole as far as it goes; run the same" in said
    assert "Traceback" not in said


def test_index__once_and_asked_for_patience_while_the_other_endpoint_is_down__waits(
    devnet: Devnet, tmp_path: Path
) -> None:
    hold_election(devnet)
    refused = []

    def slow_down(request: Any) -> tuple[Any, str] | None:
        if refused or not isinstance(request, dict) or request["method"] != "eth_getLogs":
            return None
        refused.append(request)
        said = {"code": -32005, "message": "request rate exceeded", "data": {"rate": {"backoff_seconds": 2}}}
        return {"jsonrpc": "2.0", "id": "$id", "error": said}, "429 Too Many Requests"

    with (
        forward(devnet, slow_down) as url,
        run_indexer(tmp_path, "--once", "--rpc-url", f"{url} http://127.0.0.1:9/") as indexer,
    ):
        _, said = indexer.process.communicate(timeout=40)
    assert refused, said
    assert indexer.process.returncode == 0, said
    assert '"event": "caught up"' in said
    with opened(f"sqlite:///{tmp_path / 'qballot.sqlite3'}") as engine, Repository(engine).snapshot() as snapshot:
        assert snapshot.count_contents().records == 6
