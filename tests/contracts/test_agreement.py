"""The contracts and qballot/core compute the same, whatever the input: hashes, records, addresses, proofs, signers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from any_sender import PEOPLE, SECRETS, Chain, encode_cast_signed_raw, override_box
from eth_abi.abi import decode
from generated import (
    addresses,
    box_arguments,
    censuses,
    chain_ids,
    definitions,
    hashes,
    organizers,
    sheet_members,
    sign,
    tampered,
    weights,
)
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, DrawFn
from properties import examples

from qballot.chain.abi import load_function
from qballot.chain.artifacts import BALLOT_BOX, default_factory, default_implementation
from qballot.chain.contracts import (
    decode_ballot_box_created,
    decode_ballots_cast,
    encode_cast,
    encode_cast_signed,
    encode_create,
)
from qballot.core import box_model
from qballot.core.box_model import Applied, BallotsCast, Box
from qballot.core.box_model import Call as BoxCall
from qballot.core.census import Census, CensusEntry, build_census, hash_leaf, verify_entries, verify_entry
from qballot.core.keccak import keccak
from qballot.core.packed_batch import pack_batch
from qballot.core.provenance import MAX_SHEETS, BoxArguments, box_address, parse_clone_code
from qballot.core.records import (
    DIRECT_BIT,
    Record,
    SignedRecord,
    advance_head,
    pack_record,
    pack_records,
    unpack_records,
)
from qballot.core.signing import CURVE_ORDER, BallotForm, address_of_key, ballot_digest, recover_signer, sign_digest
from qballot.core.types import Address, ChainId, Hash32, UnixSeconds, VoterIndex, Weight
from qballot.errors import ProofError

pytestmark = pytest.mark.integration

BOX = Address(bytes.fromhex("b0") * 20)
"""Where a box stands that is made for one call only."""

OPENS_AT, CLOSES_AT = UnixSeconds(2**38), UnixSeconds(2**39 - 1)
DEFINITION = b"a definition"
BALLOTS = st.binary(max_size=40)


def describe_box(census: Census, max_ballot_bytes: int = 40, text_ballots: bool = False) -> BoxArguments:
    return BoxArguments(
        definition_hash=keccak(DEFINITION),
        organizer=PEOPLE[0],
        opens_at=OPENS_AT,
        closes_at=CLOSES_AT,
        sheet_bits=census.sheet_bits,
        voters=len(census),
        max_ballot_bytes=max_ballot_bytes,
        sheet_roots=census.sheet_roots,
        text_ballots=text_ballots,
    )


@given(data=st.data())
@examples(80)
def test_head__any_calls__is_the_chain_over_the_packed_records(chain: Chain, data: DataObject) -> None:
    census = data.draw(censuses())
    arguments = describe_box(census, text_ballots=data.draw(st.booleans(), "text ballots"))
    form = BallotForm.of(arguments.text_ballots)
    with chain.undone():
        logs = chain.transact(PEOPLE[0], default_factory(), encode_create(Hash32(bytes(32)), arguments, DEFINITION))
        box = chain.box(decode_ballot_box_created(logs[0]).box)
        head, now = keccak(DEFINITION), int(OPENS_AT)
        for is_direct in data.draw(st.lists(st.booleans(), min_size=1, max_size=5)):
            now = data.draw(st.integers(now, min(now + 1_000, CLOSES_AT - 1)) | st.integers(now, CLOSES_AT - 1))
            if is_direct:
                entry = census.entry(data.draw(st.integers(0, len(census) - 1)))
                records = [Record(entry.index, now | DIRECT_BIT, entry.weight, data.draw(BALLOTS))]
                proof = census.prove(entry.index)
                sender, call = entry.address, encode_cast(entry.index, entry.weight, records[0].ballot, proof)
            else:
                signed = data.draw(batches(census, chain_id=chain.chain_id, box=box.address, now=now, form=form))
                records = [item.record for item in signed]
                proof = census.prove_many([record.voter for record in records])
                sender, call = PEOPLE[-1], encode_cast_signed(signed, proof)
            (log,) = chain.transact(sender, box.address, call, now)
            emitted = decode_ballots_cast(log)
            assert emitted == pack_records(records)
            assert unpack_records(emitted) == records
            head = advance_head(head, emitted)
            assert box.head("latest") == head


@st.composite
def batches(
    draw: DrawFn, census: Census, *, chain_id: ChainId, box: Address, now: int, form: BallotForm
) -> list[SignedRecord]:
    """Ballots of some voters of one sheet, signed at any time since the opening."""
    voters = draw(sheet_members(census))
    ballots = draw(st.lists(BALLOTS, min_size=1, max_size=3))
    near = st.integers(max(OPENS_AT, now - 300), now)
    times = draw(st.lists(near | st.integers(OPENS_AT, now), min_size=1, max_size=3))
    return [
        sign(
            census,
            voter,
            ballots[place % len(ballots)],
            chain_id=chain_id,
            box=box,
            cast_at=times[place % len(times)],
            form=form,
        )
        for place, voter in enumerate(voters)
    ]


@given(data=st.data(), weight=weights, ballot=st.binary(max_size=300), now=st.integers(1, 2**20))
@examples(80)
def test_record__any_direct_cast__is_packed_alike(
    chain: Chain, data: DataObject, weight: Weight, ballot: bytes, now: int
) -> None:
    # Every sheet's root is this voter's leaf: so any index can be had without a census of that size.
    at = UnixSeconds(chain.now + 1 + now)
    sheets, sheet_bits = data.draw(st.sampled_from([(1, 0), (1, 16), (9, 3), (MAX_SHEETS, 16)]))
    voters = sheets << sheet_bits
    voter = VoterIndex(data.draw(st.integers(0, voters - 1)))
    leaf = hash_leaf(voter, PEOPLE[1], weight)
    arguments = BoxArguments(
        definition_hash=keccak(DEFINITION),
        organizer=PEOPLE[0],
        opens_at=at,
        closes_at=UnixSeconds(at + 1),
        sheet_bits=sheet_bits,
        voters=voters,
        max_ballot_bytes=max(1, len(ballot)),
        sheet_roots=(leaf,) * sheets,
    )
    with chain.undone():
        chain.transact(PEOPLE[0], default_factory(), encode_create(Hash32(bytes(32)), arguments, DEFINITION))
        box = box_address(default_factory(), default_implementation(), Hash32(bytes(32)), arguments)
        (log,) = chain.transact(PEOPLE[1], box, encode_cast(voter, weight, ballot, []), at)
    assert decode_ballots_cast(log) == pack_record(Record(voter, at | DIRECT_BIT, weight, ballot))


@given(data=st.data(), weight=weights, ballot=BALLOTS, text_ballots=st.booleans())
@examples(20)
def test_batch__into_any_sheet__is_packed_alike(
    *, chain: Chain, data: DataObject, weight: Weight, ballot: bytes, text_ballots: bool
) -> None:
    # Sheets of one voter, so that each root is a leaf.
    sheets = data.draw(st.sampled_from([1, 2, 257, MAX_SHEETS]))
    voter = VoterIndex(data.draw(st.integers(0, sheets - 1) | st.just(sheets - 1)))
    arguments = BoxArguments(
        definition_hash=keccak(DEFINITION),
        organizer=PEOPLE[0],
        opens_at=OPENS_AT,
        closes_at=CLOSES_AT,
        sheet_bits=0,
        voters=sheets,
        max_ballot_bytes=40,
        sheet_roots=tuple(hash_leaf(VoterIndex(sheet), PEOPLE[1], weight) for sheet in range(sheets)),
        text_ballots=text_ballots,
    )
    form = BallotForm.of(text_ballots)
    digest = ballot_digest(chain.chain_id, BOX, voter, OPENS_AT, ballot, form=form)
    signature = sign_digest(SECRETS[PEOPLE[1]], digest)
    signed = SignedRecord(Record(voter, OPENS_AT, weight, ballot), signature[:32], signature[32:])
    overrides = override_box(BOX, arguments)
    assert chain.find_refusal(PEOPLE[-1], BOX, encode_cast_signed([signed], []), OPENS_AT, overrides) == ""


@pytest.mark.parametrize(
    ("voters", "chosen"),
    [
        # Steps of one, two and three bytes.
        (2**14, [0, 1, 33, 66, 4163, 8260, 16_383]),
        # More than 256 ballots, and a proof of more than 256 elements.
        (1024, range(0, 1024, 3)),
    ],
    ids=["wide gaps", "a long proof"],
)
def test_batch__of_a_large_sheet__is_taken_by_both(chain: Chain, voters: int, chosen: Sequence[int]) -> None:
    keys = {voter: (10**42 + voter).to_bytes(32) for voter in chosen}
    others = (Address(keccak(voter.to_bytes(4))[12:]) for voter in range(voters))
    census = build_census(
        (
            (address_of_key(keys[voter]) if voter in keys else other, Weight(1 + voter % 2))
            for voter, other in enumerate(others)
        ),
        14,
    )
    signed = []
    for voter, key in keys.items():
        record = Record(VoterIndex(voter), OPENS_AT + voter, census.entry(voter).weight, bytes(voter % 5))
        signature = sign_digest(
            key, ballot_digest(chain.chain_id, BOX, record.voter, record.cast_at, record.ballot, form=BallotForm.TEXT)
        )
        signed.append(SignedRecord(record, signature[:32], signature[32:]))
    arguments = describe_box(census, text_ballots=True)
    proof = census.prove_many([each.record.voter for each in signed])
    assert voters != 1024 or len(proof) > 256
    batch, now = pack_batch(signed), UnixSeconds(OPENS_AT + voters)
    applied = box_model.cast_signed(
        Box(BOX, arguments, arguments.definition_hash), BoxCall(PEOPLE[-1], now, chain.chain_id), batch, proof
    )
    assert isinstance(applied, Applied)
    assert applied.event == BallotsCast(pack_records([each.record for each in signed]))
    call, overrides = encode_cast_signed_raw(batch, proof), override_box(BOX, arguments)
    assert chain.find_refusal(PEOPLE[-1], BOX, call, now, overrides) == ""
    call = encode_cast_signed_raw(batch, [*proof[:-1], keccak(b"another")])
    assert chain.find_refusal(PEOPLE[-1], BOX, call, now, overrides) == "BallotBoxBatchNotInCensus"


@given(
    box=addresses,
    chain_id=chain_ids,
    voter=st.integers(0, 2**32 - 1).map(VoterIndex),
    cast_at=st.integers(0, 2**40 - 1),
    ballot=st.binary(max_size=300),
    text_ballots=st.booleans(),
)
@examples(100)
def test_digest__any_chain_box_and_ballot__is_the_same(
    *,
    chain: Chain,
    box: Address,
    chain_id: ChainId,
    voter: VoterIndex,
    cast_at: int,
    ballot: bytes,
    text_ballots: bool,
) -> None:
    assume(int.from_bytes(box) > 2**16)  # below are the precompiled contracts
    own_box = describe_box(build_census([(PEOPLE[0], Weight(1))]), text_ballots=text_ballots)
    overrides = override_box(box, own_box)
    data = load_function(BALLOT_BOX, "hashBallot").encode(voter, cast_at, ballot)
    own = chain.chain_id
    chain.rpc.call("anvil_setChainId", [chain_id])
    try:
        found = chain.call(PEOPLE[0], box, data, None, overrides)
        domain = chain.call(PEOPLE[0], box, load_function(BALLOT_BOX, "eip712Domain").encode(), None, overrides)
    finally:
        chain.rpc.call("anvil_setChainId", [int(own)])
    form = BallotForm.of(text_ballots)
    assert found == ballot_digest(chain_id, box, voter, cast_at, ballot, form=form)
    types = ["bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]"]
    assert decode(types, domain) == (b"\x0f", "QBallot", "1", chain_id, "0x" + box.hex(), bytes(32), ())


@given(data=st.data(), organizer=organizers, salt=hashes, definition_hash=hashes)
@examples(100)
def test_predict__any_arguments__is_the_computed_address(
    chain: Chain, data: DataObject, organizer: Address, salt: Hash32, definition_hash: Hash32
) -> None:
    most_sheets = data.draw(st.sampled_from([3, 12, MAX_SHEETS]))
    arguments = data.draw(box_arguments(organizer, chain.now, most_sheets))
    expected = box_address(default_factory(), default_implementation(), salt, arguments)
    assert chain.factory.predict(salt, arguments, "latest") == expected


@given(data=st.data(), organizer=organizers, salt=hashes, definition=definitions)
@examples(80)
def test_create__any_arguments__stand_in_the_code_at_the_computed_address(
    chain: Chain, data: DataObject, organizer: Address, salt: Hash32, definition: bytes
) -> None:
    drawn = data.draw(box_arguments(organizer, chain.now + 1))
    arguments = BoxArguments(
        keccak(definition),
        organizer,
        drawn.opens_at,
        drawn.closes_at,
        drawn.sheet_bits,
        drawn.voters,
        drawn.max_ballot_bytes,
        drawn.sheet_roots,
        drawn.text_ballots,
    )
    with chain.undone():
        chain.fund(organizer)
        (log,) = chain.transact(organizer, default_factory(), encode_create(salt, arguments, definition))
        created = decode_ballot_box_created(log)
        assert created.box == box_address(default_factory(), default_implementation(), salt, arguments)
        assert (created.definition, created.salt) == (definition, salt)
        assert created.text_ballots == arguments.text_ballots
        box = chain.box(created.box)
        assert parse_clone_code(chain.rpc.code(created.box)) == (default_implementation(), arguments)
        read = BoxArguments(
            definition_hash=box.definition_hash("latest"),
            organizer=box.organizer("latest"),
            opens_at=box.opens_at("latest"),
            closes_at=box.closes_at("latest"),
            sheet_bits=box.sheet_bits("latest"),
            voters=box.voters("latest"),
            max_ballot_bytes=box.max_ballot_bytes("latest"),
            sheet_roots=tuple(box.sheet_root(sheet, "latest") for sheet in range(box.sheet_count("latest"))),
            text_ballots=box.text_ballots("latest"),
        )
        assert read == arguments
        assert box.head("latest") == arguments.definition_hash


@given(data=st.data(), census=censuses())
@examples(300)
def test_proof__any_census_and_voter__convinces_both_or_neither(chain: Chain, data: DataObject, census: Census) -> None:
    entry = census.entry(data.draw(st.integers(0, len(census) - 1)))
    proof = data.draw(tampered(census.prove(entry.index)))
    weight = data.draw(st.just(entry.weight) | weights)
    claimed = CensusEntry(entry.index, entry.address, weight)
    root = census.root_of(entry.index >> census.sheet_bits)
    expected = verify_entry(root, len(census), census.sheet_bits, claimed, proof)
    data_ = encode_cast(entry.index, weight, b"", proof)
    refused = chain.find_refusal(entry.address, BOX, data_, OPENS_AT, override_box(BOX, describe_box(census)))
    assert refused == ("" if expected else "BallotBoxNotInCensus")


@given(data=st.data(), census=censuses())
@examples(300)
def test_multiproof__any_voters_of_any_sheet__convinces_both_or_neither(
    chain: Chain, data: DataObject, census: Census
) -> None:
    voters = data.draw(sheet_members(census))
    proof = data.draw(tampered(census.prove_many(voters)))
    signed = [sign(census, voter, b"", chain_id=chain.chain_id, box=BOX, cast_at=OPENS_AT) for voter in voters]
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(signed) - 1))
        record = signed[place].record
        other = Record(record.voter, record.cast_at, data.draw(weights), record.ballot)
        signed[place] = SignedRecord(other, signed[place].r, signed[place].vs)
    sheet = voters[0] >> census.sheet_bits
    entries = [
        CensusEntry(item.record.voter, census.addresses[item.record.voter], item.record.weight) for item in signed
    ]
    expected = verify_entries(census.root_of(sheet), len(census), census.sheet_bits, entries, proof)
    call = encode_cast_signed(signed, proof)
    refused = chain.find_refusal(PEOPLE[-1], BOX, call, OPENS_AT, override_box(BOX, describe_box(census)))
    assert refused == ("" if expected else "BallotBoxBatchNotInCensus")


# Numbers at which a signature turns from one kind into another.
EDGES = st.sampled_from([0, 1, CURVE_ORDER // 2, CURVE_ORDER // 2 + 1, CURVE_ORDER - 1, CURVE_ORDER, 2**255 - 1])
SCALARS = st.integers(0, 2**255 - 1) | EDGES


@given(data=st.data(), ballot=BALLOTS, r=SCALARS | st.integers(0, 2**256 - 1), s=SCALARS, parity=st.integers(0, 1))
@examples(300)
def test_signer__any_64_bytes__is_the_same_account_or_none_to_both(
    *, chain: Chain, data: DataObject, ballot: bytes, r: int, s: int, parity: int
) -> None:
    own = build_census([(PEOPLE[0], Weight(1))])
    record = Record(VoterIndex(0), OPENS_AT, Weight(7), ballot)
    # A real signature in part or in whole, or nothing of it.
    real = sign(own, 0, ballot, chain_id=chain.chain_id, box=BOX, cast_at=OPENS_AT)
    signature = data.draw(st.sampled_from([real.r, r.to_bytes(32)])) + data.draw(
        st.sampled_from([real.vs, (s | parity << 255).to_bytes(32)])
    )
    try:
        account = recover_signer(ballot_digest(chain.chain_id, BOX, record.voter, record.cast_at, ballot), signature)
        expected = ""
    except ProofError:
        account, expected = Address(bytes(20)), "BallotBoxInvalidSignature"
    # The only voter of this election is whoever signed.
    arguments = describe_box(own)
    voter = hash_leaf(record.voter, account, record.weight)
    theirs = BoxArguments(arguments.definition_hash, arguments.organizer, OPENS_AT, CLOSES_AT, 0, 1, 40, (voter,))
    call = encode_cast_signed([SignedRecord(record, signature[:32], signature[32:])], [])
    assert chain.find_refusal(PEOPLE[-1], BOX, call, OPENS_AT, override_box(BOX, theirs)) == expected
