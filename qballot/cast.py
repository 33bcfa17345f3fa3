"""Casting ballots: a voter's own transaction, or many voters' signed ballots brought by anyone in batches.

What is wrong with a ballot is said before anything is spent, as far as the census and the box's rules show it; the
rest is the contract's to refuse when the transaction is tried out. The chain's clock counts, never the machine's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qballot.chain.accounts import Signer
from qballot.chain.answers import Receipt
from qballot.chain.contracts import BallotBoxContract, encode_cast, encode_cast_signed
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import ALWAYS_ALLOWED_GAS, Call, Outgoing, send, send_many
from qballot.core.address import checksum_address
from qballot.core.census import Census, CensusEntry
from qballot.core.forks import FORKS
from qballot.core.packed_batch import BASE_BYTES, bound_ballot
from qballot.core.prices import NO_GROWTH, Payload, Prices, compute_floor_gas
from qballot.core.provenance import BoxArguments
from qballot.core.records import CANCELLED_HEAD, RECORD_HEADER_BYTES, Record, SignedRecord
from qballot.core.signing import BallotForm, ballot_digest, recover_signer
from qballot.core.types import Address, ChainId, Hash32, UnixSeconds, VoterIndex
from qballot.errors import (
    ContractReverted,
    ElectionCancelledError,
    ElectionClosedError,
    ElectionNotOpenError,
    InputError,
    NotInCensusError,
    ProofError,
    WrongSheetError,
)

DEAREST_PRICES = FORKS[-1].prices
"""Prices to plan by if those in force are unknown: the latest fork's, whose floor for a batch is the highest."""

MAX_BATCH_BYTES = DEAREST_PRICES.pool_transaction_bytes * 15 // 16
"""Calldata of one batch; the rest of what nodes' pools take is for the envelope."""

MAX_BATCH_GAS = ALWAYS_ALLOWED_GAS * 9 // 10
"""Estimated gas of one batch; the rest of what a transaction may use is for errors of the estimate."""

CALL_BYTES = 4 + 4 * 32 + 31 + BASE_BYTES
"""Selector, two offsets, two lengths and padding around batch and proof, and the batch's base."""

# An upper bound of what `castSigned` costs, measured on receipts; tests/integration/test_cast.py holds it.
CALL_GAS = 45_000
"""A call without its ballots: the transaction itself, head, event, arguments read from code."""
BALLOT_GAS = 4_400
"""One ballot without its bytes: signature recovery (3,100), its hashes, one hash of the tree."""
CALLDATA_BYTE_GAS = 16
"""One byte of the batch that is not zero (EIP-2028)."""
RECORD_BYTE_GAS = 11
"""One byte of a record: log data (8), copying, hashing, memory."""
PROOF_NODE_GAS = 800
"""One element of the multiproof: 32 bytes of calldata (512), and a hash of the tree."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Signed ballots that fit in one call of `castSigned`: of one sheet, strictly ascending by voter."""

    sheet: int
    ballots: tuple[SignedRecord, ...]


def next_cast_at(latest_timestamp: int, own_last: int | None = None) -> UnixSeconds:
    """Compute the time to sign: the latest block's, but always later than the voter's own last ballot.

    own_last: `cast_at` of the voter's last signed ballot; None when there is none. The result may lie a little after
    the latest block: the box takes the ballot from the first block on that is not earlier.
    """
    return UnixSeconds(latest_timestamp if own_last is None else max(latest_timestamp, own_last + 1))


def sign_ballot(
    signer: Signer,
    entry: CensusEntry,
    ballot: bytes,
    *,
    chain_id: ChainId,
    box: Address,
    cast_at: UnixSeconds,
    form: BallotForm = BallotForm.BYTES,
) -> SignedRecord:
    """Sign a voter's ballot for one box on one chain.

    signer: the voter's account. entry: the voter's in the census. ballot: encoded. cast_at: see `next_cast_at`. form:
    that of the box.
    Raises InputError when the account is not the voter's, or a value does not fit.
    """
    if signer.address != entry.address:
        raise InputError(
            f"found the key of {checksum_address(signer.address)}, expected that of voter {entry.index}, "
            f"{checksum_address(entry.address)}"
        )
    signature = signer.sign_ballot(chain_id, box, entry.index, cast_at, ballot, form=form)
    record = Record(voter=entry.index, cast_at=cast_at, weight=entry.weight, ballot=ballot)
    return SignedRecord(record, signature[:32], signature[32:])


def cast_direct(rpc: Rpc, voter: Signer, box: Address, census: Census, ballot: bytes) -> Receipt:
    """Cast a ballot by the voter's own transaction, which outranks everything the voter ever signed.

    voter: pays. Errors as of `cast_direct_many`.
    """
    return cast_direct_many(rpc, box, census, [(voter, ballot)])[0]


def cast_direct_many(rpc: Rpc, box: Address, census: Census, casts: Sequence[tuple[Signer, bytes]]) -> list[Receipt]:
    """Cast ballots of many voters, each by a transaction of the voter's own, without waiting for each.

    Returns the receipts in order. Raises ElectionError (not open, closed, cancelled), NotInCensusError, InputError
    (ballot too long, another census than the box's), ContractReverted, ChainError; nothing was sent for all but the
    last.
    """
    rules = _check_open(rpc, box, census)
    outgoing = []
    for signer, ballot in casts:
        entry = census.find(signer.address)
        if entry is None:
            raise NotInCensusError(checksum_address(signer.address))
        _check_length(entry.index, ballot, rules)
        data = encode_cast(entry.index, entry.weight, ballot, census.prove(entry.index))
        outgoing.append(Outgoing(signer, Call(box, data, growth=NO_GROWTH)))
    return send_many(rpc, outgoing)


def cast_batch(rpc: Rpc, relayer: Signer, box: Address, census: Census, batch: Batch) -> Receipt:
    """Bring a batch of signed ballots to the box in one transaction.

    relayer: pays; may be anyone. Raises ElectionError (not open, closed, cancelled), WrongSheetError, InputError (voter
    not in the census, weight not the census's, order, ballot too long, another census than the box's), ProofError that
    names the voters whose signature is not theirs, ContractReverted, ChainError; nothing was sent for all but the last.
    """
    rules = _check_open(rpc, box, census)
    for signed in batch.ballots:
        _check_ballot(signed.record, batch.sheet, census, rules)
    call = encode_batch(box, census, batch)
    try:
        return send(rpc, relayer, call)
    except ContractReverted as error:
        if error.name in {"BallotBoxBatchNotInCensus", "BallotBoxInvalidSignature"}:
            _refuse_foreign_signatures(rpc.chain_id(), box, census, batch, BallotForm.of(rules.text_ballots))
        raise


def encode_batch(box: Address, census: Census, batch: Batch) -> Call:
    """Make the call that brings a batch. Raises InputError when a voter is not in the census, or the order is wrong."""
    voters = [signed.record.voter for signed in batch.ballots]
    return Call(box, encode_cast_signed(batch.ballots, census.prove_many(voters)), growth=NO_GROWTH)


def validate_open(box: Address, rules: BoxArguments, head: Hash32, now: int) -> None:
    """Raise ElectionError when the election takes no ballots. head: the box's. now: the chain's time, unix seconds."""
    if head == CANCELLED_HEAD:
        raise ElectionCancelledError(checksum_address(box))
    if now < rules.opens_at:
        raise ElectionNotOpenError(opens_at=rules.opens_at, closes_at=rules.closes_at, now=now)
    if now >= rules.closes_at:
        raise ElectionClosedError(opens_at=rules.opens_at, closes_at=rules.closes_at, now=now)


def plan_batches(
    signed: Iterable[SignedRecord],
    sheet_bits: int,
    max_bytes: int = MAX_BATCH_BYTES,
    max_gas: int = MAX_BATCH_GAS,
    prices: Prices = DEAREST_PRICES,
) -> list[Batch]:
    """Group signed ballots into batches that the box takes and a transaction holds.

    signed: in any order, but a voter's own in the order of signing. sheet_bits: of the box. max_bytes: of calldata.
    prices: of the fork in force, see `qballot.chain.terms`.
    A batch is of one sheet, ascending by voter, each once: a voter's second ballot goes into a later batch. First come
    the batches with everyone's first ballot, then those with second ones, and so on.
    """
    rounds: defaultdict[int, defaultdict[int, list[SignedRecord]]] = defaultdict(lambda: defaultdict(list))
    seen: defaultdict[VoterIndex, int] = defaultdict(int)
    for item in signed:
        voter = item.record.voter
        rounds[seen[voter]][voter >> sheet_bits].append(item)
        seen[voter] += 1
    return [
        Batch(sheet, part)
        for _, sheets in sorted(rounds.items())
        for sheet, items in sorted(sheets.items())
        for part in _split(sorted(items, key=lambda item: item.record.voter), sheet_bits, max_bytes, max_gas, prices)
    ]


def estimate_batch(
    ballots: Sequence[SignedRecord], sheet_bits: int, prices: Prices = DEAREST_PRICES
) -> tuple[int, int]:
    """Return upper bounds of a batch's calldata, in bytes, and gas, without its census.

    prices: as of `plan_batches`.
    """
    return _bound(sum((_Size.of(signed, sheet_bits) for signed in ballots), _Size()), sheet_bits, prices)


@dataclass(frozen=True, slots=True)
class _Size:
    """What batches are measured by. packed_bytes: at most, in calldata. record_bytes: in the event."""

    ballots: int = 0
    packed_bytes: int = 0
    record_bytes: int = 0

    @classmethod
    def of(cls, signed: SignedRecord, sheet_bits: int) -> _Size:
        record = signed.record
        return cls(1, bound_ballot(record, sheet_bits), RECORD_HEADER_BYTES + len(record.ballot))

    def __add__(self, other: _Size) -> _Size:
        return _Size(
            self.ballots + other.ballots,
            self.packed_bytes + other.packed_bytes,
            self.record_bytes + other.record_bytes,
        )


def _split(
    items: Sequence[SignedRecord], sheet_bits: int, max_bytes: int, max_gas: int, prices: Prices
) -> Iterator[tuple[SignedRecord, ...]]:
    start, total = 0, _Size()
    for index, item in enumerate(items):
        size = _Size.of(item, sheet_bits)
        data_bytes, gas = _bound(total + size, sheet_bits, prices)
        if index > start and (data_bytes > max_bytes or gas > max_gas):
            yield tuple(items[start:index])
            start, total = index, _Size()
        total += size
    yield tuple(items[start:])


def _bound(size: _Size, sheet_bits: int, prices: Prices) -> tuple[int, int]:
    """Bound calldata and gas of a batch of this size."""
    # Spread as widely as can be, k paths join at depth log2 k, and each lacks one node at every level below. A node
    # that is lacked also stands for at least one voter of the sheet who is not in the batch.
    count = size.ballots
    nodes = min(count * max(0, sheet_bits - (count.bit_length() - 1)), (1 << sheet_bits) - count)
    data_bytes = CALL_BYTES + size.packed_bytes + 32 * nodes
    gas = (
        CALL_GAS
        + BALLOT_GAS * count
        + CALLDATA_BYTE_GAS * size.packed_bytes
        + RECORD_BYTE_GAS * size.record_bytes
        + PROOF_NODE_GAS * nodes
    )
    return data_bytes, max(gas, compute_floor_gas(Payload(other_bytes=data_bytes), prices))


def _check_open(rpc: Rpc, box: Address, census: Census) -> BoxArguments:
    """Return the box's rules; raise ElectionError when it takes no ballots, InputError when it has another census."""
    contract = BallotBoxContract(rpc, box)
    rules = contract.fetch_arguments("latest")
    if (rules.sheet_bits, rules.voters, rules.sheet_roots) != (census.sheet_bits, len(census), census.sheet_roots):
        raise InputError(f"the census is not that of the election at {checksum_address(box)}")
    validate_open(box, rules, contract.head("latest"), rpc.block("latest").timestamp)
    return rules


def _check_length(voter: int, ballot: bytes, rules: BoxArguments) -> None:
    if len(ballot) > rules.max_ballot_bytes:
        raise InputError(
            f"voter {voter}: found a ballot of {len(ballot)} bytes, expected at most {rules.max_ballot_bytes}"
        )


def _check_ballot(record: Record, sheet: int, census: Census, rules: BoxArguments) -> None:
    entry = census.entry(record.voter)
    if entry.index >> census.sheet_bits != sheet:
        raise WrongSheetError(voter=entry.index, found=entry.index >> census.sheet_bits, expected=sheet)
    if record.weight != entry.weight:
        raise InputError(f"voter {entry.index}: found weight {record.weight}, expected {entry.weight}, the census's")
    _check_length(entry.index, record.ballot, rules)


def _refuse_foreign_signatures(chain_id: ChainId, box: Address, census: Census, batch: Batch, form: BallotForm) -> None:
    """Raise ProofError that names the voters of a batch whose signatures are not theirs, if there are any."""
    foreign = []
    for signed in batch.ballots:
        record = signed.record
        digest = ballot_digest(chain_id, box, record.voter, record.cast_at, record.ballot, form=form)
        try:
            is_own = recover_signer(digest, signed.r + signed.vs) == census.entry(record.voter).address
        except ProofError:
            is_own = False
        if not is_own:
            foreign.append(str(record.voter))
    if foreign:
        raise ProofError(f"the signatures of these voters' ballots are not theirs: {', '.join(foreign)}") from None
