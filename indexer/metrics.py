"""What the indexer measures of itself, in Prometheus' form, and the small server that is asked for it.

Names and units follow Prometheus' habit: counters end in `_total`, times are in seconds, sizes say of what. Counters
begin at 0 with every process; heights are the chain's. docs/operating.md says what to watch for.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, start_http_server

from qballot.errors import ToolError

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of what is timed: from a local node's answer to the longest deadline."""

REORG_BLOCKS = (1, 2, 3, 5, 8, 13, 21, 34, 64, 128)
"""Upper bounds of a reorganisation's depth; 64 blocks are two of Ethereum's epochs, after which a block is final."""


class Height(Protocol):
    """A block, as far as its place and time in the chain go."""

    @property
    def number(self) -> int:
        """The block's height."""

    @property
    def timestamp(self) -> int:
        """Unix seconds by the chain's clock."""


class Metrics:
    """The indexer's measures, kept in a registry of the caller's. Hears the indexer as its observer.

    clock: the machine's, for the moment at which the chain was last seen. Safe to share between threads.
    """

    def __init__(self, registry: CollectorRegistry, *, clock: Callable[[], float]) -> None:
        self.registry = registry
        self._clock = clock
        self._latest_timestamp: int | None = None
        ProcessCollector(registry=registry)
        self._make_heights(registry)
        self._make_counts(registry)
        self._make_timings(registry)

    def _make_heights(self, registry: CollectorRegistry) -> None:
        self._head = Gauge("qballot_chain_head_block", "The endpoint's latest block.", registry=registry)
        self._head_time = Gauge(
            "qballot_chain_head_timestamp_seconds", "The latest block's own time.", registry=registry
        )
        self._indexed = Gauge("qballot_indexed_block", "The last block whose ballots are all kept.", registry=registry)
        self._finalized = Gauge("qballot_finalized_block", "The last block called finalized.", registry=registry)
        self._lag = Gauge(
            "qballot_lag_seconds", "From the indexed block to the latest, by the chain's clock.", registry=registry
        )
        self._seen = Gauge(
            "qballot_chain_seen_timestamp_seconds", "When an endpoint last named its latest block.", registry=registry
        )
        self._leader = Gauge("qballot_leader", "1 while this indexer writes, 0 while it stands by.", registry=registry)
        self._range = Gauge("qballot_range_blocks", "Blocks that are now asked for at once.", registry=registry)

        self._proven = Gauge(
            "qballot_proven_block", "The last block at which all heads that were due were proven.", registry=registry
        )
        self._unproven = Gauge("qballot_unproven_elections", "Elections whose head is not proven.", registry=registry)
        self._unknown_header = Gauge(
            "qballot_unknown_header_block",
            "The first block whose header has a form that is unknown here; 0 while all are known.",
            registry=registry,
        )
        self._witnessed = Gauge(
            "qballot_witnessed_block", "The newest block of a proof that enough operators name.", registry=registry
        )
        self._contradicted = Gauge(
            "qballot_disagreements", "Blocks of proofs that an operator contradicts.", registry=registry
        )

    def _make_counts(self, registry: CollectorRegistry) -> None:
        self._logs = Counter("qballot_logs", "Logs that were read and kept.", registry=registry)
        self._ballots = Counter("qballot_ballots", "Ballots that were read and kept.", registry=registry)
        self._failures = Counter("qballot_failures", "Failures that were waited out.", registry=registry)
        self._reorgs = Counter("qballot_reorgs", "Reorganisations that were followed.", registry=registry)
        self._depth = Histogram(
            "qballot_reorg_depth_blocks", "Blocks that each took away.", registry=registry, buckets=REORG_BLOCKS
        )
        self._repairs = Counter(
            "qballot_repairs", "Elections whose records were put right by a proof.", registry=registry
        )
        self._requests = Counter(
            "qballot_rpc_requests",
            "HTTP requests to endpoints, by what became of them.",
            ("endpoint", "method", "outcome"),
            registry=registry,
        )

    def _make_timings(self, registry: CollectorRegistry) -> None:
        self._request_seconds = Histogram(
            "qballot_rpc_request_seconds",
            "How long each HTTP request to an endpoint took.",
            ("endpoint", "method"),
            registry=registry,
            buckets=SECONDS,
        )
        self._write_seconds = Histogram(
            "qballot_write_seconds",
            "How long each transaction on the database took.",
            registry=registry,
            buckets=SECONDS,
        )

    def request_answered(self, endpoint: str, method: str, outcome: str, seconds: float) -> None:
        """Note one HTTP request to an endpoint. endpoint: its masked name. outcome: one of a few words."""
        self._requests.labels(endpoint, method, outcome).inc()
        self._request_seconds.labels(endpoint, method).observe(seconds)

    def chain_seen(self, latest: Height, indexed: Height | None, finalized: Height | None) -> None:
        """Note how far the chain is, and how far the index."""
        self._seen.set(self._clock())
        self._latest_timestamp = latest.timestamp
        self._head.set(latest.number)
        self._head_time.set(latest.timestamp)
        if indexed is not None:
            self._indexed.set(indexed.number)
        self._set_lag(None if indexed is None else indexed.timestamp)
        if finalized is not None:
            self._finalized.set(finalized.number)

    def range_indexed(
        self,
        start: int,  # noqa: ARG002
        end: int,
        *,
        timestamp: int,
        logs: int,
        ballots: int,
        fetch_seconds: float,  # noqa: ARG002
        write_seconds: float,
        range_blocks: int,
    ) -> None:
        """Note a range of blocks that was written. timestamp: its last one's. range_blocks: how many are next."""
        self._indexed.set(end)
        self._set_lag(timestamp)
        self._logs.inc(logs)
        self._ballots.inc(ballots)
        self._write_seconds.observe(write_seconds)
        self._range.set(range_blocks)

    def reorged(self, depth: int) -> None:
        """Note a reorganisation that took away so many blocks."""
        self._reorgs.inc()
        self._depth.observe(depth)

    def heads_proven(self, at: Height, unproven: int) -> None:
        """Note how far heads are proven, and how many are not."""
        self._unproven.set(unproven)
        if not unproven:
            self._proven.set(at.number)

    def headers_known(self, unknown_since: int | None) -> None:
        """Note since which block headers are unknown."""
        self._unknown_header.set(0 if unknown_since is None else unknown_since)

    def blocks_witnessed(self, newest: int | None, contradicted: int) -> None:
        """Note how far proofs are witnessed, and how many are contradicted."""
        self._contradicted.set(contradicted)
        if newest is not None:
            self._witnessed.set(newest)

    def repaired(self, records: int) -> None:  # noqa: ARG002
        """Note an election that was put right."""
        self._repairs.inc()

    def leading(self, leads: bool) -> None:
        """Note whether this indexer writes."""
        self._leader.set(leads)

    def failed(self, what: str) -> None:  # noqa: ARG002
        """Note a failure that will be waited out."""
        self._failures.inc()

    def _set_lag(self, indexed_timestamp: int | None) -> None:
        """Set how far the index is behind: for ever, as long as there is none."""
        if indexed_timestamp is None:
            self._lag.set(math.inf)
        elif self._latest_timestamp is not None:
            self._lag.set(max(0, self._latest_timestamp - indexed_timestamp))


@contextmanager
def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> Iterator[str]:
    """Answer Prometheus over HTTP in threads of its own; give the URL. port: 0 takes any free one.

    Raises ToolError when the address is taken or not this machine's.
    """
    try:
        server, thread = start_http_server(port, host, registry)
    except (OSError, socket.gaierror) as error:
        problem = error.strerror or str(error)
        raise ToolError(
            f"cannot serve metrics on {host} port {port}: {problem}; choose another with --metrics-port"
        ) from error
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
