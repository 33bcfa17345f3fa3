"""The application: everything it needs is passed in, nothing lives at module level."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import CapacityLimiter
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from sqlalchemy import Engine

from indexer.api.deps import Services
from indexer.api.downloads import Downloads
from indexer.api.errors import install_error_handlers
from indexer.api.head_requests import HeadRequests
from indexer.api.headers import SecurityHeaders
from indexer.api.pages import Pages
from indexer.api.routes import elections, evidence, health, pages
from indexer.api.schema_parts import ErrorBody
from indexer.results import Electorates, EvidenceFiles, EvidenceSource, Receipts, Results
from indexer.storage.engine import open_database
from indexer.storage.ledger import Ledger
from indexer.storage.repository import Repository
from qballot import __version__
from qballot.chain.endpoints import Endpoints
from qballot.endpoint_list import NEEDED_OPERATORS
from qballot.settings import Settings

DESCRIPTION = """\
Elections on Ethereum whose result anyone can check without trusting whoever serves it.

Read-only. Numbers that may not fit in 64 bits are decimal text, bytes are 0x-hex, addresses carry their EIP-55
checksum, times are Unix seconds by the chain's clock. Every answer names the block that it is true at.
"""

MIN_SILENCE_SECONDS = 60.0
"""How long the indexer may be silent before `/health/ready` says no; longer where it is set to look less often."""

MAX_LAG_BLOCKS = 10
"""How many blocks the index may be behind before `/health/ready` says no."""

HEALTH_THREADS = 2

RECEIPT_THREADS = 2
"""Requests for receipts that ask an endpoint at once."""


def create_app(settings: Settings) -> FastAPI:
    """Open the settings' database and build the application over it; their endpoints are asked for receipts alone.

    Raises StorageError.
    """
    return build_app(
        open_database(settings.database_url),
        endpoints=Endpoints.at(settings.endpoints, settings.rpc_timeout_seconds),
        needed=settings.witnesses,
        max_silence_seconds=max(MIN_SILENCE_SECONDS, 3 * settings.poll_seconds),
    )


def build_app(
    engine: Engine,
    *,
    endpoints: Endpoints | None = None,
    needed: int = NEEDED_OPERATORS,
    max_silence_seconds: float = MIN_SILENCE_SECONDS,
    max_lag_blocks: int = MAX_LAG_BLOCKS,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """Build the application over an open database, whose connections are closed when it ends.

    endpoints: what ballots' receipts are made from, closed likewise; without them none are made. needed: how many
    different operators must name a block's hash for what is proved at it to be witnessed.
    max_silence_seconds, max_lag_blocks: how long ago the indexer may have looked at the chain, and how far the index
    may be behind, for `/health/ready` to say yes. clock: the machine's, for that alone.
    """

    repository, ledger = Repository(engine), Ledger(engine)
    files = EvidenceFiles(EvidenceSource(repository, ledger, needed=needed))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        files.close()
        if endpoints is not None:
            endpoints.close()
        engine.dispose()

    app = FastAPI(
        title="QBallot",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        # The usual documentation pages load scripts from elsewhere, which our security headers forbid.
        docs_url=None,
        redoc_url=None,
        responses={
            422: {"model": ErrorBody, "description": "The request is not as it should be"},
            503: {"model": ErrorBody, "description": "The index does not answer at the moment"},
        },
    )
    app.state.services = Services(
        repository=repository,
        results=Results(repository, needed=needed),
        electorates=Electorates(repository, ledger),
        downloads=Downloads(files),
        receipts=Receipts(repository, endpoints),
        pages=Pages(),
        clock=clock,
        max_silence_seconds=max_silence_seconds,
        max_lag_blocks=max_lag_blocks,
        health_threads=CapacityLimiter(HEALTH_THREADS),
        receipt_threads=CapacityLimiter(RECEIPT_THREADS),
    )
    install_error_handlers(app)
    app.add_middleware(HeadRequests)
    app.add_middleware(SecurityHeaders)
    for part in (elections.router, evidence.router, health.router, pages.router):
        app.include_router(part)
    app.mount("/static", StaticFiles(packages=[("indexer.api", "static")]), name="static")
    return app
