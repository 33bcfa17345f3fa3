"""Copeland, Schulze, ranked pairs and minimax beside pref_voting."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import factorial, prod

import pytest
from elections import Election, count, elections, leaders, weak_orders
from hypothesis import assume, given
from pref_voting.c1_methods import copeland, top_cycle
from pref_voting.margin_based_methods import beat_path, minimax, ranked_pairs
from pref_voting.profiles_with_ties import ProfileWithTies

from qballot.core.election import Method

MOST_ORDERS = 5_040
"""Most orders of equal defeats that pref_voting is asked to go through for one election."""

OPTIONS = 4
ELECTIONS = elections(weak_orders(OPTIONS), OPTIONS) | elections(weak_orders(3), 3)


def profile_of(election: Election) -> ProfileWithTies:
    """The election as pref_voting has it, options without a rank below all others."""
    rankings = [{option: mark for option, mark in enumerate(marks) if mark} for marks in election.marks]
    profile = ProfileWithTies(rankings, election.numbers, candidates=list(range(election.options)))
    profile.use_extended_strict_preference()
    return profile


@given(ELECTIONS)
def test_condorcet__any_election__winner_smith_set_and_winners_by_each_method_are_pref_votings(
    election: Election,
) -> None:
    profile = profile_of(election)
    outcome = count(Method.COPELAND, election)
    logged = next(entry for entry in outcome.log if entry.kind == "condorcet").data
    winner = profile.condorcet_winner()
    assert logged["condorcet_winner"] == (None if winner is None else f"o{winner}")
    assert logged["smith_set"] == [f"o{option}" for option in top_cycle(profile)]
    assert leaders(outcome) == copeland(profile)
    assert dict(enumerate(outcome.totals)) == profile.copeland_scores()
    for strength, measure in {"winning-votes": profile.support, "margins": profile.margin}.items():
        variants = {"strength": strength}
        assert leaders(count(Method.SCHULZE, election, variants)) == beat_path(profile, strength_function=measure)
        assert leaders(count(Method.MINIMAX, election, variants)) == minimax(profile, strength_function=measure)


@pytest.mark.parametrize("strength", ["winning-votes", "margins"])
@given(election=ELECTIONS)
def test_ranked_pairs__any_election__winners_are_those_of_any_order_that_pref_voting_finds(
    election: Election, strength: str
) -> None:
    """Where we leave pairs open, who ties may include options that win in no order; nobody else may be missing.

    pref_voting takes a tied pair as two defeats of its winning votes, which are none here: elections with a tied pair
    are left out for winning votes. By margins such a pair comes last and does not matter.
    """
    profile = profile_of(election)
    pairs = list(combinations(range(election.options), 2))
    if strength == "winning-votes":
        assume(not any(profile.is_tied(*pair) for pair in pairs))
        equal = Counter(max(profile.support(one, other), profile.support(other, one)) for one, other in pairs)
        assume(prod(map(factorial, equal.values())) <= MOST_ORDERS)
        theirs = ranked_pairs(profile, strength_function=profile.support)
    else:
        theirs = ranked_pairs(profile, algorithm="from_stacks")
    outcome = count(Method.RANKED_PAIRS, election, {"strength": strength})
    if any(entry.kind == "open_pairs" for entry in outcome.log) and not outcome.winners:
        assert set(leaders(outcome)) >= set(theirs)
    else:
        assert leaders(outcome) == theirs
