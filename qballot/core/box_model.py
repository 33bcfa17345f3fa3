"""The factory and its boxes in plain Python: an executable specification of contracts/.

Each function has the name of the contract's, checks the same things in the same order, and gives the state after the
call with what it emitted, or a `Refusal` with the contract's error. Nothing here is cheap or clever, so that it can be
read beside BallotBox.sol and BallotBoxFactory.sol line by line; tests drive both with the same calls and compare.

    create ──▶ head = definitionHash ──cast, castSigned──▶ head = keccak256(head ‖ keccak256(records)) ──▶ …
                                     ──cancel────────────▶ head = CANCELLED_HEAD

Arguments are taken to fit in their ABI types: what does not, the contract's decoder refuses without a named error. Gas
and block limits are left out.
Source: contracts/BallotBox.sol, contracts/BallotBoxFactory.sol, contracts/libraries/*.sol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from qballot.core.census import count_sheets, hash_leaf
from qballot.core.keccak import keccak
from qballot.core.merkle import compute_root, verify_multiproof
from qballot.core.packed_batch import (
    BASE_BYTES,
    MAX_WIDTH,
    BatchBase,
    read_ballot,
    validate_base,
    validate_first_step,
)
from qballot.core.provenance import (
    MAX_SHEET_BITS,
    MAX_SHEETS,
    BoxArguments,
    box_address,
    compute_implementation_address,
)
from qballot.core.records import (
    CANCELLED_HEAD,
    DIRECT_BIT,
    Record,
    SignedRecord,
    advance_head,
    pack_record,
    pack_records,
)
from qballot.core.signing import BallotForm, ballot_digest, recover_signer
from qballot.core.types import Address, ChainId, Hash32, UnixSeconds, VoterIndex, Weight
from qballot.errors import BatchFormError, ProofError

UNSET_HEAD: Final = Hash32(bytes(32))
"""What the slot of a box holds that was never initialized."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, when and where: msg.sender, block.timestamp (unix seconds) and block.chainid."""

    sender: Address
    timestamp: UnixSeconds
    chain_id: ChainId


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that reverted and so changed nothing.

    name: the contract's custom error. arguments: its values by their names in the ABI, an address or hash as bytes.
    """

    name: str
    arguments: Mapping[str, int | bytes]


@dataclass(frozen=True, slots=True)
class BallotsCast:
    """The event of a cast. records: the batch, packed."""

    records: bytes


@dataclass(frozen=True, slots=True)
class BallotBoxCancelled:
    """The event of a cancellation."""


@dataclass(frozen=True, slots=True)
class Box:
    """One election, or the implementation itself.

    arguments: what stands as its code; None for the implementation, which is no clone. head: its only storage.
    """

    address: Address
    arguments: BoxArguments | None
    head: Hash32 = UNSET_HEAD


@dataclass(frozen=True, slots=True)
class Applied:
    """What a call of a box did. box: its state afterwards. event: what it emitted, if anything."""

    box: Box
    event: BallotsCast | BallotBoxCancelled | None = None


@dataclass(frozen=True, slots=True)
class ElectionParams:
    """What an organizer decides about the box itself, as the factory is given it and before it is checked.

    opens_at, closes_at: unix seconds, uint40. sheet_bits: uint8. voters: uint32. max_ballot_bytes: uint16.
    text_ballots: bool.
    """

    opens_at: UnixSeconds
    closes_at: UnixSeconds
    sheet_bits: int
    voters: int
    max_ballot_bytes: int
    text_ballots: bool = False


@dataclass(frozen=True, slots=True)
class Factory:
    """The factory and all boxes that it made, by address."""

    address: Address
    boxes: Mapping[Address, Box]

    @property
    def implementation(self) -> Address:
        """The contract that every box is a clone of."""
        return compute_implementation_address(self.address)


@dataclass(frozen=True, slots=True)
class Created:
    """What `create` did. factory: its state afterwards. box: the new one, which also stands in the factory's event."""

    factory: Factory
    box: Box


class _Revert(Exception):
    """Ends a call, as `revert Name(…)` does."""

    def __init__(self, name: str, **arguments: int | bytes) -> None:
        self.refusal = Refusal(name, arguments)
        super().__init__(name)


def _refusing(function: Callable[P, T]) -> Callable[P, T | Refusal]:
    """Make a call that reverts end in a Refusal."""

    @wraps(function)
    def run(*arguments: P.args, **options: P.kwargs) -> T | Refusal:
        try:
            return function(*arguments, **options)
        except _Revert as revert:
            return revert.refusal

    return run


@_refusing
def create(
    factory: Factory,
    call: Call,
    *,
    params: ElectionParams,
    sheet_roots: Sequence[Hash32],
    salt: Hash32,
    definition: bytes,
) -> Created:
    """`BallotBoxFactory.create`: make and initialize an election of which the caller is the organizer."""
    _validate(call, params, sheet_roots)
    if not definition:
        raise _Revert("BallotBoxFactoryNoDefinition")
    if keccak(definition) == CANCELLED_HEAD:
        raise _Revert("BallotBoxFactoryReservedDefinition")
    arguments = _pack_arguments(call.sender, params, sheet_roots, keccak(definition))
    address = box_address(factory.address, factory.implementation, salt, arguments)
    if address in factory.boxes:
        raise _Revert("BallotBoxFactoryAlreadyCreated", ballotBox=address)
    box = _initialize(Box(address, arguments))
    return Created(replace(factory, boxes={**factory.boxes, address: box}), box)


def predict(
    factory: Factory,
    *,
    organizer: Address,
    salt: Hash32,
    params: ElectionParams,
    sheet_roots: Sequence[Hash32],
    definition_hash: Hash32,
) -> Address:
    """`BallotBoxFactory.predict`: the address that `create` would give; at most MAX_SHEETS roots."""
    arguments = _pack_arguments(organizer, params, sheet_roots, definition_hash)
    return box_address(factory.address, factory.implementation, salt, arguments)


@_refusing
def initialize(box: Box) -> Applied:
    """`BallotBox.initialize`: start the chain of hashes, once."""
    return Applied(_initialize(box))


@_refusing
def cast(box: Box, call: Call, *, voter: VoterIndex, weight: Weight, ballot: bytes, proof: Sequence[Hash32]) -> Applied:
    """`BallotBox.cast`: the caller's own ballot."""
    arguments = _require_open(box, call)
    if voter >= arguments.voters:
        raise _Revert("BallotBoxVoterOutOfRange", voter=voter, voters=arguments.voters)
    if len(ballot) > arguments.max_ballot_bytes:
        raise _Revert(
            "BallotBoxBallotTooLong", voter=voter, length=len(ballot), maxBallotBytes=arguments.max_ballot_bytes
        )
    root = arguments.sheet_roots[voter >> arguments.sheet_bits]
    if compute_root(hash_leaf(voter, call.sender, weight), proof) != root:
        raise _Revert("BallotBoxNotInCensus", voter=voter, account=call.sender, weight=weight)
    return _append(box, pack_record(Record(voter, call.timestamp | DIRECT_BIT, weight, ballot)))


@_refusing
def cast_signed(box: Box, call: Call, batch: bytes, proof: Sequence[Hash32]) -> Applied:
    """`BallotBox.castSigned`: ballots that voters of one sheet signed, packed."""
    arguments = _require_open(box, call)
    try:
        return _append(box, _check_batch(box, arguments, call, batch, proof))
    except BatchFormError as error:
        if error.length is None:
            raise _Revert("BallotBoxNonCanonicalBatch", offset=error.offset) from None
        raise _Revert("BallotBoxTruncatedBatch", offset=error.offset, length=error.length) from None


@_refusing
def cancel(box: Box, call: Call) -> Applied:
    """`BallotBox.cancel`: the organizer, before the opening."""
    arguments = _require_initialized(box)
    if call.sender != arguments.organizer:
        raise _Revert("BallotBoxNotOrganizer", caller=call.sender, organizer=arguments.organizer)
    if call.timestamp >= arguments.opens_at:
        raise _Revert("BallotBoxAlreadyOpened", timestamp=call.timestamp, opensAt=arguments.opens_at)
    return Applied(replace(box, head=CANCELLED_HEAD), BallotBoxCancelled())


def _validate(call: Call, params: ElectionParams, sheet_roots: Sequence[Hash32]) -> None:
    opens_at, closes_at = params.opens_at, params.closes_at
    if not call.timestamp < opens_at < closes_at < DIRECT_BIT:
        raise _Revert("BallotBoxFactoryInvalidWindow", timestamp=call.timestamp, opensAt=opens_at, closesAt=closes_at)
    if params.sheet_bits > MAX_SHEET_BITS:
        raise _Revert("BallotBoxFactoryInvalidSheetBits", sheetBits=params.sheet_bits, maxSheetBits=MAX_SHEET_BITS)
    if params.voters == 0:
        raise _Revert("BallotBoxFactoryNoVoters")
    if params.max_ballot_bytes == 0:
        raise _Revert("BallotBoxFactoryNoBallotBytes")
    sheets = count_sheets(params.voters, params.sheet_bits)
    if len(sheet_roots) != sheets:
        raise _Revert("BallotBoxFactoryWrongSheetCount", found=len(sheet_roots), expected=sheets)
    if sheets > MAX_SHEETS:
        raise _Revert("BallotBoxFactoryTooManySheets", sheets=sheets, maxSheets=MAX_SHEETS)
    for sheet, root in enumerate(sheet_roots):
        if not any(root):
            raise _Revert("BallotBoxFactoryZeroSheetRoot", sheet=sheet)


def _pack_arguments(
    organizer: Address, params: ElectionParams, sheet_roots: Sequence[Hash32], definition_hash: Hash32
) -> BoxArguments:
    return BoxArguments(
        definition_hash=definition_hash,
        organizer=organizer,
        opens_at=params.opens_at,
        closes_at=params.closes_at,
        sheet_bits=params.sheet_bits,
        voters=params.voters,
        max_ballot_bytes=params.max_ballot_bytes,
        sheet_roots=tuple(sheet_roots),
        text_ballots=params.text_ballots,
    )


def _initialize(box: Box) -> Box:
    if box.head != UNSET_HEAD:
        raise _Revert("BallotBoxAlreadyInitialized", head=box.head)
    if box.arguments is None:
        raise _Revert("BallotBoxNotAClone", account=box.address)
    return replace(box, head=box.arguments.definition_hash)


def _require_initialized(box: Box) -> BoxArguments:
    # The implementation never has a head: `_initialize` refuses it.
    if box.head == UNSET_HEAD or box.arguments is None:
        raise _Revert("BallotBoxNotInitialized")
    if box.head == CANCELLED_HEAD:
        raise _Revert("BallotBoxElectionCancelled")
    return box.arguments


def _require_open(box: Box, call: Call) -> BoxArguments:
    arguments = _require_initialized(box)
    if not arguments.opens_at <= call.timestamp < arguments.closes_at:
        raise _Revert(
            "BallotBoxNotOpen", timestamp=call.timestamp, opensAt=arguments.opens_at, closesAt=arguments.closes_at
        )
    return arguments


def _append(box: Box, records: bytes) -> Applied:
    return Applied(replace(box, head=advance_head(box.head, records)), BallotsCast(records))


def _check_batch(box: Box, arguments: BoxArguments, call: Call, batch: bytes, proof: Sequence[Hash32]) -> bytes:
    """Check a batch's base and every ballot of it, and return their records without the signatures."""
    base = _check_base(arguments, call, batch)
    sheet = base.voter >> arguments.sheet_bits
    first_voter = sheet << arguments.sheet_bits
    records: list[Record] = []
    leaves: list[tuple[int, Hash32]] = []
    expected, offset = int(base.voter), BASE_BYTES
    while offset < len(batch):
        signed, offset = read_ballot(batch, offset, base, expected)
        record = signed.record
        _check_rules(arguments, call, record.voter, record.cast_at, len(record.ballot))
        if record.voter >> arguments.sheet_bits != sheet:
            raise _Revert("BallotBoxVoterOutsideSheet", voter=record.voter, sheet=sheet)
        account = _recover(call.chain_id, box.address, arguments, signed)
        leaves.append((record.voter - first_voter, hash_leaf(record.voter, account, record.weight)))
        records.append(record)
        expected = record.voter + 1
    validate_base(base, records)
    size = min(1 << arguments.sheet_bits, arguments.voters - first_voter)
    if not verify_multiproof(arguments.sheet_roots[sheet], size, leaves, proof):
        raise _Revert("BallotBoxBatchNotInCensus", sheet=sheet)
    return pack_records(records)


def _check_base(arguments: BoxArguments, call: Call, batch: bytes) -> BatchBase:
    if len(batch) in {0, BASE_BYTES}:
        raise _Revert("BallotBoxEmptyBatch")
    base = BatchBase.unpack(batch)
    _check_rules(arguments, call, base.voter, base.cast_at, base.length)
    if base.width > MAX_WIDTH:
        raise BatchFormError(0)
    validate_first_step(batch)
    return base


def _check_rules(arguments: BoxArguments, call: Call, voter: int, cast_at: int, length: int) -> None:
    if voter >= arguments.voters:
        raise _Revert("BallotBoxVoterOutOfRange", voter=voter, voters=arguments.voters)
    if length > arguments.max_ballot_bytes:
        raise _Revert("BallotBoxBallotTooLong", voter=voter, length=length, maxBallotBytes=arguments.max_ballot_bytes)
    if not arguments.opens_at <= cast_at <= call.timestamp:
        raise _Revert(
            "BallotBoxCastAtOutsideWindow",
            voter=voter,
            castAt=cast_at,
            opensAt=arguments.opens_at,
            timestamp=call.timestamp,
        )


def _recover(chain_id: ChainId, box: Address, arguments: BoxArguments, signed: SignedRecord) -> Address:
    record = signed.record
    form = BallotForm.of(arguments.text_ballots)
    digest = ballot_digest(chain_id, box, record.voter, record.cast_at, record.ballot, form=form)
    try:
        return recover_signer(digest, signed.r + signed.vs)
    except ProofError:
        raise _Revert("BallotBoxInvalidSignature", voter=record.voter) from None
