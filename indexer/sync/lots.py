"""Proving heads at the block that lots are drawn from, once it is there, so that a tied count can be decided.

closesAt + 1,536 s
      │   lot's block                      cursor
──────┼───────┼──────────────────────────────┼──▶
   parent     └ the head is proved here, while nodes have the state;
      └──────────── later at the cursor, with all headers between, where a tie waits for them
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from indexer.journal import get_journal
from indexer.storage.model import Block
from indexer.storage.proof_model import DueBox, KeptProof
from indexer.storage.proof_writer import ProofWriter
from indexer.storage.repository import Repository
from indexer.sync.aside import run_aside, wait_for
from indexer.sync.proofs import name_blocks
from indexer.sync.prover import Prover
from qballot.chain.endpoints import Member
from qballot.chain.lot import MAX_LOT_HEADERS, fetch_lot_headers, find_lot_number
from qballot.chain.proofs import fetch_headers
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.definition import parse_definition
from qballot.core.proof import find_lot_block, hash_header
from qballot.core.tally import count_election
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.types import Address
from qballot.errors import ChainError, EndpointError, FalseProofError, NoProofError, ProofError

BOXES_AT_ONCE = 10
"""Elections whose lots are looked for in one look at the chain: each takes a few requests."""

LATE_SECONDS = 3_600
"""How long after the time of its lots an election is left out that draws none, whatever its count."""

RETRY_BLOCKS = 8
"""Blocks after which it is tried again what no endpoint gave."""

_START = (-1, 0)

_log = get_journal("sync")


class LotDesk:
    """Has the blocks of an index's lots shown. Not to be shared between threads. clock: the machine's."""

    def __init__(self, repository: Repository, writer: ProofWriter, prover: Prover, clock: Callable[[], float]) -> None:
        self._repository = repository
        self._writer = writer
        self._prover = prover
        self._clock = clock
        self._settled: set[Address] = set()
        self.start_again()

    def start_again(self) -> None:
        """Look at all elections again: the chain was reorganised."""
        self._settled.clear()
        self._after = _START
        self._retry_at: int | None = None

    def run(self, cursor: Block, stop: threading.Event | None) -> bool:
        """Prove some heads at the block of their lots, and keep the proofs. Returns whether there are more to look at.

        What no endpoint gives is logged and tried again some blocks later. Raises StorageError, and Stopped.
        """
        if self._retry_at is not None and cursor.number >= self._retry_at:
            self._after, self._retry_at = _START, None
        with self._repository.snapshot() as snapshot:
            boxes = snapshot.proofs.load_lotless(cursor, self._after, limit=BOXES_AT_ONCE)
        for box in boxes:
            self._after = (box.arguments.closes_at, box.number)
            if box.box in self._settled:
                continue
            if self._may_matter(box, cursor):
                self._prove(box, cursor, stop)
            else:
                self._settled.add(box.box)
        return len(boxes) == BOXES_AT_ONCE

    def _may_matter(self, box: DueBox, cursor: Block) -> bool:
        """Whether an election may draw lots, or the block of lots is so near that it costs little to show it."""
        is_late = cursor.timestamp - box.arguments.closes_at - LOT_DELAY_SECONDS > LATE_SECONDS
        if not is_late:
            return True
        with self._repository.snapshot() as snapshot:
            election = snapshot.load_election(box.box)
        contests = () if election is None else parse_definition(election.definition).contests
        return any(contest.tie.draws_lots for contest in contests)

    def _prove(self, box: DueBox, cursor: Block, stop: threading.Event | None) -> None:
        try:
            asking = run_aside(lambda: self._prover.ask(partial(self._prove_by, box, cursor)), name="lots")
            kept = wait_for(asking, stop)
        except ChainError as error:
            shown = checksum_address(box.box)
            _log.warning("the block of an election's lots is not shown", box=shown, problem=str(error))
            self._retry_at = self._retry_at or cursor.number + RETRY_BLOCKS
            return
        if kept is None:
            self._settled.add(box.box)
            return
        self._writer.save_heads({}, [kept], name_blocks([kept], self._clock()))

    def _prove_by(self, box: DueBox, cursor: Block, member: Member, rpc: Rpc) -> KeptProof | None:
        """Prove a head with the block of its lots by one endpoint; None where that is neither possible nor needed."""
        needed = box.arguments.closes_at + LOT_DELAY_SECONDS
        number = find_lot_number(rpc, -1, cursor.number, needed)
        try:
            at, lot = self._read_lot(rpc, number, cursor), fetch_lot_headers(rpc, number, number)
            return self._check(rpc, replace(self._prover.prove_by([box], at, member, rpc)[0], lot=lot), box)
        except NoProofError as error:
            if error.lasting or number == cursor.number:
                raise
        if not self._waits(box):
            return None
        if cursor.number - number >= MAX_LOT_HEADERS:
            _log.warning(
                "a tie stays open: the block of its lots is too far back, ask an archive's endpoint",
                box=checksum_address(box.box),
                lot_block=number,
            )
            return None
        headers = fetch_lot_headers(rpc, number, cursor.number)
        return self._check(rpc, replace(self._prover.prove_by([box], cursor, member, rpc)[0], lot=headers), box)

    def _read_lot(self, rpc: Rpc, number: int, cursor: Block) -> Block:
        """Read the lot's block of the chain that the index follows. Raises EndpointError on another chain."""
        header, latest = fetch_headers(rpc, [number, cursor.number])
        with self._repository.snapshot() as snapshot:
            known = {block.number: block.hash for block in snapshot.load_blocks()}
        for found, expected in ((header, known.get(header.number)), (latest, cursor.hash)):
            if expected is not None and hash_header(found) != expected:
                raise EndpointError(rpc.endpoint, f"has another block {found.number} than the index: it reorganises")
        return Block(header.number, hash_header(header), header.timestamp)

    def _check(self, rpc: Rpc, kept: KeptProof, box: DueBox) -> KeptProof:
        if kept.head != box.head:
            raise FalseProofError(
                rpc.endpoint,
                f"proves another head at block {kept.block.number}, after the close, than later: 0x{kept.head.hex()}",
            )
        try:
            find_lot_block(kept.lot, kept.header, box.arguments.closes_at)
        except ProofError as error:
            raise FalseProofError(rpc.endpoint, f"does not show the block of the lots: {error}") from error
        return kept

    def _waits(self, box: DueBox) -> bool:
        """Whether the count of an election is tied until lots are drawn."""
        with self._repository.snapshot() as snapshot:
            election = snapshot.load_election(box.box)
            groups = {} if election is None else snapshot.load_groups(election)
        if election is None:
            return False
        result = count_election(parse_definition(election.definition), groups)
        return any(contest.outcome.waits_for_lot for contest in result.contests)
