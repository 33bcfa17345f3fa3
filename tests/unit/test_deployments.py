"""Records of deployments: what was put is found again, a file is replaced as a whole, a broken one is not used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qballot.chain.deployments import DeploymentRecord, Deployments, SentTransaction, describe_sent
from qballot.core.types import Address, ChainId, Hash32
from qballot.errors import InputError

pytestmark = pytest.mark.unit

ONE, TWO = Address(b"\x11" * 20), Address(b"\x22" * 20)
SENT = describe_sent(Hash32(b"\x33" * 32), ONE, 7)


def make(tmp_path: Path, chain_id: int = 5) -> Deployments:
    return Deployments(tmp_path / "deployments", ChainId(chain_id))


def test_deployments__records__are_found_again_by_address_and_chain(tmp_path: Path) -> None:
    records = make(tmp_path)
    assert records.load() == {}
    assert not records.path.parent.exists()
    first = DeploymentRecord(kind="factory", status="sent", transaction=SENT)
    records.put(ONE, first)
    records.put(TWO, DeploymentRecord(kind="election", status="unsigned"))
    assert make(tmp_path).find(ONE) == first
    assert len(make(tmp_path).load()) == 2
    assert make(tmp_path, 6).load() == {}
    records.put(ONE, DeploymentRecord(kind="factory", status="done"))
    assert make(tmp_path).find(ONE) == DeploymentRecord(kind="factory", status="done")
    document = json.loads(records.path.read_text())
    assert (document["qballot_deployments"], document["chain_id"]) == (1, 5)
    assert records.path.name == "5.json"
    assert [path.name for path in records.path.parent.iterdir()] == ["5.json"]


def test_put__cut_off_while_writing__leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = make(tmp_path)
    records.put(ONE, DeploymentRecord(kind="factory", status="sent", transaction=SENT))
    before = records.path.read_bytes()

    def fail(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        records.put(ONE, DeploymentRecord(kind="factory", status="done"))
    assert records.path.read_bytes() == before
    assert [path.name for path in records.path.parent.iterdir()] == ["5.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is no record of deployments"),
        ("{", "is no record of deployments"),
        ("[]", "is no record of deployments"),
        ("\xff", "is no record of deployments"),
        ('{"qballot_deployments": 2, "chain_id": 5, "deployments": {}}', "found format 2"),
        ('{"qballot_deployments": 1, "chain_id": 6, "deployments": {}}', "of chain 6"),
        ('{"qballot_deployments": 1, "chain_id": 5, "deployments": {"x": {"kind": "y"}}}', "is no record"),
    ],
)
def test_load__file_of_another_form__is_refused_and_kept(tmp_path: Path, content: str, message: str) -> None:
    records = make(tmp_path)
    records.path.parent.mkdir()
    records.path.write_text(content, encoding="latin-1")
    for action in (records.load, lambda: records.put(ONE, DeploymentRecord(kind="factory", status="done"))):
        with pytest.raises(InputError, match=message):
            action()
    assert records.path.read_text(encoding="latin-1") == content


def test_put__folder_cannot_be_made__is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "deployments").write_text("")
    with pytest.raises(InputError, match="cannot be"):
        make(tmp_path).put(ONE, DeploymentRecord(kind="factory", status="done"))


def test_describe_sent__without_receipt__has_only_what_is_known() -> None:
    assert SentTransaction(hash="0x" + "33" * 32, sender="0x1111111111111111111111111111111111111111", nonce=7) == SENT
