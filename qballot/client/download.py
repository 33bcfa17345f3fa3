"""A large file over HTTP, piece by piece as it comes: never held as a whole, and given up where nothing comes."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from qballot.client.http import explain_refusal
from qballot.endpoint_list import compute_endpoint_name
from qballot.errors import ApiError

SILENT_SECONDS = 20.0
"""How long nothing may come before the download is given up."""

PIECE_BYTES = 2**18

MAX_REFUSAL_BYTES = 2**16
"""Most that is read of an answer that is not the file."""


@contextmanager
def open_download(url: str) -> Iterator[Iterator[bytes]]:
    """Ask for a file; give its bytes in pieces. url: of http(s), whole; redirections are not followed.

    Raises InputError for another URL, and ApiError, also while the pieces are read: ApiNotFoundError for what the
    server does not have.
    """
    server = compute_endpoint_name(url)
    headers = {"Accept": "application/x-ndjson, application/json, */*", "Accept-Encoding": "identity"}
    timeout = Timeout(connect=SILENT_SECONDS, read=SILENT_SECONDS)
    with urllib3.PoolManager(retries=False) as pool:
        try:
            response = pool.request("GET", url, headers=headers, timeout=timeout, preload_content=False, redirect=False)
        except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            raise _explain(server, error) from None
        try:
            if response.status != http.HTTPStatus.OK:
                found = {name.lower(): value for name, value in response.headers.items()}
                body = b"".join(_read(server, response, MAX_REFUSAL_BYTES))
                raise explain_refusal(server, response.status, found, body)
            yield _read(server, response)
        finally:
            response.close()


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
