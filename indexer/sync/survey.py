"""The same question to every endpoint at once, where it matters what each of them says."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from indexer.sync.aside import run_aside
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.errors import ChainError

GRACE_SECONDS = 3.0
"""How long the others are waited for once one endpoint has answered."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What one endpoint said. name: its own, among the endpoints."""

    name: str
    rpc: Rpc
    value: T


@dataclass(frozen=True, slots=True)
class Survey(Generic[T]):
    """What endpoints said, in their order of preference, and why others did not: errors, by their names."""

    answers: list[Answer[T]]
    errors: dict[str, ChainError]


def ask_all(endpoints: Endpoints, ask: Callable[[Rpc], T], *, without: Collection[Rpc] = ()) -> Survey[T]:
    """Put a question to every endpoint but those `without`. One that is far slower than another is not waited for."""

    def put(rpc: Rpc) -> tuple[Rpc, T | None]:
        return (rpc, None) if rpc in without else (rpc, ask(rpc))

    futures = {
        member.name: run_aside(partial(endpoints.ask, member, put), name=f"survey-{member.name}")
        for member in endpoints.members
    }
    _wait(list(futures.values()))
    answers: list[Answer[T]] = []
    errors: dict[str, ChainError] = {}
    for name, future in futures.items():
        if not future.done():
            continue
        error = future.exception()
        if isinstance(error, ChainError):
            errors[name] = error
            continue
        rpc, value = future.result()
        if value is not None:
            answers.append(Answer(name, rpc, value))
    return Survey(answers, errors)


def _wait(futures: list[Future[tuple[Rpc, T | None]]]) -> None:
    """Wait for all to be done, but not much longer than for the first that brings an answer."""
    pending, deadline = set(futures), float("inf")
    while pending and time.monotonic() < deadline:
        left = None if deadline == float("inf") else max(0.0, deadline - time.monotonic())
        done, pending = wait(pending, timeout=left, return_when=FIRST_COMPLETED)
        if deadline == float("inf") and any(future.exception() is None for future in done):
            deadline = time.monotonic() + GRACE_SECONDS
