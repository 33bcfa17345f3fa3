"""Keys are read strictly and never shown."""

from __future__ import annotations

import copy
import pickle

import pytest
from eth_account import Account
from pydantic import SecretStr
from tracebacks import show_everything

from qballot.chain.accounts import DEVNET_KEYS, LocalSigner, devnet_account, load_key, load_payer
from qballot.core.address import checksum_address
from qballot.core.signing import ballot_digest, recover_signer
from qballot.core.types import Address, ChainId, VoterIndex
from qballot.errors import InputError, SettingsError

pytestmark = pytest.mark.unit

KEY = "0x" + "5e" * 32


def test_load_key__space_around_it__is_the_same_account() -> None:
    assert load_key(SecretStr(KEY)).address == load_key(SecretStr(f" {KEY}\n")).address
    assert checksum_address(load_key(SecretStr(KEY)).address) == Account.from_key(KEY).address


@pytest.mark.parametrize(
    "text",
    [
        "",
        KEY[:-1],
        KEY + "0",
        KEY[2:],
        KEY[2:] + "5e",
        KEY[:-1] + "g",
        "0X" + KEY[2:],
        "0x" + "00" * 32,
        "0x" + "ff" * 32,
    ],
)
def test_load_key__not_a_key__is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(InputError) as caught:
        load_key(SecretStr(text))
    assert "expected" in str(caught.value)
    assert "5e5e" not in show_everything(caught.value)


def test_load_payer__setting_missing_or_wrong__names_the_variable() -> None:
    assert load_payer(SecretStr(KEY)).address == load_key(SecretStr(KEY)).address
    for value in (None, SecretStr(KEY[:-1])):
        with pytest.raises(SettingsError, match=r"QBALLOT_PRIVATE_KEY: found .*, expected") as caught:
            load_payer(value)
        assert "5e5e" not in show_everything(caught.value)


def test_devnet_account__keys__are_those_of_the_public_mnemonic() -> None:
    Account.enable_unaudited_hdwallet_features()
    for index in range(len(DEVNET_KEYS)):
        derived = Account.from_mnemonic("test " * 11 + "junk", account_path=f"m/44'/60'/0'/0/{index}")
        assert checksum_address(devnet_account(index).address) == derived.address


def test_local_signer__transaction__is_what_eth_account_signs() -> None:
    for data, value, nonce in ((b"", 0, 0), (b"\x01\x02", 10**18, 7)):
        fields = {
            "type": 2, "chainId": 31337, "nonce": nonce, "to": b"\x77" * 20, "data": data, "value": value,
            "gas": 21_000, "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1,
        }  # fmt: skip
        raw = load_key(SecretStr(KEY)).sign_transaction(fields)
        assert raw == bytes(Account.from_key(KEY).sign_transaction(fields).raw_transaction)


def test_local_signer__ballot__is_signed_by_its_account() -> None:
    signer = load_key(SecretStr(KEY))
    arguments = (ChainId(5), Address(b"\x66" * 20), VoterIndex(3), 1_000, b"\x01\x02")
    assert recover_signer(ballot_digest(*arguments), signer.sign_ballot(*arguments)) == signer.address


def test_local_signer__looked_at_copied_or_failing__never_shows_its_key() -> None:
    signer = load_key(SecretStr(KEY))
    shown = [repr(signer), str(signer), f"{signer}", repr([signer]), repr(signer.reveal())]
    with pytest.raises(TypeError, match="vars"):
        vars(signer)
    for action in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="not copied or pickled") as caught:
            action(signer)  # type: ignore[operator]
        shown.append(show_everything(caught.value))
    with pytest.raises((TypeError, ValueError)) as failed:  # whatever eth-account makes of it
        signer.sign_transaction({"type": 2, "gas": -1})
    shown.append(show_everything(failed.value))
    with pytest.raises(InputError) as oversized:
        signer.sign_ballot(ChainId(5), Address(b"\x66" * 20), VoterIndex(2**32), 1_000, b"")
    shown.append(show_everything(oversized.value))
    for key in (bytes(32), b"\x5e" * 31, b"\xff" * 32):
        with pytest.raises(InputError) as caught_key:
            LocalSigner(key)
        shown.append(show_everything(caught_key.value))
    for text in shown:
        assert "5e5e" not in text.lower()
        assert "^^^^" not in text  # b"\x5e" as repr shows it
        assert str(int(KEY, 16)) not in text
