"""What routes are given: the services, and parameters that are checked before a route runs.

All of it is `async`, though nothing waits: FastAPI would spend a thread of the server's on each otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from anyio import CapacityLimiter
from fastapi import Depends, Path, Request

from indexer.api.downloads import Downloads
from indexer.api.pages import Pages
from indexer.results import Electorates, Receipts, Results
from indexer.storage.repository import Repository
from qballot.core.address import parse_address
from qballot.core.types import Address


@dataclass(frozen=True, slots=True)
class Services:
    """All that the application's routes work with; made once by `build_app`.

    health_threads: threads of their own for questions about health, which so never wait for other requests.
    receipt_threads: those that ask endpoints for receipts.
    """

    repository: Repository
    results: Results
    electorates: Electorates
    downloads: Downloads
    receipts: Receipts
    pages: Pages
    clock: Callable[[], float]
    max_silence_seconds: float
    max_lag_blocks: int
    health_threads: CapacityLimiter
    receipt_threads: CapacityLimiter


async def get_services(request: Request) -> Services:
    """Return the application's services."""
    return cast(Services, request.app.state.services)


async def get_results(request: Request) -> Results:
    """Return the application's answers about elections."""
    return (await get_services(request)).results


async def get_electorates(request: Request) -> Electorates:
    """Return the application's answers about who may vote."""
    return (await get_services(request)).electorates


async def parse_box(
    box: Annotated[
        str,
        Path(
            description="Address of the election's ballot box; mixed case must be the EIP-55 checksum.",
            examples=["0x5FbDB2315678afecb367f032d93F642f64180aa3"],
        ),
    ],
) -> Address:
    """Read the address in a path. Raises InputError."""
    return parse_address(box)


async def parse_voter(
    address: Annotated[
        str,
        Path(
            description="Address of a voter; mixed case must be the EIP-55 checksum.",
            examples=["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"],
        ),
    ],
) -> Address:
    """Read a voter's address in a path. Raises InputError."""
    return parse_address(address)


ServicesDep = Annotated[Services, Depends(get_services)]
ResultsDep = Annotated[Results, Depends(get_results)]
ElectoratesDep = Annotated[Electorates, Depends(get_electorates)]
BoxDep = Annotated[Address, Depends(parse_box)]
VoterDep = Annotated[Address, Depends(parse_voter)]
