"""The pure steps of indexing: is a new box what it says, what do logs change, how long to wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from indexer.storage.model import Block, Election, Source
from indexer.sync.creation import MAX_REASON_CHARACTERS, build_election, make_printable
from indexer.sync.events import BoxEvent, read_event
from indexer.sync.fold import fold_range
from indexer.sync.waiting import MAX_PAUSE_SECONDS, compute_pause
from qballot.chain.answers import Log
from qballot.chain.contracts import BALLOT_BOX_CANCELLED, BALLOTS_CAST, BallotBoxCreated
from qballot.chain.creation import check_provenance
from qballot.core.keccak import keccak
from qballot.core.provenance import BoxArguments, box_address, clone_runtime_code
from qballot.core.records import CANCELLED_HEAD, Record, compute_head, pack_records
from qballot.core.types import Address, BlockNumber, Hash32, UnixSeconds, VoterIndex, Weight
from qballot.errors import DecodeError, ProofError

pytestmark = pytest.mark.unit

FACTORY, IMPLEMENTATION = Address(b"\xfa" * 20), Address(b"\x1a" * 20)
DEFINITION = b'{"not": "valid"}'
ARGUMENTS = BoxArguments(
    keccak(DEFINITION),
    Address(b"\x0a" * 20),
    UnixSeconds(5),
    UnixSeconds(9),
    10,
    2_000,
    3,
    (keccak(b"0"), keccak(b"1")),
)
SALT = keccak(b"salt")
EVENT = BallotBoxCreated(
    box=box_address(FACTORY, IMPLEMENTATION, SALT, ARGUMENTS),
    organizer=ARGUMENTS.organizer,
    definition_hash=ARGUMENTS.definition_hash,
    opens_at=ARGUMENTS.opens_at,
    closes_at=ARGUMENTS.closes_at,
    sheet_bits=10,
    voters=2_000,
    max_ballot_bytes=3,
    text_ballots=False,
    salt=SALT,
    definition=DEFINITION,
)
CODE = clone_runtime_code(IMPLEMENTATION, ARGUMENTS)


def check(event: BallotBoxCreated = EVENT, code: bytes = CODE, **where: Address) -> BoxArguments:
    places: dict[str, Any] = {"factory": FACTORY, "implementation": IMPLEMENTATION, **where}
    return check_provenance(event, code, **places)


def test_provenance__the_true_box__gives_its_arguments() -> None:
    assert check() == ARGUMENTS


@pytest.mark.parametrize("offset", range(0, len(CODE), 7))
def test_provenance__any_byte_of_the_code_changed__is_refused(offset: int) -> None:
    code = bytearray(CODE)
    code[offset] ^= 1
    with pytest.raises(ProofError):
        check(code=bytes(code))


@pytest.mark.parametrize(
    "change",
    [
        {"box": Address(b"\x01" * 20)},
        {"organizer": Address(b"\x01" * 20)},
        {"definition_hash": keccak(b"x")},
        {"opens_at": UnixSeconds(6)},
        {"closes_at": UnixSeconds(8)},
        {"sheet_bits": 11},
        {"voters": 2_001},
        {"max_ballot_bytes": 4},
        {"text_ballots": True},
        {"salt": keccak(b"pepper")},
        {"definition": b"another"},
    ],
)
def test_provenance__any_field_of_the_event_changed__is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProofError):
        check(replace(EVENT, **change))


def test_provenance__another_factory_or_implementation__is_refused() -> None:
    with pytest.raises(ProofError, match="does not follow from its arguments"):
        check(factory=Address(b"\x01" * 20))
    with pytest.raises(ProofError, match="runs the implementation"):
        check(implementation=Address(b"\x01" * 20))
    with pytest.raises(ProofError, match="not a ballot box's"):
        check(code=b"\x60\x00")


SOURCE = Source(BlockNumber(10), keccak(b"10"), 1, keccak(b"tx"))


def build() -> Election:
    election = build_election(EVENT, SOURCE, CODE, factory=FACTORY, implementation=IMPLEMENTATION)
    assert election.invalid_reason is not None  # the definition says nothing of contests
    return replace(election, number=1)


def test_printable__hostile_text__is_short_and_harmless() -> None:
    assert make_printable("a\x00b\ud800c\u202ed\nü") == "a\\u0000b\\ud800c\\u202ed\nü"
    assert len(make_printable("x" * 10_000)) == MAX_REASON_CHARACTERS


def make_log(block: int, index: int, topic: Hash32, data: bytes = b"") -> Log:
    return Log(EVENT.box, (topic,), data, BlockNumber(block), keccak(b"%d" % block), keccak(b"tx"), index)


def cast_log(block: int, index: int, *voters: int) -> Log:
    return make_log(block, index, BALLOTS_CAST, encode(pack(*voters)))


def pack(*voters: int) -> bytes:
    return pack_records(Record(VoterIndex(voter), 5, Weight(1), b"\1") for voter in voters)


def encode(data: bytes) -> bytes:
    return (32).to_bytes(32) + len(data).to_bytes(32) + data + bytes(-len(data) % 32)


def read(*logs: Log) -> list[BoxEvent]:
    return [read_event(log) for log in logs]


UNTIL = Block(BlockNumber(20), keccak(b"20"), UnixSeconds(7))


def test_fold__batches__are_links_of_one_chain() -> None:
    election = build()
    logs = [cast_log(11, 0, 1, 2), cast_log(11, 4, 3)]
    change = fold_range(UNTIL, known={}, created=[election], events=read(*logs))
    grown = change.created[0]
    assert grown.head == compute_head(ARGUMENTS.definition_hash, [pack(1, 2), pack(3)])
    assert (grown.batches, grown.records) == (2, 3)
    assert [(new.batch.sequence, new.batch.first_position, new.batch.records) for new in change.batches] == [
        (0, 0, 2),
        (1, 2, 1),
    ]
    assert change.batches[1].batch.head == grown.head
    # In two ranges it is the same.
    first = fold_range(UNTIL, known={EVENT.box: election}, created=[], events=read(*logs[:1]))
    second = fold_range(UNTIL, known=first.updated, created=[], events=read(*logs[1:]))
    assert second.updated[EVENT.box] == grown


def test_fold__cancellation__sets_the_published_head() -> None:
    events = read(make_log(12, 0, BALLOT_BOX_CANCELLED))
    change = fold_range(UNTIL, known={EVENT.box: build()}, created=[], events=events)
    cancelled = change.updated[EVENT.box]
    assert (cancelled.head, cancelled.cancelled, cancelled.cancelled_at_block) == (CANCELLED_HEAD, True, 12)
    assert change.batches == []


@pytest.mark.parametrize(
    ("logs", "message"),
    [
        ([cast_log(10, 1, 1)], "block 10, log 1 of the box .*before the creation"),
        ([make_log(12, 0, BALLOT_BOX_CANCELLED), cast_log(12, 1, 1)], "block 12, log 1 .*after the cancellation"),
        ([cast_log(12, 0, 1), make_log(13, 0, BALLOT_BOX_CANCELLED)], "block 13, log 0 .*cancellation after 1 batches"),
        ([make_log(12, 0, BALLOTS_CAST, encode(pack(1)[:-1]))], "block 12, log 0 .*cut short"),
        ([make_log(12, 0, BALLOTS_CAST, b"\1" * 64)], "block 12, log 0 .*expected one ABI-encoded"),
    ],
)
def test_fold__what_no_box_emits__halts_and_says_where(logs: list[Log], message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        fold_range(UNTIL, known={EVENT.box: build()}, created=[], events=read(*logs))


@pytest.mark.parametrize(
    ("poll", "failures", "expected"),
    [(2, 0, 2), (2, 1, 4), (2, 3, 16), (2, 10, MAX_PAUSE_SECONDS), (2, 100_000, MAX_PAUSE_SECONDS), (600, 3, 600)],
)
def test_pause__after_failures__grows_up_to_its_cap(poll: float, failures: int, expected: float) -> None:
    assert compute_pause(poll, failures) == expected
