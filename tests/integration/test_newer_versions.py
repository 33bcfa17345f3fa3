"""Files that a newer version of QBallot made, as an auditor's commands meet them: judged in no way, and status 1."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Commands

pytestmark = pytest.mark.integration

VECTORS = Path(__file__).parents[1] / "vectors" / "evidence"


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(tmp_path, "http://127.0.0.1:1", monkeypatch, capsys)  # nobody is there, and nobody is asked


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("evidence-version", "step 1, format"),
        ("evidence-version-and-keys", "step 1, format"),
        ("evidence-kind", "step 1, format"),
        ("definition-version", "step 2, definition"),
    ],
)
def test_verify__evidence_of_a_newer_version__judges_nothing(commands: Commands, name: str, step: str) -> None:
    (commands.folder / "evidence.jsonl").write_bytes((VECTORS / "unknown" / f"{name}.jsonl").read_bytes())
    for command in (["verify"], ["recount"], ["certificate", "-o", "result.html"]):
        done = commands.run(command[0], "evidence.jsonl", *command[1:])
        assert done.status == 1
        assert f"{step}: made for a newer version of QBallot (found " in done.stderr
        assert "invalid" not in done.stdout + done.stderr
    assert not (commands.folder / "result.html").exists()
    done = commands.run("verify", "evidence.jsonl")
    assert "NOT VERIFIED: it was made for a newer version of QBallot" in done.stdout
    done = commands.run("verify", "evidence.jsonl", "--json")
    found = done.json
    assert done.status == 1
    assert (found["verified"], found["state"], found["result"], found["level"]) == (False, None, None, None)
    assert [item["outcome"] for item in found["steps"]].count("unknown") == 1


def test_receipt_verify__of_a_newer_version__judges_nothing(commands: Commands) -> None:
    (commands.folder / "receipt.json").write_bytes((VECTORS / "receipts" / "unknown-version.json").read_bytes())
    done = commands.run("receipt", "verify", "receipt.json")
    message = "step 1, format: made for a newer version of QBallot (found receipt version 2, this one knows 1)"
    assert (done.status, message in done.stderr) == (1, True)
    done = commands.run("receipt", "verify", "receipt.json", "--json")
    assert (done.status, done.json["verified"]) == (1, False)
