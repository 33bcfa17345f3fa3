"""One HTTP request and its whole answer, within a deadline, from a server that may be slow, wrong or broken.

A deadline holds for the request as a whole, whatever part of it is slow: the connection to each of the host's
addresses, the answer's head, and every byte of its body. What fails is returned as a value, since each of the program's
clients has an error of its own for it. `try_again` is how both of them try again.
"""

from __future__ import annotations

import http.client
import io
import itertools
import logging
import random
import socket
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple, TypeVar

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as UrllibTimeoutError
from urllib3.util import Timeout

from qballot.errors import ApiError, EndpointError, SlowDownError

ATTEMPTS = 3
"""How often a request that may be repeated is tried in all, within its deadline."""

FIRST_PAUSE_SECONDS = 0.25
"""Upper end of the random pause after the first failure; it doubles with each further one."""

MAX_RETRY_AFTER_SECONDS = 60.0
"""Longest time that a server's wish to wait is followed."""

RETRYABLE_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524})
"""HTTP statuses of a trouble that may pass."""

READ_CHUNK_BYTES = 1024 * 1024

MAX_LENGTH_DIGITS = 18
"""Digits of a Content-Length that is believed."""

T = TypeVar("T")


class Reply(NamedTuple):
    """A whole answer. headers: their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Failure(NamedTuple):
    """Why there is none. detail: the kind of error for people; never the URL, which may hold a key."""

    kind: Literal["timeout", "unreachable", "hung_up", "too_large"]
    detail: str


class HttpPool:
    """A pool of connections to one server. Safe to share between threads; close it when done.

    secrets: parts of its URLs that may hold a key, and are masked in what urllib3 logs.
    """

    def __init__(self, scheme: str, host: str, port: int | None, secrets: Collection[str] = ()) -> None:
        _MASK.secrets.update(secret for secret in secrets if len(secret) > 1)
        pool_class = _HttpsPool if scheme == "https" else _HttpPool
        self._pool = pool_class(host, port, maxsize=8)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def send(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | None = None,
        *,
        timeout_seconds: float,
        max_bytes: int,
        repeatable: bool = True,
    ) -> Reply | Failure:
        """Send one request and read its answer.

        target: path and query. timeout_seconds: for all of it. max_bytes: longest body that is read. repeatable:
        whether it may be sent once more when the server hung up instead of answering: servers end connections that
        were idle for long, and may do so the moment that one is used again.
        """
        deadline = time.monotonic() + timeout_seconds
        reply = self._send(method, target, headers, body, timeout_seconds, max_bytes)
        if repeatable and isinstance(reply, Failure) and reply.kind == "hung_up":
            reply = self._send(method, target, headers, body, deadline - time.monotonic(), max_bytes)
        return reply

    def _send(  # noqa: PLR0917 # as of `send`
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | None,
        timeout_seconds: float,
        max_bytes: int,
    ) -> Reply | Failure:
        if timeout_seconds <= 0:
            return Failure("timeout", "no time left")
        try:
            response = self._pool.urlopen(
                method,
                target,
                body,
                headers,
                retries=False,
                redirect=False,
                timeout=Timeout(total=timeout_seconds),
                preload_content=False,
            )
            try:
                content = _read_body(response, max_bytes)
                if content is None:
                    response.close()
                    return Failure("too_large", f"more than {max_bytes} bytes")
                found = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status, found, content)
            except BaseException:
                response.close()
                raise
            finally:
                response.release_conn()
        except (HTTPError, http.client.HTTPException, OSError) as error:
            return _explain(error)


def try_again(attempt: Callable[[float], T], timeout_seconds: float, attempts: int = ATTEMPTS) -> T:
    """Return what an attempt returns, trying again after a random pause while its error may pass and time is left.

    attempt: takes the time of its deadline, by `time.monotonic`. A server that says how long to wait is not asked
    sooner. Raises the last EndpointError or ApiError.
    """
    deadline = time.monotonic() + timeout_seconds
    for number in itertools.count(1):
        try:
            return attempt(deadline)
        except (EndpointError, ApiError) as error:
            pause = random.uniform(0.1, 1) * FIRST_PAUSE_SECONDS * 2 ** (number - 1)  # noqa: S311 # jitter only
            if isinstance(error, SlowDownError | ApiError):
                pause = max(pause, error.retry_after_seconds or 0.0)
            if not error.retryable or number == attempts or time.monotonic() + pause >= deadline:
                raise
            time.sleep(pause)
    raise AssertionError("unreachable")


def parse_retry_after(text: str | None) -> float | None:
    """Read a Retry-After header: seconds, or a date. Returns seconds from now, at most 60; None for anything else.

    Source: RFC 9110, section 10.2.3.
    """
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # Without astimezone, which fails for a moment that lies beyond the year 9999 by UTC. `-0000` is UTC too.
    zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    seconds = (zoned - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _explain(error: Exception) -> Failure:
    """Say what an error of the connection is. Its own words may hold the URL."""
    # urllib3 counts a refused connection among the timeouts.
    if isinstance(error, UrllibTimeoutError | TimeoutError) and not isinstance(error, NewConnectionError):
        return Failure("timeout", type(error).__name__)
    cause = error.args[-1] if isinstance(error, ProtocolError) and error.args else error
    # http.client.RemoteDisconnected is one of them: the end of the connection in the place of an answer.
    return Failure("hung_up" if isinstance(cause, ConnectionError) else "unreachable", type(error).__name__)


class _Mask(logging.Filter):
    """Puts three dots in the place of secrets in a log's arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(self._mask(item) if isinstance(item, str) else item for item in record.args)
        return True

    def _mask(self, text: str) -> str:
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "…")
        return text


# urllib3 logs a request's whole target, some of it as a warning about an answer of another form.
_MASK = _Mask()
for _name in ("urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_name).addFilter(_MASK)


def _read_body(response: urllib3.BaseHTTPResponse, max_bytes: int) -> bytes | None:
    """Read a body to its end; None when it is longer than wanted."""
    said = response.headers.get("content-length", "")
    # A length is none where the body comes in chunks, and an int has limits of its own.
    is_length = said.isascii() and said.isdigit() and len(said) <= MAX_LENGTH_DIGITS
    if is_length and not {"content-encoding", "transfer-encoding"} & {name.lower() for name in response.headers}:
        # At once: putting megabytes together of parts costs as much as receiving them.
        return response.read() if int(said) <= max_bytes else None
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read(READ_CHUNK_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            return None
    return b"".join(chunks)


class _DeadlineReader(io.RawIOBase):
    """A socket's bytes until a deadline: the time to read the whole response, however slowly its bytes drip."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._raw = sock.makefile("rb", buffering=0)
        timeout = sock.gettimeout()
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            remaining = self._deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("timed out")
            self._socket.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineResponse(http.client.HTTPResponse):
    """A response whose socket timeout holds for status line, headers and body together, not for each read."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_DeadlineReader(sock))


class _DeadlineHttpConnection(HTTPConnection):
    response_class = _DeadlineResponse

    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _DeadlineHttpsConnection(HTTPSConnection):
    response_class = _DeadlineResponse

    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _DeadlineHttpConnection


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _DeadlineHttpsConnection


def _connect(connection: HTTPConnection) -> socket.socket:
    """Connect to the first of a host's addresses that answers, all of them within one timeout, not each."""
    seconds = connection.timeout if isinstance(connection.timeout, int | float) else MAX_RETRY_AFTER_SECONDS
    deadline = time.monotonic() + seconds
    last: OSError | None = None
    try:
        found = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, address in found:
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(max(deadline - time.monotonic(), 0.001))
                for option in connection.socket_options or ():
                    sock.setsockopt(*option)
                sock.connect(address)
                # What follows, such as the handshake of TLS, has what is left.
                sock.settimeout(max(deadline - time.monotonic(), 0.001))
            except OSError as error:
                sock.close()
                last = error
            else:
                return sock
    except OSError as error:
        last = error
    if isinstance(last, TimeoutError):
        raise ConnectTimeoutError("timed out") from last
    raise NewConnectionError(connection, type(last).__name__) from last
