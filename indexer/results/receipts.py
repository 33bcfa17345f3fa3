"""A single ballot's receipt: the index knows where the ballot stands, and an endpoint gives its block's receipts.

    position ── index ──▶ block, log ── endpoint ──▶ header, receipts of the block ──▶ the voter's file

What the endpoint gives must follow from the block's hash that the index has, and hold the very record: it can refuse a
receipt, and not forge one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from functools import partial

from indexer.journal import get_journal
from indexer.storage.model import Ballot
from indexer.storage.repository import Repository
from qballot.chain.block_receipts import BlockReceipts, fetch_block_receipts
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.core.proof import ReceiptFile, verify_receipt_file
from qballot.core.types import Address, ChainId, Hash32
from qballot.errors import ChainError, DecodeError, EndpointError, ProofError

KEPT_BLOCKS = 8
"""Blocks whose receipts are kept; a full one of Ethereum's has some hundred receipts."""

_log = get_journal("api")


class NoSuchBallot(Enum):
    """Why there is no ballot to make a receipt of."""

    ELECTION = "this index holds no election at this address"
    POSITION = "this election has no ballot at this position"


class NoReceiptError(ChainError):
    """No endpoint gives what a receipt is made of."""


@dataclass(frozen=True, slots=True)
class FoundBallot:
    """A ballot whose receipt is to be made."""

    chain_id: ChainId
    box: Address
    ballot: Ballot


class Receipts:
    """Receipts of the ballots in one database. Safe to share between threads.

    endpoints: None for a server that asks none, and so makes none.
    """

    def __init__(self, repository: Repository, endpoints: Endpoints | None) -> None:
        self._repository = repository
        self._endpoints = endpoints
        self._lock = threading.Lock()
        self._blocks: OrderedDict[Hash32, BlockReceipts] = OrderedDict()

    def find_ballot(self, box: Address, position: int) -> FoundBallot | NoSuchBallot:
        """Find the ballot at a position of the box's records, from 0. Raises StorageError."""
        with self._repository.snapshot() as snapshot:
            cursor, election = snapshot.load_cursor(), snapshot.load_election(box)
            if cursor is None or election is None:
                return NoSuchBallot.ELECTION
            if position >= election.records:
                return NoSuchBallot.POSITION
            ballots = list(snapshot.stream_ballots(election, limit=1, after=position - 1))
        if not ballots or ballots[0].position != position:
            return NoSuchBallot.POSITION
        return FoundBallot(cursor.chain_id, box, ballots[0])

    def find_kept(self, found: FoundBallot) -> ReceiptFile | None:
        """Make a ballot's receipt of what is kept; None where its block's receipts are not."""
        with self._lock:
            block = self._blocks.get(found.ballot.batch.source.block_hash)
            if block is None:
                return None
            self._blocks.move_to_end(found.ballot.batch.source.block_hash)
        try:
            return _make_receipt(block, found)
        except ChainError as error:
            raise _refuse(found, error) from error

    def fetch(self, found: FoundBallot) -> ReceiptFile:
        """Make a ballot's receipt of what an endpoint gives, verified against the block's hash in the index.

        Raises NoReceiptError.
        """
        if self._endpoints is None:
            raise NoReceiptError("this server asks no endpoint, which a receipt needs: `qballot receipt get` makes it")
        try:
            block, receipt = self._endpoints.run(partial(_ask, found))
        except ChainError as error:
            raise _refuse(found, error) from error
        with self._lock:
            self._blocks[found.ballot.batch.source.block_hash] = block
            self._blocks.move_to_end(found.ballot.batch.source.block_hash)
            while len(self._blocks) > KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        return receipt


def _ask(found: FoundBallot, rpc: Rpc) -> tuple[BlockReceipts, ReceiptFile]:
    source = found.ballot.batch.source
    try:
        block = fetch_block_receipts(rpc, source.block_number, source.block_hash)
    except (ProofError, DecodeError) as error:
        raise EndpointError(rpc.endpoint, f"what it gave does not hold: {error}") from error
    return block, _make_receipt(block, found)


def _make_receipt(block: BlockReceipts, found: FoundBallot) -> ReceiptFile:
    """Make a receipt and verify it. Raises EndpointError."""
    ballot = found.ballot
    in_batch = ballot.position - ballot.batch.first_position
    receipt = block.make_receipt(found.chain_id, found.box, ballot.batch.source.log_index, in_batch)
    checked = verify_receipt_file(receipt, ballot.batch.source.block_hash, box=found.box, chain_id=found.chain_id)
    if checked.failure is not None or checked.record != ballot.record:
        said = "another ballot than the index has" if checked.failure is None else checked.failure.text
        raise EndpointError(block.endpoint, f"what it gave does not hold together: {said}")
    return receipt


def _refuse(found: FoundBallot, error: ChainError) -> NoReceiptError:
    number = found.ballot.batch.source.block_number
    _log.warning("receipt not made", block=number, position=found.ballot.position, problem=str(error))
    return NoReceiptError(
        f"no endpoint of this server gives the receipts of block {number} as they must be: ask again later, or make "
        "the receipt from another endpoint by `qballot receipt get`",
        retryable=True,
    )
