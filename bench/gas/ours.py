"""What ballots cost in a ballot box: by receipts, and from these under Amsterdam (amsterdam.py)."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from amsterdam import Gas, Operations, count_operations, price_transaction

from qballot.cast import Batch, cast_batch, cast_direct_many, sign_ballot
from qballot.chain.accounts import LocalSigner, devnet_account
from qballot.chain.answers import Receipt
from qballot.chain.devnet import HARDFORK, Devnet
from qballot.chain.transactions import quote
from qballot.core.census import Census, build_census
from qballot.core.definition import parse_definition_document
from qballot.core.signing import BallotForm, address_of_key
from qballot.core.types import Address, Weight
from qballot.deploy import ElectionDeployment, deploy_factory
from qballot.deploy.election import create_planned, plan_election
from qballot.testing.elections import change_rules

SHEET = 1
"""The sheet whose voters cast, where there are several: neither the first nor the last one."""

TRACED_BALLOTS = 3
"""In the batch whose operations are counted."""

DEFINITION_BYTES = 1_000
OPENS_AFTER = 1_000
LASTS = 10_000_000
COLLECTED_SECONDS = 3_600
"""How long a relayer collects ballots before it brings them."""
MAX_TEXT_BYTES = 1_000


@dataclass(frozen=True)
class Election:
    """A box on a devnet.

    hardfork: the devnet's rules. first: index of the first voter who has a key. keys: theirs, one after another.
    """

    devnet: Devnet
    hardfork: str
    deployment: ElectionDeployment
    census: Census
    first: int
    keys: Sequence[bytes]
    random: random.Random

    @property
    def form(self) -> BallotForm:
        """How the box's ballots are signed."""
        return BallotForm.of(self.deployment.arguments.text_ballots)

    def ballot(self, options: int) -> bytes:
        """A ballot of marks as voters make them: small numbers, zeros among them. As text, every second option."""
        if self.form is BallotForm.TEXT:
            return ("c: " + ", ".join(f"o{number}" for number in range(0, options, 2))).encode()
        return bytes(self.random.randrange(options + 1 if options > 1 else 2) for _ in range(options))

    @cached_property
    def batch_operations(self) -> Operations:
        """Count the repriced operations of a batch, by a small one.

        There are as many in a batch of any size: what is done for each ballot is none of them, and tracing a large
        batch takes many seconds. tests/contracts/test_gas.py compares with a batch of another size.
        """
        receipt = self.bring(range(TRACED_BALLOTS), [b"\x01"] * TRACED_BALLOTS)
        return count_operations(self.devnet, receipt.transaction_hash)

    def create_gas(self) -> Gas:
        """Gas of creating the election."""
        return self.price(self.deployment.receipt)

    def cast_direct(self, options: int, count: int = 8, voters: Sequence[int] | None = None) -> Gas:
        """Gas of a voter's own transaction, averaged over some voters of the sheet."""
        chosen = voters if voters is not None else self.random.sample(range(len(self.keys)), count)
        self.devnet.set_balances({address_of_key(self.keys[i]): 10**18 for i in chosen})
        casts = [(LocalSigner(self.keys[i]), self.ballot(options)) for i in chosen]
        receipts = cast_direct_many(self.devnet.rpc, self.deployment.box, self.census, casts)
        return Gas.mean([self.price(receipt) for receipt in receipts])

    def cast_batch(self, size: int, options: int) -> Gas:
        """Gas a ballot of signed ballots by `size` voters of the sheet, chosen at random, in one transaction.

        The voters sign within an hour, so that times differ as a relayer's do.
        """
        chosen = sorted(self.random.sample(range(len(self.keys)), size))
        receipt = self.bring(chosen, [self.ballot(options) for _ in chosen])
        return self.price(receipt, self.batch_operations if self.hardfork == HARDFORK else None) / size

    def bring(self, chosen: Sequence[int], ballots: Sequence[bytes]) -> Receipt:
        """Bring signed ballots of voters of the sheet in one transaction. chosen: ascending."""
        now = self.devnet.rpc.block("latest").timestamp
        signed = tuple(
            sign_ballot(
                LocalSigner(self.keys[i]),
                self.census.entry(self.first + i),
                ballot,
                chain_id=self.devnet.rpc.chain_id(),
                box=self.deployment.box,
                cast_at=now - self.random.randrange(COLLECTED_SECONDS),
                form=self.form,
            )
            for i, ballot in zip(chosen, ballots, strict=True)
        )
        batch = Batch(self.first >> self.census.sheet_bits, signed)
        return cast_batch(self.devnet.rpc, devnet_account(1), self.deployment.box, self.census, batch)

    def price(self, receipt: Receipt, operations: Operations | None = None) -> Gas:
        """Price a transaction. operations: its own where they are known."""
        return price_transaction(self.devnet, self.hardfork, receipt.transaction_hash, operations)


@contextmanager
def open_election(
    voters: int, sheet_bits: int, options: int, *, weight: int = 1, text: bool = False, hardfork: str = HARDFORK
) -> Iterator[Election]:
    """Make a chain with one open election; the voters of one sheet have keys, the others are addresses at random.

    text: the box takes ballots that are signed as text.
    """
    chooser = random.Random(f"{voters} {sheet_bits} {options} {weight}")
    size = 1 << sheet_bits
    first = SHEET * size if voters >= (SHEET + 1) * size else 0
    keys = [chooser.randrange(1, 2**255).to_bytes(32) for _ in range(min(size, voters - first))]
    addresses = [Address(chooser.randbytes(20)) for _ in range(voters)]
    addresses[first : first + len(keys)] = map(address_of_key, keys)
    census = build_census(((address, Weight(weight)) for address in addresses), sheet_bits)
    with Devnet(hardfork=hardfork) as devnet:
        deploy_factory(devnet.rpc, devnet_account(0))
        deployment = create(devnet, census, options, text=text)
        devnet.warp(deployment.arguments.opens_at + COLLECTED_SECONDS)
        yield Election(devnet, hardfork, deployment, census, first, keys, chooser)


def create(devnet: Devnet, census: Census, options: int, *, text: bool = False) -> ElectionDeployment:
    """Create an election with a definition of exactly `DEFINITION_BYTES`."""
    opens_at, organizer = devnet.rpc.block("latest").timestamp + OPENS_AFTER, devnet_account(0)
    plan = plan_election(
        devnet.rpc,
        organizer.address,
        make_definition(options),
        census,
        opens_at=opens_at,
        closes_at=opens_at + LASTS,
    )
    if text:
        plan = change_rules(plan, text_ballots=True, max_ballot_bytes=MAX_TEXT_BYTES)
    return create_planned(devnet.rpc, organizer, plan, quote(devnet.rpc, organizer.address, plan.call))


def make_definition(options: int) -> bytes:
    """Write a definition with one approval contest, padded by its description; longer only where it must be."""
    contest = {
        "id": "c",
        "title": "Which of these?",
        "method": "approval",
        "options": [{"id": f"o{number}", "title": f"Option {number}"} for number in range(options)],
    }
    document = {"qballot": 1, "title": "Bench", "contests": [contest], "description": ""}
    shortest = len(parse_definition_document(json.dumps(document))[1])
    document["description"] = "d" * max(0, DEFINITION_BYTES - shortest)
    return parse_definition_document(json.dumps(document))[1]


def deploy_factory_gas(hardfork: str = HARDFORK) -> Gas:
    """Gas of putting factory and implementation on a chain."""
    with Devnet(hardfork=hardfork) as devnet:
        receipt = deploy_factory(devnet.rpc, devnet_account(0)).receipt
        assert receipt is not None
        return price_transaction(devnet, hardfork, receipt.transaction_hash)
