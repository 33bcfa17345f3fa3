"""The architecture, held by a test: a module imports only from lower layers or its own folder."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]

# Longest prefix wins. Two modules of one layer may import each other only within one folder (or one file's group).
LAYERS: dict[str, int] = {
    "qballot": 0,
    "qballot.errors": 0,
    "qballot.endpoint_list": 0,
    "qballot.settings": 0,
    "qballot.http_exchange": 1,
    "qballot.core": 1,
    "qballot.chain": 2,
    "qballot.client": 2,
    "qballot.formats": 2,
    "indexer": 0,
    "indexer.journal": 1,
    "indexer.stopping": 1,
    "indexer.storage": 2,
    "qballot.compile": 3,
    "qballot.deploy": 3,
    "qballot.cast": 3,
    "qballot.deployer": 3,
    "qballot.census": 3,
    "qballot.election": 3,
    "qballot.voting": 4,
    "qballot.evidence": 4,
    "qballot.certificate": 5,
    "qballot.local_chain": 4,
    "indexer.sync": 3,
    "indexer.results": 3,
    "indexer.ledger": 3,
    "indexer.check": 3,
    "indexer.metrics": 3,
    "indexer.status": 3,
    "indexer.api": 4,
    "scripts": 4,
    "indexer.rehearse": 5,
    "qballot.testing": 5,
    "qballot.cli": 6,
}
CORE_MAY_NOT_KNOW = {
    "os", "pathlib", "socket", "time", "random", "secrets", "logging", "sqlite3", "subprocess", "asyncio",
    "threading", "urllib", "urllib3", "http", "httpx", "requests", "shutil", "glob", "signal", "web3", "sqlalchemy",
    "sqlmodel", "psycopg", "structlog", "tempfile",
}  # fmt: skip


def _modules() -> dict[str, Path]:
    found = {}
    for package in ("qballot", "indexer", "scripts"):
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _owner(module: str) -> str:
    """The longest prefix of a module that has a layer."""
    parts = module.split(".")
    while parts and ".".join(parts) not in LAYERS:
        parts.pop()
    return ".".join(parts)


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


MODULES = _modules()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_layers__imports__only_from_below(module: str) -> None:
    owner = _owner(module)
    # A new file at the top of a package must say which layer it belongs to.
    assert owner == module or LAYERS[owner] > 0 or module in LAYERS, f"{module} has no layer"
    for name in _imports(MODULES[module]):
        if name.split(".")[0] not in {"qballot", "indexer", "scripts"}:
            continue
        target = _owner(name)
        allowed = target == owner or LAYERS[target] < LAYERS[owner] or LAYERS[target] == 0
        assert allowed, f"{module} (layer {LAYERS[owner]}) imports {name}"


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("qballot.core")))
def test_layers__core__knows_no_clock_network_files_or_environment(module: str) -> None:
    known = {name.split(".")[0] for name in _imports(MODULES[module])}
    assert not known & CORE_MAY_NOT_KNOW
    assert "qballot.settings" not in _imports(MODULES[module])


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("qballot")))
def test_layers__qballot__never_imports_the_indexer_but_for_its_commands(module: str) -> None:
    if not module.startswith("qballot.cli"):
        assert not any(name.split(".")[0] == "indexer" for name in _imports(MODULES[module]))
