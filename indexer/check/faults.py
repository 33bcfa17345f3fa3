"""What can be wrong with what an index keeps, said so that one finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from indexer.storage.audit import KeptBallot
from qballot.core.bounds import validate_uint
from qballot.core.provenance import BoxArguments
from qballot.core.records import MAX_RECORD_BALLOT_BYTES, Record
from qballot.core.types import VoterIndex, Weight
from qballot.errors import InputError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not hold.

    what: `record`, `batch`, `count`, `head`, `source`, `group`, `turnout`, `rules`, `definition`, `validity` or `row`.
    message: what was found and
    what was expected. first_position, last_position: the records that are in doubt, one and the same for a single one;
    None where none is. batch: the place of their batch.
    """

    what: str
    message: str
    first_position: int | None = None
    last_position: int | None = None
    batch: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "what": self.what,
            "message": self.message,
            "batch": self.batch,
            "first_position": self.first_position,
            "last_position": self.last_position,
        }


def record_fault(position: int, batch: int | None, problem: str) -> Fault:
    """Say what is wrong with one record."""
    return Fault("record", f"record {position}: {problem}", position, position, batch)


def read_kept_record(row: KeptBallot) -> Record:
    """Read a row as the record that it should keep. Raises InputError that names the field that holds no such thing."""
    for name, bits in (("voter", 32), ("cast_at", 40)):
        value = getattr(row, name)
        if not isinstance(value, int):
            raise InputError(f"{name} is {value!r}, expected a number")
        validate_uint(name, value, bits)
    weight = row.weight
    if not (isinstance(weight, str) and weight.isascii() and weight.isdigit() and str(int(weight)) == weight):
        raise InputError(f"weight is {weight!r}, expected decimal digits")
    validate_uint("weight", int(weight), 96)
    if not isinstance(row.ballot, bytes):
        raise InputError(f"ballot is {row.ballot!r}, expected bytes")
    if len(row.ballot) > MAX_RECORD_BALLOT_BYTES:
        raise InputError(f"ballot has {len(row.ballot)} bytes, expected at most {MAX_RECORD_BALLOT_BYTES}")
    return Record(VoterIndex(row.voter), row.cast_at, Weight(int(weight)), row.ballot)


def find_impossible(record: Record, rules: BoxArguments) -> str | None:
    """Say what of a record its ballot box cannot have taken; None where nothing is."""
    if record.voter >= rules.voters:
        return f"voter is {record.voter}, expected below {rules.voters}, the voters of the census"
    if not rules.opens_at <= record.cast_at_unix < rules.closes_at:
        return f"cast_at says {record.cast_at_unix}, expected from {rules.opens_at} until before {rules.closes_at}"
    if len(record.ballot) > rules.max_ballot_bytes:
        return f"ballot has {len(record.ballot)} bytes, expected at most {rules.max_ballot_bytes}"
    return None


def find_difference(kept: Record, logged: Record) -> str | None:
    """Say which field of a kept record is not as in its log; None where all are."""
    for name in ("voter", "cast_at", "weight", "ballot"):
        found, expected = getattr(kept, name), getattr(logged, name)
        if found != expected:
            return f"{name} is {_show(found)}, expected {_show(expected)} as in its log"
    return None


def _show(value: Any) -> str:
    if not isinstance(value, bytes):
        return str(value)
    shown = value.hex()
    return "0x" + (shown if len(shown) <= 64 else f"{shown[:64]}… ({len(value)} bytes)")
