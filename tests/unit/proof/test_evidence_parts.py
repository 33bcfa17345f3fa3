"""The parts that a verification is made of, each by itself: what they accept, and what they name when they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from evidence_samples import CHAIN_ID, PINS, find, read_good, read_receipt, trusted_hash
from hypothesis import given
from hypothesis import strategies as st
from proof_samples import random_header

from qballot.core.effective import EffectiveBallots
from qballot.core.keccak import keccak
from qballot.core.proof import (
    Evidence,
    EvidenceCheck,
    Header,
    Outcome,
    ProvenHead,
    Verifier,
    Voters,
    encode_header,
    find_lot_block,
    hash_header,
    prove_head,
    read_evidence,
    verify_receipt_file,
)
from qballot.core.proof.ballots import Ballots, check_chain, check_membership, group_effective, read_ballots
from qballot.core.proof.head import check_rules
from qballot.core.proof.voters import check_voters
from qballot.core.provenance import parse_clone_code
from qballot.core.records import CANCELLED_HEAD, DIRECT_BIT, Record, compute_head, pack_records, unpack_columns
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.types import Address, BlockNumber, Hash32, UnixSeconds, VoterIndex, Weight
from qballot.errors import DecodeError, ProofError, QballotError

pytestmark = pytest.mark.unit

CLOSES_AT = UnixSeconds(1_800_000_000)
NEEDED = CLOSES_AT + LOT_DELAY_SECONDS


def load(name: str) -> Evidence:
    return read_evidence([read_good(name)])


def prove(name: str) -> ProvenHead:
    evidence = load(name)
    return prove_head(evidence.origin, evidence.header, evidence.proof, evidence.block_hash, PINS)


def chain_of(timestamps: Sequence[int], difficulty: int = 0) -> list[Header]:
    """Headers of these times, each naming the one before."""
    random, headers = Random(1), list[Header]()
    for number, timestamp in enumerate(timestamps):
        header = random_header(random, 21, Hash32(bytes(32)), Hash32(bytes(32)))
        parent = hash_header(headers[-1]) if headers else header.parent_hash
        changes = {"timestamp": UnixSeconds(timestamp), "parent_hash": parent, "number": BlockNumber(100 + number)}
        headers.append(replace(header, difficulty=difficulty, **changes))  # type: ignore[arg-type]
    return headers


def find_lot(headers: Sequence[Header]) -> Header:
    *before, trusted = [encode_header(header) for header in headers]
    return find_lot_block(before, trusted, CLOSES_AT)


@pytest.mark.parametrize("times", [[-1, 0], [-12, 5, 17, 29], [-10_000, 10_000], [-1, 0, 0, 0]])
def test_lot__chain_from_the_block_before__is_drawn_from_its_second(times: list[int]) -> None:
    headers = chain_of([NEEDED + time for time in times])
    assert find_lot(headers) == headers[1]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0, 12], r"block 100 is of second \d+: the lot is drawn from it or an earlier block"),
        ([-24, -12, 0], r"block 101 is of second \d+, expected \d+ or later for the lot"),
        ([-12, -1], "block 101 is of second"),
        ([0], "found no header before the trusted block's"),
    ],
)
def test_lot__chain_that_begins_elsewhere__is_refused(times: list[int], message: str) -> None:
    with pytest.raises(ProofError, match=message):
        find_lot(chain_of([NEEDED + time for time in times]))


def test_lot__broken_link_or_difficulty__is_named() -> None:
    headers = chain_of([NEEDED - 12, NEEDED, NEEDED + 12, NEEDED + 24])
    for place, following in ((0, "header 1"), (1, "header 2"), (2, "the trusted block")):
        changed = [*headers]
        changed[place] = replace(headers[place], gas_used=1)
        with pytest.raises(ProofError, match=f"header {place} of the lot hashes to 0x.*, but {following} has"):
            find_lot(changed)
    with pytest.raises(ProofError, match="has the difficulty 1, expected 0"):
        find_lot(chain_of([NEEDED - 12, NEEDED], difficulty=1))


records = st.builds(
    Record,
    st.integers(0, 4).map(VoterIndex),
    st.sampled_from([5, 6, 5 | DIRECT_BIT, 6 | DIRECT_BIT]),
    st.sampled_from([1, 1, 2**96 - 1]).map(Weight),
    st.sampled_from([b"", b"\x00", b"\x01"]),
)


@given(st.lists(st.lists(records, max_size=4), max_size=8))
def test_group_effective__any_records__are_grouped_as_one_by_one(batches: list[list[Record]]) -> None:
    ballots, expected = Ballots(), EffectiveBallots()
    for batch in batches:
        ballots.add(unpack_columns(pack_records(batch)))
        for record in batch:
            expected.apply(record)
    groups, voters = group_effective(ballots)
    assert groups == expected.groups()
    assert voters == expected.voters


def test_chain__that_does_not_end_in_the_head__says_where_it_was() -> None:
    start, batches = keccak(b"definition"), [b"one", b"two", b"three"]
    for count in range(4):
        head = compute_head(start, batches[:count])
        assert check_chain(start, batches[:count], head) == count
        if count < 3:
            with pytest.raises(ProofError, match=f"at the proven head after {count} batches, but found 3"):
                check_chain(start, batches, head)
    with pytest.raises(ProofError, match=r"the chain over 3 batches ends in 0x.*, but the proven head is 0x"):
        check_chain(start, batches, keccak(b"other"))
    assert keccak(b"QBallot: cancelled") == CANCELLED_HEAD


def test_records__at_the_ends_of_every_range__are_admitted() -> None:
    proven = prove("small")
    opens_at, closes_at = proven.arguments.opens_at, proven.arguments.closes_at
    record = Record(VoterIndex(4), opens_at, Weight(2**96 - 1), b"\x00\x00\x00")
    direct = replace(record, cast_at=(closes_at - 1) | DIRECT_BIT, ballot=b"")
    last = replace(record, cast_at=closes_at - 1, voter=VoterIndex(0), weight=Weight(1))
    found = read_ballots([pack_records([last, record]), pack_records([direct]), pack_records([record])], proven)
    assert found.voters == [0, 4, 4, 4]
    assert found.starts == [0, 2, 3]
    with pytest.raises(DecodeError, match="batch 1: records are cut short"):
        read_ballots([pack_records([record]), b"\x00"], proven)


@pytest.mark.parametrize("is_direct", [False, True])
def test_records__that_the_box_does_not_admit__are_named(is_direct: bool) -> None:
    proven = prove("partial")
    arguments, now = proven.arguments, proven.header.timestamp
    bit = DIRECT_BIT if is_direct else 0
    good = Record(VoterIndex(0), now | bit, Weight(1), b"\x00" * 3)
    for changed, message in (
        (replace(good, voter=VoterIndex(5)), "found voter 5, expected one below 5, the number of voters"),
        (replace(good, weight=Weight(0)), "voter 0 has the weight 0, expected 1 at least"),
        (replace(good, cast_at=arguments.opens_at - 1 | bit), "found a ballot of second .*, when the box was open"),
        (replace(good, cast_at=arguments.closes_at | bit), "found a ballot of second .*, when the box was open"),
        (
            replace(good, cast_at=now + 1 | bit),
            f"found a ballot of second {now + 1}, expected {now} at most, the time of the block",
        ),
        (replace(good, ballot=b"\x00" * 4), "found a ballot of 4 bytes, expected at most 3"),
    ):
        batch = [changed] if is_direct else [replace(good, voter=VoterIndex(1)), changed]
        with pytest.raises(ProofError, match=f"batch 1, record {len(batch) - 1}: {message}"):
            read_ballots([pack_records([good]), pack_records(batch)], proven)
    with pytest.raises(ProofError, match="batch 0: found no record"):
        read_ballots([b""], proven)


def test_records__of_a_batch_that_no_box_writes__are_named() -> None:
    proven = prove("sheets")  # four voters a sheet
    at = proven.arguments.opens_at
    batch = [Record(VoterIndex(voter), at, Weight(1), b"\x00" * 3) for voter in range(8)]
    direct = [replace(record, cast_at=at | DIRECT_BIT) for record in batch]
    for records in ([batch[0], batch[3]], batch[4:8], [direct[5]], [batch[2]]):
        assert len(read_ballots([pack_records(records)], proven)) == len(records)
    for records, message in (
        ([batch[0], batch[2], batch[1]], "record 2: found voter 1 after voter 2, expected them ascending"),
        ([batch[1], batch[1]], "record 1: found voter 1 after voter 1"),
        ([batch[2], batch[3], batch[4]], "record 2: found voter 4, expected one of sheet 0, as before"),
        ([batch[3], batch[7]], "record 1: found voter 7, expected one of sheet 0"),
        ([batch[0], direct[1]], "record 1: found a voter's own transaction among 2 records, expected it alone"),
        ([direct[0], batch[1]], "record 0: found a voter's own transaction among 2 records"),
        ([direct[0], direct[1]], "record 0: found a voter's own transaction among 2 records"),
    ):
        with pytest.raises(ProofError, match=f"batch 1, {message}"):
            read_ballots([pack_records([batch[0]]), pack_records(records)], proven)


def test_rules__that_no_factory_takes__are_named() -> None:
    arguments = prove("sheets").arguments
    check_rules(arguments)
    for changes, message in (
        ({"closes_at": arguments.opens_at}, "opens at .* and closes at .*, expected the opening before the close"),
        ({"voters": 12 + 1}, "has 3 sheet roots, expected 4 for 13 voters in sheets of 2\\*\\*2"),
        ({"voters": 8}, "has 3 sheet roots, expected 2 for 8 voters"),
        ({"sheet_roots": ()}, "has 0 sheet roots, expected 3"),
        ({"voters": 0}, "has 3 sheet roots, expected 0"),
        ({"sheet_bits": 255}, "has 3 sheet roots, expected 1"),
    ):
        with pytest.raises(ProofError, match=message):
            check_rules(replace(arguments, **changes))  # type: ignore[arg-type]
    check_rules(replace(arguments, voters=12, closes_at=UnixSeconds(arguments.opens_at + 1)))


def test_membership__of_another_weight__names_batch_and_record() -> None:
    ballots = Ballots()
    for voters in ([0, 1], [2], [3, 0]):
        batch = pack_records(Record(VoterIndex(voter), 5, Weight(7), b"") for voter in voters)
        ballots.add(unpack_columns(batch))
    check_membership(ballots, [Weight(7)] * 4)
    with pytest.raises(ProofError, match="batch 2, record 0: voter 3 has the weight 7, expected 8, as the census says"):
        check_membership(ballots, [Weight(7), Weight(7), Weight(7), Weight(8)])
    with pytest.raises(ProofError, match="batch 0, record 1: voter 1 "):
        check_membership(ballots, [Weight(7), Weight(8), Weight(7), Weight(7)])


def test_voters__that_are_not_the_boxes__are_named() -> None:
    evidence = load("sheets")
    arguments = parse_clone_code(evidence.origin.code)[1]
    voters = evidence.voters
    assert voters is not None
    assert check_voters(voters, arguments) == 11
    addresses, weights = list(voters.addresses), list(voters.weights)
    for place, address, message in (
        (3, Address(bytes(20)), "voter 3 has the zero address"),
        (7, addresses[2], "voter 7 has the address of voter 2: 0x"),
        (5, Address(b"\x01" * 19), "the address of voter 5 has 19 bytes, expected 20"),
        (9, Address(b"\x01" * 20), "sheet 2, of the voters from 8 on, has the root 0x"),
        (0, Address(b"\x01" * 20), "sheet 0, of the voters from 0 on, has the root 0x"),
    ):
        changed = [*addresses[:place], address, *addresses[place + 1 :]]
        with pytest.raises(ProofError, match=message):
            check_voters(Voters(changed, weights), arguments)
    for weight, message in ((0, "voter 4 has the weight 0"), (2**96, "voter 4 has the weight"), (2, "sheet 1, of the")):
        with pytest.raises(ProofError, match=message):
            check_voters(Voters(addresses, [*weights[:4], Weight(weight), *weights[5:]]), arguments)
    with pytest.raises(ProofError, match="found 10 voters, expected 11"):
        check_voters(Voters(addresses[1:], weights[1:]), arguments)
    with pytest.raises(ProofError, match="has 2 sheet roots, expected 3 of its voters"):
        check_voters(voters, replace(arguments, sheet_roots=arguments.sheet_roots[:2]))


def test_prove_head__of_a_bundle__is_what_verifying_it_shows() -> None:
    for name in ("small", "cancelled", "empty", "partial"):
        evidence, proven = load(name), prove(name)
        assert proven.block_hash == trusted_hash(find("good", name)) == evidence.block_hash
        assert proven.is_cancelled == (name == "cancelled")
        if not proven.is_cancelled:
            assert proven.head == compute_head(keccak(evidence.definition), evidence.batches)
    small, other = load("small"), load("sheets")
    for origin, header, proof in (
        (other.origin, small.header, small.proof),
        (small.origin, other.header, small.proof),
        (small.origin, small.header, other.proof),
        (replace(small.origin, code=b""), small.header, small.proof),
    ):
        with pytest.raises(QballotError):
            prove_head(origin, header, proof, small.block_hash, PINS)


def test_verifier__asked_step_by_step__goes_on_where_it_was() -> None:
    evidence = load("small")
    verifier = Verifier(evidence, evidence.block_hash, PINS)
    first = next(verifier.run())
    assert (first.check, first.outcome) == (EvidenceCheck.FORMAT, Outcome.SKIPPED)
    found = verifier.finish()
    assert found.steps[0] is first
    assert len(found.steps) == 16
    assert verifier.finish().steps == found.steps
    shown = found.to_json()
    assert shown["verified"] is True
    assert isinstance(shown["steps"], list)
    assert shown["steps"][9] == {
        "number": 10,
        "id": "chain",
        "proves": EvidenceCheck.CHAIN.proves,
        "reads": "batches",
        "outcome": "holds",
        "text": "3 batches",
    }


def test_checks__of_evidence__are_numbered_in_order() -> None:
    assert [check.number for check in EvidenceCheck] == list(range(1, 17))
    assert len({check.id for check in EvidenceCheck}) == 16


def test_receipt__of_another_box_or_chain__is_refused() -> None:
    data, trusted = read_receipt("signed"), trusted_hash(find("receipts", "signed"))
    assert verify_receipt_file(data, trusted).holds
    assert verify_receipt_file(data, None).is_trust_own
    other = verify_receipt_file(data, trusted, box=Address(b"\x01" * 20), chain_id=CHAIN_ID)
    assert other.failure is not None
    assert "expected 0x0101010101010101010101010101010101010101" in other.failure.text
    elsewhere = verify_receipt_file(data, trusted, chain_id=1)
    assert elsewhere.failure is not None
    assert "claims chain 31337, expected chain 1" in elsewhere.failure.text
    assert elsewhere.to_json()["record"] is None
