"""Who signs: a transaction that is paid for, or a ballot.

    Signer ◀── LocalSigner   a key in memory: from the environment, or out of a keystore file (keystore.py)
           ◀── ApeSigner     an account of ape's, hardware wallets included (ape_account.py)

A key in memory is kept where neither `repr` nor a traceback that prints local variables shows it, and no error names
it. What checks a key's text returns what is wrong instead of raising, so that the text is in no frame of a traceback.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn, Protocol

from eth_account.typed_transactions.typed_transaction import TypedTransaction
from pydantic import SecretBytes, SecretStr

from qballot.core.address import checksum_address
from qballot.core.signing import CURVE_ORDER, BallotForm, address_of_key, ballot_digest, sign_digest
from qballot.core.types import Address, ChainId, Hash32, VoterIndex
from qballot.errors import InputError, SettingsError

DEVNET_KEYS = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
)
"""The first of the keys that every anvil gives 10,000 ether to: public, so worth nothing on any other chain.
Source: the mnemonic `test test test test test test test test test test test junk`, paths m/44'/60'/0'/0/0 and on."""

_KEY = re.compile(r"0x[0-9a-fA-F]{64}")
_KEY_CHARACTERS = 66


class Signer(Protocol):
    """An account that can sign. Whoever takes one need not know where its key lies."""

    @property
    def address(self) -> Address:
        """The account's address."""
        ...

    def sign_transaction(self, fields: Mapping[str, Any]) -> bytes:
        """Sign a transaction of type 2 (EIP-1559) and return its bytes as they are sent.

        fields: `type`, `chainId`, `nonce`, `to` (20 bytes), `data` (bytes), `value`, `gas`, `maxFeePerGas`,
        `maxPriorityFeePerGas`, as of `eth_sendTransaction`.
        """
        ...

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
        """Sign the EIP-712 ballot of `qballot.core.signing.ballot_typed_data` and return `r` ‖ `vs`, 64 bytes."""
        ...


class LocalSigner:
    """A private key in memory. Its `repr` is its address; it cannot be copied, pickled or listed by `vars`."""

    __slots__ = ("_address", "_key")

    def __init__(self, private_key: bytes) -> None:
        """private_key: 32 bytes. Raises InputError, which does not show it, when it is none."""
        problem = _find_problem(private_key)
        self._key = SecretBytes(private_key)
        self._address = Address(bytes(20))
        del private_key  # not in this frame when the next line raises
        if problem:
            raise InputError(problem)
        self._address = address_of_key(self._key.get_secret_value())

    def __repr__(self) -> str:
        return f"LocalSigner({checksum_address(self._address)})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a signer is not copied or pickled: its key would be copied with it")

    @property
    def address(self) -> Address:
        """The account's address."""
        return self._address

    def sign_transaction(self, fields: Mapping[str, Any]) -> bytes:
        """Sign a transaction, as of `Signer`."""
        # eth-account encodes; the key never gets there.
        unsigned = TypedTransaction.from_dict(dict(fields))
        signature = sign_digest(self._key.get_secret_value(), Hash32(unsigned.hash()))
        v, r, s = signature[32] >> 7, int.from_bytes(signature[:32]), int.from_bytes(signature[32:]) & (2**255 - 1)
        return TypedTransaction.from_dict({**fields, "v": v, "r": r, "s": s}).encode()

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
        """Sign a ballot, as of `Signer`."""
        digest = ballot_digest(chain_id, box, voter, cast_at, ballot, form=form)
        return sign_digest(self._key.get_secret_value(), digest)

    def reveal(self) -> SecretBytes:
        """Return the key, to be put into a keystore."""
        return self._key


def load_key(text: SecretStr) -> LocalSigner:
    """Make a signer of a private key's text: 0x and 64 hex digits; space around it does not matter.

    Raises InputError, which does not show the text, for anything else: eth-account itself takes 63 digits for a key,
    another one.
    """
    problem = _find_text_problem(text)
    if problem:
        raise InputError(problem)
    return LocalSigner(bytes.fromhex(text.get_secret_value().strip()[2:]))


def load_payer(private_key: SecretStr | None) -> LocalSigner:
    """Make the signer that pays, of the setting `private_key`. Raises SettingsError when it is unset or no key."""
    if private_key is None:
        raise SettingsError(
            [
                "QBALLOT_PRIVATE_KEY: found nothing, expected the key of the account that pays "
                "(or choose a keystore's or ape's account with --account)"
            ]
        )
    problem = _find_text_problem(private_key)
    if problem:
        raise SettingsError([f"QBALLOT_PRIVATE_KEY: {problem}"])
    return load_key(private_key)


def devnet_account(index: int) -> LocalSigner:
    """Return one of the public accounts that a local chain gives ether to. index: 0 … 3."""
    return load_key(SecretStr(DEVNET_KEYS[index]))


def _find_text_problem(secret: SecretStr) -> str | None:
    text = secret.get_secret_value().strip()
    if _KEY.fullmatch(text):
        return _find_problem(bytes.fromhex(text[2:]))
    if len(text) != _KEY_CHARACTERS or not text.startswith("0x"):
        start = "that start with 0x" if text.startswith("0x") else "that do not start with 0x"
        return f"found a private key of {len(text)} characters {start}, expected 0x and 64 hex digits"
    return "found a private key with a character that is no hex digit, expected 0x and 64 hex digits"


def _find_problem(private_key: bytes) -> str | None:
    if len(private_key) != 32:
        return f"found a private key of {len(private_key)} bytes, expected 32"
    if not 0 < int.from_bytes(private_key) < CURVE_ORDER:
        return "found a private key that is zero or not below the order of secp256k1, expected one within"
    return None
