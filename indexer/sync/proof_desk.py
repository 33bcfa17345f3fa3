"""All that is done about proofs after each look at the chain, in its order.

heads proved ─▶ records that contradict them put right ─▶ blocks of lots shown ─▶ operators asked who names the blocks
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import Engine

from indexer.storage.model import Block
from indexer.storage.proof_writer import ProofWriter
from indexer.storage.repository import Repository
from indexer.storage.writer import IndexWriter
from indexer.sync.lots import LotDesk
from indexer.sync.observer import Observer
from indexer.sync.proofs import HeadDesk
from indexer.sync.prover import Prover
from indexer.sync.repair import Repairer
from indexer.sync.witnesses import Witnesses
from qballot.chain.endpoints import Endpoints
from qballot.chain.pins import default_pins
from qballot.core.types import Address, ChainId


class ProofDesk:
    """Keeps up what is proven of an index. Not to be shared between threads.

    witnesses: how many operators must name a block. clock: the machine's.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        engine: Engine,
        writer: IndexWriter,
        *,
        chain_id: ChainId,
        factory: Address,
        witnesses: int,
        observer: Observer,
        clock: Callable[[], float],
    ) -> None:
        self._repository = repository = Repository(engine)
        proofs = ProofWriter(engine, needed=witnesses)
        prover = Prover(endpoints, default_pins(factory), chain_id)
        self._observer = observer
        self._heads = HeadDesk(endpoints, repository, proofs, prover, clock)
        self._repairer = Repairer(
            endpoints, engine, writer, chain_id=chain_id, factory=factory, observer=observer, clock=clock
        )
        self._lots = LotDesk(repository, proofs, prover, clock)
        self._witnesses = Witnesses(endpoints, repository, proofs, needed=witnesses, observer=observer, clock=clock)
        self._looked_at: Block | None = None
        self._has_more_lots = False

    def look(self, cursor: Block, stop: threading.Event | None, *, is_last: bool) -> None:
        """Prove what is due at the last indexed block.

        is_last: nobody looks again soon, so that all lots are looked for and answers of operators are waited for.
        Raises StorageError, and Stopped once `stop` is set.
        """
        if cursor != self._looked_at or self._witnesses.has_dropped():
            self._looked_at = None
            self._prove(cursor, stop)
            self._looked_at, self._has_more_lots = cursor, True
        while self._has_more_lots:
            self._has_more_lots = self._lots.run(cursor, stop)
            if not is_last:
                break
        self._witnesses.look(cursor, is_patient=is_last)
        if is_last:
            self._witnesses.wait(stop)
            self._witnesses.leave()

    def _prove(self, cursor: Block, stop: threading.Event | None) -> None:
        if self._heads.run(cursor, stop) and self._repairer.run(cursor, stop):
            self._heads.run(cursor, stop)
        with self._repository.snapshot() as snapshot:
            unproven, unknown = snapshot.proofs.count_unproven(), snapshot.proofs.load_unknown_header()
        self._observer.heads_proven(cursor, unproven)
        self._observer.headers_known(None if unknown is None else unknown.block.number)

    def rewound(self) -> None:
        """Say that the chain was reorganised."""
        self._looked_at = None
        self._lots.start_again()

    def leave(self) -> None:
        """Let go of the answers that are still under way."""
        self._witnesses.leave()
