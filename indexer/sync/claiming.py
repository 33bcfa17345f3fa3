"""What works on a database once it is known to be of this chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Engine

from indexer.storage.repository import Repository
from indexer.storage.writer import IndexWriter
from indexer.sync.catch_up import CatchUp
from indexer.sync.fetch import RangeFetcher
from indexer.sync.leading import Lead
from indexer.sync.observer import Observer
from indexer.sync.proof_desk import ProofDesk
from indexer.sync.rewinding import Rewinder
from qballot.chain.endpoints import Endpoints
from qballot.core.provenance import compute_implementation_address
from qballot.core.types import Address, ChainId


class Claimed(NamedTuple):
    """What reads on, what takes back, and what proves."""

    catch_up: CatchUp
    rewinder: Rewinder
    proofs: ProofDesk


def claim_database(
    endpoints: Endpoints,
    engine: Engine,
    repository: Repository,
    *,
    chain_id: ChainId,
    factory: Address,
    witnesses: int,
    lead: Lead,
    observer: Observer,
    clock: Callable[[], float],
) -> Claimed:
    """Claim a database for one factory on one chain, and make ready what writes to it. The arguments are `Follower`'s.

    Raises StorageError when the database serves another chain or factory.
    """
    writer = IndexWriter(engine, chain_id=chain_id, factory=factory)
    catch_up = CatchUp(
        endpoints=endpoints,
        repository=repository,
        writer=writer,
        lead=lead,
        fetcher=RangeFetcher(factory, compute_implementation_address(factory)),
        observer=observer,
    )
    rewinder = Rewinder(endpoints, repository, writer, lead=lead, observer=observer, clock=clock)
    proofs = ProofDesk(
        endpoints,
        engine,
        writer,
        chain_id=chain_id,
        factory=factory,
        witnesses=witnesses,
        observer=observer,
        clock=clock,
    )
    return Claimed(catch_up, rewinder, proofs)
