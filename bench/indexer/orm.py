"""The usual way: web3.py's event filter and SQLAlchemy's ORM, an object a ballot, a commit a range."""

from __future__ import annotations

from collections.abc import Sequence

from bare import Range
from sqlalchemy import BigInteger, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from web3 import Web3

from qballot.chain.artifacts import BALLOT_BOX, load_artifact
from qballot.core.address import checksum_address
from qballot.core.types import Address


class Base(DeclarativeBase):
    """Of the one table."""


class BallotRow(Base):
    """One record, with the columns and the key of ours."""

    __tablename__ = "ballots"

    election_id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    batch_sequence: Mapped[int] = mapped_column(BigInteger)
    voter: Mapped[int] = mapped_column(BigInteger)
    cast_at: Mapped[int] = mapped_column(BigInteger)
    weight: Mapped[str]
    ballot: Mapped[bytes]


def fill(url: str, box: Address, ranges: Sequence[Range], database_url: str) -> int:
    """Read all ballots of a box into a new table; return how many."""
    engine = create_engine(database_url)
    Base.metadata.create_all(engine)
    web3 = Web3(Web3.HTTPProvider(url))
    event = web3.eth.contract(address=checksum_address(box), abi=load_artifact(BALLOT_BOX).abi).events.BallotsCast
    position = sequence = 0
    with Session(engine) as session:
        for start, end in ranges:
            for log in event.get_logs(from_block=start, to_block=end):
                for voter, cast_at, weight, ballot in _unpack(log["args"]["records"]):
                    row = BallotRow(
                        election_id=1,
                        position=position,
                        batch_sequence=sequence,
                        voter=voter,
                        cast_at=cast_at,
                        weight=str(weight),
                        ballot=ballot,
                    )
                    session.add(row)
                    position += 1
                sequence += 1
            session.commit()
    engine.dispose()
    return position


def _unpack(records: bytes) -> list[tuple[int, int, int, bytes]]:
    unpacked = []
    at = 0
    while at < len(records):
        end = at + 23 + int.from_bytes(records[at + 21 : at + 23])
        voter, cast_at = int.from_bytes(records[at : at + 4]), int.from_bytes(records[at + 4 : at + 9])
        unpacked.append((voter, cast_at, int.from_bytes(records[at + 9 : at + 21]), records[at + 23 : end]))
        at = end
    return unpacked
