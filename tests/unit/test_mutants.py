"""What `make mutants` changes is there to be changed: its kept lists fit today's contracts."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.unit

TOOL = Path(__file__).parents[1] / "contracts" / "mutants"
EXAMPLE = """
contract Example {
    /// Not a + b: this is NatSpec.
    function f(uint256 a, uint256 b) external returns (uint256) {
        if (a <= b || b == 7) revert("a - b"); // nor is a < b
        assembly ("memory-safe") {
            mstore(a, b)
        }
        g(a, b);
    }
}
"""


@pytest.fixture
def mutant(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOOL))
    import mutant  # noqa: PLC0415

    return mutant


@pytest.fixture
def operators(mutant: ModuleType) -> ModuleType:
    import operators  # noqa: PLC0415

    return operators


def test_patches__of_the_kept_list__apply_to_the_contracts_once(mutant: ModuleType) -> None:
    patches = mutant.load_patches(mutant.read_sources())
    assert len(patches) >= 77
    assert len({patch.name for patch in patches}) == len(patches)
    assert all(patch.mutated != patch.source for patch in patches)


def test_patches__of_a_changed_contract__are_named_by_the_error(mutant: ModuleType) -> None:
    sources = mutant.read_sources()
    sources["BallotBox.sol"] = sources["BallotBox.sol"].replace("if (limit > rules.voters()) limit", "limit")
    with pytest.raises(mutant.MutantError, match=r"sheet size ignored \(always full\): 0 places in BallotBox\.sol"):
        mutant.load_patches(sources)


def test_equivalents__of_the_kept_list__are_systematic_mutants_of_the_contracts(
    mutant: ModuleType, operators: ModuleType
) -> None:
    everything = [made for file, source in mutant.read_sources().items() for made in operators.generate(file, source)]
    mutant.find_stale_equivalents(everything, mutant.load_equivalents())
    assert len(everything) > 500


def test_operators__of_an_example__change_code_only(operators: ModuleType) -> None:
    changes = {made.change for made in operators.generate("Example.sol", EXAMPLE)}
    condition = 'if (a <= b || b == 7) revert("a - b"); // nor is a < b'
    expected = {
        (condition, condition.replace(*change))
        for change in (
            ("<=", "<"),
            ("<=", ">"),
            ("==", "!="),
            ("||", "&&"),
            ("7", "8"),
            ("7", "6"),
            ("a <= b || ", ""),
            (" || b == 7", ""),
            ("a <= b || b == 7", "!(a <= b || b == 7)"),
            ('b")', 'b?")'),
            ('if (a <= b || b == 7) revert("a - b"); ', ""),
        )
    }
    expected |= {("mstore(a, b)", "mstore(b, a)"), ("mstore(a, b)", "")}
    expected |= {("g(a, b);", "g(b, a);"), ("g(a, b);", "")}
    assert changes == expected
