"""Whether the process lives, and whether the index is close behind its chain.

Neither waits for the threads that all other requests share: these may all be at work when health is asked about.
"""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter, Response

from indexer.api.deps import ServicesDep
from indexer.api.readiness import measure_lag
from indexer.api.schemas import AliveBody, NotReadyBody, ReadyBody

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def read_live() -> AliveBody:
    """The process answers; nothing else is asked."""
    return AliveBody(status="alive")


@router.get(
    "/ready", responses={503: {"model": NotReadyBody, "description": "No index, a silent indexer, or too far behind"}}
)
async def read_ready(services: ServicesDep, response: Response) -> ReadyBody | NotReadyBody:
    """The index is close behind its chain and the indexer is at work: lag in blocks and in seconds."""
    answer = await to_thread.run_sync(measure_lag, services, limiter=services.health_threads)
    response.status_code = 200 if isinstance(answer, ReadyBody) else 503
    return answer
