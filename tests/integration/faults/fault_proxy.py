"""An endpoint that hands requests on to a real anvil and misbehaves as it is told.

    client ──HTTP──▶ FaultProxy ──▶ behaviour ──▶ behaviour ──▶ Node ──HTTP──▶ anvil

A behaviour takes one call and gives a reply, most often the one that the behaviour within it gives; the innermost one
is the `Node`. Those of `misbehaviours.py` can be put around one another. What they do follows from the calls alone or
from a seed, never from how threads happen to interleave.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

SECRET = "SECRET"
"""Stands in the proxy's URL where a provider's key would, and must never be seen anywhere."""


@dataclass(frozen=True, slots=True)
class Call:
    """One JSON-RPC call. nth: how often this very call was made before it. leads: is the first of its HTTP request."""

    method: str
    params: list[Any]
    nth: int = 0
    leads: bool = True

    @property
    def key(self) -> str:
        return json.dumps([self.method, self.params])


@dataclass(frozen=True, slots=True)
class Result:
    """An answer."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failure:
    """A JSON-RPC error, with its HTTP status."""

    code: int | None
    message: str
    data: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that are no proper answer. `$id` in them becomes the request's id.

    torn: the connection ends after them although more were announced. hang: nothing is sent at all until the proxy
    stops.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    torn: bool = False
    hang: bool = False


Reply = Result | Failure | Raw
Behaviour = Callable[[Call], Reply]


class Node:
    """The anvil behind it all. lasting: its chain stays as it is, so that an answer once given holds for ever."""

    def __init__(self, url: str, *, lasting: bool = False) -> None:
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), parts.port
        self._known: dict[str, Reply] | None = {} if lasting else None
        self._idle: list[http.client.HTTPConnection] = []

    def __call__(self, call: Call) -> Reply:
        known = None if self._known is None else self._known.get(call.key)
        if known is None:
            known = self._forward(call)
            if self._known is not None:
                self._known[call.key] = known
        # A behaviour may change what it is given.
        return Result(json.loads(json.dumps(known.value))) if isinstance(known, Result) else known

    def ask(self, method: str, *params: Any) -> Any:
        """Return the result of a call that cannot fail."""
        reply = self(Call(method, list(params)))
        assert isinstance(reply, Result), reply
        return reply.value

    def _forward(self, call: Call) -> Reply:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": call.method, "params": call.params}).encode()
        found = self._post(body)
        if "error" in found:
            return Failure(found["error"]["code"], found["error"]["message"], found["error"].get("data"))
        return Result(found["result"])

    def _post(self, body: bytes) -> Any:
        # Each thread takes a connection of its own; `pop` and `append` are one step each.
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=20)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answer

    def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()


class FaultProxy:
    """A running proxy. url: holds a secret. calls: all that were made, in the order of their arrival."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.calls: list[Call] = []
        self.released = threading.Event()
        self._seen: dict[str, int] = {}
        self._lock = threading.Lock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v3/{SECRET}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def log_ranges(self) -> list[tuple[int, int]]:
        """The ranges of blocks that logs were asked of, first and last block, in order."""
        return [
            read_range(call) for call in self.calls if call.method == "eth_getLogs" and "fromBlock" in call.params[0]
        ]

    @property
    def requests(self) -> int:
        """How many HTTP requests were made, of one call or many."""
        return sum(call.leads for call in list(self.calls))

    def reply(self, method: str, params: list[Any], *, leads: bool) -> Reply:
        """Count a call and let the behaviour answer it."""
        call = Call(method, params)
        with self._lock:
            nth = self._seen[call.key] = self._seen.get(call.key, -1) + 1
            call = Call(method, params, nth, leads)
            self.calls.append(call)
        return self.behaviour(call)

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def run_proxy(behaviour: Behaviour) -> Iterator[FaultProxy]:
    """Run a proxy with this behaviour."""
    proxy = FaultProxy(behaviour)
    try:
        yield proxy
    finally:
        proxy.stop()


def read_range(call: Call) -> tuple[int, int]:
    """Read first and last block of an `eth_getLogs`."""
    query = call.params[0]
    return int(query["fromBlock"], 16), int(query["toBlock"], 16)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client may have had enough, or was killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Whoever asks for a websocket does not find any."""
        self._send(404, {}, b"")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        calls = asked if isinstance(asked, list) else [asked]
        replies = [
            self.server.proxy.reply(call["method"], list(call.get("params", ())), leads=call is calls[0])
            for call in calls
        ]
        answers = [_answer(call["id"], reply) for call, reply in zip(calls, replies, strict=True)]
        for call, reply in zip(calls, replies, strict=True):
            if isinstance(reply, Raw):
                self._send_raw(reply, call["id"])
                return
            if isinstance(reply, Failure) and reply.status != 200:
                # Such a status is for the request as a whole: there is one error, however many calls were in it.
                number = None if isinstance(asked, list) else call["id"]
                self._send(reply.status, reply.headers, json.dumps(_answer(number, reply)).encode())
                return
        self._send(200, {}, json.dumps(answers if isinstance(asked, list) else answers[0]).encode())

    def log_message(self, *_: Any) -> None:
        """Write no access log."""

    def _send_raw(self, reply: Raw, number: Any) -> None:
        if reply.hang:
            self.server.proxy.released.wait()
            self.close_connection = True
            return
        body = reply.body.replace(b"$id", str(number).encode())
        self._send(reply.status, reply.headers, body, missing=100 if reply.torn else 0)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes, *, missing: int = 0) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + missing))
        self.end_headers()
        self.wfile.write(body)
        if missing:
            self.close_connection = True


def _answer(number: Any, reply: Reply) -> dict[str, Any]:
    answer: dict[str, Any] = {"jsonrpc": "2.0", "id": number}
    if not isinstance(reply, Failure):
        return {**answer, "result": reply.value if isinstance(reply, Result) else None}
    error: dict[str, Any] = {"message": reply.message}
    if reply.code is not None:
        error["code"] = reply.code
    if reply.data is not None:
        error["data"] = reply.data
    return {**answer, "error": error}
