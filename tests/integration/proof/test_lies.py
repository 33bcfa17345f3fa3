"""Endpoints that lie, many ways and by seeds: nothing wrong is ever shown as verified. `make soak-proof` runs more."""

from __future__ import annotations

import pytest
from cases import Court, Finding
from lies import make_lie
from lying_chain import World
from misbehaviours import lag

pytestmark = pytest.mark.integration

ROUNDS = 10
"""Tests of ten seeds each."""

ALTERED_LOGS = ("suite/postgres/1", "suite/postgres/2", "suite/postgres/3", "suite/postgres/4")


@pytest.mark.parametrize("first", range(0, 10 * ROUNDS, 10))
def test_liar__of_ten_seeds__is_caught_or_what_he_says_put_right(court: Court, first: int) -> None:
    for number in range(first, first + 10):
        court.try_seed(f"suite/{number}")


def test_honest_operators__heard_again_and_again__raise_no_alarm(court: Court) -> None:
    for _ in range(10):
        court.try_honest()


@pytest.mark.parametrize("seed", ALTERED_LOGS)
def test_liar__with_an_index_on_postgresql__is_caught_as_well(court: Court, postgres_url: str, seed: str) -> None:
    court.try_seed(seed, postgres_url)


def test_honest_operators__with_an_index_on_postgresql__raise_no_alarm(court: Court, postgres_url: str) -> None:
    court.try_honest(postgres_url)


def test_seeds__same_again__tell_the_same_lie(worlds: tuple[World, World]) -> None:
    assert [make_lie(worlds[0], f"same/{number}").text for number in range(20)] == [
        make_lie(worlds[0], f"same/{number}").text for number in range(20)
    ]


def test_invented_chain__alone__is_proven_and_not_witnessed(court: Court) -> None:
    true, invented = hear_truth(court), hear_invented(court, alone=True)
    assert set(invented.levels) == {"proven"}
    assert told(invented) != told(true)
    for document in invented.documents.values():
        assert document is not None
        assert document["alarm"] is None
        assert "one endpoint can invent a whole chain" in document["next_level_text"]
        assert "verified" not in document["level_text"].lower()


def test_invented_chain__beside_an_honest_operator__is_an_alarm(court: Court) -> None:
    found = hear_invented(court, alone=False)
    assert not {"witnessed", "final"} & set(found.levels)
    for document in found.documents.values():
        assert document is not None
        assert document["alarm"].startswith("DISAGREEMENT")
    assert any("DISAGREE" in said for said in found.said)


def hear_invented(court: Court, *, alone: bool) -> Finding:
    """Hear somebody who serves a whole chain of his own."""
    invented = court.invented
    return court.hear(lag(invented.node, lambda: invented.told), alone=alone)


def hear_truth(court: Court) -> Finding:
    return court.hear(lag(court.true.node, lambda: court.true.told), alone=True)


def told(found: Finding) -> list[object]:
    return [document and document["contests"] for document in found.documents.values()]
