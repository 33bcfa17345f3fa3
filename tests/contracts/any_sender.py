"""Calls to the contracts from any account at any second, each a transaction in a block of its own or an `eth_call`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from qballot.chain.abi import load_function
from qballot.chain.accounts import devnet_account
from qballot.chain.answers import Log, Receipt
from qballot.chain.artifacts import BALLOT_BOX, BALLOT_BOX_FACTORY, default_factory, default_implementation
from qballot.chain.contracts import BallotBoxContract, FactoryContract
from qballot.chain.devnet import Devnet
from qballot.core.box_model import ElectionParams
from qballot.core.prices import TRANSACTION_GAS_CAP
from qballot.core.provenance import BoxArguments, clone_runtime_code
from qballot.core.signing import address_of_key
from qballot.core.types import Address, ChainId, Hash32, UnixSeconds
from qballot.deploy import deploy_factory
from qballot.errors import ContractReverted

RECEIPT_SECONDS = 20.0

WEALTH = 10**24
"""Wei that everybody who sends gets."""

KEYS = tuple((10**41 + number).to_bytes(32) for number in range(160))
"""Keys of people, made up; enough to fill a sheet of 128."""

PEOPLE = tuple(map(address_of_key, KEYS))

SECRETS = dict(zip(PEOPLE, KEYS, strict=True))
"""Each person's key."""

Overrides = dict[str, dict[str, Any]]


class Chain:
    """Drives an anvil. now: timestamp of its latest block."""

    def __init__(self, devnet: Devnet) -> None:
        self.rpc = devnet.rpc
        self._devnet = devnet
        self.rpc.call("anvil_autoImpersonateAccount", [True])
        self.fund(*PEOPLE)

    @property
    def now(self) -> UnixSeconds:
        return self.rpc.block("latest").timestamp

    @property
    def chain_id(self) -> ChainId:
        return self.rpc.chain_id()

    @property
    def factory(self) -> FactoryContract:
        return FactoryContract(self.rpc, default_factory())

    def box(self, address: Address) -> BallotBoxContract:
        return BallotBoxContract(self.rpc, address)

    def fund(self, *addresses: Address) -> None:
        self._devnet.set_balances(dict.fromkeys(addresses, WEALTH))

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Put the chain back to where it was."""
        snapshot = self._devnet.snapshot()
        try:
            yield
        finally:
            self._devnet.revert(snapshot)

    def transact(self, sender: Address, to: Address, data: bytes, at: int | None = None) -> tuple[Log, ...]:
        """Send from an account with ether, in a block of its own with timestamp `at`; by default in the same second.

        Returns the logs. Raises ContractReverted when the transaction, which is then in the chain all the same,
        reverted.
        """
        self.rpc.call("evm_setNextBlockTimestamp", [self.now if at is None else at])
        transaction = {"from": "0x" + sender.hex(), "to": "0x" + to.hex(), "data": "0x" + data.hex()}
        sent = self.rpc.call("eth_sendTransaction", [{**transaction, "gas": hex(TRANSACTION_GAS_CAP)}])
        receipt = self._wait_for_receipt(Hash32(bytes.fromhex(sent[2:])))
        if not receipt.succeeded:
            self.rpc.call_contract(to, data, receipt.block_number, sender)
            raise AssertionError("a transaction reverted, and does not when it is replayed in the same second")
        return receipt.logs

    def _wait_for_receipt(self, transaction_hash: Hash32) -> Receipt:
        deadline = time.monotonic() + RECEIPT_SECONDS
        while (receipt := self.rpc.receipt(transaction_hash)) is None:
            assert time.monotonic() < deadline, "anvil mines every transaction at once"
            time.sleep(0.001)
        return receipt

    def call(
        self, sender: Address, to: Address, data: bytes, at: int | None = None, overrides: Overrides | None = None
    ) -> bytes:
        """Run a call without a transaction: at second `at`, with code and storage overridden.

        Returns what it returned. Raises ContractReverted.
        """
        transaction = {"from": "0x" + sender.hex(), "to": "0x" + to.hex(), "data": "0x" + data.hex()}
        block = {} if at is None else {"time": hex(at)}
        answer: str = self.rpc.call("eth_call", [transaction, "latest", overrides or {}, block])
        return bytes.fromhex(answer[2:])

    def find_refusal(self, sender: Address, to: Address, data: bytes, at: int, overrides: Overrides) -> str:
        """Run a call likewise; return the name of the contract's error, nothing when there is none."""
        try:
            self.call(sender, to, data, at, overrides)
        except ContractReverted as error:
            return error.name
        return ""


@contextmanager
def run_chain() -> Iterator[Chain]:
    """Start an anvil with the factory."""
    with Devnet() as devnet:
        deploy_factory(devnet.rpc, devnet_account(0))
        yield Chain(devnet)


def encode_create_raw(params: ElectionParams, sheet_roots: Sequence[Hash32], salt: Hash32, definition: bytes) -> bytes:
    """Encode `create` whatever the values, also those that `BoxArguments` refuses."""
    values = (
        params.opens_at,
        params.closes_at,
        params.sheet_bits,
        params.voters,
        params.max_ballot_bytes,
        params.text_ballots,
    )
    return load_function(BALLOT_BOX_FACTORY, "create").encode(values, sheet_roots, salt, definition)


def encode_cast_signed_raw(batch: bytes, proof: Sequence[Hash32]) -> bytes:
    """Encode `castSigned` whatever the bytes."""
    return load_function(BALLOT_BOX, "castSigned").encode(batch, proof)


def override_box(address: Address, arguments: BoxArguments, head: Hash32 | None = None) -> Overrides:
    """Describe a box for `Chain.call` that nobody created. head: by default the first one."""
    return {
        "0x" + address.hex(): {
            "code": "0x" + clone_runtime_code(default_implementation(), arguments).hex(),
            "stateDiff": {"0x" + bytes(32).hex(): "0x" + (head or arguments.definition_hash).hex()},
        }
    }
