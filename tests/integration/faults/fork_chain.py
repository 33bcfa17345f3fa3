"""A local chain whose every block a test decides on, and decides on anew.

Blocks hold `Deed`s: elections created and cancelled, ballots cast directly and in batches. The chain remembers them, so
that a reorganisation can drop some, move them, replace them, or mine the same once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby

from qballot.chain.accounts import devnet_account
from qballot.chain.artifacts import default_factory, default_implementation
from qballot.chain.contracts import encode_cancel, encode_cast, encode_cast_signed, encode_create
from qballot.chain.devnet import Devnet
from qballot.core.keccak import keccak
from qballot.core.provenance import BoxArguments, box_address
from qballot.core.records import Record, SignedRecord
from qballot.core.types import Address, ChainId, Hash32, UnixSeconds, VoterIndex
from qballot.deploy import deploy_factory
from qballot.testing import make_census, make_definition, make_voters

STARTS_AT = 1_800_000_000
"""Of the chains' clocks, so that each run makes the same blocks."""

BLOCK_SECONDS = 12

VOTERS = make_voters(10)
CENSUS = make_census(VOTERS, sheet_bits=2)

GAS = 3_000_000
"""Of every transaction: more than any of them needs, less than a tenth of a block."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An election as it will be wherever it is created: the address follows. number: tells them apart."""

    number: int
    definition: bytes
    arguments: BoxArguments

    @property
    def salt(self) -> Hash32:
        return Hash32(self.number.to_bytes(32))

    @property
    def box(self) -> Address:
        return box_address(default_factory(), default_implementation(), self.salt, self.arguments)


@dataclass(frozen=True, slots=True)
class Deed:
    """One transaction. sender, to: accounts. data: the call. ballot: what a cast can be replaced by, if it is one."""

    sender: Address
    to: Address
    data: bytes
    cast: Cast | None = None

    def to_json(self) -> dict[str, str]:
        return {
            "from": "0x" + self.sender.hex(),
            "to": "0x" + self.to.hex(),
            "data": "0x" + self.data.hex(),
            "gas": hex(GAS),
        }


@dataclass(frozen=True, slots=True)
class Cast:
    """Ballots cast in one transaction: by the voter or, where `cast_at` is given, signed and brought by others."""

    plan: Plan
    ballots: tuple[tuple[int, bytes], ...]
    cast_at: int | None = None

    def with_ballot(self, ballot: bytes) -> Cast:
        """Let every voter in it have cast this ballot instead."""
        return replace(self, ballots=tuple((voter, ballot) for voter, _ in self.ballots))


def make_plan(number: int, opens_at: int, closes_at: int) -> Plan:
    """Plan an election of the ten voters."""
    definition = make_definition(f"Lunch {number}")
    arguments = BoxArguments(
        definition_hash=keccak(definition),
        organizer=devnet_account(0).address,
        opens_at=UnixSeconds(opens_at),
        closes_at=UnixSeconds(closes_at),
        sheet_bits=CENSUS.sheet_bits,
        voters=len(CENSUS),
        max_ballot_bytes=3,
        sheet_roots=CENSUS.sheet_roots,
    )
    return Plan(number, definition, arguments)


def create(plan: Plan) -> Deed:
    data = encode_create(plan.salt, plan.arguments, plan.definition)
    return Deed(devnet_account(0).address, default_factory(), data)


def cancel(plan: Plan) -> Deed:
    return Deed(devnet_account(0).address, plan.box, encode_cancel())


def cast(what: Cast) -> Deed:
    """Make the transaction that brings these ballots; the signed ones must be of one sheet."""
    if what.cast_at is None:
        ((voter, ballot),) = what.ballots
        entry = CENSUS.entry(voter)
        data = encode_cast(entry.index, entry.weight, ballot, _prove(voter))
        return Deed(entry.address, what.plan.box, data, what)
    signed = [_sign(what.plan.box, voter, ballot, what.cast_at) for voter, ballot in sorted(what.ballots)]
    proof = CENSUS.prove_many([VoterIndex(voter) for voter, _ in sorted(what.ballots)])
    data = encode_cast_signed(signed, proof)
    return Deed(devnet_account(1).address, what.plan.box, data, what)


@cache
def _prove(voter: int) -> list[Hash32]:
    return list(CENSUS.prove(voter))


@cache
def _sign(box: Address, voter: int, ballot: bytes, cast_at: int) -> SignedRecord:
    entry = CENSUS.entry(voter)
    signature = VOTERS[voter].signer.sign_ballot(ChainId(31337), box, entry.index, cast_at, ballot)
    record = Record(voter=entry.index, cast_at=cast_at, weight=entry.weight, ballot=ballot)
    return SignedRecord(record, signature[:32], signature[32:])


@dataclass
class ForkChain:
    """Drives an anvil that has the factory. blocks: the deeds in each block after `base`, the first one's number."""

    devnet: Devnet
    base: int
    blocks: list[tuple[Deed, ...]] = field(default_factory=list)
    _coinbases: int = 0

    @property
    def height(self) -> int:
        return self.base + len(self.blocks)

    @property
    def now(self) -> int:
        """The latest block's timestamp."""
        return self.devnet.rpc.block("latest").timestamp

    def mine(self, blocks: Sequence[Sequence[Deed]]) -> None:
        """Mine blocks that hold these deeds, one every twelve seconds by the chain's clock."""
        rpc = self.devnet.rpc
        for has_deeds, group in groupby(blocks, key=bool):
            if not has_deeds:
                rpc.call("anvil_mine", [hex(len(list(group))), hex(BLOCK_SECONDS)])
                continue
            for deeds in group:
                sent = [("eth_sendTransaction", [deed.to_json()]) for deed in deeds]
                rpc.call_many([*sent, ("evm_mine", [])])
        self.blocks += [tuple(deeds) for deeds in blocks]
        assert rpc.block("latest").number == self.height

    def mine_empty(self, count: int) -> None:
        self.mine([()] * count)

    def reorganise(self, blocks: Sequence[Sequence[Deed]]) -> None:
        """Put these in place of as many of the latest blocks, as a node does that hears of a better fork."""
        self.change_coinbase()
        placed = [[deed.to_json(), offset] for offset, deeds in enumerate(blocks) for deed in deeds]
        self.devnet.rpc.call("anvil_reorg", [len(blocks), placed])
        self.blocks[len(self.blocks) - len(blocks) :] = [tuple(deeds) for deeds in blocks]
        assert self.devnet.rpc.block("latest").number == self.height

    def roll_back(self, depth: int) -> None:
        """Take the latest blocks away, as from a node that is behind or has changed its mind."""
        self.devnet.rpc.call("anvil_rollback", [depth])
        self.change_coinbase()
        del self.blocks[len(self.blocks) - depth :]
        assert self.devnet.rpc.block("latest").number == self.height

    def change_coinbase(self) -> None:
        """Let the next blocks have other hashes than any before them, whatever they hold."""
        self._coinbases += 1
        self.devnet.rpc.call("anvil_setCoinbase", ["0x" + (0xC0FFEE00000000 + self._coinbases).to_bytes(20).hex()])

    def tail(self, depth: int) -> list[tuple[Deed, ...]]:
        """The deeds in the latest blocks."""
        return self.blocks[len(self.blocks) - depth :]


@contextmanager
def run_fork_chain() -> Iterator[ForkChain]:
    """Run an anvil of its own with the factory, and nothing else on it.

    For each chain another: one that has mined more than some 500 blocks, taken back or not, forgets contracts' code
    when it reorganises (anvil 1.7.1).
    """
    with Devnet(starts_at=STARTS_AT) as devnet:
        rpc = devnet.rpc
        deploy_factory(rpc, devnet_account(0))
        rpc.call("anvil_autoImpersonateAccount", [True])
        rpc.call("evm_setAutomine", [False])
        rpc.call("anvil_setBlockTimestampInterval", [BLOCK_SECONDS])
        devnet.set_balances({voter.address: 10**20 for voter in VOTERS})
        devnet.mine()
        yield ForkChain(devnet, rpc.block("latest").number)
