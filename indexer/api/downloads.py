"""Giving files of evidence away: to many at once, however slow, without a thread or a view of the database each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import BinaryIO

from anyio import CapacityLimiter, move_on_after, to_thread
from fastapi import Response
from starlette.types import Receive, Scope, Send

from indexer.results import EvidenceFiles, EvidenceName, NotReadyError

WAIT_SECONDS = 10.0
"""How long a request waits for a file to be written before its client is told to ask again."""

AT_ONCE = 64
"""Downloads that run at once. Each keeps a file open, and nothing else."""

READING_THREADS = 2

PIECE_BYTES = 2**18

LEAST_BYTES_A_SECOND = 16 * 1024
GRACE_SECONDS = 60.0
"""A client that takes fewer bytes a second, after this time, is given up."""


class Downloads:
    """The files of evidence, ready to be sent. Used in one event loop."""

    def __init__(self, files: EvidenceFiles) -> None:
        self.files = files
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._threads = CapacityLimiter(READING_THREADS)

    async def open(self, name: EvidenceName) -> BinaryIO:
        """Open the file with this name, once it is written. Raises NotReadyError, and the errors of writing it."""
        if self._slots.locked():
            raise NotReadyError("too many files of evidence are being sent: ask again soon", retry_after_seconds=5)
        file = self.files.open(name)
        if file is not None:
            return file
        writing = asyncio.wrap_future(self.files.write(name))
        try:
            await asyncio.wait_for(asyncio.shield(writing), WAIT_SECONDS)
        except TimeoutError:
            # Whoever asks again gets its error, if it ends in one.
            writing.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise NotReadyError("the evidence is being written: ask again soon", retry_after_seconds=5) from None
        file = self.files.open(name)
        if file is None:
            raise NotReadyError("the evidence was put away before it was sent: ask again")
        return file

    def send(self, file: BinaryIO, size: int, headers: Mapping[str, str]) -> Response:
        """Make the answer that sends an open file and closes it. size: in bytes."""
        return _FileResponse(file, size, headers, self._slots, self._threads)


class _FileResponse(Response):
    """An open file, sent piece by piece as the client takes them."""

    def __init__(
        self,
        file: BinaryIO,
        size: int,
        headers: Mapping[str, str],
        slots: asyncio.Semaphore,
        threads: CapacityLimiter,
    ) -> None:
        super().__init__(headers={**headers, "content-length": str(size)})
        self._file = file
        self._slots = slots
        self._threads = threads
        self._seconds = GRACE_SECONDS + size / LEAST_BYTES_A_SECOND

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 # as ASGI calls it
        """Send the answer. One that is given up stays short of its length, which tells the client."""
        read = partial(to_thread.run_sync, self._file.read, PIECE_BYTES, limiter=self._threads)
        with self._file:
            async with self._slots:
                with move_on_after(self._seconds):
                    await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                    while piece := await read():
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
