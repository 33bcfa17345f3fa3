"""Compiles the contracts into the artifacts that the package carries.

Only who changes the contracts needs this: it works in a source checkout, where `contracts/` and npm's `node_modules/`
are. Source names are part of the bytecode (through the metadata's hash), so they are pinned here: our files as
`contracts/…`, libraries by their npm names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec
import solcx

from qballot.chain.artifacts import CONTRACTS, Artifact, load_artifact
from qballot.errors import QballotError, ToolError

SOLC_VERSION = "0.8.37"
COMPILER_SETTINGS: dict[str, Any] = {
    "evmVersion": "cancun",
    "viaIR": True,
    "optimizer": {"enabled": True, "runs": 1_000_000},
}
"""What decides the bytecode. cancun: the newest instruction set that every tool of the field knows. runs: a box is
called a million times and created once, so the price of a call is all that counts."""

ARTIFACT_FOLDER = Path("qballot/chain/compiled")
_OUTPUTS = ["abi", "metadata", "evm.bytecode.object", "evm.deployedBytecode.object"]
_IMPORT = re.compile(r"""^import\s+(?:\{[^}]*\}\s+from\s+)?["']([^"']+)["'];""", re.MULTILINE)


class CompileError(QballotError):
    """The compiler refused the sources, or warned about ours; `messages` are its own."""

    def __init__(self, messages: list[str]) -> None:
        self.messages = messages
        super().__init__("the contracts do not compile cleanly:\n" + "\n".join(messages))


@dataclass(frozen=True, slots=True)
class Compiler:
    """A Solidity compiler of the pinned version.

    origin: where it was found, in words. binary: a program that py-solc-x runs; None for its own installation.
    """

    origin: str
    binary: Path | None


def find_compiler(root: Path) -> Compiler:
    """Find the pinned compiler: one that py-solc-x has installed, else npm's behind `scripts/solc.mjs`.

    root: the source checkout. Raises ToolError when neither is there.
    """
    if SOLC_VERSION in map(str, solcx.get_installed_solc_versions()):
        return Compiler(f"solc {SOLC_VERSION} installed by py-solc-x", None)
    wrapper = root / "scripts" / "solc.mjs"
    if wrapper.is_file() and (root / "node_modules" / "solc").is_dir():
        return Compiler(f"solc {SOLC_VERSION} from npm", wrapper)
    raise ToolError(
        f"found no Solidity compiler: expected {SOLC_VERSION} installed by py-solc-x, or npm's: run `npm ci` in {root}"
    )


def collect_sources(root: Path, extra: Mapping[str, Path] | None = None) -> dict[str, str]:
    """Collect the contracts and all that they import: source name → content, sorted by name.

    extra: files of one's own by their source names, to start from instead of our contracts.
    """
    sources: dict[str, str] = {}
    own = extra or {}
    waiting = list(own) or [f"contracts/{name}.sol" for name in CONTRACTS]
    while waiting:
        name = waiting.pop()
        if name in sources:
            continue
        path = own.get(name) or (root / name if name.startswith("contracts/") else root / "node_modules" / name)
        if not path.is_file():
            raise ToolError(f"found no source {name}: expected it at {path}; libraries come with `npm ci`")
        sources[name] = path.read_text(encoding="utf-8")
        waiting += [
            os.path.normpath(Path(name).parent / target) if target.startswith(".") else target
            for target in _IMPORT.findall(sources[name])
        ]
    return dict(sorted(sources.items()))


def build_standard_json(root: Path) -> dict[str, Any]:
    """Build the compiler's input: all sources, the pinned settings, the outputs that an artifact holds."""
    return {
        "language": "Solidity",
        "sources": {name: {"content": content} for name, content in collect_sources(root).items()},
        "settings": {**COMPILER_SETTINGS, "outputSelection": {"*": {"*": _OUTPUTS}}},
    }


def compile_contracts(root: Path) -> tuple[Compiler, dict[str, Artifact]]:
    """Compile `root`'s contracts. Returns the compiler used and an artifact by contract name.

    Raises CompileError for errors, and for warnings about our own sources; a library's warnings are its keepers'.
    """
    compiler = find_compiler(root)
    choice = {"solc_binary": compiler.binary} if compiler.binary else {"solc_version": SOLC_VERSION}
    try:
        output = solcx.compile_standard(build_standard_json(root), **choice)
    except solcx.exceptions.SolcError as error:
        raise CompileError([str(error)]) from error
    ours = [
        entry["formattedMessage"]
        for entry in output.get("errors", [])
        if entry["severity"] != "info"
        and entry.get("sourceLocation", {}).get("file", "contracts/").startswith("contracts/")
    ]
    if ours:
        raise CompileError(ours)
    return compiler, {name: _artifact(name, output) for name in CONTRACTS}


def find_differences(artifacts: Mapping[str, Artifact]) -> list[str]:
    """Compare artifacts with those that the package carries. Returns what differs, one line a thing; empty when equal.

    A change of a comment shows too: the metadata holds the hash of every source, and the bytecode that of the metadata.
    """
    differences = []
    for name, artifact in artifacts.items():
        try:
            committed = load_artifact(name)
        except (OSError, KeyError, ValueError, msgspec.DecodeError):
            differences.append(f"{name}: no readable artifact is committed")
            continue
        differences += [
            f"{name}: {field.name} differs{_say_sources(artifact, committed) if field.name == 'metadata' else ''}"
            for field in fields(Artifact)
            if getattr(artifact, field.name) != getattr(committed, field.name)
        ]
    return differences


def _say_sources(artifact: Artifact, committed: Artifact) -> str:
    """Name the sources whose hashes in the metadata differ."""
    now, before = (msgspec.json.decode(one.metadata)["sources"] for one in (artifact, committed))
    changed = sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))
    return f" in {', '.join(changed)}" if changed else ""


def write_artifacts(root: Path, artifacts: dict[str, Artifact]) -> list[Path]:
    """Write the artifacts to where the package keeps them, one file each. Returns the files that changed."""
    folder = root / ARTIFACT_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, artifact in artifacts.items():
        path = folder / f"{name}.json"
        content = msgspec.json.format(msgspec.json.encode(artifact.to_json()), indent=2) + b"\n"
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)
            changed.append(path)
    return changed


def _artifact(contract: str, output: dict[str, Any]) -> Artifact:
    source = f"contracts/{contract}.sol"
    compiled = output["contracts"][source][contract]
    metadata = compiled["metadata"]
    return Artifact(
        contract=contract,
        source=source,
        abi=compiled["abi"],
        bytecode=bytes.fromhex(compiled["evm"]["bytecode"]["object"]),
        runtime_bytecode=bytes.fromhex(compiled["evm"]["deployedBytecode"]["object"]),
        compiler={"version": msgspec.json.decode(metadata)["compiler"]["version"], "settings": COMPILER_SETTINGS},
        metadata=metadata,
    )
