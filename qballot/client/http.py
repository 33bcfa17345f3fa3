"""GET over HTTP to one server that may be slow, wrong or broken: whole answers within a deadline, or an ApiError.

What has an ETag is kept and asked for again with it, so that an answer that has not changed is not sent again.
"""

from __future__ import annotations

import http
import time
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import NamedTuple
from urllib.parse import SplitResult, urlencode, urlsplit

import msgspec

from qballot.errors import ApiError, ApiNotFoundError, ApiRequestError, InputError
from qballot.http_exchange import RETRYABLE_STATUSES, HttpPool, Reply, parse_retry_after, try_again

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""More than any page of the API; beyond it a broken server fills the memory."""

MAX_KEPT_ANSWERS = 64
"""Answers that are kept for their ETag."""


class Response(NamedTuple):
    """A whole answer. status: HTTP's. body: as it was sent, or kept from before where nothing has changed."""

    status: int
    body: bytes


class _Problem(msgspec.Struct):
    """The one shape of the API's errors."""

    type: str
    detail: str


class _Kept(NamedTuple):
    etag: str
    body: bytes


class Connection:
    """A pool of connections to one server. Safe to share between threads; close it when done.

    url: http(s)://host[:port][/prefix]. timeout_seconds: how long one answer may take in all, further tries included.
    Raises InputError for another kind of URL.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        parts = _split(url)
        self.name = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self.timeout_seconds = timeout_seconds
        self._prefix = parts.path.rstrip("/")
        self._pool = HttpPool(parts.scheme, str(parts.hostname), parts.port)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = Lock()

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def get(self, path: str, query: Mapping[str, object], accept: frozenset[int] = frozenset()) -> Response:
        """Ask for a path. accept: further statuses than 200 whose answer is returned as it is.

        query: values of None are left out. Raises ApiError.
        """
        asked = {name: str(value) for name, value in query.items() if value is not None}
        target = self._prefix + path + (f"?{urlencode(asked)}" if asked else "")
        return try_again(lambda deadline: self._get_once(target, deadline, accept), self.timeout_seconds)

    def _get_once(self, target: str, deadline: float, accept: frozenset[int]) -> Response:
        headers = {"Accept": "application/json"}
        with self._lock:
            kept = self._kept.get(target)
        if kept is not None:
            headers["If-None-Match"] = kept.etag
        reply = self._request(target, headers, deadline)
        if reply.status == http.HTTPStatus.NOT_MODIFIED and kept is not None:
            return Response(200, kept.body)
        if reply.status == http.HTTPStatus.OK:
            self._keep(target, reply.headers.get("etag"), reply.body)
        elif reply.status not in accept:
            raise explain_refusal(self.name, reply.status, reply.headers, reply.body)
        return Response(reply.status, reply.body)

    def _keep(self, target: str, etag: str | None, body: bytes) -> None:
        if etag is not None:
            with self._lock:
                self._kept[target] = _Kept(etag, body)
                self._kept.move_to_end(target)
                if len(self._kept) > MAX_KEPT_ANSWERS:
                    self._kept.popitem(last=False)

    def _request(self, target: str, headers: dict[str, str], deadline: float) -> Reply:
        remaining = deadline - time.monotonic()
        reply = self._pool.send("GET", target, headers, timeout_seconds=remaining, max_bytes=MAX_ANSWER_BYTES)
        if isinstance(reply, Reply):
            return reply
        if reply.kind == "too_large":
            message = f"found an answer of more than {MAX_ANSWER_BYTES} bytes, expected fewer"
            raise ApiError(self.name, "unreadable", message)
        problem = f"the connection failed ({reply.detail})"
        if reply.kind == "timeout":
            problem = f"no answer within {self.timeout_seconds:g} s"
        raise ApiError(self.name, "unreachable", problem, retryable=True)


def explain_refusal(server: str, status: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    """Make an error of an answer with a status that was not wanted. headers: their names in lower case."""
    wait = parse_retry_after(headers.get("retry-after"))
    retryable = status in RETRYABLE_STATUSES
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = f"found HTTP status {status} and no error of QBallot's API"
        return ApiError(server, "unreadable", message, retryable=retryable, retry_after_seconds=wait)
    kinds = {404: ApiNotFoundError, 422: ApiRequestError}
    kind = kinds.get(status, ApiError)
    return kind(server, problem.type, problem.detail[:2000], retryable=retryable, retry_after_seconds=wait)


def _split(url: str) -> SplitResult:
    wanted = "expected http(s)://host[:port][/prefix]"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InputError(f"found an API URL that cannot be read, {wanted}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
        raise InputError(f"found an API URL of another form, {wanted}")
    return parts
