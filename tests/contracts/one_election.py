"""An election of seven voters whose calls are valid but for what a test says: for the tests that break one thing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from any_sender import PEOPLE, Chain, encode_cast_signed_raw, encode_create_raw
from generated import sign
from loose_batch import LooseBatch

from qballot.chain.artifacts import default_factory, default_implementation
from qballot.chain.contracts import (
    BALLOT_BOX_CANCELLED,
    decode_ballot_box_created,
    decode_ballots_cast,
    encode_cancel,
    encode_cast,
)
from qballot.core.box_model import ElectionParams
from qballot.core.census import build_census
from qballot.core.records import Record, SignedRecord
from qballot.core.signing import BallotForm
from qballot.core.types import Address, Hash32, UnixSeconds, VoterIndex, Weight

DEFINITION = b"a definition"
SALT, OTHER_SALT = Hash32(bytes(32)), Hash32(b"\x01" * 32)
IMPLEMENTATION = default_implementation()
ORGANIZER, STRANGER = PEOPLE[-1], PEOPLE[-2]

# Seven voters, in sheets {0, 1, 2, 3} and {4, 5, 6}.
CENSUS = build_census([(PEOPLE[voter], Weight(voter + 1)) for voter in range(7)], 2)
MAX_BALLOT_BYTES = 3


@dataclass(frozen=True)
class Scene:
    """A chain with the factory and one election. opens_at, closes_at: the election's window."""

    chain: Chain
    box: Address
    opens_at: int
    closes_at: int

    def params(self, **changes: object) -> ElectionParams:
        """Those of the election, which are valid for one more as long as it is not open."""
        params = ElectionParams(
            opens_at=UnixSeconds(self.opens_at),
            closes_at=UnixSeconds(self.closes_at),
            sheet_bits=CENSUS.sheet_bits,
            voters=len(CENSUS),
            max_ballot_bytes=MAX_BALLOT_BYTES,
        )
        return replace(params, **changes)  # type: ignore[arg-type]

    def create(
        self,
        at: int | None = None,
        roots: tuple[Hash32, ...] = CENSUS.sheet_roots,
        salt: Hash32 = OTHER_SALT,
        definition: bytes = DEFINITION,
        **changes: object,
    ) -> Address:
        data = encode_create_raw(self.params(**changes), roots, salt, definition)
        (log,) = self.chain.transact(ORGANIZER, default_factory(), data, at)
        return decode_ballot_box_created(log).box

    def cast(self, voter: int, at: int | None = None, **changes: object) -> bytes:
        """A direct cast that is valid but for the changes; returns the emitted records."""
        entry = CENSUS.entry(min(voter, 6))
        values = {"sender": entry.address, "weight": entry.weight, "ballot": b"\x01", "to": self.box, **changes}
        data = encode_cast(VoterIndex(voter), values["weight"], values["ballot"], CENSUS.prove(entry.index))  # type: ignore[arg-type]
        (log,) = self.chain.transact(values["sender"], values["to"], data, self._time(at))  # type: ignore[arg-type]
        return decode_ballots_cast(log)

    def sign(
        self,
        voter: int,
        cast_at: int | None = None,
        *,
        ballot: bytes = b"\x01",
        key_of: int | None = None,
        form: BallotForm = BallotForm.BYTES,
    ) -> SignedRecord:
        """The ballot of a voter, by default signed at the opening, by themselves."""
        when = self.opens_at if cast_at is None else cast_at
        by = voter if key_of is None else key_of
        signed = sign(CENSUS, by, ballot, chain_id=self.chain.chain_id, box=self.box, cast_at=when, form=form)
        return replace(signed, record=Record(VoterIndex(voter), when, Weight(voter + 1), ballot))

    def cast_signed(
        self, *signed: SignedRecord, at: int | None = None, cut: int = 0, proof_of: tuple[int, ...] = ()
    ) -> bytes:
        """A batch with the multiproof of these voters, or of `proof_of`. cut: bytes that are missing at its end."""
        data = LooseBatch.of(signed).pack()
        return self.cast_packed(data[: len(data) - cut], *(proof_of or (item.record.voter for item in signed)), at=at)

    def cast_packed(self, batch: bytes, *proof_of: int, at: int | None = None) -> bytes:
        """A batch that is packed already, with the multiproof of these voters."""
        call = encode_cast_signed_raw(batch, CENSUS.prove_many(proof_of))
        (log,) = self.chain.transact(STRANGER, self.box, call, self._time(at))
        return decode_ballots_cast(log)

    def cancel(self, sender: Address = ORGANIZER, at: int | None = None) -> None:
        (log,) = self.chain.transact(sender, self.box, encode_cancel(), at)
        assert log.topics == (BALLOT_BOX_CANCELLED,)

    def _time(self, at: int | None) -> int:
        """By default the first second in which ballots are taken."""
        return max(self.opens_at, self.chain.now) if at is None else at
