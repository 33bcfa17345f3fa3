"""Ballots reach the box, directly and in batches; what cannot be taken is named before it costs anything."""

from __future__ import annotations

import random

import pytest

from qballot.cast import (
    MAX_BATCH_BYTES,
    MAX_BATCH_GAS,
    Batch,
    cast_batch,
    cast_direct,
    cast_direct_many,
    estimate_batch,
    next_cast_at,
    plan_batches,
    sign_ballot,
)
from qballot.chain.accounts import LocalSigner
from qballot.chain.contracts import BALLOTS_CAST, decode_ballots_cast, encode_cast_signed
from qballot.chain.devnet import Devnet
from qballot.core.prices import AMSTERDAM_PRICES, OSAKA_PRICES
from qballot.core.records import (
    DIRECT_BIT,
    Record,
    SignedRecord,
    advance_head,
    compute_head,
    pack_records,
    unpack_records,
)
from qballot.core.signing import ballot_digest, recover_signer
from qballot.core.types import VoterIndex, Weight
from qballot.errors import ContractReverted, ElectionClosedError, ElectionNotOpenError, InputError, ProofError
from qballot.testing import ElectionOnDevnet, make_election, make_keys

pytestmark = pytest.mark.integration

SOUP, SALAD = bytes([1, 0, 0]), bytes([0, 1, 0])


@pytest.fixture
def election(devnet: Devnet) -> ElectionOnDevnet:
    """Seven voters in sheets of four, open."""
    made = make_election(devnet, voters=7, weights=[1, 2, 3, 4, 5, 6, 2**96 - 1], sheet_bits=2)
    made.open()
    return made


def test_cast_direct__voter_in_the_census__is_one_record(devnet: Devnet, election: ElectionOnDevnet) -> None:
    account = election.account(6)
    receipt = cast_direct(devnet.rpc, account, election.deployment.box, election.census, SOUP)
    assert [log.topics for log in receipt.logs] == [(BALLOTS_CAST,)]
    records = decode_ballots_cast(receipt.logs[0])
    now = devnet.rpc.block(receipt.block_number).timestamp
    assert unpack_records(records) == [Record(VoterIndex(6), now | DIRECT_BIT, Weight(2**96 - 1), SOUP)]
    head = advance_head(election.deployment.arguments.definition_hash, records)
    assert election.box.head(receipt.block_number) == head


def test_cast_batch__sheets_and_direct_casts_mixed__make_one_chain(
    devnet: Devnet, election: ElectionOnDevnet, relayer: LocalSigner
) -> None:
    signed = [election.sign(voter, SOUP if voter % 2 else SALAD) for voter in (6, 3, 1, 0, 5)]
    batches = plan_batches(signed, 2)
    assert [(batch.sheet, [item.record.voter for item in batch.ballots]) for batch in batches] == [
        (0, [0, 1, 3]),
        (1, [5, 6]),
    ]
    receipts = [cast_batch(devnet.rpc, relayer, election.deployment.box, election.census, batches[0])]
    casts = [(election.account(voter), SOUP) for voter in (2, 6, 0)]
    receipts += cast_direct_many(devnet.rpc, election.deployment.box, election.census, casts)
    receipts.append(cast_batch(devnet.rpc, relayer, election.deployment.box, election.census, batches[1]))
    logs = devnet.rpc.logs(
        election.deployment.block_number, devnet.rpc.block().number, [election.deployment.box], [BALLOTS_CAST]
    )
    found = [decode_ballots_cast(log) for log in logs]
    assert sorted(found) == sorted(decode_ballots_cast(receipt.logs[0]) for receipt in receipts)
    assert found[0] == pack_records(item.record for item in batches[0].ballots)
    assert compute_head(election.deployment.arguments.definition_hash, found) == election.box.head("latest")


def test_sign_ballot__digest__is_the_contracts(election: ElectionOnDevnet) -> None:
    signed = election.sign(4, SALAD)
    record = signed.record
    chain_id = election.devnet.rpc.chain_id()
    digest = ballot_digest(chain_id, election.deployment.box, record.voter, record.cast_at, record.ballot)
    assert election.box.hash_ballot(record.voter, record.cast_at, record.ballot, "latest") == digest
    assert recover_signer(digest, signed.r + signed.vs) == election.census.addresses[4]


def test_sign_ballot__key_of_another__is_refused(election: ElectionOnDevnet) -> None:
    with pytest.raises(InputError, match="expected that of voter 1"):
        sign_ballot(
            LocalSigner(election.keys[0]),
            election.census.entry(1),
            SOUP,
            chain_id=election.devnet.rpc.chain_id(),
            box=election.deployment.box,
            cast_at=next_cast_at(1),
        )


def test_next_cast_at__own_last_ballot__is_always_outranked() -> None:
    assert next_cast_at(100) == 100
    assert next_cast_at(100, 50) == 100
    assert next_cast_at(100, 100) == 101
    assert next_cast_at(100, 150) == 151


def test_cast__before_and_after__is_refused_by_the_chains_clock(devnet: Devnet, relayer: LocalSigner) -> None:
    election = make_election(devnet)
    box, census, account = election.deployment.box, election.census, election.account(0)
    with pytest.raises(ElectionNotOpenError, match=r"is not open yet.*come back in \d+ seconds"):
        cast_direct(devnet.rpc, account, box, census, SOUP)
    election.open()
    signed = election.sign(0, SOUP)
    election.close()
    with pytest.raises(ElectionClosedError, match="no ballot can follow"):
        cast_batch(devnet.rpc, relayer, box, census, Batch(0, (signed,)))


def test_cast__what_the_box_would_refuse__is_named_and_costs_nothing(
    devnet: Devnet, election: ElectionOnDevnet, relayer: LocalSigner
) -> None:
    rpc, box, census = devnet.rpc, election.deployment.box, election.census
    before = rpc.block()

    def refuse(ballots: tuple[SignedRecord, ...], sheet: int = 0) -> str:
        with pytest.raises(InputError) as caught:
            cast_batch(rpc, relayer, box, census, Batch(sheet, ballots))
        return str(caught.value)

    one, two = election.sign(1, SOUP), election.sign(2, SOUP)
    heavy = SignedRecord(Record(VoterIndex(1), one.record.cast_at, Weight(9), SOUP), one.r, one.vs)
    unknown = SignedRecord(Record(VoterIndex(7), one.record.cast_at, Weight(1), SOUP), one.r, one.vs)
    assert "voter 1 is of sheet 0, expected sheet 1" in refuse((one,), sheet=1)
    assert "found weight 9, expected 2" in refuse((heavy,))
    assert "no voter 7" in refuse((unknown,))
    assert "4 bytes, expected at most 3" in refuse((election.sign(1, bytes(4)),))
    assert "ascending" in refuse((two, one))
    assert "ascending" in refuse((one, one))
    assert "at least one" in refuse(())
    with pytest.raises(InputError, match="is not in the census"):
        cast_direct(rpc, relayer, box, census, SOUP)
    with pytest.raises(InputError, match="4 bytes, expected at most 3"):
        cast_direct(rpc, LocalSigner(election.keys[0]), box, census, bytes(4))
    other = make_election(devnet, voters=7, sheet_bits=2, salt=1).census
    with pytest.raises(InputError, match="the census is not that of the election"):
        cast_batch(rpc, relayer, box, other, Batch(0, (one,)))
    assert rpc.block().number == before.number + 1


def test_cast_batch__signature_of_another__names_the_voter(
    devnet: Devnet, election: ElectionOnDevnet, relayer: LocalSigner
) -> None:
    zero, one, two = (election.sign(voter, SOUP) for voter in (0, 1, 2))
    swapped = SignedRecord(one.record, two.r, two.vs)
    broken = SignedRecord(two.record, bytes(32), two.vs)
    for ballots, voters in (((zero, swapped), "1"), ((zero, swapped, broken), "1, 2")):
        with pytest.raises(ProofError, match=f"are not theirs: {voters}$"):
            cast_batch(devnet.rpc, relayer, election.deployment.box, election.census, Batch(0, ballots))


def test_cast_batch__signed_for_later__waits_for_the_chain(
    devnet: Devnet, election: ElectionOnDevnet, relayer: LocalSigner
) -> None:
    later = devnet.rpc.block().timestamp + 500
    batch = Batch(0, (election.sign(0, SOUP, cast_at=later),))
    with pytest.raises(ContractReverted, match="BallotBoxCastAtOutsideWindow"):
        cast_batch(devnet.rpc, relayer, election.deployment.box, election.census, batch)
    devnet.warp(later)
    assert cast_batch(devnet.rpc, relayer, election.deployment.box, election.census, batch).succeeded


def fake(voter: int, length: int = 4, cast_at: int = 1) -> SignedRecord:
    return SignedRecord(Record(VoterIndex(voter), cast_at, Weight(1), bytes(length)), bytes(32), bytes(32))


def test_plan_batches__a_full_sheet__is_one_batch() -> None:
    signed = [fake(voter) for voter in range(2500)]
    random.Random(1).shuffle(signed)
    batches = plan_batches(signed, 10)
    assert [(batch.sheet, len(batch.ballots)) for batch in batches] == [(0, 1024), (1, 1024), (2, 452)]


def test_plan_batches__voter_repeated__comes_in_a_later_batch() -> None:
    batches = plan_batches([fake(5), fake(5, cast_at=2), fake(900), fake(5, cast_at=3), fake(4)], 2)
    assert [(batch.sheet, [(b.record.voter, b.record.cast_at) for b in batch.ballots]) for batch in batches] == [
        (1, [(4, 1), (5, 1)]),
        (225, [(900, 1)]),
        (1, [(5, 2)]),
        (1, [(5, 3)]),
    ]
    assert plan_batches([], 10) == []


@pytest.mark.parametrize(("length", "sheet_bits"), [(4, 16), (300, 10), (60_000, 4), (0, 16)])
def test_plan_batches__too_much_for_a_transaction__is_split_within_the_limits(length: int, sheet_bits: int) -> None:
    signed = [fake(voter, length) for voter in range(0, 3000 if length < 1000 else 10, 3)]
    batches = plan_batches(signed, sheet_bits)
    assert [item for batch in batches for item in batch.ballots] == signed
    assert len(batches) > 1
    for batch in batches:
        size, gas = estimate_batch(batch.ballots, sheet_bits)
        assert size <= MAX_BATCH_BYTES
        assert gas <= MAX_BATCH_GAS


@pytest.mark.parametrize("voters", [1, 37, 64])
def test_estimate_batch__real_batches__cost_no_more(devnet: Devnet, relayer: LocalSigner, voters: int) -> None:
    election = make_election(devnet, voters=voters, sheet_bits=6, max_ballot_bytes=1_200)
    election.open()
    chance = random.Random(voters)
    now = devnet.rpc.block().timestamp
    counts = sorted({1, min(2, voters), voters // 5 + 1, voters // 2 + 1, voters})
    # Long ballots pay the floor price of calldata rather than the price of the work.
    for count, lengths in [(count, (0, 3, 80)) for count in counts] + [(voters, (1_200,))]:
        chosen = sorted(chance.sample(range(voters), count))
        ballots = tuple(election.sign(voter, b"\xff" * chance.choice(lengths), cast_at=now) for voter in chosen)
        most_bytes, most_gas = estimate_batch(ballots, 6)
        assert len(encode_cast_signed(ballots, election.census.prove_many(chosen))) <= most_bytes
        receipt = cast_batch(devnet.rpc, relayer, election.deployment.box, election.census, Batch(0, ballots))
        assert receipt.gas_used <= most_gas


def test_estimate_batch__long_ballots__pay_the_floor_of_the_fork() -> None:
    ballots = [fake(voter, 1_000) for voter in range(100)]
    length, osaka = estimate_batch(ballots, 10, OSAKA_PRICES)
    assert osaka == 21_000 + 40 * length
    assert estimate_batch(ballots, 10, AMSTERDAM_PRICES) == (length, 15_000 + 64 * length)
    assert estimate_batch(ballots, 10) == (length, 15_000 + 64 * length)


def test_cast_batch__a_sheet_of_1024__fits_in_a_transaction(devnet: Devnet, relayer: LocalSigner) -> None:
    election = make_election(devnet, voters=1024)
    election.open()
    now, chain_id, box = devnet.rpc.block().timestamp, devnet.rpc.chain_id(), election.deployment.box
    signed = [
        sign_ballot(LocalSigner(key), election.census.entry(voter), SOUP, chain_id=chain_id, box=box, cast_at=now)
        for voter, key in enumerate(make_keys(1024))
    ]
    (batch,) = plan_batches(signed, 10)
    receipt = cast_batch(devnet.rpc, relayer, box, election.census, batch)
    assert len(unpack_records(decode_ballots_cast(receipt.logs[0]))) == 1024
    assert receipt.gas_used <= estimate_batch(batch.ballots, 10)[1] <= MAX_BATCH_GAS
