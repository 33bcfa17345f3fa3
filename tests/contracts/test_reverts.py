"""Every error of both contracts: when it is raised on a chain, and that Python decodes it to its name and values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from any_sender import PEOPLE, Chain, encode_cast_signed_raw, encode_create_raw
from loose_batch import LooseBatch
from one_election import (
    CENSUS,
    DEFINITION,
    IMPLEMENTATION,
    MAX_BALLOT_BYTES,
    ORGANIZER,
    SALT,
    STRANGER,
    Scene,
)

from qballot.chain.abi import load_errors, load_function
from qballot.chain.artifacts import BALLOT_BOX, CONTRACTS, default_factory
from qballot.chain.contracts import encode_cancel
from qballot.core.address import checksum_address
from qballot.core.census import MAX_WEIGHT
from qballot.core.keccak import keccak
from qballot.core.packed_batch import BASE_BYTES, BatchBase
from qballot.core.records import CANCELLED_HEAD, DIRECT_BIT, SignedRecord, pack_records
from qballot.core.signing import CURVE_ORDER, BallotForm
from qballot.core.types import Address, Hash32, VoterIndex, Weight
from qballot.errors import ContractReverted

pytestmark = pytest.mark.integration

INITIALIZE = load_function(BALLOT_BOX, "initialize").encode()

Arguments = dict[str, object]


@pytest.fixture
def scene(chain: Chain) -> Iterator[Scene]:
    with chain.undone():
        now = chain.now + 1
        empty = Scene(chain, Address(bytes(20)), now + 1_000, now + 2_000)
        yield replace(empty, box=empty.create(now, salt=SALT))


@dataclass(frozen=True)
class Case:
    """A call that must revert. when: in words. arguments: the error's, known once there is a scene."""

    error: str
    when: str
    call: Callable[[Scene], object]
    arguments: Callable[[Scene], Arguments]

    def __str__(self) -> str:
        return f"{self.error}-{self.when}".replace(" ", "_")


def _window(opens: int, closes: int) -> tuple[Callable[[Scene], object], Callable[[Scene], Arguments]]:
    """A creation in the second at which the scene's election opens, with a window given from there; the limit is."""

    def moments(scene: Scene) -> tuple[int, int]:
        return scene.opens_at + opens, closes if closes >= DIRECT_BIT else scene.opens_at + closes

    def call(scene: Scene) -> object:
        opens_at, closes_at = moments(scene)
        return scene.create(at=scene.opens_at, opens_at=opens_at, closes_at=closes_at)

    def arguments(scene: Scene) -> Arguments:
        opens_at, closes_at = moments(scene)
        return {"timestamp": scene.opens_at, "opensAt": opens_at, "closesAt": closes_at}

    return call, arguments


def _nothing(scene: Scene) -> Arguments:
    return {}


def _sheets(count: int, **changes: Any) -> Callable[[Scene], object]:
    return lambda s: s.create(roots=(CENSUS.root_of(0),) * count, **changes)


FACTORY_CASES = (
    Case("BallotBoxFactoryInvalidWindow", "it opens in this very second", *_window(0, 10)),
    Case("BallotBoxFactoryInvalidWindow", "it opened a second ago", *_window(-1, 10)),
    Case("BallotBoxFactoryInvalidWindow", "it closes when it opens", *_window(5, 5)),
    Case("BallotBoxFactoryInvalidWindow", "it closes before it opens", *_window(5, 4)),
    Case("BallotBoxFactoryInvalidWindow", "it closes at the mark of direct casts", *_window(5, DIRECT_BIT)),
    Case(
        "BallotBoxFactoryInvalidSheetBits",
        "one more than allowed",
        lambda s: s.create(sheet_bits=17),
        lambda s: {"sheetBits": 17, "maxSheetBits": 16},
    ),
    Case("BallotBoxFactoryNoVoters", "none", lambda s: s.create(voters=0), _nothing),
    Case("BallotBoxFactoryNoBallotBytes", "none", lambda s: s.create(max_ballot_bytes=0), _nothing),
    Case("BallotBoxFactoryNoDefinition", "none", lambda s: s.create(definition=b""), _nothing),
    Case(
        "BallotBoxFactoryReservedDefinition",
        "its hash is the head of a cancelled election",
        lambda s: s.create(definition=b"QBallot: cancelled"),
        _nothing,
    ),
    Case("BallotBoxFactoryWrongSheetCount", "one too few", _sheets(1), lambda s: {"found": 1, "expected": 2}),
    Case("BallotBoxFactoryWrongSheetCount", "one too many", _sheets(3), lambda s: {"found": 3, "expected": 2}),
    Case(
        "BallotBoxFactoryWrongSheetCount",
        "one more voter than the sheets hold",
        _sheets(2, voters=9),
        lambda s: {"found": 2, "expected": 3},
    ),
    Case(
        "BallotBoxFactoryTooManySheets",
        "one more than the code has room for",
        _sheets(765, sheet_bits=0, voters=765),
        lambda s: {"sheets": 765, "maxSheets": 764},
    ),
    Case(
        "BallotBoxFactoryZeroSheetRoot",
        "the last one",
        lambda s: s.create(roots=(CENSUS.root_of(0), Hash32(bytes(32)))),
        lambda s: {"sheet": 1},
    ),
    Case(
        "BallotBoxFactoryAlreadyCreated",
        "the same again",
        lambda s: s.create(salt=SALT),
        lambda s: {"ballotBox": checksum_address(s.box)},
    ),
)


def _cancelled(then: Callable[[Scene], object]) -> Callable[[Scene], object]:
    def call(scene: Scene) -> object:
        scene.cancel()
        return then(scene)

    return call


def _into_foreign_clone(scene: Scene) -> object:
    """A byte-identical box that nobody initialized."""
    foreign = Address(bytes.fromhex("f0") * 20)
    code = scene.chain.rpc.code(scene.box)
    scene.chain.rpc.call("anvil_setCode", ["0x" + foreign.hex(), "0x" + code.hex()])
    return scene.cast(0, to=foreign)


def _initialize(scene: Scene) -> object:
    return scene.chain.transact(STRANGER, scene.box, INITIALIZE)


def _to_implementation(data: bytes) -> Callable[[Scene], object]:
    return lambda s: s.chain.transact(STRANGER, IMPLEMENTATION, data)


def _closed_at(moment: Callable[[Scene], int]) -> Callable[[Scene], Arguments]:
    return lambda s: {"timestamp": moment(s), "opensAt": s.opens_at, "closesAt": s.closes_at}


def _spoil(signed: SignedRecord, weight: int | None = None, signature: bytes | None = None) -> SignedRecord:
    """The same with another weight, or another signature."""
    record = signed.record if weight is None else replace(signed.record, weight=Weight(weight))
    signature = signature or signed.r + signed.vs
    return SignedRecord(record, signature[:32], signature[32:])


def _high_s(scene: Scene) -> object:
    """The least s that is too high."""
    signed = scene.sign(0)
    return scene.cast_signed(_spoil(signed, signature=signed.r + (CURVE_ORDER // 2 + 1).to_bytes(32)))


def _dated(
    cast_at: Callable[[Scene], int], voter: int = 3
) -> tuple[Callable[[Scene], object], Callable[[Scene], Arguments]]:
    """A batch at the election's hundredth second whose second ballot has this date. voter: whom the error names."""
    return (
        lambda s: s.cast_signed(s.sign(2), s.sign(3, cast_at(s)), at=s.opens_at + 100),
        lambda s: {"voter": voter, "castAt": cast_at(s), "opensAt": s.opens_at, "timestamp": s.opens_at + 100},
    )


def _loosely(
    change_base: Callable[[BatchBase], BatchBase] | None = None, place: int = 1, **changes: Any
) -> Callable[[Scene], object]:
    """A batch of the voters 4, 5 and 6, all of weight 5, with another base or other parts of one ballot."""

    def call(scene: Scene) -> object:
        batch = LooseBatch.of([_spoil(scene.sign(voter), weight=5) for voter in (4, 5, 6)])
        ballots = list(batch.ballots)
        ballots[place] = replace(ballots[place], **changes)
        base = batch.base if change_base is None else change_base(batch.base)
        return scene.cast_packed(LooseBatch(base, tuple(ballots)).pack(), 4, 5, 6)

    return call


def _noncanonical(when: str, offset: int, call: Callable[[Scene], object]) -> Case:
    return Case("BallotBoxNonCanonicalBatch", when, call, lambda s: {"offset": offset})


def _come_round(scene: Scene) -> bytes:
    """A batch whose second ballot has the opening for its date, but for a 41st bit."""
    batch = LooseBatch.of([scene.sign(0, scene.opens_at + 50), scene.sign(1)])
    first, second = batch.ballots
    base = replace(batch.base, cast_at=scene.opens_at + 50, width=5)
    return LooseBatch(base, (replace(first, later=0), replace(second, later=2**40 - 50))).pack()


def _packed_later(scene: Scene, base_seconds: int, later: tuple[int, int]) -> object:
    """Voters 0 and 1 with a base this many seconds after the opening, and ballots so many after the base."""
    first, second = LooseBatch.of([scene.sign(0), scene.sign(1)]).ballots
    base = BatchBase(VoterIndex(0), scene.opens_at + base_seconds, Weight(1), 1, 1)
    ballots = (replace(first, later=later[0]), replace(second, later=later[1]))
    return scene.cast_packed(LooseBatch(base, ballots).pack(), 0, 1, at=scene.opens_at + 100)


TOO_LONG = bytes(MAX_BALLOT_BYTES + 1)
SIGNED_BYTES = 1 + 1 + 64
"""A step, one byte of ballot and a signature. A weight of its own takes a byte more."""

FIRST, SECOND = BASE_BYTES, BASE_BYTES + SIGNED_BYTES
"""Where a batch's first and second ballot begin."""

STATE_CASES = (
    Case(
        "BallotBoxNotAClone",
        "the implementation is initialized",
        _to_implementation(INITIALIZE),
        lambda s: {"account": checksum_address(IMPLEMENTATION)},
    ),
    Case(
        "BallotBoxAlreadyInitialized",
        "a second time",
        _initialize,
        lambda s: {"head": "0x" + keccak(DEFINITION).hex()},
    ),
    Case(
        "BallotBoxAlreadyInitialized",
        "after the cancellation",
        _cancelled(_initialize),
        lambda s: {"head": "0x" + CANCELLED_HEAD.hex()},
    ),
    Case("BallotBoxNotInitialized", "cast into the implementation", lambda s: s.cast(0, to=IMPLEMENTATION), _nothing),
    Case("BallotBoxNotInitialized", "batch", _to_implementation(encode_cast_signed_raw(b"", [])), _nothing),
    Case("BallotBoxNotInitialized", "cancelled", _to_implementation(encode_cancel()), _nothing),
    Case("BallotBoxNotInitialized", "the factory did not make it", _into_foreign_clone, _nothing),
    Case("BallotBoxElectionCancelled", "cast", _cancelled(lambda s: s.cast(0)), _nothing),
    Case("BallotBoxElectionCancelled", "batch", _cancelled(lambda s: s.cast_signed(s.sign(0))), _nothing),
    Case("BallotBoxElectionCancelled", "a second time", _cancelled(lambda s: s.cancel()), _nothing),
    Case(
        "BallotBoxNotOrganizer",
        "somebody else",
        lambda s: s.cancel(STRANGER),
        lambda s: {"caller": checksum_address(STRANGER), "organizer": checksum_address(ORGANIZER)},
    ),
    Case(
        "BallotBoxAlreadyOpened",
        "the first second",
        lambda s: s.cancel(at=s.opens_at),
        lambda s: {"timestamp": s.opens_at, "opensAt": s.opens_at},
    ),
    Case(
        "BallotBoxAlreadyOpened",
        "after the close",
        lambda s: s.cancel(at=s.closes_at),
        lambda s: {"timestamp": s.closes_at, "opensAt": s.opens_at},
    ),
    Case(
        "BallotBoxNotOpen",
        "cast a second early",
        lambda s: s.cast(0, s.opens_at - 1),
        _closed_at(lambda s: s.opens_at - 1),
    ),
    Case("BallotBoxNotOpen", "cast at the close", lambda s: s.cast(0, s.closes_at), _closed_at(lambda s: s.closes_at)),
    Case(
        "BallotBoxNotOpen",
        "batch a second early",
        lambda s: s.cast_signed(s.sign(0), at=s.opens_at - 1),
        _closed_at(lambda s: s.opens_at - 1),
    ),
    Case(
        "BallotBoxNotOpen",
        "batch at the close",
        lambda s: s.cast_signed(s.sign(0), at=s.closes_at),
        _closed_at(lambda s: s.closes_at),
    ),
    Case(
        "BallotBoxSheetOutOfRange",
        "the one after the last",
        lambda s: s.chain.box(s.box).sheet_root(2, "latest"),
        lambda s: {"sheet": 2, "sheets": 2},
    ),
)

CAST_CASES = (
    Case(
        "BallotBoxVoterOutOfRange",
        "cast by the one after the last",
        lambda s: s.cast(7),
        lambda s: {"voter": 7, "voters": 7},
    ),
    Case(
        "BallotBoxBallotTooLong",
        "cast",
        lambda s: s.cast(6, ballot=TOO_LONG),
        lambda s: {"voter": 6, "length": 4, "maxBallotBytes": 3},
    ),
    Case(
        "BallotBoxNotInCensus",
        "somebody else",
        lambda s: s.cast(5, sender=STRANGER),
        lambda s: {"voter": 5, "account": checksum_address(STRANGER), "weight": 6},
    ),
    Case(
        "BallotBoxNotInCensus",
        "another weight",
        lambda s: s.cast(5, weight=MAX_WEIGHT),
        lambda s: {"voter": 5, "account": checksum_address(PEOPLE[5]), "weight": MAX_WEIGHT},
    ),
)

BATCH_CASES = (
    Case("BallotBoxEmptyBatch", "no bytes", lambda s: s.cast_packed(b"", 0), _nothing),
    Case("BallotBoxEmptyBatch", "a base alone", lambda s: s.cast_signed(s.sign(0), cut=SIGNED_BYTES), _nothing),
    Case(
        "BallotBoxTruncatedBatch",
        "one byte of the base",
        lambda s: s.cast_packed(b"\0", 0),
        lambda s: {"offset": 0, "length": 1},
    ),
    Case(
        "BallotBoxTruncatedBatch",
        "all but one byte of the base",
        lambda s: s.cast_signed(s.sign(0), cut=SIGNED_BYTES + 1),
        lambda s: {"offset": 0, "length": BASE_BYTES - 1},
    ),
    Case(
        "BallotBoxTruncatedBatch",
        "without the last byte",
        lambda s: s.cast_signed(s.sign(0), cut=1),
        lambda s: {"offset": FIRST, "length": SECOND - 1},
    ),
    Case(
        "BallotBoxTruncatedBatch",
        "one byte of the second ballot",
        lambda s: s.cast_signed(s.sign(0), s.sign(1), cut=SIGNED_BYTES),
        lambda s: {"offset": SECOND, "length": SECOND + 1},
    ),
    Case(
        "BallotBoxTruncatedBatch",
        "a byte behind the last signature",
        lambda s: s.cast_packed(LooseBatch.of([s.sign(0)]).pack() + b"\0", 0),
        lambda s: {"offset": SECOND, "length": SECOND + 1},
    ),
    Case(
        "BallotBoxTruncatedBatch",
        "a length that wraps around",
        _loosely(length=2**96),
        lambda s: {"offset": SECOND, "length": BASE_BYTES + 3 * SIGNED_BYTES + 14},
    ),
    _noncanonical("a width of six bytes", 0, _loosely(lambda base: replace(base, width=6))),
    _noncanonical("a width of 255 bytes", 0, _loosely(lambda base: replace(base, width=255))),
    _noncanonical("a byte for times that are equal", 0, _loosely(lambda base: replace(base, width=1))),
    _noncanonical("a base earlier than all", 0, lambda s: _packed_later(s, 0, (1, 2))),
    _noncanonical("a base earlier than all by a byte", 0, lambda s: _packed_later(s, 0, (99, 100))),
    _noncanonical("a voter skipped before the first", FIRST, _loosely(place=0, skipped=1)),
    _noncanonical("the first with a weight of its own", FIRST, _loosely(place=0, weight=6)),
    _noncanonical("the first step in two bytes", FIRST, _loosely(place=0, least=(2, 1, 1))),
    _noncanonical("a step in two bytes", SECOND, _loosely(least=(2, 1, 1))),
    _noncanonical("a step in 15 bytes", SECOND, _loosely(skipped=2**96)),
    _noncanonical("a weight in two bytes", SECOND, _loosely(weight=6, least=(1, 2, 1))),
    _noncanonical("a weight of 97 bits", SECOND, _loosely(weight=2**96 + 5)),
    _noncanonical("a weight in 15 bytes", SECOND, _loosely(weight=2**98)),
    _noncanonical("a length in two bytes", SECOND, _loosely(length=2, content=bytes(66), least=(1, 1, 2))),
    _noncanonical("the base's weight again", SECOND, _loosely(weight=5)),
    _noncanonical("the base's length again", SECOND, _loosely(length=1)),
    Case(
        "BallotBoxVoterOutOfRange",
        "batch from the one after the last on",
        lambda s: s.cast_signed(s.sign(7, key_of=6), proof_of=(6,)),
        lambda s: {"voter": 7, "voters": 7},
    ),
    Case(
        "BallotBoxVoterOutOfRange",
        "batch with the one after the last",
        lambda s: s.cast_signed(s.sign(6), s.sign(7, key_of=6), proof_of=(6,)),
        lambda s: {"voter": 7, "voters": 7},
    ),
    Case(
        "BallotBoxVoterOutOfRange",
        "the same twice, all the way around",
        lambda s: s.cast_signed(s.sign(1), s.sign(1), proof_of=(1,)),
        lambda s: {"voter": 2**32 + 1, "voters": 7},
    ),
    Case(
        "BallotBoxVoterOutOfRange",
        "descending, all the way around",
        lambda s: s.cast_signed(s.sign(6), s.sign(4), proof_of=(4, 6)),
        lambda s: {"voter": 2**32 + 4, "voters": 7},
    ),
    Case(
        "BallotBoxVoterOutOfRange",
        "the widest step that there is",
        _loosely(skipped=2**96 - 1),
        lambda s: {"voter": 2**96 + 4, "voters": 7},
    ),
    Case(
        "BallotBoxBallotTooLong",
        "batch, the first",
        lambda s: s.cast_signed(s.sign(4, ballot=TOO_LONG), s.sign(5)),
        lambda s: {"voter": 4, "length": 4, "maxBallotBytes": 3},
    ),
    Case(
        "BallotBoxBallotTooLong",
        "batch",
        lambda s: s.cast_signed(s.sign(4), s.sign(5, ballot=TOO_LONG)),
        lambda s: {"voter": 5, "length": 4, "maxBallotBytes": 3},
    ),
    Case(
        "BallotBoxBallotTooLong",
        "a length of 17 bits that is there",
        _loosely(length=2**16 + 1, content=bytes(2**16 + 65)),
        lambda s: {"voter": 5, "length": 2**16 + 1, "maxBallotBytes": 3},
    ),
    Case("BallotBoxCastAtOutsideWindow", "a second before the opening", *_dated(lambda s: s.opens_at - 1, voter=2)),
    Case("BallotBoxCastAtOutsideWindow", "a second from now", *_dated(lambda s: s.opens_at + 101)),
    Case("BallotBoxCastAtOutsideWindow", "marked as direct", *_dated(lambda s: s.opens_at | DIRECT_BIT)),
    Case(
        "BallotBoxCastAtOutsideWindow",
        "the first, a second from now",
        lambda s: s.cast_signed(s.sign(2, s.opens_at + 1), at=s.opens_at),
        lambda s: {"voter": 2, "castAt": s.opens_at + 1, "opensAt": s.opens_at, "timestamp": s.opens_at},
    ),
    Case(
        "BallotBoxCastAtOutsideWindow",
        "40 bits that come round to the opening",
        lambda s: s.cast_packed(_come_round(s), 0, 1, at=s.opens_at + 100),
        lambda s: {"voter": 1, "castAt": s.opens_at + 2**40, "opensAt": s.opens_at, "timestamp": s.opens_at + 100},
    ),
    Case(
        "BallotBoxVoterOutsideSheet",
        "the first of the next sheet",
        lambda s: s.cast_signed(s.sign(3), s.sign(4), proof_of=(3,)),
        lambda s: {"voter": 4, "sheet": 0},
    ),
    Case("BallotBoxInvalidSignature", "high s", _high_s, lambda s: {"voter": 0}),
    Case(
        "BallotBoxInvalidSignature",
        "zeros",
        lambda s: s.cast_signed(s.sign(0), _spoil(s.sign(2), signature=bytes(64))),
        lambda s: {"voter": 2},
    ),
    Case(
        "BallotBoxBatchNotInCensus",
        "signed by somebody else",
        lambda s: s.cast_signed(s.sign(4), s.sign(5, key_of=6)),
        lambda s: {"sheet": 1},
    ),
    Case(
        "BallotBoxBatchNotInCensus",
        "signed as text",
        lambda s: s.cast_signed(s.sign(4, form=BallotForm.TEXT)),
        lambda s: {"sheet": 1},
    ),
    Case(
        "BallotBoxBatchNotInCensus",
        "another weight",
        lambda s: s.cast_signed(_spoil(s.sign(0), weight=2)),
        lambda s: {"sheet": 0},
    ),
    Case(
        "BallotBoxBatchNotInCensus",
        "the proof of others",
        lambda s: s.cast_signed(s.sign(0), s.sign(1), proof_of=(0, 2)),
        lambda s: {"sheet": 0},
    ),
)

CASES = (*FACTORY_CASES, *STATE_CASES, *CAST_CASES, *BATCH_CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_call__wrong_in_one_way__reverts_with_the_error_and_its_values(scene: Scene, case: Case) -> None:
    with pytest.raises(ContractReverted) as caught:
        case.call(scene)
    assert (caught.value.name, caught.value.arguments) == (case.error, case.arguments(scene))


def test_errors__of_both_contracts__all_have_a_case() -> None:
    assert {error.name for contract in CONTRACTS for error in load_errors(contract)} == {case.error for case in CASES}


@pytest.mark.parametrize("second", [0, 999])
def test_window__first_and_last_second__takes_ballots(scene: Scene, second: int) -> None:
    now = scene.opens_at + second
    assert now in {scene.opens_at, scene.closes_at - 1}
    assert scene.cast(0, now)
    assert scene.cast_signed(scene.sign(1, scene.opens_at), scene.sign(2, now), at=now)


def test_window__last_second_before_the_opening__can_be_cancelled(scene: Scene) -> None:
    scene.cancel(at=scene.opens_at - 1)
    assert scene.chain.box(scene.box).head("latest") == CANCELLED_HEAD


def test_create__at_every_limit__is_taken(scene: Scene) -> None:
    now = scene.opens_at
    assert scene.create(at=now, opens_at=now + 1, closes_at=now + 2)
    assert scene.create(at=now, opens_at=DIRECT_BIT - 2, closes_at=DIRECT_BIT - 1)
    assert scene.create(at=now, opens_at=now + 1, sheet_bits=16, voters=2**16, roots=(CENSUS.root_of(0),))
    assert scene.create(at=now, opens_at=now + 1, sheet_bits=0, voters=764, roots=(CENSUS.root_of(0),) * 764)


def test_ballot__of_the_greatest_length_and_of_none__is_taken(scene: Scene) -> None:
    assert scene.cast(0, ballot=bytes(MAX_BALLOT_BYTES))
    assert scene.cast(1, ballot=b"")
    assert scene.cast_signed(scene.sign(4, ballot=b""), scene.sign(5, ballot=bytes(MAX_BALLOT_BYTES)))


def test_text_box__ballots_signed_as_text__are_taken_and_no_others(scene: Scene) -> None:
    text = replace(scene, box=scene.create(text_ballots=True))
    assert text.chain.box(text.box).text_ballots("latest")
    yes, no = (text.sign(voter, ballot=ballot, form=BallotForm.TEXT) for voter, ballot in ((4, b"yes"), (5, b"no")))
    assert text.cast_signed(yes, no) == pack_records([yes.record, no.record])
    with pytest.raises(ContractReverted) as caught:
        text.cast_signed(text.sign(4, ballot=b"yes"))
    assert caught.value.name == "BallotBoxBatchNotInCensus"
    # The contract does not look at a ballot's bytes.
    no_text = text.sign(4, ballot=b"\xff\0", form=BallotForm.TEXT)
    assert text.cast_signed(no_text) == pack_records([no_text.record])
    assert text.cast(6, ballot=b"yes")


@pytest.mark.parametrize("value", [2, 256, 2**255])
def test_create__text_ballots_neither_0_nor_1__is_refused(scene: Scene, value: int) -> None:
    data = encode_create_raw(scene.params(text_ballots=True), CENSUS.sheet_roots, SALT, DEFINITION)
    place = 4 + 5 * 32
    assert int.from_bytes(data[place : place + 32]) == 1
    with pytest.raises(ContractReverted) as caught:
        scene.chain.transact(ORGANIZER, default_factory(), data[:place] + value.to_bytes(32) + data[place + 32 :])
    assert caught.value.name == "EmptyRevert"


def test_batch__part_of_it_brought_before__is_taken_all_the_same(scene: Scene) -> None:
    one, two, three = (scene.sign(voter) for voter in (0, 1, 3))
    whole = pack_records([one.record, two.record, three.record])
    assert scene.cast_signed(two, three) == pack_records([two.record, three.record])
    assert scene.cast_signed(one, two, three) == whole
    assert scene.cast_signed(one, two, three) == whole
    assert scene.cast(1)
    assert scene.cast_signed(one, two, three) == whole
