"""ape compiles with the settings of `qballot compile`; what it really hands to the compiler is held in `with_ape/`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qballot.chain.devnet import HARDFORK
from qballot.compile import COMPILER_SETTINGS, SOLC_VERSION

pytestmark = pytest.mark.unit

CONFIG = (Path(__file__).parents[2] / "ape-config.yaml").read_text(encoding="utf-8")


def read_section(name: str) -> dict[str, str]:
    """Read the plain `key: value` lines of a top-level section."""
    section = re.search(rf"^{name}:\n((?:  .*\n|\n)+)", CONFIG + "\n", re.MULTILINE)
    assert section is not None
    return dict(re.findall(r"^  (\w+): (\S+)$", section.group(1), re.MULTILINE))


def test_ape_config__solidity__is_as_qballot_compile_has_it() -> None:
    optimizer = COMPILER_SETTINGS["optimizer"]
    assert set(COMPILER_SETTINGS) == {"evmVersion", "viaIR", "optimizer"}
    assert read_section("solidity") == {
        "version": SOLC_VERSION,
        "evm_version": COMPILER_SETTINGS["evmVersion"],
        "via_ir": str(COMPILER_SETTINGS["viaIR"]).lower(),
        "optimize": str(optimizer["enabled"]).lower(),
        "optimization_runs": str(optimizer["runs"]),
    }


def test_ape_config__anvil__has_the_rules_of_our_own() -> None:
    assert read_section("foundry")["evm_version"] == HARDFORK
