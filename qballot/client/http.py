"""GET over HTTP to one server that may be slow, wrong or broken: whole answers within a deadline, or an ApiError.

What has an ETag is kept and asked for again with it, so that an answer that has not changed is not sent again.
"""

from __future__ import annotations

import http.client
import itertools
import random
import time
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import NamedTuple
from urllib.parse import SplitResult, urlencode, urlsplit

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as UrllibTimeoutError

from qballot.errors import ApiError, ApiNotFoundError, ApiRequestError, InputError

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""More than any page of the API; beyond it a broken server fills the memory."""

MAX_KEPT_ANSWERS = 64
"""Answers that are kept for their ETag."""

ATTEMPTS = 3
"""How often a request is tried in all, within its deadline."""

FIRST_PAUSE_SECONDS = 0.25
"""Upper end of the random pause after the first failure; it doubles with each further one."""

READ_CHUNK_BYTES = 256 * 1024

RETRYABLE_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


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
        pool_class = urllib3.HTTPSConnectionPool if parts.scheme == "https" else urllib3.HTTPConnectionPool
        self._pool = pool_class(str(parts.hostname), parts.port, maxsize=8)
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
        deadline = time.monotonic() + self.timeout_seconds
        for attempt in itertools.count(1):
            try:
                return self._get_once(target, deadline, accept)
            except ApiError as error:
                pause = random.uniform(0.1, 1) * FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)  # noqa: S311 # jitter only
                if not error.retryable or attempt == ATTEMPTS or time.monotonic() + pause >= deadline:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _get_once(self, target: str, deadline: float, accept: frozenset[int]) -> Response:
        headers = {"Accept": "application/json"}
        with self._lock:
            kept = self._kept.get(target)
        if kept is not None:
            headers["If-None-Match"] = kept.etag
        status, etag, body = self._request(target, headers, deadline)
        if status == http.HTTPStatus.NOT_MODIFIED and kept is not None:
            return Response(200, kept.body)
        if status == http.HTTPStatus.OK:
            self._keep(target, etag, body)
        elif status not in accept:
            raise self._refused(status, body)
        return Response(status, body)

    def _keep(self, target: str, etag: str | None, body: bytes) -> None:
        if etag is not None:
            with self._lock:
                self._kept[target] = _Kept(etag, body)
                self._kept.move_to_end(target)
                if len(self._kept) > MAX_KEPT_ANSWERS:
                    self._kept.popitem(last=False)

    def _request(self, target: str, headers: Mapping[str, str], deadline: float) -> tuple[int, str | None, bytes]:
        remaining = deadline - time.monotonic()
        try:
            if remaining <= 0:
                raise TimeoutError
            response = self._pool.urlopen(
                "GET",
                target,
                headers=headers,
                retries=False,
                redirect=False,
                timeout=urllib3.Timeout(total=remaining),
                preload_content=False,
            )
            try:
                return response.status, response.headers.get("etag"), self._read_body(response, deadline)
            except BaseException:
                response.close()
                raise
            finally:
                response.release_conn()
        except (HTTPError, http.client.HTTPException, OSError) as error:
            # urllib3 counts a refused connection among the timeouts.
            if isinstance(error, UrllibTimeoutError | TimeoutError) and not isinstance(error, NewConnectionError):
                problem = f"no answer within {self.timeout_seconds:g} s"
            else:
                problem = f"the connection failed ({type(error).__name__})"
            raise ApiError(self.name, "unreachable", problem, retryable=True) from None

    def _read_body(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read1(READ_CHUNK_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                message = f"found an answer of more than {MAX_ANSWER_BYTES} bytes, expected fewer"
                raise ApiError(self.name, "unreadable", message)
            if time.monotonic() > deadline:
                raise TimeoutError
        return b"".join(chunks)

    def _refused(self, status: int, body: bytes) -> ApiError:
        retryable = status in RETRYABLE_STATUSES
        try:
            problem = msgspec.json.decode(body, type=_Problem)
        except (msgspec.DecodeError, UnicodeDecodeError):
            message = f"found HTTP status {status} and no error of QBallot's API"
            return ApiError(self.name, "unreadable", message, retryable=retryable)
        kinds = {404: ApiNotFoundError, 422: ApiRequestError}
        return kinds.get(status, ApiError)(self.name, problem.type, problem.detail[:2000], retryable=retryable)


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
