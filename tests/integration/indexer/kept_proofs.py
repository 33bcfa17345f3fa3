"""What an index has kept of proofs, and endpoints of several operators, for the tests of proofs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from scenes import Tamper, lying_endpoint
from sqlalchemy import Engine

from indexer.storage.model import Election, HeadCheck
from indexer.storage.proof_model import KeptProof, ProofMark
from indexer.storage.repository import Repository
from qballot.chain.devnet import Devnet
from qballot.chain.endpoints import Endpoints
from qballot.chain.pins import default_pins
from qballot.chain.rpc import Rpc
from qballot.core.proof import BoxOrigin, prove_head
from qballot.core.provenance import clone_runtime_code
from qballot.core.types import Address
from qballot.testing import ElectionOnDevnet


def load(engine: Engine, box: Address) -> Election:
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
    assert election is not None
    return election


def load_check(engine: Engine, box: Address) -> HeadCheck:
    check = load(engine, box).head_check
    assert check is not None
    return check


def load_marks(engine: Engine, box: Address) -> list[ProofMark]:
    with Repository(engine).snapshot() as snapshot:
        return snapshot.proofs.load_marks(box)


def load_proof(engine: Engine, mark: ProofMark) -> KeptProof:
    with Repository(engine).snapshot() as snapshot:
        kept = snapshot.proofs.load_proof(mark.box, mark.block.hash)
    assert kept is not None
    return kept


def verify(engine: Engine, scene: ElectionOnDevnet, mark: ProofMark) -> KeptProof:
    """Verify a kept proof by the core alone, against the hash that the real node names."""
    kept, box = load_proof(engine, mark), scene.deployment.box
    election, pins = load(engine, box), default_pins()
    code = clone_runtime_code(pins.implementation, election.arguments)
    origin = BoxOrigin(scene.devnet.rpc.chain_id(), pins.factory, box, election.salt, code)
    trusted = scene.devnet.rpc.block(mark.block.number).hash
    proven = prove_head(origin, kept.header, kept.proof, trusted, pins)
    assert proven.head == kept.head == election.head == scene.box.head(mark.block.number)
    return kept


@contextmanager
def endpoints_of(devnet: Devnet, *tampers: Tamper | None) -> Iterator[Endpoints]:
    """Run endpoints of operators a, b, …, in this order; None for the honest node itself."""
    with ExitStack() as stack:
        rpcs = [
            Rpc(devnet.url) if tamper is None else stack.enter_context(lying_endpoint(devnet, tamper))
            for tamper in tampers
        ]
        yield stack.enter_context(Endpoints(rpcs, operators=["a", "b", "c"][: len(rpcs)]))
