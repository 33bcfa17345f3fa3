"""The voters of a chain's election: their keys, their census, and their transactions, signed in several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from elections import BLOCK_SECONDS, Cast, Election, make_ballot, make_weight, voter_key

from qballot.cast import Batch, encode_batch, sign_ballot
from qballot.chain.accounts import LocalSigner, devnet_account
from qballot.chain.contracts import encode_cast
from qballot.chain.transactions import Call, Fees, sign_transaction
from qballot.core.census import Census, build_census
from qballot.core.prices import TRANSACTION_GAS_CAP
from qballot.core.signing import address_of_key
from qballot.core.types import Address, ChainId, UnixSeconds, Weight

PROCESSES = 2
VOTERS_AT_ONCE = 10_000
RELAYER = devnet_account(1)
DIRECT_GAS = 100_000
FEES = Fees(most=10**12, tip=0)
"""More than the base fee of the blocks ever gets to."""


@dataclass(frozen=True)
class Electorate:
    """An election's census, and where its ballots go."""

    election: Election
    census: Census
    box: Address
    chain_id: ChainId
    opens_at: int

    def timestamp(self, number: int) -> int:
        """When block `number` of ballots is mined; the one of the opening is 0, that of the first ballots 1."""
        return self.opens_at + BLOCK_SECONDS * number

    def sign_direct(self, voter: int, number: int) -> bytes:
        """Make a voter's own transaction, the voter's first, for block `number`."""
        entry = self.census.entry(voter)
        call = Call(
            self.box, encode_cast(entry.index, entry.weight, make_ballot(voter, number), self.census.prove(voter))
        )
        signer = LocalSigner(voter_key(voter))
        return sign_transaction(signer, call, self.chain_id, nonce=0, gas=DIRECT_GAS, fees=FEES).raw

    def sign_batch(self, voters: Sequence[int], number: int, nonce: int) -> bytes:
        """Make the relayer's transaction with signed ballots of voters of one sheet, ascending, for block `number`."""
        cast_at = UnixSeconds(self.timestamp(number - 1))
        signed = tuple(
            sign_ballot(
                LocalSigner(voter_key(voter)),
                self.census.entry(voter),
                make_ballot(voter, number),
                chain_id=self.chain_id,
                box=self.box,
                cast_at=cast_at,
            )
            for voter in voters
        )
        call = encode_batch(self.box, self.census, Batch(voters[0] >> self.census.sheet_bits, signed))
        return sign_transaction(RELAYER, call, self.chain_id, nonce=nonce, gas=TRANSACTION_GAS_CAP, fees=FEES).raw


def make_census(election: Election) -> Census:
    """Make the census of an election's voters, all of whose keys are known."""
    parts = [range(at, min(at + VOTERS_AT_ONCE, election.voters)) for at in range(0, election.voters, VOTERS_AT_ONCE)]
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        addresses = chain.from_iterable(pool.imap(_make_addresses, parts))
        rows = ((address, Weight(make_weight(voter))) for voter, address in enumerate(addresses))
        return build_census(rows, election.sheet_bits)


def sign_blocks(electorate: Electorate) -> Iterator[list[bytes]]:
    """Give every block's signed transactions, in order; they are signed ahead."""
    works: list[_Work] = []
    nonce = 0
    for number, casts in enumerate(electorate.election.blocks(), start=1):
        works.append((number, casts, nonce))
        nonce += sum(not cast.is_direct for cast in casts)
    # A forked process has the census without copying it.
    with multiprocessing.get_context("fork").Pool(PROCESSES, _remember, (electorate,)) as pool:
        yield from pool.imap(_sign_block, works)


_Work = tuple[int, Sequence[Cast], int]
"""A block's number, its casts, and the relayer's first nonce in it."""

_remembered: list[Electorate] = []


def _remember(electorate: Electorate) -> None:
    _remembered.append(electorate)


def _make_addresses(voters: range) -> list[Address]:
    return [address_of_key(voter_key(voter)) for voter in voters]


def _sign_block(work: _Work) -> list[bytes]:
    electorate = _remembered[0]
    number, casts, nonce = work
    signed = []
    for cast in casts:
        if cast.is_direct:
            signed.append(electorate.sign_direct(cast.voters[0], number))
        else:
            signed.append(electorate.sign_batch(cast.voters, number, nonce))
            nonce += 1
    return signed
