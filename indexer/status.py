"""How an index stands: what it serves, how far it is, what it holds and whether an indexer is at work on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from indexer.storage.engine import describe
from indexer.storage.leadership import is_led
from indexer.storage.model import Block, ChainObservation, Contents, Reorg
from indexer.storage.proof_model import UnknownHeader
from indexer.storage.repository import Repository
from qballot.core.address import checksum_address
from qballot.core.types import Address, ChainId
from qballot.errors import StorageError


@dataclass(frozen=True, slots=True)
class Status:
    """An index at one moment.

    database: its name without a password. indexed: the last block whose ballots are all kept. finalized: the last one
    that an endpoint called final; None where none did. observed: what was last seen of the chain. last_reorg: None
    where there was none. unknown_header: the first block whose header has an unknown form; None while all are known.
    led: whether an indexer writes to it.
    """

    database: str
    chain_id: ChainId
    factory: Address
    indexed: Block
    finalized: Block | None
    observed: ChainObservation | None
    contents: Contents
    last_reorg: Reorg | None
    unknown_header: UnknownHeader | None
    led: bool

    @property
    def lag_blocks(self) -> int:
        """How many blocks the chain was ahead when it was last seen."""
        return 0 if self.observed is None else max(0, self.observed.head.number - self.indexed.number)

    @property
    def lag_seconds(self) -> int:
        """From the indexed block to the latest that was seen, by the chain's clock."""
        return 0 if self.observed is None else max(0, self.observed.head.timestamp - self.indexed.timestamp)

    def to_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        observed = self.observed
        return {
            "database": self.database,
            "chain_id": self.chain_id,
            "factory": checksum_address(self.factory),
            "indexed": _block_json(self.indexed),
            "finalized": None if self.finalized is None else _block_json(self.finalized),
            "observed": None
            if observed is None
            else {**_block_json(observed.head), "observed_at_unix": observed.observed_at_unix},
            "lag_blocks": self.lag_blocks,
            "lag_seconds": self.lag_seconds,
            "elections": self.contents.elections,
            "batches": self.contents.batches,
            "ballots": self.contents.records,
            "reorgs": self.contents.reorgs,
            "last_reorg": None if self.last_reorg is None else _reorg_json(self.last_reorg),
            "unknown_header": None if self.unknown_header is None else _unknown_json(self.unknown_header),
            "indexer_leads": self.led,
        }


def load_status(engine: Engine) -> Status:
    """Load how an index stands. Raises StorageError where nothing is indexed yet."""
    with Repository(engine).snapshot() as snapshot:
        cursor = snapshot.load_cursor()
        if cursor is None or cursor.block is None:
            raise StorageError(f"nothing is indexed yet in {describe(engine)}: run `qballot index` first")
        reorgs = snapshot.load_reorgs(1)
        return Status(
            database=describe(engine),
            chain_id=cursor.chain_id,
            factory=cursor.factory,
            indexed=cursor.block,
            finalized=snapshot.load_finalized(),
            observed=snapshot.load_observation(),
            contents=snapshot.count_contents(),
            last_reorg=reorgs[0] if reorgs else None,
            unknown_header=snapshot.proofs.load_unknown_header(),
            led=is_led(engine),
        )


def _block_json(block: Block) -> dict[str, Any]:
    return {"number": block.number, "hash": "0x" + block.hash.hex(), "timestamp": block.timestamp}


def _unknown_json(unknown: UnknownHeader) -> dict[str, Any]:
    return {"fields": list(unknown.fields), "block": _block_json(unknown.block), "problem": unknown.problem}


def _reorg_json(reorg: Reorg) -> dict[str, Any]:
    return {
        "observed_at_unix": reorg.observed_at_unix,
        "fork": {"number": reorg.fork_number, "hash": "0x" + reorg.fork_hash.hex()},
        "depth": reorg.depth,
    }
