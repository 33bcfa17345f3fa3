"""The indexer's measures as Prometheus reads them."""

from __future__ import annotations

import math
import socket
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from scenes import follow, lying_endpoint
from sqlalchemy import Engine

from indexer.metrics import Metrics, serve_metrics
from indexer.storage.model import Block
from indexer.sync import Follower
from qballot.chain.devnet import Devnet
from qballot.chain.transport import OUTCOMES
from qballot.core.types import BlockNumber, Hash32, UnixSeconds
from qballot.errors import ToolError

pytestmark = pytest.mark.integration

NOW = 1_900_000_000.5
NAMES = {
    "qballot_chain_head_block",
    "qballot_chain_head_timestamp_seconds",
    "qballot_indexed_block",
    "qballot_finalized_block",
    "qballot_lag_seconds",
    "qballot_chain_seen_timestamp_seconds",
    "qballot_reorgs",
    "qballot_reorg_depth_blocks",
    "qballot_failures",
    "qballot_logs",
    "qballot_ballots",
    "qballot_rpc_requests",
    "qballot_rpc_request_seconds",
    "qballot_write_seconds",
    "qballot_range_blocks",
    "qballot_leader",
    "qballot_proven_block",
    "qballot_unknown_header_block",
    "qballot_unproven_elections",
    "qballot_witnessed_block",
    "qballot_disagreements",
    "qballot_repairs",
}


def block(number: int) -> Block:
    return Block(BlockNumber(number), Hash32(bytes(32)), UnixSeconds(12 * number))


def read_samples(text: str) -> dict[str, float]:
    """Read Prometheus' text: samples by their name with labels, as one writes them in a query."""
    samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
            samples[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return samples


def tell_range(metrics: Metrics, start: int, end: int, **measures: Any) -> None:
    others: dict[str, Any] = {"logs": 0, "ballots": 0, "write_seconds": 0.1, "range_blocks": 10} | measures
    metrics.range_indexed(start, end, timestamp=block(end).timestamp, fetch_seconds=0.2, **others)


def test_lag__first_catch_up__falls_with_every_range() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, clock=lambda: NOW)
    lags = []
    metrics.chain_seen(block(1_000), None, None)
    lags.append(registry.get_sample_value("qballot_lag_seconds"))
    for start in (0, 400, 800):
        tell_range(metrics, start, min(start + 399, 1_000))
        lags.append(registry.get_sample_value("qballot_lag_seconds"))
    # Meanwhile the chain goes on; then one endpoint is behind another.
    for latest in (1_005, 999):
        metrics.chain_seen(block(latest), block(1_000), None)
        lags.append(registry.get_sample_value("qballot_lag_seconds"))
    assert lags == [math.inf, 12 * 601, 12 * 201, 0, 60, 0]


def test_follower__endpoint_that_names_an_older_final_block__goes_back_with_no_metric(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    devnet.mine(200)
    registry = CollectorRegistry()
    follow(devnet, sqlite_engine, observer=Metrics(registry, clock=lambda: NOW)).sync_once()
    before = registry.get_sample_value("qballot_finalized_block")
    assert before is not None
    older = devnet.rpc.call("eth_getBlockByNumber", [hex(int(before) - 20), False])

    def lag_behind(method: str, params: list[Any], result: Any) -> Any:
        return older if method == "eth_getBlockByNumber" and params[0] == "finalized" else result

    with lying_endpoint(devnet, lag_behind) as rpc:
        Follower(rpc, sqlite_engine, observer=Metrics(registry := CollectorRegistry(), clock=lambda: NOW)).sync_once()
    assert registry.get_sample_value("qballot_finalized_block") == before
    assert registry.get_sample_value("qballot_lag_seconds") == 0


def test_metrics__events__are_served() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, clock=lambda: NOW)
    metrics.leading(True)
    metrics.chain_seen(block(110), block(100), block(46))
    tell_range(metrics, 101, 105, logs=7, ballots=30, write_seconds=0.02, range_blocks=400)
    assert registry.get_sample_value("qballot_lag_seconds") == 60
    tell_range(metrics, 106, 110, logs=1, ballots=1, write_seconds=0.3, range_blocks=450)
    metrics.reorged(3)
    metrics.reorged(64)
    metrics.heads_proven(block(109), 0)
    metrics.heads_proven(block(110), 2)
    metrics.headers_known(107)
    metrics.blocks_witnessed(108, 1)
    metrics.blocks_witnessed(None, 3)
    metrics.repaired(7)
    metrics.failed("the endpoint is away")
    metrics.request_answered("http://127.0.0.1:1", "eth_getLogs", "ok", 0.04)
    metrics.request_answered("http://127.0.0.1:1", "eth_getLogs", "timeout", 20.0)
    with serve_metrics(registry, "127.0.0.1", 0) as url:
        answer = httpx.get(url)
    assert answer.headers["content-type"].startswith("text/plain")
    samples = read_samples(answer.text)
    assert {
        "qballot_leader": 1,
        "qballot_chain_head_block": 110,
        "qballot_chain_head_timestamp_seconds": block(110).timestamp,
        "qballot_indexed_block": 110,
        "qballot_finalized_block": 46,
        "qballot_lag_seconds": 0,
        "qballot_chain_seen_timestamp_seconds": NOW,
        "qballot_logs_total": 8,
        "qballot_ballots_total": 31,
        "qballot_failures_total": 1,
        "qballot_range_blocks": 450,
        "qballot_write_seconds_count": 2,
        "qballot_proven_block": 109,
        "qballot_unproven_elections": 2,
        "qballot_unknown_header_block": 107,
        "qballot_witnessed_block": 108,
        "qballot_disagreements": 3,
        "qballot_repairs_total": 1,
        "qballot_reorgs_total": 2,
        'qballot_reorg_depth_blocks_bucket{le="2.0"}': 0,
        'qballot_reorg_depth_blocks_bucket{le="3.0"}': 1,
        'qballot_reorg_depth_blocks_bucket{le="64.0"}': 2,
        'qballot_rpc_requests_total{endpoint="http://127.0.0.1:1",method="eth_getLogs",outcome="ok"}': 1,
        'qballot_rpc_requests_total{endpoint="http://127.0.0.1:1",method="eth_getLogs",outcome="timeout"}': 1,
        'qballot_rpc_request_seconds_count{endpoint="http://127.0.0.1:1",method="eth_getLogs"}': 2,
    }.items() <= samples.items()
    assert samples["process_resident_memory_bytes"] > 0


def test_metrics__names_and_document__are_the_same(request: pytest.FixtureRequest) -> None:
    registry = CollectorRegistry()
    Metrics(registry, clock=lambda: 0.0)
    families = {family.name: family.type for family in registry.collect() if family.name.startswith("qballot_")}
    assert families.keys() == NAMES
    document = (request.config.rootpath / "docs" / "operating.md").read_text(encoding="utf-8")
    for name, kind in families.items():
        assert f"| `{name}{'_total' if kind == 'counter' else ''}" in document
    for outcome, _ in OUTCOMES:
        assert f"`{outcome}`" in document


def test_metrics__two_of_them__do_not_share_a_registry() -> None:
    first, second = (Metrics(CollectorRegistry(), clock=lambda: 0.0) for _ in range(2))
    first.reorged(1)
    assert second.registry.get_sample_value("qballot_reorgs_total") == 0


def test_metrics__port_taken_or_no_host__is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ToolError, match=f"cannot serve metrics on 127.0.0.1 port {port}: Address already in use"),
            serve_metrics(CollectorRegistry(), "127.0.0.1", port),
        ):
            raise AssertionError
    with (
        pytest.raises(ToolError, match=r"cannot serve metrics on nohost\.invalid"),
        serve_metrics(CollectorRegistry(), "nohost.invalid", 0),
    ):
        raise AssertionError


def test_metrics__once_ended__port_is_free_again() -> None:
    with serve_metrics(CollectorRegistry(), "127.0.0.1", 0) as url:
        port = int(url.rsplit(":", 1)[1].split("/")[0])
    with serve_metrics(CollectorRegistry(), "127.0.0.1", port) as again:
        assert httpx.get(again).status_code == 200
