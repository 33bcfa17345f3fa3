"""What hypothesis draws for the contracts' tests."""

from __future__ import annotations

from any_sender import PEOPLE, SECRETS
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from qballot.core.census import MAX_WEIGHT, Census, build_census, count_sheets
from qballot.core.keccak import keccak
from qballot.core.provenance import BoxArguments
from qballot.core.records import DIRECT_BIT, Record, SignedRecord
from qballot.core.signing import BallotForm, ballot_digest, sign_digest
from qballot.core.types import Address, ChainId, Hash32, UnixSeconds, VoterIndex, Weight

MOST_SHEET_BITS = 7


hashes: SearchStrategy[Hash32] = st.binary(min_size=32, max_size=32).map(Hash32)
addresses: SearchStrategy[Address] = st.binary(min_size=20, max_size=20).map(Address)
chain_ids: SearchStrategy[ChainId] = st.integers(1, 2**64 - 1).map(ChainId)
weights: SearchStrategy[Weight] = (st.integers(1, 9) | st.integers(1, MAX_WEIGHT)).map(Weight)
definitions = st.binary(min_size=1, max_size=200)

# Accounts that may send: no precompile has such an address.
organizers: SearchStrategy[Address] = st.binary(max_size=4).map(lambda name: Address(keccak(name)[12:]))


@st.composite
def censuses(draw: DrawFn, most_voters: int = 140, most_sheet_bits: int = MOST_SHEET_BITS) -> Census:
    """Voters in sheets of 1 … 128, of which the last one is seldom full; the people are in any order."""
    sheet_bits = draw(st.integers(0, most_sheet_bits))
    voters = draw(st.integers(1, most_voters))
    first = draw(st.integers(0, len(PEOPLE) - voters))
    pattern = draw(st.lists(weights, min_size=1, max_size=5))
    return build_census(((PEOPLE[first + index], pattern[index % len(pattern)]) for index in range(voters)), sheet_bits)


def sheet_of(census: Census, sheet: int) -> range:
    """The indices of a sheet's voters."""
    return range(sheet << census.sheet_bits, min((sheet + 1) << census.sheet_bits, len(census)))


@st.composite
def sheet_members(draw: DrawFn, census: Census, sheet: int | None = None) -> list[VoterIndex]:
    """Some voters of one sheet, ascending: few, about half or all of them."""
    if sheet is None:
        sheet = draw(st.integers(0, census.sheet_count - 1))
    members = sheet_of(census, sheet)
    size = len(members)
    few = st.sets(st.integers(0, size - 1), min_size=1, max_size=4).map(lambda chosen: sum(1 << i for i in chosen))
    many = st.integers(1, (1 << size) - 1)
    mask = draw(few | many | st.just((1 << size) - 1))
    return [VoterIndex(voter) for place, voter in enumerate(members) if mask >> place & 1]


@st.composite
def box_arguments(draw: DrawFn, organizer: Address, now: int, most_sheets: int = 12) -> BoxArguments:
    """Arguments that the factory takes: any window from `now` on, any roots, up to the last second and voter."""
    sheet_bits = draw(st.integers(0, 16))
    sheets = draw(st.integers(1, most_sheets))
    voters = draw(st.integers(((sheets - 1) << sheet_bits) + 1, sheets << sheet_bits))
    assert count_sheets(voters, sheet_bits) == sheets
    opens_at = draw(st.integers(now + 1, DIRECT_BIT - 2))
    closes_at = draw(st.integers(opens_at + 1, DIRECT_BIT - 1))
    seed = draw(st.binary(max_size=4))
    return BoxArguments(
        definition_hash=draw(hashes),
        organizer=organizer,
        opens_at=UnixSeconds(opens_at),
        closes_at=UnixSeconds(closes_at),
        sheet_bits=sheet_bits,
        voters=voters,
        max_ballot_bytes=draw(st.integers(1, 2**16 - 1)),
        sheet_roots=tuple(keccak(seed + sheet.to_bytes(4)) for sheet in range(sheets)),
        text_ballots=draw(st.booleans()),
    )


@st.composite
def tampered(draw: DrawFn, proof: list[Hash32]) -> list[Hash32]:
    """The proof, perhaps with something done to it."""
    proof = list(proof)
    deed = draw(st.sampled_from(("keep", "flip", "drop", "add", "swap", "none", "double")))
    place = draw(st.integers(0, len(proof) - 1)) if proof else 0
    if deed == "flip" and proof:
        node = int.from_bytes(proof[place]) ^ 1 << draw(st.integers(0, 255))
        proof[place] = Hash32(node.to_bytes(32))
    elif deed == "drop" and proof:
        del proof[place]
    elif deed == "add":
        proof.insert(place, draw(hashes))
    elif deed == "swap" and len(proof) > 1:
        proof[place], proof[place - 1] = proof[place - 1], proof[place]
    elif deed == "none":
        proof = []
    elif deed == "double" and proof:
        proof.insert(place, proof[place])
    return proof


def sign(
    census: Census,
    voter: int,
    ballot: bytes,
    *,
    chain_id: ChainId,
    box: Address,
    cast_at: int,
    form: BallotForm = BallotForm.BYTES,
) -> SignedRecord:
    """The voter's signed ballot."""
    entry = census.entry(voter)
    digest = ballot_digest(chain_id, box, entry.index, cast_at, ballot, form=form)
    signature = sign_digest(SECRETS[entry.address], digest)
    return SignedRecord(Record(entry.index, cast_at, entry.weight, ballot), signature[:32], signature[32:])


def ballots_up_to(length: int) -> SearchStrategy[bytes]:
    """Ballots of any length that is allowed."""
    return st.binary(max_size=length)
