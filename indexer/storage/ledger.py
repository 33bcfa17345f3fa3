"""The ledger: what the chain does not hold, so that it outlives any index. Today: imported censuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, func, insert, select

from indexer.storage.bulk import CensusVoterValues, insert_census_voters
from indexer.storage.engine import begin_write, storage_errors
from indexer.storage.ledger_tables import LEDGER_CENSUS_VOTERS, LEDGER_CENSUSES, LEDGER_ELECTION_CENSUSES
from qballot.core.census import Census, CensusEntry
from qballot.core.types import Address, Hash32, VoterIndex, Weight

_STREAMED_VOTERS = 5_000


@dataclass(frozen=True, slots=True)
class KeptCensus:
    """A census of the ledger. number: its own, from 1. recipe: its JSON as in the census file, or None."""

    number: int
    census_hash: Hash32
    voters: int
    sheet_bits: int
    recipe: bytes | None


class Ledger:
    """Access to one database's ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save_census(self, box: Address, census: Census, census_hash: Hash32, recipe: bytes | None) -> bool:
        """Keep a census, once for all boxes that share it, and that this box was made with it, in one transaction.

        recipe: its JSON. Returns whether the census is new to the ledger. Raises StorageError.
        """
        with storage_errors("cannot write the ledger"), begin_write(self._engine) as connection:
            number = connection.scalar(select(LEDGER_CENSUSES.c.id).where(LEDGER_CENSUSES.c.census_hash == census_hash))
            new = number is None
            if number is None:
                number = (connection.scalar(select(func.max(LEDGER_CENSUSES.c.id))) or 0) + 1
                values = {"census_hash": census_hash, "voters": len(census), "sheet_bits": census.sheet_bits}
                connection.execute(insert(LEDGER_CENSUSES).values(id=number, recipe=recipe, **values))
                insert_census_voters(connection, _rows(census, number))
            boxes = LEDGER_ELECTION_CENSUSES
            connection.execute(delete(boxes).where(boxes.c.box == box))
            connection.execute(insert(boxes).values(box=box, census_id=number))
            return new

    def load_census(self, box: Address) -> KeptCensus | None:
        """Load which census a box was made with; None when none was imported for it. Raises StorageError."""
        join = LEDGER_CENSUSES.join(LEDGER_ELECTION_CENSUSES)
        query = select(LEDGER_CENSUSES).select_from(join).where(LEDGER_ELECTION_CENSUSES.c.box == box)
        with self._reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        recipe = None if row["recipe"] is None else bytes(row["recipe"])
        return KeptCensus(row["id"], Hash32(bytes(row["census_hash"])), row["voters"], row["sheet_bits"], recipe)

    def load_voter(self, census: KeptCensus, address: Address) -> CensusEntry | None:
        """Load a voter by address; None when the census has none. Raises StorageError."""
        voters = LEDGER_CENSUS_VOTERS.c
        query = select(voters.voter, voters.weight).where(voters.census_id == census.number, voters.address == address)
        with self._reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else CensusEntry(VoterIndex(row.voter), address, Weight(int(row.weight)))

    def load_sheet(self, census: KeptCensus, sheet: int) -> list[CensusEntry]:
        """Load all voters of one sheet, by index. Raises StorageError."""
        voters = LEDGER_CENSUS_VOTERS.c
        first = sheet << census.sheet_bits
        chosen = voters.voter.between(first, first + (1 << census.sheet_bits) - 1)
        query = select(LEDGER_CENSUS_VOTERS).where(voters.census_id == census.number, chosen).order_by(voters.voter)
        with self._reading() as connection:
            return [
                CensusEntry(VoterIndex(row.voter), Address(bytes(row.address)), Weight(int(row.weight)))
                for row in connection.execute(query)
            ]

    def stream_voters(self, census: KeptCensus) -> Iterator[tuple[Address, Weight]]:
        """Give all voters by index, some thousands at a time. Raises StorageError."""
        columns = (LEDGER_CENSUS_VOTERS.c.address, LEDGER_CENSUS_VOTERS.c.weight)
        chosen = select(*columns).where(LEDGER_CENSUS_VOTERS.c.census_id == census.number)
        query = chosen.order_by(LEDGER_CENSUS_VOTERS.c.voter)
        with self._reading() as connection:
            for address, weight in connection.execution_options(yield_per=_STREAMED_VOTERS).execute(query):
                yield Address(bytes(address)), Weight(int(weight))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with storage_errors("cannot read the ledger"), self._engine.connect() as connection:
            yield connection


def _rows(census: Census, number: int) -> Iterator[CensusVoterValues]:
    for index, (address, weight) in enumerate(zip(census.addresses, census.weights, strict=True)):
        yield number, index, address, str(weight)
