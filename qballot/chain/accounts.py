"""Keys of accounts that pay for transactions."""

from __future__ import annotations

import re

from eth_account import Account
from eth_account.signers.local import LocalAccount
from pydantic import SecretStr

from qballot.core.signing import CURVE_ORDER
from qballot.core.types import Address
from qballot.errors import InputError, SettingsError

DEVNET_KEYS = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
)
"""The first of the keys that every anvil gives 10,000 ether to: public, so worth nothing on any other chain.
Source: the mnemonic `test test test test test test test test test test test junk`, paths m/44'/60'/0'/0/0 and on."""

_KEY = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")


def load_key(text: str) -> LocalAccount:
    """Make an account of a private key: 64 hex digits, with or without 0x.

    Raises InputError, which does not show the text, for anything else: eth-account itself takes 63 digits for a key,
    another one.
    """
    match = _KEY.fullmatch(text.strip())
    if match is None:
        raise InputError(f"found a private key of {len(text.strip())} characters, expected 0x and 64 hex digits")
    key = bytes.fromhex(match.group(1))
    if not 0 < int.from_bytes(key) < CURVE_ORDER:
        raise InputError("found a private key that is zero or not below the order of secp256k1, expected one within")
    account: LocalAccount = Account.from_key(key)
    return account


def load_payer(private_key: SecretStr | None) -> LocalAccount:
    """Make the account that pays, of the setting `private_key`. Raises SettingsError when it is unset or no key."""
    if private_key is None:
        raise SettingsError(["QBALLOT_PRIVATE_KEY: found nothing, expected the key of the account that pays"])
    try:
        return load_key(private_key.get_secret_value())
    except InputError as error:
        raise SettingsError([f"QBALLOT_PRIVATE_KEY: {error}"]) from None


def devnet_account(index: int) -> LocalAccount:
    """Return one of the public accounts that a local chain gives ether to. index: 0 … 3."""
    return load_key(DEVNET_KEYS[index])


def address_of(account: LocalAccount) -> Address:
    """Return an account's address as 20 bytes."""
    return Address(bytes.fromhex(account.address[2:]))
