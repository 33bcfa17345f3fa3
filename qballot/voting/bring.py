"""Bringing signed ballots of many voters: each is checked first, then they go into batches, one transaction a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from qballot.cast import Batch, encode_batch, plan_batches
from qballot.chain.answers import Receipt
from qballot.chain.creation import BLOCK_RANGE
from qballot.chain.rpc import Rpc
from qballot.chain.terms import fetch_terms
from qballot.chain.transactions import Call
from qballot.core.address import checksum_address
from qballot.core.census import Census
from qballot.core.prices import Prices
from qballot.core.records import Record, SignedRecord
from qballot.core.signed_ballot import SignedBallot
from qballot.core.signing import BallotForm
from qballot.core.types import Hash32
from qballot.election import ChainElection
from qballot.errors import ChainError, ContractReverted, InputError, NotInCensusError, QballotError
from qballot.voting.direct import check_length, check_open
from qballot.voting.enrolment import validate_census
from qballot.voting.history import CastRecord, fetch_history


class Fate(StrEnum):
    """What becomes of one file."""

    READY = "ready"
    """Checked and planned; nothing was sent yet."""

    CAST = "cast"
    """It is in the box now."""

    SKIPPED = "skipped"
    """It need not be brought: it is in the box already, is given twice, or could not count any more."""

    REFUSED = "refused"
    """It cannot be brought: a check failed."""

    FAILED = "failed"
    """Its transaction was not taken."""


@dataclass(slots=True)
class Delivery:
    """One file on its way. name: what people call it. ballot: None when it could not be read. note: why, in words."""

    name: str
    ballot: SignedBallot | None
    fate: Fate = Fate.READY
    note: str = ""
    transaction_hash: Hash32 | None = None


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """A batch with the files in it and the call that brings it."""

    batch: Batch
    deliveries: tuple[Delivery, ...]
    call: Call


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be sent, and what becomes of every file, in the order in which they were given."""

    deliveries: tuple[Delivery, ...]
    batches: tuple[PlannedBatch, ...] = field(default=())


def plan_deliveries(
    rpc: Rpc,
    election: ChainElection,
    census: Census,
    deliveries: Sequence[Delivery],
    *,
    useless_too: bool = False,
    block_range: int = BLOCK_RANGE,
) -> Plan:
    """Check signed ballots against election, census and what is in the box, and put the good ones into batches.

    deliveries: their fate and note are written; those not READY are left alone. useless_too: bring also those that
    could not count any more. Raises ElectionError (not open, closed, cancelled), ProofError when it is another
    election's census or the endpoint's logs lack something, ChainError. Nothing is spent.
    """
    validate_census(election, census)
    now = check_open(rpc, election).timestamp
    ready = [item for item in deliveries if item.fate is Fate.READY and item.ballot is not None]
    voters = {item.ballot.signed.record.voter for item in ready if item.ballot}
    history = fetch_history(rpc, election, lambda record: record.voter in voters, block_range=block_range)
    in_box: dict[int, list[CastRecord]] = {}
    for cast in history.records:
        in_box.setdefault(cast.record.voter, []).append(cast)
    seen: dict[Record, str] = {}
    for item in ready:
        if item.ballot is None:
            continue
        record = item.ballot.signed.record
        try:
            _check(election, census, item.ballot, now)
        except QballotError as error:
            item.fate, item.note = Fate.REFUSED, str(error)
            continue
        note = _find_needless(record, in_box.get(record.voter, []), seen, useless_too=useless_too)
        if note:
            item.fate, item.note = Fate.SKIPPED, note
        seen.setdefault(record, item.name)
    return Plan(tuple(deliveries), _plan(election, census, ready, fetch_terms(rpc).fork.prices))


def deliver(plan: Plan, send: Callable[[PlannedBatch], Receipt]) -> list[Receipt]:
    """Send the batches one after another and write down what became of every file. Returns the receipts.

    send: makes the transaction of one batch. A batch that the contract refuses does not keep the others back; any
    other failure ends it, and the files of what was not sent say so. Never raises ChainError.
    """
    receipts = []
    stopped = ""
    for planned in plan.batches:
        if stopped:
            _settle(planned, Fate.FAILED, f"not sent, since an earlier batch failed: {stopped}")
            continue
        try:
            receipt = send(planned)
        except ContractReverted as error:
            _settle(planned, Fate.FAILED, str(error))
        except ChainError as error:
            stopped = str(error)
            _settle(planned, Fate.FAILED, stopped)
        else:
            receipts.append(receipt)
            _settle(planned, Fate.CAST, f"in block {receipt.block_number}", receipt.transaction_hash)
    return receipts


def _check(election: ChainElection, census: Census, ballot: SignedBallot, now: int) -> None:
    """Raise QballotError when the box would not take a ballot. Its signature was checked when it was read."""
    record = ballot.signed.record
    if ballot.chain_id != election.chain_id:
        raise InputError(f"signed for chain {ballot.chain_id}, expected {election.chain_id}")
    if ballot.box != election.box:
        raise InputError(
            f"signed for the box {checksum_address(ballot.box)}, expected {checksum_address(election.box)}"
        )
    form = BallotForm.of(election.arguments.text_ballots)
    if ballot.form is not form:
        raise InputError(
            f"signed with a ballot of the type {ballot.form.value}, expected {form.value}, as the box says"
        )
    if record.voter >= len(census):
        raise InputError(f"there is no voter {record.voter}: the census has {len(census)}, from 0")
    entry = census.entry(record.voter)
    if census.find(ballot.account) is None:
        raise NotInCensusError(checksum_address(ballot.account))
    if entry.address != ballot.account:
        raise InputError(
            f"signed by {checksum_address(ballot.account)}, expected {checksum_address(entry.address)}, voter "
            f"{entry.index} of the census"
        )
    if record.weight != entry.weight:
        raise InputError(f"found the weight {record.weight}, expected {entry.weight}, the census's")
    check_length(election, record.ballot)
    if record.cast_at < election.arguments.opens_at:
        raise InputError(f"signed for {record.cast_at}, before the opening at {election.arguments.opens_at}")
    if record.cast_at > now:
        raise InputError(f"signed for {record.cast_at}, later than {now}, the chain's time: bring it then")


def _find_needless(
    record: Record, in_box: Sequence[CastRecord], seen: dict[Record, str], *, useless_too: bool
) -> str | None:
    """Say why a ballot need not be brought, or None."""
    for cast in in_box:
        if cast.record == record:
            return f"in the box already, since block {cast.block_number}"
    if record in seen:
        return f"the same ballot as {seen[record]}"
    for cast in in_box:
        if cast.record.cast_at > record.cast_at and not useless_too:
            how = "voted by their own transaction" if cast.record.is_direct else "signed a later ballot, brought"
            return f"could not count any more: the voter {how} in block {cast.block_number}"
    return None


def _plan(
    election: ChainElection, census: Census, ready: Sequence[Delivery], prices: Prices
) -> tuple[PlannedBatch, ...]:
    by_record: dict[SignedRecord, Delivery] = {}
    for item in ready:
        if item.ballot is not None and item.fate is Fate.READY:
            by_record[item.ballot.signed] = item
    in_order = sorted(by_record, key=lambda signed: signed.record.cast_at)
    return tuple(
        PlannedBatch(
            batch,
            tuple(by_record[signed] for signed in batch.ballots),
            encode_batch(election.box, census, batch),
        )
        for batch in plan_batches(in_order, election.arguments.sheet_bits, prices=prices)
    )


def _settle(planned: PlannedBatch, fate: Fate, note: str, transaction_hash: Hash32 | None = None) -> None:
    for item in planned.deliveries:
        item.fate, item.note, item.transaction_hash = fate, note, transaction_hash
