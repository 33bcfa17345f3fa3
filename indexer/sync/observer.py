"""Who hears what the follower does, for a live line or for metrics."""

from __future__ import annotations

from typing import Protocol

from indexer.storage.model import Block


class Observer(Protocol):
    """Hears what happens, from the follower's threads and in their way: it must return at once and raise nothing."""

    def chain_seen(self, latest: Block, indexed: Block | None, finalized: Block | None) -> None:
        """Hear how far the chain is, how far the index, and what is final, where the endpoint says so."""

    def range_indexed(
        self,
        start: int,
        end: int,
        *,
        timestamp: int,
        logs: int,
        ballots: int,
        fetch_seconds: float,
        write_seconds: float,
        range_blocks: int,
    ) -> None:
        """Hear of a range of blocks that was written.

        timestamp: of its last block, unix seconds by the chain's clock. range_blocks: how many would be asked for next.
        """

    def reorged(self, depth: int) -> None:
        """Hear of a reorganisation that took away so many blocks."""

    def heads_proven(self, at: Block, unproven: int) -> None:
        """Hear that heads were to be proved at a block, and how many elections' are unproven now."""

    def headers_known(self, unknown_since: int | None) -> None:
        """Hear of the first block whose header has a form that is unknown here; None while all are known."""

    def blocks_witnessed(self, newest: int | None, contradicted: int) -> None:
        """Hear how far proofs are witnessed, and how many blocks of proofs an operator contradicts.

        newest: height of the newest block of a proof that enough operators name; None without any.
        """

    def repaired(self, records: int) -> None:
        """Hear of an election that was put right, in whose place so many records were written."""

    def leading(self, leads: bool) -> None:
        """Hear whether this indexer writes, or stands by."""

    def failed(self, what: str) -> None:
        """Hear of a failure that will be waited out."""


class NoObserver:
    """Hears and says nothing."""

    def chain_seen(self, latest: Block, indexed: Block | None, finalized: Block | None) -> None:
        """Do nothing."""

    def range_indexed(
        self,
        start: int,
        end: int,
        *,
        timestamp: int,
        logs: int,
        ballots: int,
        fetch_seconds: float,
        write_seconds: float,
        range_blocks: int,
    ) -> None:
        """Do nothing."""

    def reorged(self, depth: int) -> None:
        """Do nothing."""

    def heads_proven(self, at: Block, unproven: int) -> None:
        """Do nothing."""

    def headers_known(self, unknown_since: int | None) -> None:
        """Do nothing."""

    def blocks_witnessed(self, newest: int | None, contradicted: int) -> None:
        """Do nothing."""

    def repaired(self, records: int) -> None:
        """Do nothing."""

    def leading(self, leads: bool) -> None:
        """Do nothing."""

    def failed(self, what: str) -> None:
        """Do nothing."""
