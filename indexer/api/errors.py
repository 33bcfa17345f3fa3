"""The one shape of every error, `{"type", "detail"}`, and the only place that knows status codes.

Nothing that a driver, an endpoint or a traceback says is ever repeated to a client.
"""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from indexer.api.headers import SECURITY_HEADERS
from indexer.sync.journal import get_journal
from qballot.errors import InputError, StorageError

_TYPES = {404: "not_found", 405: "method_not_allowed", 422: "invalid_request", 503: "unavailable"}
_DETAILS = {404: "there is nothing at this path", 405: "this path answers to GET alone"}

_log = get_journal("api")


class MissingError(HTTPException):
    """What was asked for is not here; `detail` says what."""

    def __init__(self, detail: str) -> None:
        super().__init__(404, detail)


class ElectionNotFoundError(MissingError):
    """The index holds no election at an address."""

    def __init__(self) -> None:
        super().__init__("this index holds no election at this address")


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of the application one of our shape."""
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(InputError, _answer_input_error)
    app.add_exception_handler(StorageError, _answer_storage_error)
    app.add_exception_handler(Exception, _answer_unexpected)


def make_error(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Make an error response."""
    kind = _TYPES.get(status, "error" if status < 500 else "internal")
    return JSONResponse({"type": kind, "detail": detail}, status, headers)


def _answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    own = isinstance(error, MissingError)
    detail = error.detail if own else _DETAILS.get(error.status_code, error.detail)
    return make_error(error.status_code, detail, dict(error.headers or {}))


def _answer_validation_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
    return make_error(422, "; ".join(problems))


def _answer_input_error(_request: Request, error: Exception) -> JSONResponse:
    return make_error(422, str(error))


def _answer_storage_error(request: Request, error: Exception) -> JSONResponse:
    _log.error("index not readable", path=request.url.path, problem=str(error))
    return make_error(503, "the index cannot be read at the moment")


def _answer_unexpected(request: Request, error: Exception) -> JSONResponse:
    # This answer is made outside of the middleware that sets these headers elsewhere.
    _log.error("request failed", path=request.url.path, exc_info=error)
    return make_error(500, "something went wrong here; it has been logged", dict(SECURITY_HEADERS))
