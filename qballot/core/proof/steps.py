"""The steps of a verification: what each one proves, what it reads, and how it ended.

Their numbers and ids are for ever: a report names them, and so does docs/verification.md, which says each step exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Generic, TypeVar

from qballot.core.canonical import JsonTree
from qballot.errors import InvalidElectionError, QballotError, UnknownVersionError


class Outcome(StrEnum):
    """How a step ended."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"
    """What it reads was made for a newer version of QBallot: this program cannot say."""

    SKIPPED = "skipped"
    """There was nothing to check, or a step before it failed, or cannot be decided."""


class Check(Enum):
    """One step. number: its place. id: its name. proves: what holds when it does. reads: what it is computed from."""

    number: int
    id: str
    proves: str
    reads: str

    def __init__(self, number: int, name: str, proves: str, reads: str) -> None:
        self.number = number
        self.id = name
        self.proves = proves
        self.reads = reads


class EvidenceCheck(Check):
    """The steps through a bundle of evidence, in their order."""

    FORMAT = (1, "format", "the file is whole and in its only form", "every line")
    DEFINITION = (2, "definition", "the definition is canonical and valid, so that it has one meaning", "definition")
    ARGUMENTS = (
        3,
        "arguments",
        "the box's code holds this definition's hash and rules that fit it, the times, and the electorate's roots",
        "code, definition",
    )
    ADDRESS = (
        4,
        "address",
        "the pinned factory made the box, with this code and an empty start",
        "factory, box, salt, code",
    )
    IMPLEMENTATION = (5, "implementation", "the box runs the implementation that the pinned factory made", "code")
    HEADER = (6, "header", "the header is that of the block whose hash is trusted", "header, chain id")
    BOX_ACCOUNT = (7, "box-account", "at this block the code stands at the box's address", "header, code, box's proof")
    IMPLEMENTATION_ACCOUNT = (
        8,
        "implementation-account",
        "at this block the implementation's code is the pinned one: the rules that every ballot went through",
        "header, implementation's proof",
    )
    HEAD = (9, "head", "at this block the box's only slot holds this head", "box's account, slot's proof")
    CHAIN = (10, "chain", "the batches are all that were cast up to this block, unchanged and in order", "batches")
    RECORDS = (11, "records", "every record is one that the box's rules admit", "batches, code, header")
    CENSUS = (12, "census", "the voters are those whom the box admits, each once, with these weights", "voters, code")
    MEMBERSHIP = (
        13,
        "membership",
        "every ballot is of a voter in the census, with that voter's weight",
        "batches, voters",
    )
    STATE = (14, "state", "whether another ballot can follow", "header, code, head")
    LOT = (15, "lot", "lots are drawn from the first block that is late enough", "lot's headers, header, code")
    TALLY = (16, "tally", "the result follows from the ballots that count", "definition, batches, voters, lot")


class ReceiptCheck(Check):
    """The steps through the receipt of one ballot, in their order."""

    FORMAT = (1, "format", "the file is whole and in its only form", "the file")
    HEADER = (2, "header", "the header is that of the block whose hash is trusted", "header, chain id")
    RECEIPT = (3, "receipt", "the block has this transaction, and this is what it did", "header, nodes, transaction")
    LOG = (4, "log", "the transaction made the box write a batch of ballots", "receipt, box, log")
    RECORD = (5, "record", "the batch holds this ballot", "batch, position")


@dataclass(frozen=True, slots=True)
class StepReport:
    """How one step ended. text: what was found if it holds, else what is wrong, or why there was nothing to check."""

    check: Check
    outcome: Outcome
    text: str

    def to_json(self) -> dict[str, JsonTree]:
        """Write the step as one JSON object."""
        check = self.check
        return {
            "number": check.number,
            "id": check.id,
            "proves": check.proves,
            "reads": check.reads,
            "outcome": self.outcome.value,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Skipped:
    """What a step gives that has nothing to check. reason: why."""

    reason: str


W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Step(Generic[W]):
    """A step and what does it: `run` gets the work so far, adds to it, and returns what it found in words."""

    check: Check
    run: Callable[[W], str | Skipped]


def run_steps(steps: Sequence[Step[W]], work: W) -> Iterator[StepReport]:
    """Run steps one after another, each as it is asked for.

    After one that fails, or ends as unknown, the others are skipped; but not where it fails with InvalidElectionError:
    that an election is invalid can be proven like anything else.
    """
    stopped: StepReport | None = None
    for step in steps:
        if stopped is not None:
            yield StepReport(step.check, Outcome.SKIPPED, _not_reached(stopped))
            continue
        try:
            found = step.run(work)
        except QballotError as error:
            report = _report_error(step.check, error)
            yield report
            stopped = None if isinstance(error, InvalidElectionError) else report
        else:
            if isinstance(found, Skipped):
                yield StepReport(step.check, Outcome.SKIPPED, found.reason)
            else:
                yield StepReport(step.check, Outcome.HOLDS, found)


def find_failure(steps: Sequence[StepReport]) -> StepReport | None:
    """Find the first step that failed."""
    return next((step for step in steps if step.outcome is Outcome.FAILS), None)


def find_unknown(steps: Sequence[StepReport]) -> StepReport | None:
    """Find the step that ended as unknown."""
    return next((step for step in steps if step.outcome is Outcome.UNKNOWN), None)


def end_at_first(checks: Iterable[Check], error: QballotError) -> tuple[StepReport, ...]:
    """Report that the first step ended with an error, so that none of the others was reached."""
    first, *others = checks
    report = _report_error(first, error)
    return (report, *(StepReport(check, Outcome.SKIPPED, _not_reached(report)) for check in others))


def _report_error(check: Check, error: QballotError) -> StepReport:
    outcome = Outcome.UNKNOWN if isinstance(error, UnknownVersionError) else Outcome.FAILS
    return StepReport(check, outcome, str(error))


def _not_reached(stopped: StepReport) -> str:
    how = "ended as unknown" if stopped.outcome is Outcome.UNKNOWN else "failed"
    return f"not reached: step {stopped.check.number}, {stopped.check.id}, {how}"
