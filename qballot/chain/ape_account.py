"""Accounts of ape's as signers: its encrypted key files, and by its plugins hardware wallets (Ledger, Trezor).

ape is an extra of this package, and loaded only when such an account is chosen. What an account signed is checked: the
signature must be the account's, over exactly what was asked for.
Source: https://docs.apeworx.io/ape/stable/methoddocs/api.html#accounts
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from qballot.core.address import checksum_address, parse_address
from qballot.core.signing import BallotForm, ballot_digest, ballot_typed_data, compact_signature, recover_signer
from qballot.core.types import Address, ChainId, VoterIndex
from qballot.errors import InputError, ProofError, ToolError

DYNAMIC_FEE_TYPE = 2


class ApeSigner:
    """An account of ape's, an `ape.api.AccountAPI`. A person may have to type a password or press a button."""

    def __init__(self, account: Any) -> None:
        self._account = account
        self._address = parse_address(str(account.address))

    def __repr__(self) -> str:
        return f"ApeSigner({checksum_address(self._address)})"

    @property
    def address(self) -> Address:
        """The account's address."""
        return self._address

    def sign_transaction(self, fields: Mapping[str, Any]) -> bytes:
        """Sign a transaction, as of `Signer`. Raises ToolError when the account declines, ProofError."""
        kinds = import_module("ape_ethereum.transactions")
        transaction = kinds.DynamicFeeTransaction.model_validate(
            {
                "type": DYNAMIC_FEE_TYPE,
                "chainId": fields["chainId"],
                "from": checksum_address(self._address),
                "to": checksum_address(fields["to"]),
                "data": bytes(fields["data"]),
                "value": fields["value"],
                "nonce": fields["nonce"],
                "gas": fields["gas"],
                "maxFeePerGas": fields["maxFeePerGas"],
                "maxPriorityFeePerGas": fields["maxPriorityFeePerGas"],
            }
        )
        signed = self._account.sign_transaction(transaction)
        if signed is None or signed.signature is None:
            raise self._declined("the transaction")
        raw = bytes(signed.serialize_transaction())
        self._check(raw, fields)
        return raw

    def sign_ballot(
        self,
        chain_id: ChainId,
        box: Address,
        voter: VoterIndex,
        cast_at: int,
        ballot: bytes,
        *,
        form: BallotForm = BallotForm.BYTES,
    ) -> bytes:
        """Sign a ballot, as of `Signer`. Raises ToolError when the account declines, ProofError."""
        arguments = (chain_id, box, voter, cast_at, ballot)
        message = encode_typed_data(full_message=ballot_typed_data(*arguments, form=form))
        signature = self._account.sign_message(message)
        if signature is None:
            raise self._declined("the ballot")
        compact = compact_signature(_to_int(signature.r), _to_int(signature.s), int(signature.v))
        if recover_signer(ballot_digest(*arguments, form=form), compact) != self._address:
            raise ProofError(f"the account {checksum_address(self._address)} signed something else than the ballot")
        return compact

    def _check(self, raw: bytes, fields: Mapping[str, Any]) -> None:
        """Raise ProofError unless these bytes are the transaction that was asked for, signed by this account."""
        found = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        different = [name for name, value in fields.items() if _comparable(found.get(name)) != _comparable(value)]
        if found.get("accessList"):
            different.append("accessList")
        if different:
            raise ProofError(f"ape signed another transaction than asked for: {', '.join(different)} differ")
        if parse_address(Account.recover_transaction(HexBytes(raw))) != self._address:
            raise ProofError(f"the transaction is not signed by {checksum_address(self._address)}")

    def _declined(self, what: str) -> ToolError:
        return ToolError(f"the ape account {checksum_address(self._address)} did not sign {what}: nothing was sent")


def load_ape_account(alias: str) -> ApeSigner:
    """Load an account of ape's by its alias. Raises ToolError without ape, InputError when it has no such account."""
    try:
        accounts = import_module("ape").accounts
    except ImportError:
        raise ToolError(
            'ape is not installed here, and ape:… names one of its accounts: pip install "qballot[ape]", or choose a '
            "keystore account (`qballot account list`)"
        ) from None
    aliases = sorted(str(known) for known in accounts.aliases)
    if alias not in aliases:
        listed = ", ".join(aliases) or "none"
        raise InputError(f"ape has no account {alias!r}; it has {listed}: see `ape accounts list`")
    return ApeSigner(accounts.load(alias))


def _comparable(value: Any) -> Any:
    """Bring hex text, bytes and integers into one form."""
    if isinstance(value, str) and value.startswith("0x"):
        return bytes.fromhex(value[2:])
    return bytes(value) if isinstance(value, bytes | bytearray) else value


def _to_int(value: Any) -> int:
    return value if isinstance(value, int) else int.from_bytes(bytes(value))
