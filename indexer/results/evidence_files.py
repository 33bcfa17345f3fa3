"""Files of evidence on disk, each written once and then given to whoever asks.

    database ── one pass, in few threads ──▶ file ──▶ anyone, however slowly

A reader takes as long as it likes, from its own open file: meanwhile it holds neither a view of the database nor a
thread, and what turns out wrong while a file is written is an error rather than half an answer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from indexer.results.evidence import EvidenceName, EvidenceSource
from indexer.results.not_ready import NotReadyError
from qballot.errors import StorageError

KEPT_BYTES = 2**30
"""How much the files may take; those unused longest go first, and the newest one stays however large it is."""

WRITTEN_AT_ONCE = 2
WAITING_AT_ONCE = 8
"""Files that are written or wait for it. Anyone may wait for a file, which takes nothing."""


class EvidenceFiles:
    """The files of one server, in a folder that goes with it. Safe to share between threads; close it when done."""

    def __init__(self, source: EvidenceSource, *, kept_bytes: int = KEPT_BYTES) -> None:
        self.source = source
        self._kept_bytes = kept_bytes
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._written: dict[str, Future[None]] = {}
        self._threads = ThreadPoolExecutor(WRITTEN_AT_ONCE, thread_name_prefix="evidence")
        self._folder: TemporaryDirectory[str] | None = None
        self._ended = threading.Event()

    def close(self) -> None:
        """Stop writing, and remove the files. Those that are being read stay readable."""
        self._ended.set()
        self._threads.shutdown(cancel_futures=True)
        with self._lock:
            if self._folder is not None:
                self._folder.cleanup()

    def open(self, name: EvidenceName) -> BinaryIO | None:
        """Open the file with this name; None while it is not there."""
        with self._lock:
            if name.digest not in self._sizes:
                return None
            self._sizes.move_to_end(name.digest)
            try:
                return self._path(name.digest).open("rb")
            except FileNotFoundError:
                # Whatever tidies temporary folders has been here.
                del self._sizes[name.digest]
                return None

    def write(self, name: EvidenceName) -> Future[None]:
        """Have the file with this name written, once however many ask. Raises NotReadyError when too many wait.

        The future holds the errors of `EvidenceSource.write_lines`.
        """
        with self._lock:
            found = self._written.get(name.digest)
            if found is not None:
                return found
            if len(self._written) >= WAITING_AT_ONCE:
                raise NotReadyError("evidence of too many elections is being written: ask again soon")
            future = self._threads.submit(self._write, name)
            self._written[name.digest] = future
        future.add_done_callback(lambda _: self._forget(name.digest))
        return future

    def _write(self, name: EvidenceName) -> None:
        with self._lock:
            if name.digest in self._sizes:
                return
            path = self._path(name.digest)
        try:
            size = self._write_lines(path, self.source.write_lines(name))
        except OSError as error:
            path.unlink(missing_ok=True)
            raise StorageError(f"the evidence cannot be written: {error.strerror}", retryable=True) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        with self._lock:
            self._sizes[name.digest] = size
            while len(self._sizes) > 1 and sum(self._sizes.values()) > self._kept_bytes:
                oldest, _ = self._sizes.popitem(last=False)
                self._path(oldest).unlink(missing_ok=True)

    def _write_lines(self, path: Path, lines: Generator[bytes, None, None]) -> int:
        with closing(lines), path.open("wb") as file:
            for line in lines:
                if self._ended.is_set():
                    raise NotReadyError("the server is ending: ask again")
                file.write(line)
            return file.tell()

    def _forget(self, digest: str) -> None:
        with self._lock:
            self._written.pop(digest, None)

    def _path(self, digest: str) -> Path:
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="qballot-evidence-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{digest}.jsonl"
