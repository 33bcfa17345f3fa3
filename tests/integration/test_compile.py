"""The committed artifacts are what the sources compile to."""

from __future__ import annotations

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
