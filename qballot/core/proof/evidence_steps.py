"""The sixteen steps through a bundle of evidence. No step believes what an earlier one has not shown.

What each proves stands in `steps.py`; how it is computed, so exactly that it can be written again, in
docs/verification.md.
"""

from __future__ import annotations

from typing import Final, NoReturn

from qballot.core.address import checksum_address
from qballot.core.definition import parse_definition
from qballot.core.election import Definition
from qballot.core.moments import format_moment
from qballot.core.proof.account import Account
from qballot.core.proof.ballots import Ballots, check_chain, check_membership, group_effective, read_ballots
from qballot.core.proof.evidence import Evidence
from qballot.core.proof.head import (
    Pins,
    ProvenHead,
    check_address,
    check_definition_hash,
    check_header,
    check_implementation,
    check_rules,
    prove_box,
    prove_implementation,
    read_head,
)
from qballot.core.proof.header import Header
from qballot.core.proof.lot_headers import find_lot_block
from qballot.core.proof.steps import Check, EvidenceCheck, Skipped, Step
from qballot.core.proof.verification import ResultState
from qballot.core.proof.voters import check_voters
from qballot.core.provenance import BoxArguments, parse_clone_code
from qballot.core.tally.count import count_election
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.tally.requirements import Electorate
from qballot.core.tally.result import ElectionResult
from qballot.core.types import Address, Hash32
from qballot.core.validity import find_misfit
from qballot.errors import DefinitionError, InvalidElectionError, ProofError

_INVALID = {
    EvidenceCheck.DEFINITION.number: "the definition is not as it must be",
    EvidenceCheck.ARGUMENTS.number: "the box's rules do not fit the definition",
}


class Work:
    """What the steps are given, and what they have found so far.

    evidence, trusted, pins, chain_id: as of `verify_evidence`. is_file: whether the evidence was read from a file.
    """

    # Each is there from the step on that finds it.
    definition: Definition
    implementation: Address
    arguments: BoxArguments
    header: Header
    account: Account
    proven: ProvenHead
    ballots: Ballots
    state: ResultState
    result: ElectionResult

    def __init__(
        self, evidence: Evidence, trusted: Hash32, pins: Pins, chain_id: int | None = None, *, is_file: bool = False
    ) -> None:
        self.evidence = evidence
        self.trusted = trusted
        self.pins = pins
        self.chain_id = chain_id
        self.is_file = is_file
        self.batches = self.voters_who_cast = 0
        self.invalid_by: set[Check] = set()
        """Steps that failed only because the election is invalid: all that follows from the chain can be proven."""
        self.weight: int | None = None
        """Of the whole electorate, once it is checked."""
        self.lot: Hash32 | None = None

    @property
    def is_valid(self) -> bool:
        """Whether the election can be counted, as far as it was looked at."""
        return not self.invalid_by

    def refuse(self, check: Check, reason: str) -> NoReturn:
        """Note that the election is invalid, and raise InvalidElectionError."""
        self.invalid_by.add(check)
        raise InvalidElectionError(reason)


def _check_format(work: Work) -> str | Skipped:
    # Reading has shown it: a file that is not in its form ends there.
    return "whole, in its only form" if work.is_file else Skipped("the evidence was not read from a file")


def _check_definition(work: Work) -> str:
    try:
        work.definition = parse_definition(work.evidence.definition)
    except DefinitionError as error:
        work.refuse(EvidenceCheck.DEFINITION, str(error))
    return f"{_number(len(work.evidence.definition), 'byte')}, {_number(len(work.definition.contests), 'contest')}"


def _check_arguments(work: Work) -> str:
    work.implementation, work.arguments = parse_clone_code(work.evidence.origin.code)
    check_definition_hash(work.arguments, work.evidence.definition)
    check_rules(work.arguments)
    arguments = work.arguments
    misfit = find_misfit(work.definition, arguments) if work.is_valid else None
    if misfit is not None:
        work.refuse(EvidenceCheck.ARGUMENTS, f"invalid election: {misfit}")
    return (
        f"definition 0x{arguments.definition_hash.hex()}, open from {format_moment(arguments.opens_at)} until "
        f"{format_moment(arguments.closes_at)}, {_number(arguments.voters, 'voter')} in "
        f"{_number(len(arguments.sheet_roots), 'sheet')}"
    )


def _check_address(work: Work) -> str:
    origin = work.evidence.origin
    check_address(origin, work.implementation, work.arguments, work.pins)
    return f"box {checksum_address(origin.box)} of factory {checksum_address(origin.factory)}"


def _check_implementation(work: Work) -> str:
    check_implementation(work.implementation, work.pins)
    return f"implementation {checksum_address(work.implementation)}"


def _check_header(work: Work) -> str:
    claimed = work.evidence.origin.chain_id
    if work.chain_id is not None and claimed != work.chain_id:
        raise ProofError(f"the evidence claims chain {claimed}, expected chain {work.chain_id}, that of the block hash")
    work.header = check_header(work.evidence.header, work.trusted)
    return (
        f"block {work.header.number}, 0x{work.trusted.hex()}, of {format_moment(work.header.timestamp)}; chain "
        f"{claimed} is claimed, and whoever named the hash answers for it"
    )


def _check_box_account(work: Work) -> str:
    work.account = prove_box(work.header, work.evidence.origin, work.evidence.proof.box)
    return f"code hash 0x{work.account.code_hash.hex()}"


def _check_implementation_account(work: Work) -> str:
    account = prove_implementation(work.header, work.pins, work.evidence.proof.implementation)
    return f"code hash 0x{account.code_hash.hex()}"


def _check_head(work: Work) -> str:
    head = read_head(work.account, work.evidence.proof.head)
    work.proven = ProvenHead(work.arguments, work.header, work.trusted, head)
    return f"0x{head.hex()}" + (", the constant of a cancelled election" if work.proven.is_cancelled else "")


def _check_chain(work: Work) -> str:
    proven, batches = work.proven, work.evidence.batches
    if proven.is_cancelled:
        if any(True for _ in batches):
            raise ProofError("the election was cancelled before it opened, but found batches of ballots, expected none")
        return "none, as of a cancelled election"
    work.batches = check_chain(proven.arguments.definition_hash, batches, proven.head)
    return _number(work.batches, "batch", "batches")


def _check_records(work: Work) -> str:
    work.ballots = read_ballots(work.evidence.batches, work.proven)
    return _number(len(work.ballots), "record")


def _check_census(work: Work) -> str | Skipped:
    evidence = work.evidence
    if evidence.voters is None:
        reference = evidence.census_hash
        known = "" if reference is None else f"; its file is said to have the hash 0x{reference.hex()}"
        return Skipped(f"electorate not checked: the evidence leaves out the census{known}")
    work.weight = check_voters(evidence.voters, work.arguments)
    return f"{_number(len(evidence.voters), 'voter')} with {_number(work.weight, 'vote')}, every sheet's root"


def _check_membership(work: Work) -> str | Skipped:
    if work.evidence.voters is None:
        return Skipped("electorate not checked: the evidence leaves out the census")
    check_membership(work.ballots, work.evidence.voters.weights)
    return _number(len(work.ballots), "record")


def _check_state(work: Work) -> str:
    opens_at, closes_at = work.arguments.opens_at, work.arguments.closes_at
    if not work.is_valid:
        work.state = ResultState.INVALID
        return f"invalid: {_INVALID[min(check.number for check in work.invalid_by)]}, so that nothing is ever counted"
    if work.proven.is_cancelled:
        work.state = ResultState.CANCELLED
        return "cancelled by its organizer before the opening: nobody could vote"
    if work.header.timestamp >= closes_at:
        work.state = ResultState.COMPLETE
        return f"complete: closed at {format_moment(closes_at)}, no ballot can follow"
    work.state = ResultState.PARTIAL
    if work.header.timestamp < opens_at:
        return f"partial until {format_moment(closes_at)}: not open before {format_moment(opens_at)}"
    return f"partial until {format_moment(closes_at)}: ballots can follow"


def _check_lot(work: Work) -> str | Skipped:
    if work.evidence.lot:
        block = find_lot_block(work.evidence.lot, work.evidence.header, work.arguments.closes_at)
        work.lot = block.mix_hash
        return f"block {block.number} of {format_moment(block.timestamp)}: 0x{work.lot.hex()}"
    if not (work.is_valid and any(contest.tie.draws_lots for contest in work.definition.contests)):
        return Skipped("no contest draws lots")
    if work.header.timestamp < work.arguments.closes_at + LOT_DELAY_SECONDS:
        return Skipped("lots cannot be drawn before a later block: a tie that they decide is open until then")
    return Skipped("the evidence leaves out the lot's headers: a tie that lots decide stays open")


def _count(work: Work) -> str | Skipped:
    if work.state in (ResultState.INVALID, ResultState.CANCELLED):
        return Skipped(f"an election that is {work.state.value} is not counted")
    groups, work.voters_who_cast = group_effective(work.ballots)
    electorate = Electorate(work.arguments.voters, work.weight)
    work.result = count_election(work.definition, groups, work.lot, electorate)
    return f"ballots of {_number(work.voters_who_cast, 'voter')} count, {len(groups):,} different"


def _number(count: int, noun: str, plural: str | None = None) -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


STEPS: Final = (
    Step(EvidenceCheck.FORMAT, _check_format),
    Step(EvidenceCheck.DEFINITION, _check_definition),
    Step(EvidenceCheck.ARGUMENTS, _check_arguments),
    Step(EvidenceCheck.ADDRESS, _check_address),
    Step(EvidenceCheck.IMPLEMENTATION, _check_implementation),
    Step(EvidenceCheck.HEADER, _check_header),
    Step(EvidenceCheck.BOX_ACCOUNT, _check_box_account),
    Step(EvidenceCheck.IMPLEMENTATION_ACCOUNT, _check_implementation_account),
    Step(EvidenceCheck.HEAD, _check_head),
    Step(EvidenceCheck.CHAIN, _check_chain),
    Step(EvidenceCheck.RECORDS, _check_records),
    Step(EvidenceCheck.CENSUS, _check_census),
    Step(EvidenceCheck.MEMBERSHIP, _check_membership),
    Step(EvidenceCheck.STATE, _check_state),
    Step(EvidenceCheck.LOT, _check_lot),
    Step(EvidenceCheck.TALLY, _count),
)
