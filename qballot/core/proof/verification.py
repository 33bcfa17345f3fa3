"""What came of verifying evidence: the steps, and what they showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from qballot.core.address import checksum_address
from qballot.core.canonical import JsonTree
from qballot.core.election import Definition
from qballot.core.proof.evidence import BoxOrigin
from qballot.core.proof.head import ProvenHead
from qballot.core.proof.header import Header
from qballot.core.proof.steps import EvidenceCheck, Outcome, StepReport, find_failure, find_unknown
from qballot.core.tally.result import ElectionResult
from qballot.core.types import Hash32


class ResultState(StrEnum):
    """What a verified result says."""

    PARTIAL = "partial"
    """At a block before the close: shows who leads, names no winner."""

    COMPLETE = "complete"
    """At a block at or after the close: no ballot can follow."""

    CANCELLED = "cancelled"
    """Cancelled by its organizer before the opening: nobody could vote."""

    INVALID = "invalid"
    """The definition is not as it must be, or the box's rules do not fit it: never counted."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Evidence, verified as far as it went.

    steps: all sixteen. trusted_block_hash: what was believed; None where the file could not be read that far.
    is_trust_own: whether that hash was taken from the evidence itself, so that nothing ties it to any chain.
    origin, definition, proven, state, lot, result: None where no step got to them; state also where one failed, unless
    that shows nothing but that the election is invalid. batches, records, voters_who_cast: how many, 0 likewise.
    """

    steps: tuple[StepReport, ...]
    trusted_block_hash: Hash32 | None
    is_trust_own: bool = False
    origin: BoxOrigin | None = None
    definition: Definition | None = field(default=None, repr=False)
    proven: ProvenHead | None = field(default=None, repr=False)
    state: ResultState | None = None
    batches: int = 0
    records: int = 0
    voters_who_cast: int = 0
    lot: Hash32 | None = None
    result: ElectionResult | None = field(default=None, repr=False)

    @property
    def failure(self) -> StepReport | None:
        """The first step that failed."""
        return find_failure(self.steps)

    @property
    def unknown(self) -> StepReport | None:
        """The step that met something that was made for a newer version of QBallot: nothing is said of the election."""
        return find_unknown(self.steps)

    @property
    def holds(self) -> bool:
        """Whether no step failed, and none ended as unknown."""
        return self.failure is None and self.unknown is None

    @property
    def is_electorate_checked(self) -> bool:
        """Whether the voters were there, and are those whom the box admits."""
        return self.steps[EvidenceCheck.CENSUS.number - 1].outcome is Outcome.HOLDS

    def to_json(self) -> dict[str, JsonTree]:
        """Write it as one JSON object; hashes as 0x-hex, addresses with their checksum."""
        origin, proven = self.origin, self.proven
        return {
            "verified": self.holds,
            "state": None if self.state is None else self.state.value,
            "electorate_checked": self.is_electorate_checked,
            "trusted_block_hash": _hex(self.trusted_block_hash),
            "trusted_hash_is_of_the_evidence_itself": self.is_trust_own,
            "chain_id": None if origin is None else origin.chain_id,
            "box": None if origin is None else checksum_address(origin.box),
            "block": None if proven is None else block_to_json(proven.header, proven.block_hash),
            "head": None if proven is None else _hex(proven.head),
            "batches": self.batches,
            "records": self.records,
            "voters_who_cast": self.voters_who_cast,
            "lot": _hex(self.lot),
            "steps": steps_to_json(self.steps),
            "result": None if self.result is None else self.result.to_json(),
        }


def block_to_json(header: Header, block_hash: Hash32) -> dict[str, JsonTree]:
    """Write which block something holds at."""
    return {"number": header.number, "hash": _hex(block_hash), "timestamp": header.timestamp}


def steps_to_json(steps: Sequence[StepReport]) -> list[JsonTree]:
    """Write the steps in their order."""
    return [step.to_json() for step in steps]


def _hex(data: bytes | None) -> str | None:
    return None if data is None else "0x" + data.hex()
