"""The committed artifacts are what the sources compile to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import solcx

from qballot.chain.artifacts import CONTRACTS, load_artifact
from qballot.compile import CompileError, collect_sources, compile_contracts, find_compiler, write_artifacts
from qballot.errors import ToolError

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


def test_compile__committed_artifacts__are_what_the_sources_give(tmp_path: Path) -> None:
    _, artifacts = compile_contracts(ROOT)
    assert artifacts == {name: load_artifact(name) for name in CONTRACTS}
    written = write_artifacts(tmp_path, artifacts)
    for path in written:
        assert path.read_bytes() == (ROOT / path.relative_to(tmp_path)).read_bytes()
    assert write_artifacts(tmp_path, artifacts) == []


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources, beside this checkout's compiler and libraries."""
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    for shared in ("scripts", "node_modules"):
        (tmp_path / shared).symlink_to(ROOT / shared)
    return tmp_path


def _compile(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from qballot.cli import main; main()", "compile", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_compile_check__equal__says_so() -> None:
    done = _compile("--check")
    assert (done.returncode, done.stdout) == (0, "the committed artifacts are what the sources give\n")


def test_compile_check__changed_rule__names_contract_field_and_source(checkout: Path) -> None:
    path = checkout / "contracts" / "BallotBoxFactory.sol"
    path.write_text(path.read_text().replace("MAX_SHEET_BITS = 16", "MAX_SHEET_BITS = 17"))
    done = _compile("--check", "--root", str(checkout))
    assert done.returncode == 3
    assert "BallotBoxFactory: bytecode differs" in done.stderr
    assert "BallotBoxFactory: metadata differs in contracts/BallotBoxFactory.sol" in done.stderr
    assert "BallotBox: " not in done.stderr


def test_compile_standard_json__compiled_by_anyone__gives_the_committed_bytecode() -> None:
    wanted = json.loads(_compile("--standard-json").stdout)
    assert set(wanted) == {"language", "sources", "settings"}
    done = subprocess.run(
        [ROOT / "scripts" / "solc.mjs", "--standard-json"],
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        check=True,
    )
    for name in CONTRACTS:
        compiled = json.loads(done.stdout)["contracts"][f"contracts/{name}.sol"][name]
        assert bytes.fromhex(compiled["evm"]["bytecode"]["object"]) == load_artifact(name).bytecode


def test_compile__sources__have_pinned_names() -> None:
    names = list(collect_sources(ROOT))
    assert "contracts/BallotBox.sol" in names
    assert all(name.startswith(("contracts/", "@openzeppelin/contracts/", "solady/src/")) for name in names)


def test_compile__clone_code__fits_the_code_size_limit() -> None:
    for name in CONTRACTS:
        assert len(load_artifact(name).runtime_bytecode) <= 24_576


def test_compile__no_compiler_anywhere__says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solcx, "get_installed_solc_versions", list)
    with pytest.raises(ToolError, match=r"expected 0\.8\.37 .* run `npm ci`"):
        find_compiler(tmp_path)


def test_compile__broken_source__names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    for name in CONTRACTS:
        (tmp_path / "contracts" / f"{name}.sol").write_text(
            f"// SPDX-License-Identifier: MIT\npragma solidity 0.8.37;\ncontract {name} {{ uint256 x = ; }}\n"
        )
    for shared in ("scripts", "node_modules"):
        (tmp_path / shared).symlink_to(ROOT / shared)
    with pytest.raises(CompileError, match=r"contracts/BallotBox\.sol:3"):
        compile_contracts(tmp_path)
