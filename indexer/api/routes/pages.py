"""The pages: a list of elections, and each one's result. Their errors are pages too (see `indexer/api/errors.py`)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from indexer.api.deps import ServicesDep
from indexer.api.routes.elections import MAX_CURSOR
from qballot.core.address import parse_address
from qballot.errors import InputError

ELECTIONS_A_PAGE = 25

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
def show_home(services: ServicesDep, after: Annotated[int | None, Query(ge=1, le=MAX_CURSOR)] = None) -> HTMLResponse:
    """List the elections, the newest first."""
    page = services.results.find_elections(limit=ELECTIONS_A_PAGE, before=after)
    return HTMLResponse(services.pages.render_home(page))


@router.get("/e/{box}")
def show_election(box: str, services: ServicesDep) -> HTMLResponse:
    """Show one election with its result."""
    try:
        answer = services.results.find_counted(parse_address(box))
    except InputError:
        answer = None
    if answer is None:
        return HTMLResponse(services.pages.render_not_found(), 404)
    return HTMLResponse(services.pages.render_election(answer), headers={"cache-control": "no-cache"})
