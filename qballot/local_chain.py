"""An election on a local chain to develop and try things with: the chain, a census of public accounts, and its clock.

    with Devnet(port=8545, accounts=10) as devnet:
        local = start_election(devnet, canonical, list_public_accounts(10))

Every key is the public mnemonic's, so nothing here is worth anything on another chain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_account import Account
from pydantic import SecretStr

from qballot.chain.accounts import LocalSigner, load_key
from qballot.chain.contracts import BallotBoxContract
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.census import Census, build_census
from qballot.core.records import DIRECT_BIT
from qballot.core.types import Address, Hash32, UnixSeconds, Weight
from qballot.deploy import ElectionDeployment, create_election, deploy_factory
from qballot.errors import EndpointError, InputError, ToolError

MNEMONIC = "test test test test test test test test test test test junk"
"""The words from which anvil, Hardhat and others derive their accounts, known to everybody."""

OPENS_AFTER_SECONDS = 600
"""From the creation to the opening, by the chain's clock."""

OPEN_SECONDS = 7 * 24 * 3600
"""From the opening to the close."""

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
"""Seconds of each unit that a span of time may have."""

MAX_ACCOUNTS = 1_000

EXAMPLE_DEFINITION: dict[str, Any] = {
    "qballot": 1,
    "title": "Town festival",
    "description": "An invented election for a local chain, with a contest of several kinds.",
    "organizer": "The festival committee",
    "language": "en",
    "contests": [
        {
            "id": "place",
            "title": "Where shall it be?",
            "method": "plurality",
            "options": [
                {"id": "park", "title": "In the park"},
                {"id": "library", "title": "At the library"},
                {"id": "harbour", "title": "At the harbour"},
            ],
        },
        {
            "id": "host",
            "title": "Who opens it?",
            "method": "irv",
            "options": [
                {"id": "ada", "title": "Ada"},
                {"id": "ben", "title": "Ben"},
                {"id": "cem", "title": "Cem"},
            ],
        },
        {
            "id": "money",
            "title": "What is the money for?",
            "method": "score",
            "min_score": -3,
            "max_score": 3,
            "options": [
                {"id": "music", "title": "Music"},
                {"id": "food", "title": "Food"},
                {"id": "fireworks", "title": "Fireworks"},
            ],
        },
        {
            "id": "days",
            "title": "Which days suit you?",
            "method": "approval",
            "options": [
                {"id": "friday", "title": "Friday"},
                {"id": "saturday", "title": "Saturday"},
                {"id": "sunday", "title": "Sunday"},
            ],
        },
    ],
}
"""What the voters of a local chain are asked unless one says otherwise."""

_SPAN = re.compile(r"\+([0-9]{1,9})([smhdw]?)")
_UNIX = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class PublicAccount:
    """One of the accounts that the mnemonic gives. private_key: 0x-hex, public knowledge."""

    index: int
    private_key: str
    signer: LocalSigner


@dataclass(frozen=True, slots=True)
class LocalElection:
    """An election on a local chain, in which every account votes. definition: canonical bytes."""

    devnet: Devnet
    deployment: ElectionDeployment
    definition: bytes
    census: Census
    accounts: tuple[PublicAccount, ...]

    def to_json(self) -> dict[str, Any]:
        """Describe what a program needs to use it."""
        rules = self.deployment.arguments
        return {
            "rpc_url": self.devnet.url,
            "chain_id": self.devnet.rpc.chain_id(),
            "factory": checksum_address(self.deployment.factory),
            "box": checksum_address(self.deployment.box),
            "definition_hash": "0x" + rules.definition_hash.hex(),
            "opens_at": rules.opens_at,
            "closes_at": rules.closes_at,
            "chain_time": self.devnet.rpc.block("latest").timestamp,
            "mnemonic": MNEMONIC,
            "accounts": [
                {
                    "voter": account.index,
                    "address": checksum_address(account.signer.address),
                    "private_key": account.private_key,
                }
                for account in self.accounts
            ],
        }


def list_public_accounts(count: int) -> tuple[PublicAccount, ...]:
    """Derive the mnemonic's first accounts, those that anvil gives ether to (m/44'/60'/0'/0/i)."""
    Account.enable_unaudited_hdwallet_features()
    accounts = []
    for index in range(count):
        key = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}").key.to_0x_hex()
        accounts.append(PublicAccount(index, key, load_key(SecretStr(key))))
    return tuple(accounts)


def example_definition() -> str:
    """Return the example's document as its author would write it."""
    return json.dumps(EXAMPLE_DEFINITION, indent=2) + "\n"


def start_election(
    devnet: Devnet, definition: bytes, accounts: Sequence[PublicAccount], *, is_open: bool = True
) -> LocalElection:
    """Deploy the factory and create an election in which each account has one vote.

    definition: canonical bytes. accounts: the first one is the organizer. is_open: move the clock to the opening.
    Raises DefinitionError, ChainError.
    """
    organizer = accounts[0].signer
    census = build_census([(account.signer.address, Weight(1)) for account in accounts])
    deploy_factory(devnet.rpc, organizer)
    opens_at = devnet.rpc.block("latest").timestamp + OPENS_AFTER_SECONDS
    deployment = create_election(
        devnet.rpc,
        organizer,
        definition,
        census,
        opens_at=opens_at,
        closes_at=opens_at + OPEN_SECONDS,
        salt=Hash32(bytes(32)),
    )
    if is_open:
        move_clock(devnet.rpc, UnixSeconds(opens_at))
    return LocalElection(devnet, deployment, definition, census, tuple(accounts))


def compute_target(text: str, *, now: int, opens_at: int | None = None, closes_at: int | None = None) -> UnixSeconds:
    """Read where a clock should be moved: `+1d` (s, m, h, d, w), unix seconds, `open` or `close`.

    now: the chain's time. opens_at, closes_at: of an election, where there is one.
    Raises InputError when it is none of these, needs an election that is not there, or is not later than now.
    """
    span = _SPAN.fullmatch(text)
    if span:
        target = now + int(span.group(1)) * UNITS[span.group(2) or "s"]
    elif _UNIX.fullmatch(text):
        target = int(text)
    elif text in ("open", "close"):
        moment = opens_at if text == "open" else closes_at
        if moment is None:
            raise InputError(f"{text} needs an election: name its ballot box with --box")
        target = moment
    else:
        raise InputError(f"found {text[:40]!r}, expected a span such as +1d or +90m, unix seconds, open or close")
    if not now < target < DIRECT_BIT:
        raise InputError(f"found {target}, expected later than {now}, the chain's time: a clock only goes forward")
    return UnixSeconds(target)


def move_clock(rpc: Rpc, to_unix: UnixSeconds) -> None:
    """Mine a block with this timestamp, from which the chain's clock goes on. Raises ToolError when it is not anvil."""
    try:
        rpc.call("anvil_nodeInfo")
    except EndpointError as error:
        if error.code is None:
            raise
        raise ToolError(
            f"the chain at {rpc.endpoint} does not answer anvil's methods: only a local chain's clock can be moved"
        ) from error
    rpc.call("evm_setNextBlockTimestamp", [to_unix])
    rpc.call("evm_mine")


def fetch_window(rpc: Rpc, box: Address) -> tuple[UnixSeconds, UnixSeconds]:
    """Return when the election of a box opens and closes. Raises ChainError when it is no box."""
    rules = BallotBoxContract(rpc, box).fetch_arguments("latest")
    return rules.opens_at, rules.closes_at
