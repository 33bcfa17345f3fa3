"""What is not there yet, and is to be asked for again."""

from __future__ import annotations

from qballot.errors import StorageError


class NotReadyError(StorageError):
    """An answer is still in the making. retry_after_seconds: when to ask again."""

    def __init__(self, message: str, *, retry_after_seconds: int = 2) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message, retryable=True)
