"""Settings: all problems at once, by variable, and no secret shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qballot.errors import SettingsError
from qballot.settings import load_settings

pytestmark = pytest.mark.unit

ANVIL_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("QBALLOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_settings__nothing_set__defaults() -> None:
    settings = load_settings()
    assert settings.rpc_url == "http://127.0.0.1:8545"
    assert settings.database_url == "sqlite:///qballot.sqlite3"
    assert settings.private_key is None


def test_settings__environment__wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("QBALLOT_PORT=9001\nQBALLOT_CHAIN_ID=5\n")
    monkeypatch.setenv("QBALLOT_PORT", "9002")
    settings = load_settings()
    assert (settings.port, settings.chain_id) == (9002, 5)


def test_settings__several_wrong__all_named_and_no_value_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QBALLOT_PORT", "seventy")
    monkeypatch.setenv("QBALLOT_DATABASE_URL", "mysql://user:hunter2@host/name")
    monkeypatch.setenv("QBALLOT_FACTORY", "0x12")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert len(caught.value.problems) == 3
    for name in ("QBALLOT_PORT", "QBALLOT_DATABASE_URL", "QBALLOT_FACTORY"):
        assert name in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_settings__several_endpoints__the_first_of_http_is_for_what_asks_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "QBALLOT_RPC_URL", "ws://h/SECRET infura=https://mainnet.infura.io/v3/SECRET http://127.0.0.1:8545"
    )
    settings = load_settings()
    assert settings.primary_rpc_url == "https://mainnet.infura.io/v3/SECRET"
    assert [(item.operator, item.name) for item in settings.endpoints] == [
        ("h", "ws://h"),
        ("infura", "https://mainnet.infura.io"),
        ("127.0.0.1:8545", "http://127.0.0.1:8545"),
    ]
    assert "SECRET" not in repr(settings) + str(settings)


def test_settings__endpoint_that_cannot_be_read__is_named_without_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("http://a https://b:SECRET/", "SECRET", "wss://h/SECRET"):
        monkeypatch.setenv("QBALLOT_RPC_URL", text)
        with pytest.raises(SettingsError, match=r"QBALLOT_RPC_URL: .*endpoint") as caught:
            load_settings()
        assert "SECRET" not in str(caught.value)


def test_settings__private_key__is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QBALLOT_PRIVATE_KEY", ANVIL_KEY)
    settings = load_settings()
    assert settings.private_key is not None
    assert settings.private_key.get_secret_value() == ANVIL_KEY
    assert ANVIL_KEY[2:] not in repr(settings) + str(settings) + settings.model_dump_json()


def test_settings__object__is_frozen() -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]
