"""Calls of one election as hypothesis draws them: right, or wrong in one way or two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from any_sender import KEYS, PEOPLE, SECRETS
from generated import ballots_up_to, sheet_members, tampered
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from loose_batch import BYTE_FAULTS, FORM_FAULTS, LooseBatch, spoil_bytes, spoil_form

from qballot.core.box_model import Box, Call, ElectionParams
from qballot.core.census import MAX_WEIGHT, Census, CensusEntry
from qballot.core.keccak import keccak
from qballot.core.packed_batch import BASE_BYTES
from qballot.core.provenance import MAX_SHEET_BITS, MAX_SHEETS, BoxArguments
from qballot.core.records import CANCELLED_HEAD, DIRECT_BIT, Record, SignedRecord
from qballot.core.signing import CURVE_ORDER, BallotForm, ballot_digest, sign_digest
from qballot.core.types import Address, ChainId, Hash32, UnixSeconds, VoterIndex, Weight

DEFINITION = b"a definition"
CANCELLED_DEFINITION = b"QBallot: cancelled"
"""A definition whose hash is the head of a cancelled election."""

OTHER_BOX = Address(bytes.fromhex("0b") * 20)


HIGH_S = st.integers(CURVE_ORDER // 2 + 1, 2**255 - 1)
"""Values of s that a compact signature can hold and must not. The twin n - s of an everyday s is beyond 2**255, so that
the form itself keeps it out."""


@dataclass(frozen=True, slots=True)
class Creation:
    """The arguments of `create`."""

    params: ElectionParams
    sheet_roots: tuple[Hash32, ...]
    salt: Hash32
    definition: bytes


@dataclass(frozen=True, slots=True)
class DirectCast:
    """The arguments of `cast`, and who sends it."""

    sender: Address
    voter: VoterIndex
    weight: Weight
    ballot: bytes
    proof: tuple[Hash32, ...]


@dataclass(frozen=True, slots=True)
class SignedCast:
    """The arguments of `castSigned`."""

    batch: bytes
    proof: tuple[Hash32, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A ballot before it is signed.

    form: of the box. claimed: what the record says instead of `record`, which is signed. signature: instead of a real
    one.
    """

    record: Record
    key: bytes
    chain_id: ChainId
    box: Address
    form: BallotForm
    claimed: Record | None = None
    signature: bytes | None = None

    def sign(self) -> SignedRecord:
        record = self.record
        digest = ballot_digest(self.chain_id, self.box, record.voter, record.cast_at, record.ballot, form=self.form)
        signature = self.signature or sign_digest(self.key, digest)
        return SignedRecord(self.claimed or record, signature[:32], signature[32:])


def some_of(faults: Sequence[str]) -> SearchStrategy[list[str]]:
    """None of them, one or two, each about as often."""
    return (
        st.just([])
        | st.sampled_from(faults).map(lambda fault: [fault])
        | st.permutations(faults).map(lambda order: list(order[:2]))
    )


CREATION_FAULTS = (
    "opens now", "opens earlier", "closes at opening", "closes at the limit", "sheet bits", "no voters",
    "no ballot bytes", "root too many", "root too few", "zero root", "too many sheets", "no definition",
    "cancelled definition",
)  # fmt: skip


@st.composite
def creations(draw: DrawFn, census: Census, now: int, faulty: bool = True) -> Creation:
    """An election that opens soon, for seconds or minutes, or one that is refused if it may be `faulty`."""
    opens_at = now + draw(st.integers(1, 5))
    params = ElectionParams(
        opens_at=UnixSeconds(opens_at),
        closes_at=UnixSeconds(opens_at + draw(st.sampled_from([1000, 1000, 1000, 30, 2, 1]))),
        sheet_bits=census.sheet_bits,
        voters=len(census),
        max_ballot_bytes=draw(st.integers(1, 6)),
        text_ballots=draw(st.booleans()),
    )
    creation = Creation(params, census.sheet_roots, Hash32(bytes([draw(st.integers(0, 3))]) * 32), DEFINITION)
    for fault in draw(some_of(CREATION_FAULTS)) if faulty else []:
        creation = _spoil_creation(draw, creation, fault, now)
    return creation


def _spoil_creation(draw: DrawFn, creation: Creation, fault: str, now: int) -> Creation:
    params, roots = creation.params, creation.sheet_roots
    place = draw(st.integers(0, len(roots) - 1)) if roots else 0
    sheet_bits = draw(st.sampled_from([MAX_SHEET_BITS + 1, 255]))
    limit = draw(st.sampled_from([DIRECT_BIT, 2**40 - 1]))
    many = MAX_SHEETS + 1
    return {
        "opens now": replace(creation, params=replace(params, opens_at=UnixSeconds(now))),
        "opens earlier": replace(creation, params=replace(params, opens_at=UnixSeconds(draw(st.integers(0, now))))),
        "closes at opening": replace(creation, params=replace(params, closes_at=params.opens_at)),
        "closes at the limit": replace(creation, params=replace(params, closes_at=UnixSeconds(limit))),
        "sheet bits": replace(creation, params=replace(params, sheet_bits=sheet_bits)),
        "no voters": replace(creation, params=replace(params, voters=0)),
        "no ballot bytes": replace(creation, params=replace(params, max_ballot_bytes=0)),
        "root too many": replace(creation, sheet_roots=(*roots, keccak(b"another"))),
        "root too few": replace(creation, sheet_roots=roots[1:]),
        "zero root": replace(creation, sheet_roots=(*roots[:place], Hash32(bytes(32)), *roots[place + 1 :])),
        "too many sheets": replace(
            creation, params=replace(params, sheet_bits=0, voters=many), sheet_roots=(keccak(b"a root"),) * many
        ),
        "no definition": replace(creation, definition=b""),
        "cancelled definition": replace(creation, definition=CANCELLED_DEFINITION),
    }[fault]


DIRECT_FAULTS = ("sender", "voter", "out of range", "weight", "too long", "proof")


@st.composite
def direct_casts(draw: DrawFn, census: Census, arguments: BoxArguments) -> DirectCast:
    """A voter's own ballot, or one that is wrong in some way."""
    entry = census.entry(draw(st.integers(0, len(census) - 1)))
    faults = draw(some_of(DIRECT_FAULTS))
    voter, weight, ballot = entry.index, entry.weight, draw(ballots_up_to(arguments.max_ballot_bytes))
    if "voter" in faults:
        voter = VoterIndex(draw(st.integers(0, len(census) - 1)))
    if "out of range" in faults:
        voter = VoterIndex(draw(st.sampled_from([len(census), len(census) + 1, 2**32 - 1])))
    if "weight" in faults:
        weight = Weight(draw(st.sampled_from([0, entry.weight - 1, MAX_WEIGHT])))
    if "too long" in faults:
        ballot = bytes(arguments.max_ballot_bytes + draw(st.integers(1, 40)))
    proof = census.prove(entry.index)
    return DirectCast(
        sender=draw(st.sampled_from(PEOPLE)) if "sender" in faults else entry.address,
        voter=voter,
        weight=weight,
        ballot=ballot,
        proof=tuple(draw(tampered(proof)) if "proof" in faults else proof),
    )


# Of one ballot, before it is signed and after; then of their order, of the batch's form, its bytes and its proof.
DRAFT_FAULTS = (
    "too long", "before the opening", "in the future", "direct bit", "out of range", "key", "box", "chain",
    "form", "claimed weight", "claimed ballot", "claimed time", "claimed voter", "high s", "signature",
)  # fmt: skip
ORDER_FAULTS = ("swap", "repeat", "another sheet", "none")
BATCH_FAULTS = (*DRAFT_FAULTS, *ORDER_FAULTS, *FORM_FAULTS, *BYTE_FAULTS, "proof")


@st.composite
def signed_casts(draw: DrawFn, census: Census, box: Box, call: Call) -> SignedCast:
    """A batch of one sheet, or one that is broken in some way. box: with its arguments."""
    arguments = box.arguments
    assert arguments is not None
    voters = draw(sheet_members(census))
    drafts = [_draft(draw, census.entry(voter), box, call) for voter in voters]
    faults = draw(some_of(BATCH_FAULTS))
    for fault in faults:
        if fault in DRAFT_FAULTS and drafts:
            place = draw(st.integers(0, len(drafts) - 1))
            drafts[place] = _spoil_draft(draw, drafts[place], fault, arguments, call)
        elif fault in ORDER_FAULTS and drafts:
            others = [
                voter for voter in range(len(census)) if voter >> census.sheet_bits != voters[0] >> census.sheet_bits
            ]
            another = _draft(draw, census.entry(draw(st.sampled_from(others or voters))), box, call)
            drafts = _spoil_order(draw, drafts, fault, another)
    packed = _pack(draw, [draft.sign() for draft in drafts], [fault for fault in faults if fault in FORM_FAULTS])
    for fault in faults:
        if fault in BYTE_FAULTS:
            packed = spoil_bytes(draw, packed, fault)
    proof = census.prove_many(voters)
    return SignedCast(packed, tuple(draw(tampered(proof)) if "proof" in faults else proof))


def _pack(draw: DrawFn, signed: list[SignedRecord], faults: list[str]) -> bytes:
    """Pack ballots in any order, with these faults. None at all are no bytes, or a base alone."""
    if not signed:
        return draw(st.sampled_from([b"", bytes(BASE_BYTES)]))
    batch = LooseBatch.of(signed)
    for fault in faults:
        batch = spoil_form(draw, batch, fault)
    return batch.pack()


def _draft(draw: DrawFn, entry: CensusEntry, box: Box, call: Call) -> Draft:
    assert box.arguments is not None
    opens_at = box.arguments.opens_at
    cast_at = draw(st.integers(opens_at, max(opens_at, call.timestamp)))
    ballot = draw(ballots_up_to(box.arguments.max_ballot_bytes))
    record = Record(entry.index, cast_at, entry.weight, ballot)
    form = BallotForm.of(box.arguments.text_ballots)
    return Draft(record, SECRETS[entry.address], call.chain_id, box.address, form)


def _spoil_draft(draw: DrawFn, draft: Draft, fault: str, arguments: BoxArguments, call: Call) -> Draft:
    record = draft.record
    too_long = bytes(arguments.max_ballot_bytes + draw(st.integers(1, 40)))
    early = draw(st.integers(0, arguments.opens_at - 1) | st.just(arguments.opens_at - 1))
    late = draw(st.just(call.timestamp + 1) | st.integers(call.timestamp + 1, 2**40 - 1))
    beyond = VoterIndex(draw(st.sampled_from([arguments.voters, arguments.voters + 1, 2**32 - 1])))
    other_voter = VoterIndex(draw(st.integers(0, arguments.voters - 1)))
    changed = {
        "too long": {"record": replace(record, ballot=too_long)},
        "before the opening": {"record": replace(record, cast_at=early)},
        "in the future": {"record": replace(record, cast_at=late)},
        "direct bit": {"record": replace(record, cast_at=record.cast_at | DIRECT_BIT)},
        "out of range": {"record": replace(record, voter=beyond)},
        "key": {"key": draw(st.sampled_from(KEYS))},
        "box": {"box": OTHER_BOX},
        "chain": {"chain_id": ChainId(1)},
        "form": {"form": BallotForm.of(not arguments.text_ballots)},
        "claimed weight": {"claimed": replace(record, weight=Weight(draw(st.sampled_from([0, 1, MAX_WEIGHT]))))},
        "claimed ballot": {"claimed": replace(record, ballot=draw(ballots_up_to(arguments.max_ballot_bytes)))},
        "claimed time": {"claimed": replace(record, cast_at=arguments.opens_at)},
        "claimed voter": {"claimed": replace(record, voter=other_voter)},
        "high s": {"signature": draft.sign().r + draw(HIGH_S).to_bytes(32)},
        "signature": {"signature": draw(st.binary(min_size=64, max_size=64))},
    }[fault]
    return replace(draft, **changed)  # type: ignore[arg-type]


def _spoil_order(draw: DrawFn, drafts: list[Draft], fault: str, another: Draft) -> list[Draft]:
    place = draw(st.integers(0, len(drafts) - 1))
    if fault == "swap":
        order = draw(st.permutations(drafts))
        return list(order)
    if fault == "repeat":
        return [*drafts[: place + 1], *drafts[place:]]
    if fault == "another sheet":
        return [*drafts[:place], another, *drafts[place:]] if draw(st.booleans()) else [*drafts, another]
    return []


assert keccak(CANCELLED_DEFINITION) == CANCELLED_HEAD
