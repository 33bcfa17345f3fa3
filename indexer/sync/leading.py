"""Who of several indexers writes: this one asks to lead, says when that changes, and gives it up at the end."""

from __future__ import annotations

from sqlalchemy import Engine

from indexer.journal import get_journal
from indexer.storage.leadership import Leadership
from indexer.sync.observer import Observer
from qballot.errors import StorageError

_log = get_journal("sync")


class Lead:
    """This indexer's part in leading. Making one asks nothing of anyone."""

    def __init__(self, engine: Engine, observer: Observer) -> None:
        self._engine = engine
        self._observer = observer
        self._leadership: Leadership | None = None
        # Nothing was said of it at first, not even that it does not lead.
        self._told: bool | None = None

    @property
    def leads(self) -> bool:
        """Whether it led when it last asked."""
        return self._told is True

    def ask(self) -> bool:
        """Ask to lead, or go on leading. Returns whether it does. Raises StorageError, for good where nobody waits."""
        if self._leadership is None:
            self._leadership = Leadership(self._engine)
        self._note(self._leadership.try_acquire())
        return self.leads

    def holds(self) -> bool:
        """Say whether it leads still, by what the database says now."""
        return self._leadership is not None and self._leadership.held()

    def check(self) -> None:
        """Check that it leads still. Raises StorageError, which may pass, where the claim was lost."""
        if not self.holds():
            raise StorageError("another indexer may lead now: the claim to the database is lost", retryable=True)

    def resign(self) -> None:
        """Let others lead."""
        if self._leadership is not None:
            self._leadership.release()
            self._note(False)

    def _note(self, leads: bool) -> None:
        if leads != self._told:
            self._told = leads
            _log.info("leading" if leads else "standing by")
            self._observer.leading(leads)
