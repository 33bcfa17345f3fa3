"""What an indexer keeps of proofs, put there directly: proofs that a real node gives, and what operators say."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine

from indexer.storage.model import Block, Election, HeadCheck
from indexer.storage.proof_model import KeptProof, Naming
from indexer.storage.proof_tables import LEDGER_PROOFS, NAMINGS
from indexer.storage.proof_writer import ProofWriter
from indexer.storage.repository import Repository
from indexer.storage.tables import HEAD_CHECKS
from qballot.chain.artifacts import default_factory, default_implementation
from qballot.chain.devnet import Devnet
from qballot.chain.pins import default_pins
from qballot.chain.proofs import fetch_head_proof, fetch_header
from qballot.core.proof import BoxOrigin, encode_header, hash_header, prove_head
from qballot.core.provenance import clone_runtime_code
from qballot.core.types import Address, BlockNumber, Hash32

OPERATOR = "a.example"


def load(engine: Engine, box: Address) -> Election:
    """Load an election that is indexed."""
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
    assert election is not None
    return election


def forget_proofs(engine: Engine) -> None:
    """Forget every proof, every head and all that operators said."""
    with engine.begin() as connection:
        for table in (LEDGER_PROOFS, NAMINGS, HEAD_CHECKS):
            connection.execute(table.delete())


def keep_proof(
    devnet: Devnet, engine: Engine, box: Address, *, number: int | None = None, lot: tuple[bytes, ...] = ()
) -> Block:
    """Prove a box's head at a block, the latest by default, and keep this proof alone. Returns the block."""
    forget_proofs(engine)
    header = fetch_header(devnet.rpc, "latest" if number is None else number)
    proof = fetch_head_proof(devnet.rpc, box, default_implementation(), header.number)
    block = Block(BlockNumber(header.number), hash_header(header), header.timestamp)
    election = load(engine, box)
    code = clone_runtime_code(default_implementation(), election.arguments)
    origin = BoxOrigin(devnet.rpc.chain_id(), default_factory(), box, election.salt, code)
    proven = prove_head(origin, encode_header(header), proof, block.hash, default_pins())
    check = HeadCheck(block, election.head, proven.head, is_proven=True)
    kept = KeptProof(box, block, proven.head, encode_header(header), proof, OPERATOR, lot)
    ProofWriter(engine, needed=2).save_heads({election.number: check}, [kept])
    return block


def say(engine: Engine, block: Block, names: Mapping[str, Hash32 | None], *, final: bool = False) -> None:
    """Let operators name a block: each by its own hash, or by another one."""
    ProofWriter(engine, needed=2).save_namings(
        Naming(block.number, block.hash, operator, block.hash if named is None else named, final, 1.0)
        for operator, named in names.items()
    )
