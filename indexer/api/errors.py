"""The one shape of every error, `{"type", "detail"}` or a page, and the only place that knows status codes.

Nothing that a driver, an endpoint or a traceback says is ever repeated to a client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from indexer.api.deps import Services
from indexer.api.headers import SECURITY_HEADERS
from indexer.journal import get_journal
from indexer.results import NoReceiptError, NotReadyError
from qballot.errors import InputError, StorageError

_TYPES = {
    404: "not_found",
    405: "method_not_allowed",
    409: "not_proven",
    422: "invalid_request",
    503: "unavailable",
}
_DETAILS = {404: "there is nothing at this path", 405: "this path answers to GET and HEAD alone"}

_log = get_journal("api")


class ExplainedError(HTTPException):
    """An answer that is not what was asked for; `detail` says why, and is shown as it is."""


class MissingError(ExplainedError):
    """What was asked for is not here; `detail` says what."""

    def __init__(self, detail: str) -> None:
        super().__init__(404, detail)


class UnprovenError(ExplainedError):
    """There is no evidence, since the result is not proven; `detail` says why."""

    def __init__(self, detail: str) -> None:
        super().__init__(409, detail)


class ElectionNotFoundError(MissingError):
    """The index holds no election at an address."""

    def __init__(self) -> None:
        super().__init__("this index holds no election at this address")


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of the application one of our shape.

    The handlers are `async`, though nothing waits: they would need a thread of the server's otherwise.
    """
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(InputError, _answer_input_error)
    app.add_exception_handler(NotReadyError, _answer_not_ready)
    app.add_exception_handler(NoReceiptError, _answer_no_receipt)
    app.add_exception_handler(StorageError, _answer_storage_error)
    app.add_exception_handler(Exception, _answer_unexpected)


def make_error(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Make an error response: a page where pages are, JSON everywhere else."""
    if request.url.path == "/" or request.url.path.startswith("/e/"):
        pages = cast(Services, request.app.state.services).pages
        return HTMLResponse(pages.render_error(status, detail), status, headers)
    kind = _TYPES.get(status, "error" if status < 500 else "internal")
    return JSONResponse({"type": kind, "detail": detail}, status, headers)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    own = isinstance(error, ExplainedError)
    detail = error.detail if own else _DETAILS.get(error.status_code, error.detail)
    headers = {"allow": "GET, HEAD"} if error.status_code == 405 else dict(error.headers or {})
    return make_error(request, error.status_code, detail, headers)


async def _answer_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
    return make_error(request, 422, "; ".join(problems))


async def _answer_input_error(request: Request, error: Exception) -> Response:
    return make_error(request, 422, str(error))


async def _answer_not_ready(request: Request, error: Exception) -> Response:
    if not isinstance(error, NotReadyError):
        raise error
    return make_error(request, 503, str(error), {"retry-after": str(error.retry_after_seconds)})


async def _answer_no_receipt(request: Request, error: Exception) -> Response:
    # Its words are our own: what an endpoint said is in the log.
    return make_error(request, 503, str(error))


async def _answer_storage_error(request: Request, error: Exception) -> Response:
    _log.error("index not readable", path=request.url.path, problem=str(error))
    return make_error(request, 503, "the index cannot be read at the moment")


async def _answer_unexpected(request: Request, error: Exception) -> Response:
    # This answer is made outside of the middleware that sets these headers elsewhere.
    _log.error("request failed", path=request.url.path, exc_info=error)
    return make_error(request, 500, "something went wrong here; it has been logged", SECURITY_HEADERS)
