"""Who else names the blocks that heads are proven at: each operator's word, asked for beside everything else.

A proof says all about an election to whoever believes its block's hash; whether that block is the chain's is a matter
of several operators, none of whom can invent a chain that the others know too. One that lags names nothing. One that
names another block at that height contradicts the proof, which is told, and decided by nobody here. Only where nobody
is left who names the proof's block was the chain reorganised, and the proof is of no use any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial

from indexer.journal import get_journal
from indexer.storage.model import Block
from indexer.storage.proof_model import Naming
from indexer.storage.proof_writer import ProofWriter
from indexer.storage.repository import Repository
from indexer.sync.aside import LOOK_SECONDS, run_aside
from indexer.sync.observer import Observer
from qballot.chain.endpoints import Endpoints, Member
from qballot.chain.rpc import Rpc
from qballot.core.types import Hash32
from qballot.errors import ChainError, StorageError

BLOCKS_AT_ONCE = 200
"""Blocks that operators are asked for, the newest first."""

FINALITY_BLOCKS = 8
"""New blocks after which an operator that has named all blocks is asked again what is final."""

SETTLED_DEPTH = 3
"""Blocks that an operator has built upon another one than the proof's before that contradicts the proof."""

MAX_PAUSE_SECONDS = 60.0
"""Longest pause before an operator is asked again that still has not named a block."""

WAIT_SECONDS = 5.0
"""How long is waited for answers where the index is brought up to date once, and then left."""

_log = get_journal("sync")


class _Asked:
    """What an operator was asked for, and when. answer: to the last question; None before the first."""

    def __init__(self) -> None:
        self.answer: Future[None] | None = None
        self._all_at: int | None = None
        self._again_at = 0.0
        self._pause = 0.0
        self._unnamed: set[Hash32] = set()

    def choose(self, blocks: Sequence[Block], own: Sequence[Naming], now: int, *, is_patient: bool) -> list[Block]:
        """Choose what to ask for: blocks that it has not named, and now and then those that it does not call final.

        own: what it has named. now: the cursor's height. is_patient: ask for all at once.
        """
        if self.answer is not None and not self.answer.done():
            return []
        if is_patient or self._all_at is None or now - self._all_at >= FINALITY_BLOCKS:
            self._all_at = now
            final = {naming.block_hash for naming in own if naming.is_final}
            return [block for block in blocks if block.hash not in final]
        named = {naming.block_hash for naming in own}
        unnamed = {block.hash for block in blocks if block.hash not in named}
        # It is asked more and more seldom for what it does not name, and at once for what is new.
        if not unnamed <= self._unnamed:
            self._pause = self._again_at = 0.0
        if not unnamed or time.monotonic() < self._again_at:
            return []
        self._unnamed = unnamed
        self._pause = min(MAX_PAUSE_SECONDS, max(1.0, 2 * self._pause))
        self._again_at = time.monotonic() + self._pause
        return [block for block in blocks if block.hash in unnamed]


class Witnesses:
    """Asks operators for blocks, each in a thread of its own, one question at a time, and keeps what they say.

    needed: how many must name a block. clock: the machine's. To be used by one thread; its answers come in others.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        repository: Repository,
        writer: ProofWriter,
        *,
        needed: int,
        observer: Observer,
        clock: Callable[[], float],
    ) -> None:
        self._endpoints = endpoints
        self._repository = repository
        self._writer = writer
        self._needed = needed
        self._observer = observer
        self._clock = clock
        self._operators: dict[str, list[Member]] = {}
        for member in endpoints.members:
            self._operators.setdefault(member.operator, []).append(member)
        self._asked: dict[str, _Asked] = {operator: _Asked() for operator in self._operators}
        self._told: set[tuple[bytes, str, bytes]] = set()
        self._telling = threading.Lock()
        # Guards what follows, and all that is written.
        self._lock = threading.Lock()
        self._round = 0
        self._has_dropped = False
        self._silent: set[str] = set()

    def look(self, cursor: Block, *, is_patient: bool = False) -> None:
        """Begin to ask those who have not named all blocks, or may know of more that is final. Waits for nobody.

        is_patient: ask all again. Raises StorageError.
        """
        with self._repository.snapshot() as snapshot:
            blocks = snapshot.proofs.load_waiting(self._needed, limit=BLOCKS_AT_ONCE)
            said = snapshot.proofs.load_namings([block.hash for block in blocks])
        self._tell()
        for operator, members in self._operators.items():
            own = [naming for naming in said if naming.operator == operator and naming.agrees]
            wanted = self._asked[operator].choose(blocks, own, cursor.number, is_patient=is_patient)
            if wanted:
                ask = partial(self._ask, operator, members, wanted, self._round)
                self._asked[operator].answer = run_aside(ask, name=f"witness-{operator}")

    def has_dropped(self) -> bool:
        """Say whether proofs were dropped since this was last asked."""
        dropped, self._has_dropped = self._has_dropped, False
        return dropped

    def wait(self, stop: threading.Event | None) -> None:
        """Wait for the answers that are under way, until `stop` is set, but for WAIT_SECONDS at most."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (stop is not None and stop.is_set()) and (left := deadline - time.monotonic()) > 0:
            under_way = [asked.answer for asked in self._asked.values() if asked.answer is not None]
            if not wait(under_way, min(LOOK_SECONDS, left)).not_done:
                break

    def leave(self) -> None:
        """Let go of the answers that are still under way: nothing of them is written any more."""
        # Not under the lock, which is held while the database is waited for.
        self._round += 1

    def _ask(self, operator: str, members: Sequence[Member], blocks: Sequence[Block], asked_in: int) -> None:
        """Ask an operator's endpoints, the first that answers, and keep what it says."""
        problems = []
        for member in members:
            try:
                namings = self._endpoints.ask(member, partial(name_blocks_by, operator, blocks, self._clock))
            except ChainError as error:
                problems.append(str(error))
                continue
            if not namings and member != members[-1]:
                continue
            try:
                self._keep(operator, blocks, namings, asked_in)
            except StorageError as error:
                _log.warning("what an operator says is not kept", operator=operator, problem=str(error))
            return
        with self._lock:
            is_news = operator not in self._silent
            self._silent.add(operator)
        if is_news:
            _log.warning("an operator names no block", operator=operator, problem="; ".join(problems))

    def _keep(self, operator: str, blocks: Sequence[Block], namings: Sequence[Naming], asked_in: int) -> None:
        with self._lock:
            self._silent.discard(operator)
            if asked_in != self._round:
                return
            self._writer.save_namings(namings)
            for block in self._find_forsaken(blocks):
                dropped = self._writer.drop_block(block.hash)
                self._has_dropped = True
                _log.warning("nobody names a block any more that was proven", block=block.number, proofs=dropped)
        self._tell()

    def _find_forsaken(self, blocks: Sequence[Block]) -> list[Block]:
        """Find the blocks that were named by some, and are by nobody now."""
        with self._repository.snapshot() as snapshot:
            said = snapshot.proofs.load_namings([block.hash for block in blocks])
        named = {naming.block_hash for naming in said if naming.agrees}
        contradicted = {naming.block_hash for naming in said if not naming.agrees}
        return [block for block in blocks if block.hash in contradicted - named]

    def _tell(self) -> None:
        """Tell who contradicts, each once, and how far heads are witnessed."""
        # What is told last is what was read last.
        with self._telling:
            self._tell_now()

    def _tell_now(self) -> None:
        with self._repository.snapshot() as snapshot:
            contradictions = snapshot.proofs.load_contradictions(limit=BLOCKS_AT_ONCE)
            witnessed = snapshot.proofs.load_witnessed(self._needed)
        for naming in contradictions:
            said = (naming.block_hash, naming.operator, naming.named_hash)
            if said not in self._told:
                self._told.add(said)
                _log.error(
                    "ENDPOINTS DISAGREE about a block that heads are proven at",
                    block=naming.block_number,
                    proven=f"0x{naming.block_hash.hex()}",
                    operator=naming.operator,
                    names=f"0x{naming.named_hash.hex()}",
                )
        self._observer.blocks_witnessed(witnessed, len({naming.block_hash for naming in contradictions}))


def name_blocks_by(operator: str, blocks: Sequence[Block], clock: Callable[[], float], rpc: Rpc) -> list[Naming]:
    """Ask an endpoint which hashes the blocks at these heights have, and which are final.

    operator: who runs it. What it does not have is left out, and so is another block than the proof's that it has not
    built upon yet: of two newest blocks either may win. Raises EndpointError when it does not answer.
    """
    *found, finalized, latest = rpc.find_blocks([*(block.number for block in blocks), "finalized", "latest"])
    final = -1 if finalized is None else finalized.number
    settled = max(final, -1 if latest is None else latest.number - SETTLED_DEPTH)
    now = clock()
    return [
        Naming(block.number, block.hash, operator, header.hash, is_final=block.number <= final, named_at_unix=now)
        for block, header in zip(blocks, found, strict=True)
        if header is not None and (header.hash == block.hash or block.number <= settled)
    ]
