"""A verification for people: its steps, who names the hash that all rests on, what holds and at which block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from qballot.core.address import checksum_address
from qballot.core.moments import format_moment
from qballot.core.proof import (
    Check,
    EvidenceCheck,
    Outcome,
    ReceiptVerification,
    ResultState,
    StepReport,
    Verification,
)
from qballot.core.tally.leading import show_leading
from qballot.core.tally.result import ElectionResult
from qballot.core.types import Address, ChainId
from qballot.errors import DecodeError, ProofError, QballotError

if TYPE_CHECKING:
    from qballot.core.proof import Header
    from qballot.core.types import Hash32
    from qballot.evidence import Trust

MARKS = {
    Outcome.HOLDS: ("  ok  ", "green"),
    Outcome.FAILS: ("FAILED", "bold red"),
    Outcome.UNKNOWN: ("  ??  ", "bold yellow"),
    Outcome.SKIPPED: (" skip ", "dim"),
}


class Line(NamedTuple):
    """A line and how a terminal shows it."""

    text: str
    style: str = ""


def print_lines(lines: Iterable[Line]) -> None:
    """Print lines on stdout, in colours where it is a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    for line in lines:
        console.print(Text(line.text, style=line.style))


def get_result(found: Verification) -> ElectionResult | None:
    """Return the count, as that of an election that goes on where ballots can follow; None where there is none."""
    if found.result is None or found.state is not ResultState.PARTIAL:
        return found.result
    return show_leading(found.result)


def evidence_to_json(found: Verification, trust: Trust | None) -> dict[str, Any]:
    """Write a verification and who names the hash as one JSON object. trust: None where it was not got to."""
    result = get_result(found)
    return {
        **found.to_json(),
        "result": None if result is None else result.to_json(),
        "level": trust.level.value if trust is not None and found.holds else None,
        "trust": None if trust is None else trust.to_json(),
    }


def receipt_to_json(found: ReceiptVerification, trust: Trust | None) -> dict[str, Any]:
    """Write the verification of a receipt likewise."""
    return {
        **found.to_json(),
        "level": trust.level.value if trust is not None and found.holds else None,
        "trust": None if trust is None else trust.to_json(),
    }


def describe_evidence(found: Verification, trust: Trust | None, *, verbose: bool = False) -> Iterator[Line]:
    """Describe a verified bundle of evidence. verbose: what was found in every step."""
    if found.definition is not None:
        yield Line(found.definition.title, "bold")
    if found.origin is not None:
        yield from _describe_box(found.origin.box, found.origin.chain_id)
    if found.proven is not None:
        yield _describe_block(found.proven.header, found.proven.block_hash)
    yield from describe_trust(trust)
    yield Line("")
    yield from describe_steps(found.steps, verbose=verbose)
    yield Line("")
    if found.state is None:
        yield _describe_end(found)
        return
    yield from _describe_worth(found, trust)
    result = get_result(found)
    if result is not None:
        yield Line("")
        yield from (Line(f"{item.contest.title}: {item.outcome.log[-1].text}") for item in result.contests)


def describe_receipt(found: ReceiptVerification, trust: Trust | None, *, verbose: bool = False) -> Iterator[Line]:
    """Describe a verified receipt."""
    if found.receipt is not None:
        yield from _describe_box(found.receipt.box, found.receipt.chain_id)
    if found.header is not None and found.trusted_block_hash is not None:
        yield _describe_block(found.header, found.trusted_block_hash)
    yield from describe_trust(trust)
    yield Line("")
    yield from describe_steps(found.steps, verbose=verbose)
    yield Line("")
    record = found.record
    if record is None:
        yield _describe_end(found)
        return
    if trust is not None:
        yield Line(f"level       {trust.level_text}")
    how = "cast by the voter's own transaction" if record.is_direct else "signed"
    yield Line(f"ballot      of voter {record.voter}, weight {record.weight}, 0x{record.ballot.hex()}", "bold")
    yield Line(f"            {how} at {format_moment(record.cast_at_unix)}")
    yield Line("It is in the box's log. Which of a voter's ballots counts is shown by the election's evidence.")


def describe_trust(trust: Trust | None) -> Iterator[Line]:
    """Say who names the hash; nothing where it was not got to."""
    if trust is None:
        return
    is_loud = trust.names is None and trust.block_hash is None
    first, *others = trust.describe()
    yield Line(f"its hash    {first}", "bold yellow" if is_loud else "")
    yield from (Line(f"            {words}") for words in others)


def describe_steps(steps: Sequence[StepReport], *, verbose: bool = False) -> Iterator[Line]:
    """Describe steps, a line each, and what was found where one did not hold, or in every one."""
    for place, step in enumerate(steps):
        mark, style = MARKS[step.outcome]
        yield Line(f"{mark} {step.check.number:>2}  {step.check.proves}", style)
        if verbose or step.outcome is not Outcome.HOLDS:
            yield Line(f"           {step.text}")
        left = steps[place + 1 :]
        stops = step.outcome in (Outcome.FAILS, Outcome.UNKNOWN)
        if stops and left and all(item.outcome is Outcome.SKIPPED for item in left):
            yield Line(f"           not reached: {left[0].check.number} to {left[-1].check.number}", "dim")
            return


def end_with_failure(found: Verification | ReceiptVerification, form: Check) -> None:
    """Raise what a verification ended with, unless it holds. form: the step that reads the file.

    Raises ProofError where something does not hold; DecodeError where the file is none of its kind and QballotError
    where it was made for a newer version, so that neither is taken for a mismatch.
    """
    if found.unknown is not None:
        raise QballotError(_name_step(found.unknown))
    if found.failure is not None:
        words = _name_step(found.failure)
        raise DecodeError(words) if found.failure.check is form else ProofError(words)


def _name_step(step: StepReport) -> str:
    return f"step {step.check.number}, {step.check.id}: {step.text}"


def _describe_end(found: Verification | ReceiptVerification) -> Line:
    """Say that nothing came of it."""
    if found.unknown is not None:
        return Line("NOT VERIFIED: it was made for a newer version of QBallot, which can say more", "bold yellow")
    return Line("NOT VERIFIED", "bold red")


def _describe_box(box: Address, chain_id: ChainId) -> Iterator[Line]:
    from qballot.chain.networks import describe_chain

    yield Line(f"box         {checksum_address(box)} on chain {describe_chain(chain_id)}")


def _describe_block(header: Header, block_hash: Hash32) -> Line:
    return Line(f"block       {header.number}, 0x{block_hash.hex()}, of {format_moment(header.timestamp)}")


def _describe_worth(found: Verification, trust: Trust | None) -> Iterator[Line]:
    if found.state is ResultState.INVALID:
        yield Line("NOT VERIFIED: it is proven that this election is invalid, and never counted", "bold red")
        return
    yield Line(f"state       {found.steps[EvidenceCheck.STATE.number - 1].text}", "bold")
    if trust is not None:
        yield Line(f"level       {trust.level_text}")
    if found.is_electorate_checked:
        yield Line("electorate  checked against the box's roots")
    else:
        yield Line("electorate  NOT CHECKED: who may vote and with which weight is not in it, see --census", "yellow")
    if found.state is not ResultState.CANCELLED:
        cast = f"{found.records:,} in {found.batches:,} batches, of {found.voters_who_cast:,} voters"
        yield Line(f"ballots     {cast}")
