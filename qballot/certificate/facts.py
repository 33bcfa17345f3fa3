"""What a certificate says, in words, out of a verification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qballot.chain.networks import describe_chain
from qballot.core.address import checksum_address
from qballot.core.moments import format_moment
from qballot.core.proof import BoxOrigin, EvidenceCheck, ProvenHead, ResultState, Verification
from qballot.core.tally.leading import find_leading, show_leading
from qballot.core.tally.outcome import show_total
from qballot.core.tally.render import VERDICTS, describe_ballots, describe_outcome
from qballot.core.tally.result import ContestResult
from qballot.core.types import Hash32
from qballot.errors import ProofError, QballotError
from qballot.evidence.trust import Trust

STATES = {
    ResultState.COMPLETE: "Complete",
    ResultState.PARTIAL: "Partial: voting goes on",
    ResultState.CANCELLED: "Cancelled",
}


@dataclass(frozen=True, slots=True)
class OptionLine:
    """An option with its total; is_ahead: whether it has won, or leads where voting goes on."""

    title: str
    total: str
    is_ahead: bool


@dataclass(frozen=True, slots=True)
class ContestFacts:
    """A contest. rule: method and seats. outcome: who has won, leads or ties. options: the greatest total first."""

    title: str
    rule: str
    outcome: str
    verdict: str
    options: tuple[OptionLine, ...]
    ballots: str


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """All that is on a certificate.

    state: in a word or two. state_text: with its time and block. level: of verification. named_by: who names the
    block's hash, a line a fact. is_unnamed: whether nobody does. facts: a label and its value each. code: what the QR
    code holds. verify_with: the command that verifies the evidence.
    """

    title: str
    organizer: str
    language: str
    state: str
    state_text: str
    level: str
    named_by: tuple[str, ...]
    is_unnamed: bool
    contests: tuple[ContestFacts, ...]
    facts: tuple[tuple[str, str], ...]
    code: str
    verify_with: str


def collect_facts(found: Verification, trust: Trust, digest: Hash32, address: str | None) -> CertificateFacts:
    """Put what was verified into words.

    trust: who names the block's hash. digest: keccak256 of the evidence's file. address: where it is published.
    Raises ProofError for evidence that does not hold, and for that of an invalid election, QballotError for what was
    made for a newer version: none of them has a result.
    """
    origin, proven, definition, state = found.origin, found.proven, found.definition, found.state
    if found.unknown is not None:
        raise QballotError(f"no certificate: {found.unknown.text}")
    if found.failure is not None:
        failure = found.failure
        raise ProofError(f"no certificate: step {failure.check.number}, {failure.check.id}: {failure.text}")
    if origin is None or proven is None or definition is None or state is None or state is ResultState.INVALID:
        raise ProofError("no certificate: the election is invalid, and never counted")
    evidence = address or "FILE"
    return CertificateFacts(
        title=definition.title,
        organizer=definition.organizer,
        language=definition.language,
        state=STATES[state],
        state_text=found.steps[EvidenceCheck.STATE.number - 1].text.removeprefix(f"{state.value}: "),
        level=trust.level_text,
        named_by=tuple(trust.describe()),
        is_unnamed=trust.names is None and trust.block_hash is None,
        contests=tuple(_read_contests(found, state)),
        facts=tuple(_list_facts(found, origin, proven, digest)),
        code=f"{address or ''}#keccak256=0x{digest.hex()}",
        verify_with=f"qballot verify {evidence} --block-hash 0x{proven.block_hash.hex()}",
    )


def _read_contests(found: Verification, state: ResultState) -> Iterator[ContestFacts]:
    if found.result is None:
        return
    shown = show_leading(found.result) if state is ResultState.PARTIAL else found.result
    for result, counted in zip(shown.contests, found.result.contests, strict=True):
        contest, totals = result.contest, dict(enumerate(result.outcome.totals))
        is_open = state is ResultState.PARTIAL
        ahead = find_leading(counted) if is_open else result.outcome.winners
        order = sorted(totals, key=lambda option: (-totals[option], option))
        seats = "1 seat" if contest.seats == 1 else f"{contest.seats} seats"
        yield ContestFacts(
            title=contest.title,
            rule=f"{contest.method.value.replace('_', ' ')}, {seats}",
            outcome=result.outcome.log[-1].text if is_open else describe_outcome(result),
            verdict=_describe_verdict(result),
            options=tuple(
                OptionLine(contest.options[option].title, show_total(totals[option]), option in ahead)
                for option in order
            ),
            ballots=describe_ballots(result),
        )


def _describe_verdict(result: ContestResult) -> str:
    if result.verdict is None:
        return ""
    return " ".join([VERDICTS[result.verdict], *(finding.text for finding in result.findings)])


def _list_facts(
    found: Verification, origin: BoxOrigin, proven: ProvenHead, digest: Hash32
) -> Iterator[tuple[str, str]]:
    arguments, header = proven.arguments, proven.header
    if found.state is not ResultState.CANCELLED:
        cast = f"{found.voters_who_cast:,} of {arguments.voters:,} voters"
        yield "Turnout", f"{cast}; ballots cast, replaced ones included: {found.records:,}"
    checked = "checked against the box's roots" if found.is_electorate_checked else "NOT CHECKED: it is not in it"
    yield "Electorate", checked
    yield "Voting", f"from {format_moment(arguments.opens_at)} until {format_moment(arguments.closes_at)}"
    yield "Chain", describe_chain(origin.chain_id)
    yield "Ballot box", checksum_address(origin.box)
    yield "Created by", checksum_address(arguments.organizer)
    yield "Definition", f"0x{arguments.definition_hash.hex()}"
    yield "Head", f"0x{proven.head.hex()}"
    yield "Block", f"{header.number:,}, of {format_moment(header.timestamp)}"
    yield "Block hash", f"0x{proven.block_hash.hex()}"
    if found.lot is not None:
        yield "Lot", f"0x{found.lot.hex()}"
    yield "Evidence", f"keccak256 0x{digest.hex()}"
