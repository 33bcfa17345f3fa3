"""How far the index is behind its chain, and whether that will do.

The API asks no endpoint: the indexer notes at every look at the chain what it saw and when, by its machine's clock.
"""

from __future__ import annotations

from typing import Any

from indexer.api.deps import Services
from indexer.api.schemas import NotReadyBody, ReadyBody
from indexer.storage.model import Block, ChainObservation


def measure_lag(services: Services) -> ReadyBody | NotReadyBody:
    """Compare the index with what the indexer last saw. Raises StorageError when the index cannot be read."""
    with services.repository.snapshot() as snapshot:
        cursor = snapshot.load_cursor()
        observation = snapshot.load_observation()
    indexed = None if cursor is None else cursor.block
    numbers = _numbers(indexed, observation, services.clock())
    problem = _find_problem(services, numbers)
    if problem is not None:
        return NotReadyBody(type="unavailable", detail=problem, **numbers)
    return ReadyBody(status="ready", **numbers)


def _numbers(indexed: Block | None, observation: ChainObservation | None, now: float) -> dict[str, Any]:
    lag_blocks = lag_seconds = None
    if indexed is not None and observation is not None:
        lag_blocks = max(0, observation.head.number - indexed.number)
        lag_seconds = max(0, observation.head.timestamp - indexed.timestamp)
    return {
        "indexed_block": None if indexed is None else indexed.number,
        "chain_block": None if observation is None else observation.head.number,
        "lag_blocks": lag_blocks,
        "lag_seconds": lag_seconds,
        "silent_seconds": None if observation is None else round(max(0.0, now - observation.observed_at_unix), 1),
    }


def _find_problem(services: Services, numbers: dict[str, Any]) -> str | None:
    if numbers["lag_blocks"] is None:
        return "nothing is indexed yet"
    if numbers["lag_blocks"] > services.max_lag_blocks:
        return f"the index is {numbers['lag_blocks']} blocks behind its chain"
    if numbers["silent_seconds"] > services.max_silence_seconds:
        return f"the indexer has not looked at the chain for {numbers['silent_seconds']:.0f} seconds"
    return None
