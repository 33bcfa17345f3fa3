"""Putting right what a proof contradicts: the records of a box, where they do not end in its proven head.

    proven head ≠ recomputed ─▶ where do they part? (proofs) ─▶ read the logs anew ─▶ do they end in it? ─ yes ─┐
                                                                      └ no ─▶ the blocks' receipts ─ yes ───────┤
                                                     next endpoint ◀─ no ─────────────┘                       write

Whatever an endpoint says is taken only if it ends in the proven head. If no endpoint gives that, the election is shown
as contradicted, with the reason, and is tried again at later blocks, more and more seldom.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Engine

from indexer.journal import get_journal
from indexer.storage.model import Block
from indexer.storage.proof_model import Repair
from indexer.storage.replace import PlaceTakenError, Replacement, load_contradicted, save_failure
from indexer.storage.writer import IndexWriter
from indexer.sync.aside import run_aside, wait_for
from indexer.sync.checks import TOPICS, check_blocks
from indexer.sync.creation import make_printable
from indexer.sync.events import BoxEvent, read_event
from indexer.sync.observer import Observer
from indexer.sync.repair_goal import Goal
from indexer.sync.repair_receipts import read_receipts
from indexer.sync.repair_start import find_start
from qballot.chain.answers import BlockHeader
from qballot.chain.creation import scan_logs
from qballot.chain.endpoints import Endpoints
from qballot.chain.pins import default_pins
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.proof import BoxOrigin
from qballot.core.provenance import clone_runtime_code
from qballot.core.types import Address, ChainId
from qballot.errors import ChainError, DecodeError, EndpointError, NoProofError, QballotError

MAX_PAUSE_BLOCKS = 512
"""Most blocks between two attempts: doubled by each that fails, from one block."""

_log = get_journal("sync")


@dataclass(frozen=True, slots=True)
class _Failed:
    """An attempt that was in vain. again_at: the block from which on it is tried again. why: for people."""

    attempts: int
    again_at: int
    why: str


class Repairer:
    """Puts elections right whose proven heads their records contradict. Not to be shared between threads.

    clock: the machine's, for the record of what was done.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        engine: Engine,
        writer: IndexWriter,
        *,
        chain_id: ChainId,
        factory: Address,
        observer: Observer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._endpoints = endpoints
        self._engine = engine
        self._writer = writer
        self._chain_id = chain_id
        self._pins = default_pins(factory)
        self._observer = observer
        self._clock = clock
        self._failed: dict[Address, _Failed] = {}

    def run(self, cursor: Block, stop: threading.Event | None) -> int:
        """Put right what was proved wrong at the cursor. Returns how many elections: their heads are to be proved anew.

        Raises StorageError, and Stopped once `stop` is set.
        """
        goals = {goal.election.box: goal for goal in self._load_goals(cursor)}
        found: list[Replacement] = []
        for box, goal in goals.items():
            failed = self._failed.get(box)
            if failed is not None and cursor.number < failed.again_at:
                continue
            try:
                found.append(wait_for(run_aside(partial(self._ask, goal), name="repair"), stop))
            except ChainError as error:
                self._note(box, cursor, error)
        repaired = self._write(found)
        for box in goals.keys() - repaired:
            save_failure(self._engine, goals[box].election.number, cursor, self._failed[box].why)
        return len(repaired)

    def _load_goals(self, cursor: Block) -> list[Goal]:
        return [Goal(contradicted, cursor) for contradicted in load_contradicted(self._engine, cursor)]

    def _ask(self, goal: Goal) -> Replacement:
        """Find the right batches with the help of the first endpoint that is of any. Raises ChainError."""
        errors: list[ChainError] = []
        for member in self._endpoints.members:
            try:
                return self._endpoints.ask(member, partial(self._find, goal))
            except ChainError as error:
                errors.append(error)
        raise errors[0] if len(errors) == 1 else ChainError("; ".join(map(str, errors)))

    def _find(self, goal: Goal, rpc: Rpc) -> Replacement:
        """Find the right batches with one endpoint's help. Raises NoProofError where that is of none.

        An endpoint that follows another chain than the index may well be right, and is not left alone for it.
        """
        election = goal.election
        code = clone_runtime_code(self._pins.implementation, election.arguments)
        origin = BoxOrigin(self._chain_id, self._pins.factory, election.box, election.salt, code)
        problems: list[str] = []
        # From the start again, should what an endpoint says of the past have misled.
        for kept in dict.fromkeys((find_start(rpc, goal, origin, self._pins), 0)):
            for read, what, how in ((_read_logs, "logs", ""), (_read_receipts, "receipts", ", verified by its blocks")):
                try:
                    events = read(rpc, goal, kept)
                    if goal.is_met(kept, events):
                        return goal.plan(kept, events, f"{what} of {rpc.endpoint}{how}")
                    problems.append(f"its {what} do not end in the proven head")
                except DecodeError as error:
                    problems.append(f"its {what} are none of a box: {error}")
                except EndpointError as error:
                    problems.append(str(error))
        said = "; ".join(problem.removeprefix(f"{rpc.endpoint}: ") for problem in dict.fromkeys(problems))
        raise NoProofError(rpc.endpoint, said, lasting=False)

    def _write(self, replacements: Sequence[Replacement]) -> set[Address]:
        """Write them all at once; where they contradict other elections, those that do not. Returns whose were."""
        if not replacements:
            return set()
        try:
            repairs = self._writer.replace(replacements, observed_at_unix=self._clock())
        except PlaceTakenError as error:
            if len(replacements) > 1:
                return set().union(*(self._write([replacement]) for replacement in replacements))
            self._note(replacements[0].box, replacements[0].at, error)
            return set()
        for repair in repairs:
            self._tell(repair)
        return {repair.box for repair in repairs}

    def _tell(self, repair: Repair) -> None:
        self._failed.pop(repair.box, None)
        _log.error(
            "REPAIRED: the logs that were indexed contradicted the proven head",
            box=checksum_address(repair.box),
            block=repair.block_number,
            first_sequence=repair.first_sequence,
            removed_batches=repair.removed_batches,
            removed_records=repair.removed_records,
            added_batches=repair.added_batches,
            added_records=repair.added_records,
            source=repair.source,
        )
        self._observer.repaired(repair.added_records)

    def _note(self, box: Address, at: Block, error: QballotError) -> None:
        """Remember that an attempt was in vain, and until when there is none again."""
        before = self._failed.get(box)
        attempts = 1 if before is None else before.attempts + 1
        again_at = at.number + min(2 ** min(attempts - 1, 16), MAX_PAUSE_BLOCKS)
        why = make_printable(f"the records could not be put right at block {at.number}: {error}")
        _log.error("NOT REPAIRED", box=checksum_address(box), block=at.number, again_at=again_at, problem=str(error))
        self._failed[box] = _Failed(attempts, again_at, why)


def _read_logs(rpc: Rpc, goal: Goal, kept: int) -> list[BoxEvent]:
    """Read what a box emitted as the endpoint tells it, in blocks that it says to have."""
    first, last = goal.first_block(kept), goal.at.number
    parts = scan_logs(rpc, first, last, [goal.election.box], [TOPICS[1:]])
    logs = [log for part in parts for log in part]
    headers: dict[int, BlockHeader] = {}
    check_blocks(rpc, last, headers, logs)
    if (found := headers[last].hash) != goal.at.hash:
        raise EndpointError(rpc.endpoint, f"has block {last} as 0x{found.hex()}, the index as 0x{goal.at.hash.hex()}")
    return [read_event(log) for log in logs]


def _read_receipts(rpc: Rpc, goal: Goal, kept: int) -> list[BoxEvent]:
    return read_receipts(rpc, goal.election.box, goal.first_block(kept), goal.at.number, goal.at.hash)
