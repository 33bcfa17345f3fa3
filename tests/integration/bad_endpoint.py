"""An HTTP server that answers what a test tells it to: whole, torn, slowly or not at all."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[[Any], bytes | Iterable[bytes]]
"""Takes the request's JSON; returns the response's bytes, or pieces of them, each sent after a pause."""

PIECE_SECONDS = 0.05


@dataclass
class BadEndpoint:
    """requests: what it was asked, as JSON. answers: one a request; the last one again and again."""

    url: str
    answers: list[Answer]
    requests: list[Any] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)


@contextmanager
def run_bad_endpoint(*answers: Answer) -> Iterator[BadEndpoint]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = BadEndpoint(f"http://127.0.0.1:{server.getsockname()[1]}/v3/SECRET", list(answers))
        stopping = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, endpoint, stopping))
        thread.start()
        try:
            yield endpoint
        finally:
            stopping.set()
            thread.join()


def answer(body: Any, status: str = "200 OK") -> Answer:
    """Answer every request with this body. `$id` in it becomes the request's id. status: headers may follow it."""
    return lambda request: respond(body, status, request)


def respond(body: Any, status: str, request: Any) -> bytes:
    text = body if isinstance(body, str) else json.dumps(body)
    content = text.replace('"$id"', str(request["id"]) if isinstance(request, dict) else "0").encode()
    head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def result(value: Any) -> Answer:
    """Answer with this result."""
    return answer({"jsonrpc": "2.0", "id": "$id", "result": value})


def fault(code: int, message: str, data: Any = None, status: str = "200 OK") -> Answer:
    """Answer with this JSON-RPC error."""
    return answer({"jsonrpc": "2.0", "id": "$id", "error": {"code": code, "message": message, "data": data}}, status)


def _serve(server: socket.socket, endpoint: BadEndpoint, stopping: threading.Event) -> None:
    server.settimeout(0.05)
    while not stopping.is_set():
        try:
            connection, _ = server.accept()
        except TimeoutError:
            continue
        with connection:
            connection.settimeout(5)
            head, request = _read(connection)
            endpoint.headers.append(head)
            endpoint.requests.append(request)
            chosen = endpoint.answers[min(len(endpoint.requests), len(endpoint.answers)) - 1](request)
            try:
                for piece in [chosen] if isinstance(chosen, bytes) else chosen:
                    connection.sendall(piece)
                    if not isinstance(chosen, bytes):
                        time.sleep(PIECE_SECONDS)
                    if stopping.is_set():
                        break
            except OSError:
                pass  # the client had enough


def _read(connection: socket.socket) -> tuple[str, Any]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < length:
        body += connection.recv(65536)
    return head.decode(), json.loads(body) if body else None
