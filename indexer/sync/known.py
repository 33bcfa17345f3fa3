"""The elections that new ballots belong to, as they stand after the last range that was folded, written or not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from indexer.storage.model import Election, RangeChange
from indexer.storage.repository import Repository
from qballot.core.address import checksum_address
from qballot.core.types import Address
from qballot.errors import StorageError

KEPT_RANGES = 4
"""Ranges whose elections are kept in memory: more than may be folded and not written yet."""


class KnownElections:
    """Elections by their box: those of the last few ranges from memory, the others from the database."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._recent: deque[dict[Address, Election]] = deque(maxlen=KEPT_RANGES)
        self._open: frozenset[Address] = frozenset()

    @property
    def open_boxes(self) -> frozenset[Address]:
        """The boxes that may still emit something."""
        return self._open

    def start(self, open_boxes: Iterable[Address]) -> None:
        """Begin anew, with the boxes that are open at the cursor. Nothing may be unwritten."""
        self._recent.clear()
        self._open = frozenset(open_boxes)

    def load(self, boxes: Iterable[Address]) -> dict[Address, Election]:
        """Return the elections of these boxes. Raises StorageError."""
        found: dict[Address, Election] = {}
        missing: list[Address] = []
        for box in boxes:
            election = next((kept[box] for kept in reversed(self._recent) if box in kept), None)
            if election is None:
                missing.append(box)
            else:
                found[box] = election
        if missing:
            with self._repository.snapshot() as snapshot:
                for box in missing:
                    election = snapshot.load_election(box)
                    if election is None:
                        raise StorageError(f"the index lost the box {checksum_address(box)} while it was written to")
                    found[box] = election
        return found

    def take(self, change: RangeChange) -> None:
        """Note what a range has changed, which is to be written next."""
        elections = {**change.updated, **{election.box: election for election in change.created}}
        self._recent.append(elections)
        now = change.until.timestamp
        added = {box for box, election in elections.items() if not election.cancelled and election.closes_at > now}
        over = {box for box, election in elections.items() if election.cancelled or election.closes_at <= now}
        if not added <= self._open or not self._open.isdisjoint(over):
            self._open = (self._open | added) - over
