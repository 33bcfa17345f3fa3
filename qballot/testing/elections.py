"""Makes small elections on a local chain, for any test that needs one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from qballot.cast import cast_batch, cast_direct, plan_batches, sign_ballot
from qballot.chain.accounts import LocalSigner, devnet_account
from qballot.chain.answers import Receipt
from qballot.chain.contracts import BallotBoxContract, encode_create
from qballot.chain.devnet import Devnet
from qballot.chain.transactions import Call, quote
from qballot.core.census import Census, build_census
from qballot.core.definition import parse_definition_document
from qballot.core.provenance import box_address
from qballot.core.records import SignedRecord
from qballot.core.signing import BallotForm
from qballot.core.types import Address, Hash32, UnixSeconds, VoterIndex, Weight
from qballot.deploy import ElectionDeployment, ElectionPlan, create_planned, plan_election

FIRST_KEY = 10**40
"""The made-up voters' keys count up from here: the same every time, and worth nothing anywhere."""

OPENS_AFTER = 1_000
"""Seconds from the creation of an election to its opening, by the chain's clock."""

LASTS = 10_000
"""Seconds from the opening to the close."""

VOTER_BALANCE_WEI = 10**18
"""What a voter who casts directly is given for gas."""

OPTIONS = ("soup", "salad", "stew")


@dataclass(frozen=True, slots=True)
class Voter:
    """A made-up voter. index: in the census. signer: holds the key."""

    index: VoterIndex
    weight: Weight
    signer: LocalSigner

    @property
    def address(self) -> Address:
        """The voter's account."""
        return self.signer.address


@dataclass(frozen=True, slots=True)
class ElectionOnDevnet:
    """An election on a local chain, with all its voters. definition: canonical bytes."""

    devnet: Devnet
    deployment: ElectionDeployment
    definition: bytes
    census: Census
    voters: tuple[Voter, ...]

    @property
    def box(self) -> BallotBoxContract:
        """The ballot box."""
        return BallotBoxContract(self.devnet.rpc, self.deployment.box)

    @property
    def keys(self) -> list[bytes]:
        """The voters' private keys, 32 bytes each."""
        return [voter.signer.reveal().get_secret_value() for voter in self.voters]

    def open(self) -> None:
        """Move the chain's clock to the opening."""
        self.devnet.warp(self.deployment.arguments.opens_at)

    def close(self) -> None:
        """Move the chain's clock to the close."""
        self.devnet.warp(self.deployment.arguments.closes_at)

    def account(self, voter: int) -> LocalSigner:
        """Give a voter ether and return the account."""
        self.devnet.set_balances({self.voters[voter].address: VOTER_BALANCE_WEI})
        return self.voters[voter].signer

    def sign(self, voter: int, ballot: bytes, cast_at: int | None = None) -> SignedRecord:
        """Sign a voter's ballot. cast_at: by default the latest block's time."""
        when = self.devnet.rpc.block("latest").timestamp if cast_at is None else UnixSeconds(cast_at)
        chain_id = self.devnet.rpc.chain_id()
        entry, box = self.census.entry(voter), self.deployment.box
        form = BallotForm.of(self.deployment.arguments.text_ballots)
        signer = self.voters[voter].signer
        return sign_ballot(signer, entry, ballot, chain_id=chain_id, box=box, cast_at=when, form=form)

    def cast(self, voter: int, ballot: bytes) -> Receipt:
        """Cast a ballot by the voter's own transaction."""
        return cast_direct(self.devnet.rpc, self.account(voter), self.deployment.box, self.census, ballot)

    def cast_signed(self, ballots: Sequence[tuple[int, bytes]]) -> list[Receipt]:
        """Sign (voter, ballot) pairs and bring them in as few batches as possible; a voter's second ballot is later."""
        signed = [self.sign(voter, ballot) for voter, ballot in ballots]
        batches = plan_batches(signed, self.census.sheet_bits)
        relayer = devnet_account(1)
        return [cast_batch(self.devnet.rpc, relayer, self.deployment.box, self.census, batch) for batch in batches]


def make_definition(title: str = "Lunch", options: Sequence[str] = OPTIONS) -> bytes:
    """Make a definition with one contest by plurality; return its canonical bytes."""
    contest = {
        "id": "lunch",
        "title": "What shall we eat?",
        "method": "plurality",
        "options": [{"id": option, "title": option.title()} for option in options],
    }
    document = {"qballot": 1, "title": title, "description": "", "organizer": "The kitchen", "language": "en"}
    return parse_definition_document(json.dumps({**document, "contests": [contest]}))[1]


def make_keys(count: int) -> list[bytes]:
    """Make private keys, the same every time."""
    return [(FIRST_KEY + number).to_bytes(32) for number in range(count)]


def make_voters(count: int, weights: Sequence[int] | None = None) -> tuple[Voter, ...]:
    """Make voters, the same every time. weights: by default 1 each."""
    pairs = zip(make_keys(count), weights or [1] * count, strict=True)
    return tuple(
        Voter(VoterIndex(index), Weight(weight), LocalSigner(key)) for index, (key, weight) in enumerate(pairs)
    )


def make_census(voters: Sequence[Voter], sheet_bits: int | None = 10) -> Census:
    """Build the census of these voters, in their order. sheet_bits: None for the default of so many."""
    return build_census([(voter.address, voter.weight) for voter in voters], sheet_bits)


def make_election(
    devnet: Devnet,
    *,
    voters: int | Sequence[Voter] = 5,
    weights: Sequence[int] | None = None,
    sheet_bits: int = 10,
    census: Census | None = None,
    definition: bytes | None = None,
    salt: int = 0,
    max_ballot_bytes: int | None = None,
    text_ballots: bool = False,
) -> ElectionOnDevnet:
    """Create an election that opens `OPENS_AFTER` seconds from now and lasts `LASTS` seconds.

    devnet: has the factory. voters: how many, or which. weights: of so many voters. census: by default of the voters,
    in sheets of 2**sheet_bits. definition: canonical bytes; by default `make_definition()`. salt: another number makes
    another election. text_ballots: let the box take ballots that are signed as text, which no definition asks for yet:
    then the election is invalid. max_ballot_bytes: likewise where it is less than the definition's ballot needs.
    """
    electorate = make_voters(voters, weights) if isinstance(voters, int) else tuple(voters)
    census = census or make_census(electorate, sheet_bits)
    definition = definition or make_definition()
    opens_at = devnet.rpc.block("latest").timestamp + OPENS_AFTER
    organizer = devnet_account(0)
    plan = plan_election(
        devnet.rpc,
        organizer.address,
        definition,
        census,
        opens_at=opens_at,
        closes_at=opens_at + LASTS,
        salt=Hash32(salt.to_bytes(32)),
    )
    limit = max_ballot_bytes or plan.arguments.max_ballot_bytes
    plan = change_rules(plan, max_ballot_bytes=limit, text_ballots=text_ballots)
    deployment = create_planned(devnet.rpc, organizer, plan, quote(devnet.rpc, organizer.address, plan.call))
    return ElectionOnDevnet(devnet, deployment, definition, census, electorate)


def change_rules(plan: ElectionPlan, **rules: Any) -> ElectionPlan:
    """Plan the same election with other rules of its box, whether or not they fit the definition.

    rules: fields of `BoxArguments`.
    """
    arguments = replace(plan.arguments, **rules)
    box = box_address(plan.factory, plan.implementation, plan.salt, arguments)
    call = Call(plan.factory, encode_create(plan.salt, arguments, plan.definition))
    return replace(plan, box=box, arguments=arguments, call=call)
