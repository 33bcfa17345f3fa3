"""Makes small elections on a local chain, for any test that needs one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from eth_account import Account
from eth_account.signers.local import LocalAccount

from qballot.cast import sign_ballot
from qballot.chain.accounts import devnet_account
from qballot.chain.contracts import BallotBoxContract
from qballot.chain.devnet import Devnet
from qballot.core.census import Census, build_census
from qballot.core.definition import parse_definition_document
from qballot.core.records import SignedRecord
from qballot.core.signing import address_of_key
from qballot.core.types import Hash32, UnixSeconds, Weight
from qballot.deploy import ElectionDeployment, create_election

FIRST_KEY = 10**40
OPENS_AFTER = 1_000
LASTS = 10_000


@dataclass
class ElectionOnDevnet:
    """An election with the keys of all its voters, key i being that of voter i."""

    devnet: Devnet
    deployment: ElectionDeployment
    definition: bytes
    census: Census
    keys: Sequence[bytes]

    @property
    def box(self) -> BallotBoxContract:
        return BallotBoxContract(self.devnet.rpc, self.deployment.box)

    def open(self) -> None:
        self.devnet.warp(self.deployment.arguments.opens_at)

    def close(self) -> None:
        self.devnet.warp(self.deployment.arguments.closes_at)

    def sign(self, voter: int, ballot: bytes, cast_at: int | None = None) -> SignedRecord:
        when = self.devnet.rpc.block("latest").timestamp if cast_at is None else UnixSeconds(cast_at)
        chain_id = self.devnet.rpc.chain_id()
        entry = self.census.entry(voter)
        return sign_ballot(self.keys[voter], entry, ballot, chain_id=chain_id, box=self.deployment.box, cast_at=when)

    def account(self, voter: int) -> LocalAccount:
        """Give a voter ether and return the account."""
        self.devnet.set_balances({self.census.addresses[voter]: 10**18})
        account: LocalAccount = Account.from_key(self.keys[voter])
        return account


def make_definition(title: str = "Lunch", options: Sequence[str] = ("soup", "salad", "stew")) -> bytes:
    contest = {
        "id": "lunch",
        "title": "What shall we eat?",
        "method": "plurality",
        "options": [{"id": option, "title": option.title()} for option in options],
    }
    document = {"qballot": 1, "title": title, "description": "", "organizer": "The kitchen", "language": "en"}
    return parse_definition_document(json.dumps({**document, "contests": [contest]}))[1]


def make_keys(count: int) -> list[bytes]:
    return [(FIRST_KEY + number).to_bytes(32) for number in range(count)]


def make_election(
    devnet: Devnet,
    *,
    voters: int = 5,
    weights: Sequence[int] | None = None,
    ward_bits: int = 10,
    salt: int = 0,
    max_ballot_bytes: int | None = None,
) -> ElectionOnDevnet:
    """Create an election that opens `OPENS_AFTER` seconds from now and lasts `LASTS` seconds."""
    keys = make_keys(voters)
    weights = weights or [1] * voters
    rows = [(address_of_key(key), Weight(weight)) for key, weight in zip(keys, weights, strict=True)]
    census = build_census(rows, ward_bits)
    definition = make_definition()
    now = devnet.rpc.block("latest").timestamp
    deployment = create_election(
        devnet.rpc,
        devnet_account(0),
        definition,
        census,
        opens_at=now + OPENS_AFTER,
        closes_at=now + OPENS_AFTER + LASTS,
        salt=Hash32(salt.to_bytes(32)),
        max_ballot_bytes=max_ballot_bytes,
    )
    return ElectionOnDevnet(devnet, deployment, definition, census, keys)
