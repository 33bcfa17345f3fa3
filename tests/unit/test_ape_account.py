"""Accounts of ape's by their protocol, with a stand-in for ape itself; tests/with_ape tries the real one."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import SignableMessage

from qballot.chain.accounts import LocalSigner
from qballot.chain.ape_account import ApeSigner, load_ape_account
from qballot.core.signing import BallotForm, ballot_digest, recover_signer
from qballot.core.types import Address, ChainId, VoterIndex
from qballot.errors import InputError, ProofError, ToolError

pytestmark = pytest.mark.unit

KEY = b"\x5e" * 32
FIELDS: dict[str, Any] = {
    "type": 2,
    "chainId": 5,
    "nonce": 3,
    "to": b"\x77" * 20,
    "data": b"\x01\x02",
    "value": 0,
    "gas": 100_000,
    "maxFeePerGas": 10**10,
    "maxPriorityFeePerGas": 1,
}
BALLOT = (ChainId(5), Address(b"\x66" * 20), VoterIndex(3), 1_000, b"\x01\x02")


@dataclass
class SignedByApe:
    """As `ape.api.TransactionAPI` after signing."""

    raw: bytes
    signature: object = "present"

    def serialize_transaction(self) -> bytes:
        return self.raw


@dataclass
class ApeAccount:
    """As `ape.api.AccountAPI`. change: what it signs otherwise than asked. key: whose signature it gives."""

    address: str = Account.from_key(KEY).address
    key: bytes = KEY
    declines: bool = False
    change: dict[str, Any] = field(default_factory=dict)
    as_numbers: bool = False

    def sign_transaction(self, transaction: dict[str, Any]) -> SignedByApe | None:
        fields = {name: value for name, value in transaction.items() if name != "from"} | self.change
        return None if self.declines else SignedByApe(bytes(Account.sign_transaction(fields, self.key).raw_transaction))

    def sign_message(self, message: SignableMessage) -> SimpleNamespace | None:
        if self.declines:
            return None
        signed = Account.sign_message(message, self.key)
        if self.as_numbers:
            return SimpleNamespace(v=signed.v, r=signed.r, s=signed.s)
        return SimpleNamespace(v=signed.v, r=signed.r.to_bytes(32), s=signed.s.to_bytes(32))


@pytest.fixture
def ape(monkeypatch: pytest.MonkeyPatch) -> dict[str, ApeAccount]:
    """Put a stand-in for ape where it is imported from; returns its accounts by alias."""
    accounts = {"committee": ApeAccount()}
    package, ethereum, kinds = ModuleType("ape"), ModuleType("ape_ethereum"), ModuleType("ape_ethereum.transactions")
    manager = SimpleNamespace(aliases=accounts.keys(), load=accounts.__getitem__)
    monkeypatch.setattr(package, "accounts", manager, raising=False)
    monkeypatch.setattr(kinds, "DynamicFeeTransaction", SimpleNamespace(model_validate=dict), raising=False)
    for module in (package, ethereum, kinds):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return accounts


@pytest.mark.usefixtures("ape")
def test_ape_signer__transaction__is_what_was_asked_for() -> None:
    signer = load_ape_account("committee")
    assert signer.address == LocalSigner(KEY).address
    assert signer.sign_transaction(FIELDS) == LocalSigner(KEY).sign_transaction(FIELDS)
    assert "5e5e" not in repr(signer)


@pytest.mark.parametrize("as_numbers", [False, True])
def test_ape_signer__ballot__is_signed_by_its_account(as_numbers: bool) -> None:
    signature = ApeSigner(ApeAccount(as_numbers=as_numbers)).sign_ballot(*BALLOT)
    assert signature == LocalSigner(KEY).sign_ballot(*BALLOT)
    assert recover_signer(ballot_digest(*BALLOT), signature) == LocalSigner(KEY).address


def test_ape_signer__ballot_as_text__is_signed_as_text() -> None:
    ballot = (*BALLOT[:-1], b"0x12: \xc3\xbcber")  # what looks like hex is text all the same
    signature = ApeSigner(ApeAccount()).sign_ballot(*ballot, form=BallotForm.TEXT)
    assert signature == LocalSigner(KEY).sign_ballot(*ballot, form=BallotForm.TEXT)
    assert recover_signer(ballot_digest(*ballot, form=BallotForm.TEXT), signature) == LocalSigner(KEY).address
    assert signature != LocalSigner(KEY).sign_ballot(*ballot)
    with pytest.raises(InputError, match="not UTF-8 at byte 1"):
        ApeSigner(ApeAccount()).sign_ballot(*BALLOT[:-1], b"a\xff", form=BallotForm.TEXT)


@pytest.mark.parametrize(
    "change",
    [{"to": b"\x78" * 20}, {"value": 1}, {"data": b""}, {"nonce": 4}, {"chainId": 1}, {"gas": 1}, {"maxFeePerGas": 1}],
)
@pytest.mark.usefixtures("ape")
def test_ape_signer__signs_something_else__is_refused(change: dict[str, Any]) -> None:
    changed = change | ({"maxPriorityFeePerGas": 1} if "maxFeePerGas" in change else {})
    with pytest.raises(ProofError, match=f"another transaction than asked for: .*{next(iter(change))}"):
        ApeSigner(ApeAccount(change=changed)).sign_transaction(FIELDS)


@pytest.mark.usefixtures("ape")
def test_ape_signer__key_of_another__is_refused() -> None:
    signer = ApeSigner(ApeAccount(key=b"\x5f" * 32))
    with pytest.raises(ProofError, match="is not signed by"):
        signer.sign_transaction(FIELDS)
    with pytest.raises(ProofError, match="signed something else than the ballot"):
        signer.sign_ballot(*BALLOT)


@pytest.mark.usefixtures("ape")
def test_ape_signer__person_declines__is_said() -> None:
    signer = ApeSigner(ApeAccount(declines=True))
    with pytest.raises(ToolError, match="did not sign the transaction: nothing was sent"):
        signer.sign_transaction(FIELDS)
    with pytest.raises(ToolError, match="did not sign the ballot"):
        signer.sign_ballot(*BALLOT)


@pytest.mark.usefixtures("ape")
def test_load_ape_account__unknown_alias__lists_those_there_are() -> None:
    with pytest.raises(InputError, match="ape has no account 'nobody'; it has committee"):
        load_ape_account("nobody")


def test_load_ape_account__without_ape__says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ape", None)
    with pytest.raises(ToolError, match=r'pip install "qballot\[ape\]"'):
        load_ape_account("committee")
