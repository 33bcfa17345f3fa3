"""A large file over HTTP, piece by piece as it comes: never held as a whole, and given up where nothing comes."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from qballot.client.http import explain_refusal
from qballot.endpoint_list import compute_endpoint_name
from qballot.errors import ApiError, InputError

SILENT_SECONDS = 20.0
"""How long nothing may come before the download is given up."""

PATIENCE_SECONDS = 300.0
"""How long a server may say that it is still writing the file."""

PIECE_BYTES = 2**18

MAX_REFUSAL_BYTES = 2**16
"""Most that is read of an answer that is not the file."""


@contextmanager
def open_download(url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[Iterator[bytes]]:
    """Ask for a file; give its bytes in pieces. url: of http(s), whole; redirections are not followed.

    patience_seconds: how long a server may say that it is not ready yet.
    Raises InputError for another URL, and ApiError, also while the pieces are read: ApiNotFoundError for what the
    server does not have.
    """
    server = compute_endpoint_name(url)
    with urllib3.PoolManager(retries=False) as pool:
        response = _request(pool, url, server, time.monotonic() + patience_seconds)
        try:
            yield _read(server, response)
        finally:
            response.close()


def save_pieces(file: Path, pieces: Iterable[bytes]) -> int:
    """Write pieces into a file, in place of one that is there, once the last one has come. Returns how many bytes.

    Raises InputError where the file cannot be written.
    """
    part = file.with_name(file.name + ".part")
    try:
        with part.open("wb") as output:
            size = sum(map(output.write, pieces))
        part.replace(file)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return size


def _request(pool: urllib3.PoolManager, url: str, server: str, deadline: float) -> urllib3.BaseHTTPResponse:
    """Ask until the file comes, as often as the server says that it will."""
    while True:
        try:
            return _request_once(pool, url, server)
        except ApiError as error:
            wait = error.retry_after_seconds
            if wait is None or time.monotonic() + wait >= deadline:
                raise
            time.sleep(wait)


def _request_once(pool: urllib3.PoolManager, url: str, server: str) -> urllib3.BaseHTTPResponse:
    headers = {"Accept": "application/jsonl, application/json, */*", "Accept-Encoding": "identity"}
    timeout = Timeout(connect=SILENT_SECONDS, read=SILENT_SECONDS)
    try:
        response = pool.request("GET", url, headers=headers, timeout=timeout, preload_content=False, redirect=False)
    except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        raise _explain(server, error) from None
    if response.status == http.HTTPStatus.OK:
        return response
    try:
        found = {name.lower(): value for name, value in response.headers.items()}
        body = b"".join(_read(server, response, MAX_REFUSAL_BYTES))
    finally:
        response.close()
    raise explain_refusal(server, response.status, found, body)


def _read(server: str, response: urllib3.BaseHTTPResponse, most_bytes: int | None = None) -> Iterator[bytes]:
    left = most_bytes
    while left is None or left > 0:
        try:
            piece = response.read(PIECE_BYTES if left is None else min(PIECE_BYTES, left))
        except (HTTPError, http.client.HTTPException, OSError) as error:
            raise _explain(server, error) from None
        if not piece:
            return
        left = None if left is None else left - len(piece)
        yield piece


def _explain(server: str, error: Exception) -> ApiError:
    # An error's own words may hold the whole URL.
    return ApiError(server, "unreachable", f"the download failed ({type(error).__name__})", retryable=True)
