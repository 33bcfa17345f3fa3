"""Our own indexer over a whole chain: every check, the hash chains, the tally kept up."""

from __future__ import annotations

from typing import Any

from bare import Range
from parts import Parts

from indexer.storage.engine import open_database
from indexer.storage.repository import Repository
from indexer.storage.writer import IndexWriter
from indexer.sync import Follower, fold
from indexer.sync.observer import NoObserver
from qballot.chain.rpc import Rpc
from qballot.chain.transport import Transport
from qballot.core.types import Address


class Backfill:
    """One run over an empty database.

    with_parts: whether to say in `parts` where the CPU time goes, which costs a little of it. ranges: those that were
    asked for.
    """

    def __init__(self, url: str, database_url: str, *, with_parts: bool) -> None:
        self.ranges: list[Range] = []
        self.parts = _time_parts() if with_parts else Parts()
        self._rpc = Rpc(url)
        self._engine = open_database(database_url)
        self._follower = Follower(self._rpc, self._engine, observer=_Ranges(self.ranges))

    def run(self) -> None:
        """Read the chain up to its latest block."""
        self._follower.sync_once()
        # As the other ways do: what SQLite's log still holds is moved to its place when the file is closed.
        self._engine.dispose()

    def count(self, box: Address) -> int:
        """Return how many ballots of a box the index holds, after all of its checks; end."""
        with Repository(self._engine).snapshot() as snapshot:
            election = snapshot.load_election(box)
        self._engine.dispose()
        self._rpc.close()
        return 0 if election is None or election.invalid_reason is not None else election.records


class _Ranges(NoObserver):
    """Writes down which ranges were indexed."""

    def __init__(self, ranges: list[Range]) -> None:
        self._ranges = ranges

    def range_indexed(self, start: int, end: int, **_: Any) -> None:
        """Take one range."""
        self._ranges.append((start, end))


def _time_parts() -> Parts:
    parts = Parts()
    for method in ("fetch", "fetch_many"):
        parts.time_method(Transport, method, "fetch")
    for method in ("logs", "block", "blocks"):
        parts.time_method(Rpc, method, "decode")
    parts.time_function(fold.fold_range, "fold")
    parts.time_method(IndexWriter, "apply", "write")
    return parts
