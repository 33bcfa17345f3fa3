"""JSON-RPC over HTTP to one endpoint that may be slow, wrong or broken.

The forms of answers are apart (`json_rpc.py`). Every answer is checked: HTTP status, size, JSON, the response's id, and
that there is a result at all. What is wrong becomes an `EndpointError` that says whether trying again may help; what a
contract refused becomes `ContractReverted`.
"""

from __future__ import annotations

import http
import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec
from urllib3.util import make_headers

from qballot.chain.json_rpc import Answer, ErrorObject, decode_answer, decode_answers, read_words
from qballot.chain.masking import Mask
from qballot.chain.provider_errors import Fault, find_provider_error, read_range
from qballot.chain.refusals import TRANSACTION_METHODS, find_refusal
from qballot.chain.reverts import decode_revert
from qballot.endpoint_list import HTTP_SCHEMES, compute_endpoint_name, find_host_keys
from qballot.errors import (
    AnswerTooLargeError,
    BatchRefusedError,
    ChainError,
    ContractReverted,
    EndpointError,
    InputError,
    MissingBlockError,
    NoAnswerError,
    QuotaExhaustedError,
    RangeTooWideError,
    SlowDownError,
)
from qballot.http_exchange import ATTEMPTS, RETRYABLE_STATUSES, Failure, HttpPool, Reply, parse_retry_after, try_again

MAX_RESPONSE_BYTES = 256 * 1024 * 1024
"""More than the logs of any one block, by its gas; beyond it a broken endpoint fills the memory."""

HINTS = {
    401: "the endpoint wants a key, check the one in QBALLOT_RPC_URL",
    403: "the endpoint refuses its key or its plan's limit is reached, check the one in QBALLOT_RPC_URL",
    404: "the endpoint has no such path, check QBALLOT_RPC_URL",
}
"""What to do next about HTTP statuses that waiting alone does not mend, or that are often met."""

RETRYABLE_CODES = frozenset({-32603, -32005, -32002})
"""JSON-RPC codes for internal error, limit exceeded and resource unavailable. Source: EIP-1474, Error codes."""

SERVER_ERROR_CODES = range(-32099, -31999)
"""JSON-RPC codes that a server gives as it likes. Nodes use them for troubles that pass too.

Source: JSON-RPC 2.0, section 5.1.
"""

Request = tuple[str, Sequence[Any]]
"""A method's name and its parameters."""

BATCH = "batch"
"""What a batch of several methods is called where requests are counted."""

_WHOLE_BATCH: Request = ("the batch", ())
"""Stands for what was asked where an answer is to a batch as a whole."""

OUTCOMES: tuple[tuple[str, tuple[type[ChainError], ...]], ...] = (
    ("timeout", (NoAnswerError,)),
    ("too_wide", (RangeTooWideError, AnswerTooLargeError)),
    ("rate_limited", (SlowDownError,)),
    ("quota", (QuotaExhaustedError,)),
    ("missing_block", (MissingBlockError,)),
    ("reverted", (ContractReverted,)),
    ("error", (ChainError,)),
)
"""How requests end that bring no result, by their error; the others end `ok`."""

T = TypeVar("T")
Observer = Callable[[str, str, str, float], None]
"""Is told of every HTTP request: the endpoint's name, the method (or `batch`), one of OUTCOMES, seconds."""


class Channel(Protocol):
    """Whatever carries requests to a node: `Transport` over HTTP, or ape's own node (qballot/chain/ape_bridge.py)."""

    @property
    def endpoint(self) -> str:
        """The node's name for people, without any secret."""
        ...

    def close(self) -> None:
        """End it."""
        ...

    def mask(self, text: str) -> str:
        """Return a text that repeats what the node said, shortened and without what may be a secret."""
        ...

    def fetch(self, request: Request, *, retry: bool, max_bytes: int | None = None) -> msgspec.Raw:
        """Send one request, as of `Transport`."""
        ...

    def fetch_many(self, requests: Sequence[Request], *, retry: bool) -> list[msgspec.Raw | ChainError]:
        """Send several requests, as of `Transport`."""
        ...


class Transport:
    """A pool of connections to one endpoint. Safe to share between threads; close it when done.

    timeout_seconds: how long one request may take in all, further tries included. name: what to call the endpoint,
    instead of its scheme, host and port. attempts: how often a read is tried. on_request: told of every HTTP request.
    Raises InputError for a URL that is not http(s).
    """

    def __init__(
        self,
        url: str,
        timeout_seconds: float,
        *,
        name: str | None = None,
        attempts: int = ATTEMPTS,
        on_request: Observer | None = None,
    ) -> None:
        self._endpoint = name or compute_endpoint_name(url)
        parts = urlsplit(url)
        if parts.scheme not in HTTP_SCHEMES:
            raise InputError(f"{self._endpoint}: found a websocket, expected http(s)://host[:port]/…")
        self.timeout_seconds = timeout_seconds
        self._attempts = attempts
        self._on_request = on_request
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if parts.username is not None:
            self._headers |= make_headers(basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")
        self._mask = Mask(url)
        logged = [self._target, *find_host_keys(str(parts.hostname))]
        self._pool = HttpPool(parts.scheme, str(parts.hostname), parts.port, logged)
        self._ids = itertools.count(1)

    @property
    def endpoint(self) -> str:
        """The endpoint's name without what may hold its key."""
        return self._endpoint

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def mask(self, text: str) -> str:
        """Return a text that repeats what the endpoint said, shortened and without what may be a key of its URL."""
        return self._mask.cut(text)

    def fetch(self, request: Request, *, retry: bool, max_bytes: int | None = None) -> msgspec.Raw:
        """Send one request and return its result, undecoded JSON.

        retry: whether a failure that may pass is tried again; never for what changes the chain. max_bytes: of the
        answer, MAX_RESPONSE_BYTES when None. Raises EndpointError, ContractReverted; AnswerTooLargeError only for logs
        of more than one block, of which fewer can be asked for. Where a range of logs is refused in words that nobody
        knows, the error has HTTP's status as its code and may pass: it may be about so many blocks.
        """
        limit = MAX_RESPONSE_BYTES if max_bytes is None else min(max_bytes, MAX_RESPONSE_BYTES)
        return self._try(lambda deadline: self._fetch_one(request, deadline, retry, limit), retry=retry)

    def fetch_many(self, requests: Sequence[Request], *, retry: bool) -> list[msgspec.Raw | ChainError]:
        """Send several requests as one batch. Returns a result or an error for each, in their order.

        Raises EndpointError when the batch as a whole was not answered.
        """
        if not requests:
            return []
        return self._try(lambda deadline: self._fetch_batch(requests, deadline, retry), retry=retry)

    def _try(self, attempt: Callable[[float], T], *, retry: bool) -> T:
        return try_again(attempt, self.timeout_seconds, self._attempts if retry else 1)

    def _fetch_one(self, request: Request, deadline: float, repeatable: bool, max_bytes: int) -> msgspec.Raw:
        start = time.monotonic()
        try:
            result = self._exchange_one(request, deadline, repeatable, max_bytes)
        except ChainError as error:
            self._tell(request[0], start, [error])
            raise
        self._tell(request[0], start, [])
        return result

    def _fetch_batch(
        self, requests: Sequence[Request], deadline: float, repeatable: bool
    ) -> list[msgspec.Raw | ChainError]:
        start = time.monotonic()
        methods = {method for method, _ in requests}
        name = BATCH if len(methods) > 1 else requests[0][0]
        try:
            results = self._exchange_batch(requests, deadline, repeatable)
        except ChainError as error:
            self._tell(name, start, [error])
            raise
        self._tell(name, start, results)
        return results

    def _tell(self, method: str, start: float, results: Iterable[object]) -> None:
        """Tell the observer of a request by the first error among its results."""
        if self._on_request is not None:
            error = next((item for item in results if isinstance(item, ChainError)), None)
            outcome = "ok" if error is None else next(word for word, kinds in OUTCOMES if isinstance(error, kinds))
            self._on_request(self.endpoint, method, outcome, time.monotonic() - start)

    def _exchange_one(self, request: Request, deadline: float, repeatable: bool, max_bytes: int) -> msgspec.Raw:
        number = next(self._ids)
        reply = self._post(_encode_request(number, request), request, deadline, repeatable, max_bytes)
        answer = decode_answer(reply.body)
        if answer is None:
            raise self._not_json_rpc(reply, request)
        if answer.id != number and not (answer.id is None and answer.error):
            if reply.status != http.HTTPStatus.OK:
                raise self._not_json_rpc(reply, request)
            found = self.mask(repr(answer.id))
            raise EndpointError(self.endpoint, f"found an answer to request {found}, expected to {number}")
        return self._result(answer, reply, request)

    def _exchange_batch(
        self, requests: Sequence[Request], deadline: float, repeatable: bool
    ) -> list[msgspec.Raw | ChainError]:
        numbers = [next(self._ids) for _ in requests]
        encoded = [_encode_request(number, request) for number, request in zip(numbers, requests, strict=True)]
        body = b"[" + b",".join(encoded) + b"]"
        reply = self._post(body, _WHOLE_BATCH, deadline, repeatable, MAX_RESPONSE_BYTES)
        answers = decode_answers(reply.body)
        if answers is None:
            raise self._not_json_rpc(reply, _WHOLE_BATCH)
        by_id = {answer.id: answer for answer in answers}
        if by_id.keys() != set(numbers) or len(answers) != len(numbers):
            refusal = next((answer for answer in answers if answer.id is None and answer.error), None)
            if refusal is not None:
                self._result(refusal, reply, _WHOLE_BATCH)
            raise EndpointError(
                self.endpoint, f"found {len(answers)} answers to a batch, expected one to each of {len(numbers)}"
            )
        results: list[msgspec.Raw | ChainError] = []
        for number, request in zip(numbers, requests, strict=True):
            try:
                results.append(self._result(by_id[number], reply, request))
            except ChainError as error:
                results.append(error)
        return results

    def _post(self, body: bytes, request: Request, deadline: float, repeatable: bool, max_bytes: int) -> Reply:
        remaining = deadline - time.monotonic()
        reply = self._pool.send(
            "POST",
            self._target,
            self._headers,
            body,
            timeout_seconds=remaining,
            max_bytes=max_bytes,
            repeatable=repeatable,
        )
        if isinstance(reply, Failure):
            if reply.kind == "timeout":
                raise NoAnswerError(self.endpoint, timeout_seconds=self.timeout_seconds)
            if reply.kind == "too_large":
                raise self._too_large(request, max_bytes)
            raise EndpointError(
                self.endpoint,
                f"the connection failed ({reply.detail}): check that a node runs there and that QBALLOT_RPC_URL is "
                "right, then run the same again",
            )
        return reply

    def _too_large(self, request: Request, limit: int) -> EndpointError:
        """Return the error for an answer that is not read: about the question where less can be asked for."""
        if _asks_for_range(request):
            return AnswerTooLargeError(self.endpoint, limit=limit)
        method = request[0]
        message = f"{method}: found an answer of more than {limit} bytes, expected fewer"
        if request is _WHOLE_BATCH:
            return BatchRefusedError(self.endpoint, message)
        # One block's logs stay as they are; of anything else no node in order has so much.
        return EndpointError(self.endpoint, message, retryable=method != "eth_getLogs")

    def _not_json_rpc(self, reply: Reply, request: Request) -> EndpointError:
        """Return the error for an answer of another form: a gateway's JSON or page, or nothing that can be read."""
        answer = decode_answer(reply.body)
        if answer is not None and answer.error is not None:
            return self._fault(answer.error, reply, request)
        if reply.status == http.HTTPStatus.OK:
            return EndpointError(self.endpoint, f"found {len(reply.body)} bytes that are no JSON-RPC answer")
        said = self.mask(read_words(reply.body))
        fault = Fault(said, status=reply.status, retry_after_seconds=_read_retry_after(reply))
        known = find_provider_error(self.endpoint, *request, fault)
        if known is not None:
            return known
        message = ": ".join(part for part in (f"HTTP status {reply.status}", said, HINTS.get(reply.status)) if part)
        may_pass = reply.status in RETRYABLE_STATUSES
        if _asks_for_range(request) and not may_pass:
            return EndpointError(self.endpoint, message, code=reply.status)
        return EndpointError(self.endpoint, message, retryable=may_pass)

    def _result(self, answer: Answer, reply: Reply, request: Request) -> msgspec.Raw:
        method = request[0]
        if answer.error is not None:
            fault = answer.error
            if fault.is_revert:
                raise decode_revert(fault.read_revert_data())
            raise self._fault(fault, reply, request)
        if not memoryview(answer.result).nbytes:
            if reply.status != http.HTTPStatus.OK:
                raise self._not_json_rpc(reply, request)
            raise EndpointError(self.endpoint, f"{method}: found neither a result nor an error")
        if reply.status != http.HTTPStatus.OK:
            retryable = reply.status in RETRYABLE_STATUSES
            raise EndpointError(self.endpoint, f"{method}: HTTP status {reply.status}", retryable=retryable)
        return answer.result

    def _fault(self, error: ErrorObject, reply: Reply, request: Request) -> EndpointError:
        method, params = request
        said = self.mask(error.message)
        code = error.code or 0
        refusal = find_refusal(self.endpoint, method, said, code)
        if refusal is not None:
            return refusal
        fault = Fault(said, code, error.read_data(), reply.status, _read_retry_after(reply))
        known = find_provider_error(self.endpoint, method, params, fault)
        if known is not None:
            return known
        may_pass = reply.status in RETRYABLE_STATUSES or code in RETRYABLE_CODES
        if method not in TRANSACTION_METHODS:
            may_pass = may_pass or code in SERVER_ERROR_CODES
        message = f"{method}: {said} (code {code})"
        if request is _WHOLE_BATCH and not may_pass:
            return BatchRefusedError(self.endpoint, message, code=code)
        return EndpointError(self.endpoint, message, code=code, retryable=may_pass)


def _encode_request(number: int, request: Request) -> bytes:
    method, params = request
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def _asks_for_range(request: Request) -> bool:
    """Whether a question is for the logs of more than one block, so that less can be asked for."""
    method, params = request
    asked = read_range(params) if method == "eth_getLogs" else None
    return asked is not None and asked[0] < asked[1]


def _read_retry_after(reply: Reply) -> float | None:
    return parse_retry_after(reply.headers.get("retry-after"))
