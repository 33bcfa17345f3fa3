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
from indexer.api.errors import install_error_handlers
from indexer.api.head_requests import HeadRequests
from indexer.api.headers import SecurityHeaders
from indexer.api.pages import Pages
from indexer.api.routes import elections, health, pages
from indexer.api.schemas import ErrorBody
from indexer.results import Electorates, Results
from indexer.storage.engine import open_database
from indexer.storage.ledger import Ledger
from indexer.storage.repository import Repository
from qballot import __version__
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


def create_app(settings: Settings) -> FastAPI:
    """Open the settings' database and build the application over it. Raises StorageError."""
    silence = max(MIN_SILENCE_SECONDS, 3 * settings.poll_seconds)
    return build_app(open_database(settings.database_url), max_silence_seconds=silence)


def build_app(
    engine: Engine,
    *,
    max_silence_seconds: float = MIN_SILENCE_SECONDS,
    max_lag_blocks: int = MAX_LAG_BLOCKS,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """Build the application over an open database, whose connections are closed when it ends.

    max_silence_seconds, max_lag_blocks: how long ago the indexer may have looked at the chain, and how far the index
    may be behind, for `/health/ready` to say yes. clock: the machine's, for that alone.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
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
    repository = Repository(engine)
    app.state.services = Services(
        repository=repository,
        results=Results(repository),
        electorates=Electorates(repository, Ledger(engine)),
        pages=Pages(),
        clock=clock,
        max_silence_seconds=max_silence_seconds,
        max_lag_blocks=max_lag_blocks,
        health_threads=CapacityLimiter(HEALTH_THREADS),
    )
    install_error_handlers(app)
    app.add_middleware(HeadRequests)
    app.add_middleware(SecurityHeaders)
    for part in (elections.router, health.router, pages.router):
        app.include_router(part)
    app.mount("/static", StaticFiles(packages=[("indexer.api", "static")]), name="static")
    return app
