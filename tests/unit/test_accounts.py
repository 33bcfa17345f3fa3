"""Keys are read strictly and never shown."""

from __future__ import annotations

import pytest
from eth_account import Account
from pydantic import SecretStr

from qballot.chain.accounts import DEVNET_KEYS, address_of, devnet_account, load_key, load_payer
from qballot.errors import InputError, SettingsError

pytestmark = pytest.mark.unit

KEY = "0x" + "5e" * 32


def test_load_key__with_and_without_prefix__is_the_same_account() -> None:
    assert load_key(KEY).address == load_key(KEY[2:]).address == load_key(f" {KEY}\n").address
    assert address_of(load_key(KEY)).hex() == load_key(KEY).address[2:].lower()


@pytest.mark.parametrize(
    "text", ["", KEY[:-1], KEY + "0", KEY[:-1] + "g", "0X" + KEY[2:], "0x" + "00" * 32, "0x" + "ff" * 32]
)
def test_load_key__not_a_key__is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(InputError) as caught:
        load_key(text)
    assert "expected" in str(caught.value)
    assert "5e5e" not in str(caught.value)


def test_load_payer__setting_missing_or_wrong__names_the_variable() -> None:
    assert load_payer(SecretStr(KEY)).address == load_key(KEY).address
    for value in (None, SecretStr("0x1234")):
        with pytest.raises(SettingsError, match=r"QBALLOT_PRIVATE_KEY: found .*, expected"):
            load_payer(value)


def test_devnet_account__keys__are_those_of_the_public_mnemonic() -> None:
    Account.enable_unaudited_hdwallet_features()
    for index in range(len(DEVNET_KEYS)):
        derived = Account.from_mnemonic("test " * 11 + "junk", account_path=f"m/44'/60'/0'/0/{index}")
        assert devnet_account(index).address == derived.address
