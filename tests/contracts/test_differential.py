"""Random elections, driven through the contracts on anvil and through qballot/core/box_model.py side by side."""

from __future__ import annotations

from collections import Counter

import pytest
from any_sender import Chain
from differential import ContractsAndModel
from hypothesis.stateful import run_state_machine_as_test
from properties import examples

pytestmark = pytest.mark.integration


def test_contracts__any_sequence_of_calls__do_what_the_model_does(chain: Chain) -> None:
    seen: Counter[str] = Counter()

    def machine() -> ContractsAndModel:
        return ContractsAndModel(chain, seen)

    options = examples(100, stateful_step_count=40)
    run_state_machine_as_test(machine, settings=options)  # type: ignore[arg-type] # a factory will do
    # A run that nothing but refusals came of would show little.
    assert min(seen["created"], seen["event BallotsCast"]) > 0
