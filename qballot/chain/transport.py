"""JSON-RPC over HTTP to one endpoint that may be slow, wrong or broken.

Building requests and checking answers is apart from the transport. Every answer is checked: HTTP status, size, JSON,
the response's id, and that there is a result at all. What is wrong becomes an `EndpointError` that says whether trying
again may help; what a contract refused becomes `ContractReverted`.
"""

from __future__ import annotations

import http.client
import io
import itertools
import random
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as UrllibTimeoutError
from urllib3.util import Timeout, make_headers

from qballot.chain.refusals import find_refusal
from qballot.chain.reverts import decode_revert
from qballot.errors import AnswerTooLargeError, ChainError, EndpointError, InputError

MAX_RESPONSE_BYTES = 256 * 1024 * 1024
"""More than the logs of any one block, by its gas; beyond it a broken endpoint fills the memory."""

READ_ATTEMPTS = 3
"""How often a read is tried in all, within its deadline."""

FIRST_PAUSE_SECONDS = 0.25
"""Upper end of the random pause after the first failure; it doubles with each further one."""

READ_CHUNK_BYTES = 1024 * 1024

RETRYABLE_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524})

HINTS = {
    401: "the endpoint wants a key, check the one in QBALLOT_RPC_URL",
    403: "the endpoint refuses its key or its plan's limit is reached, check the one in QBALLOT_RPC_URL",
    404: "the endpoint has no such path, check QBALLOT_RPC_URL",
    429: "the endpoint asks to slow down, wait a little and run the same again",
}
"""What to do next about HTTP statuses that waiting alone does not mend, or that are often met."""

RETRYABLE_CODES = frozenset({-32603, -32005, -32002})
"""JSON-RPC codes for internal error, limit exceeded and resource unavailable. Source: EIP-1474, Error codes."""

REVERT_CODE = 3
"""JSON-RPC code of a reverted call, with the revert data beside it (geth and all that follow it)."""

T = TypeVar("T")
Request = tuple[str, Sequence[Any]]
"""A method's name and its parameters."""


class Channel(Protocol):
    """Whatever carries requests to a node: `Transport` over HTTP, or ape's own node (qballot/chain/ape_bridge.py)."""

    @property
    def endpoint(self) -> str:
        """The node's name for people, without any secret."""
        ...

    def close(self) -> None:
        """End it."""
        ...

    def fetch(self, request: Request, *, retry: bool) -> msgspec.Raw:
        """Send one request, as of `Transport`."""
        ...

    def fetch_many(self, requests: Sequence[Request], *, retry: bool) -> list[msgspec.Raw | ChainError]:
        """Send several requests, as of `Transport`."""
        ...


class _Fault(msgspec.Struct):
    """A JSON-RPC error object."""

    code: int = 0
    message: str = ""
    data: Any = None


class _Answer(msgspec.Struct):
    """A JSON-RPC response, its result not decoded yet. `result` is empty when there is none."""

    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: _Fault | None = None


_ANSWER = msgspec.json.Decoder(_Answer)
_ANSWERS = msgspec.json.Decoder(list[_Answer])


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


class _DeadlineHttpsConnection(HTTPSConnection):
    response_class = _DeadlineResponse


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _DeadlineHttpConnection


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _DeadlineHttpsConnection


def compute_endpoint_name(url: str) -> str:
    """Name an endpoint for people and logs: scheme, host and port. Path, query and credentials may hold its key.

    Raises InputError, which does not show the URL either.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InputError("found an endpoint URL that cannot be read, expected http(s)://host[:port]/…") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError("found an endpoint URL without http(s):// or without a host, expected http(s)://host[:port]/…")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


class Transport:
    """A pool of connections to one endpoint. Safe to share between threads; close it when done."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._endpoint = compute_endpoint_name(url)
        self.timeout_seconds = timeout_seconds
        parts = urlsplit(url)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if parts.username is not None:
            self._headers |= make_headers(basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")
        pool_class = _HttpsPool if parts.scheme == "https" else _HttpPool
        self._pool = pool_class(str(parts.hostname), parts.port, maxsize=8)
        self._ids = itertools.count(1)

    @property
    def endpoint(self) -> str:
        """The endpoint's name without what may hold its key."""
        return self._endpoint

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def fetch(self, request: Request, *, retry: bool) -> msgspec.Raw:
        """Send one request and return its result, undecoded JSON.

        retry: whether a failure that may pass is tried again; never for what changes the chain.
        Raises EndpointError, ContractReverted.
        """
        return self._attempt(lambda deadline: self._fetch_one(request, deadline), retry=retry)

    def fetch_many(self, requests: Sequence[Request], *, retry: bool) -> list[msgspec.Raw | ChainError]:
        """Send several requests as one batch. Returns a result or an error for each, in their order.

        Raises EndpointError when the batch as a whole was not answered.
        """
        return self._attempt(lambda deadline: self._fetch_batch(requests, deadline), retry=retry) if requests else []

    def _attempt(self, fetch: Callable[[float], T], *, retry: bool) -> T:
        deadline = time.monotonic() + self.timeout_seconds
        for attempt in itertools.count(1):
            try:
                return fetch(deadline)
            except EndpointError as error:
                pause = random.uniform(0.1, 1) * FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)  # noqa: S311 # jitter only
                last = not retry or not error.retryable or attempt == READ_ATTEMPTS
                if last or time.monotonic() + pause >= deadline:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _fetch_one(self, request: Request, deadline: float) -> msgspec.Raw:
        number = next(self._ids)
        status, body = self._post(_encode_request(number, request), deadline)
        try:
            answer = _ANSWER.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._not_json_rpc(status, body) from None
        if answer.id != number and not (answer.id is None and answer.error):
            raise EndpointError(self.endpoint, f"found an answer to request {answer.id!r}, expected to {number}")
        return self._result(answer, status, request[0])

    def _fetch_batch(self, requests: Sequence[Request], deadline: float) -> list[msgspec.Raw | ChainError]:
        numbers = [next(self._ids) for _ in requests]
        encoded = [_encode_request(number, request) for number, request in zip(numbers, requests, strict=True)]
        status, body = self._post(b"[" + b",".join(encoded) + b"]", deadline)
        try:
            answers = _ANSWERS.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._not_json_rpc(status, body) from None
        by_id = {answer.id: answer for answer in answers}
        if by_id.keys() != set(numbers) or len(answers) != len(numbers):
            raise EndpointError(
                self.endpoint, f"found {len(answers)} answers to a batch, expected one to each of {len(numbers)}"
            )
        results: list[msgspec.Raw | ChainError] = []
        for number, (method, _) in zip(numbers, requests, strict=True):
            try:
                results.append(self._result(by_id[number], status, method))
            except ChainError as error:
                results.append(error)
        return results

    def _post(self, body: bytes, deadline: float) -> tuple[int, bytes]:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise EndpointError(self.endpoint, f"no answer within {self.timeout_seconds:g} s")
        try:
            response = self._pool.urlopen(
                "POST",
                self._target,
                body,
                self._headers,
                retries=False,
                redirect=False,
                timeout=Timeout(total=remaining),
                preload_content=False,
            )
            try:
                return response.status, self._read_body(response)
            except BaseException:
                response.close()
                raise
            finally:
                response.release_conn()
        except (HTTPError, http.client.HTTPException, OSError) as error:
            # urllib3 counts a refused connection among the timeouts. Its texts may hold the URL, thus its key.
            if isinstance(error, UrllibTimeoutError | TimeoutError) and not isinstance(error, NewConnectionError):
                raise EndpointError(self.endpoint, f"no answer within {self.timeout_seconds:g} s") from None
            raise EndpointError(
                self.endpoint,
                f"the connection failed ({type(error).__name__}): check that a node runs there and that "
                "QBALLOT_RPC_URL is right, then run the same again",
            ) from None

    def _read_body(self, response: urllib3.BaseHTTPResponse) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read(READ_CHUNK_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_RESPONSE_BYTES:
                raise AnswerTooLargeError(self.endpoint, limit=MAX_RESPONSE_BYTES)
        return b"".join(chunks)

    def _not_json_rpc(self, status: int, body: bytes) -> EndpointError:
        if status != http.HTTPStatus.OK:
            hint = HINTS.get(status, "")
            message = f"HTTP status {status}" + (f": {hint}" if hint else "")
            return EndpointError(self.endpoint, message, retryable=status in RETRYABLE_STATUSES)
        answer = _try_decode(body)
        if answer is not None and answer.error is not None:
            return self._fault(answer.error, status, "the batch")
        return EndpointError(self.endpoint, f"found {len(body)} bytes that are no JSON-RPC answer")

    def _result(self, answer: _Answer, status: int, method: str) -> msgspec.Raw:
        if answer.error is not None:
            fault = answer.error
            if fault.code == REVERT_CODE or _is_revert(fault):
                raise decode_revert(_revert_data(fault))
            raise self._fault(fault, status, method)
        if not bytes(answer.result):
            raise EndpointError(self.endpoint, f"{method}: found neither a result nor an error (HTTP status {status})")
        if status != http.HTTPStatus.OK:
            raise EndpointError(
                self.endpoint, f"{method}: HTTP status {status}", retryable=status in RETRYABLE_STATUSES
            )
        return answer.result

    def _fault(self, fault: _Fault, status: int, method: str) -> EndpointError:
        retryable = status in RETRYABLE_STATUSES or fault.code in RETRYABLE_CODES
        refusal = find_refusal(self.endpoint, method, fault.message[:500], fault.code)
        if refusal is not None:
            return refusal
        message = f"{method}: {fault.message[:500]} (code {fault.code})"
        return EndpointError(self.endpoint, message, code=fault.code, retryable=retryable)


def _encode_request(number: int, request: Request) -> bytes:
    method, params = request
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def _try_decode(body: bytes) -> _Answer | None:
    try:
        return _ANSWER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _is_revert(fault: _Fault) -> bool:
    return "execution reverted" in fault.message.lower()


def _revert_data(fault: _Fault) -> bytes:
    """Return the bytes that a contract reverted with; empty when the node does not say."""
    text = fault.data.get("data") if isinstance(fault.data, dict) else fault.data
    try:
        return bytes.fromhex(text.removeprefix("0x")) if isinstance(text, str) else b""
    except ValueError:
        return b""
