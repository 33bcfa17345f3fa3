"""Borda and Dowdall beside pref_voting."""

from __future__ import annotations

from fractions import Fraction

from elections import Election, best, count, elections, full_orders, leaders, short_orders, weak_orders
from hypothesis import given
from pref_voting.profiles import Profile
from pref_voting.profiles_with_ties import ProfileWithTies
from pref_voting.scoring_methods import (
    borda,
    borda_for_profile_with_ties,
    domination_borda_scores,
    scoring_rule,
    symmetric_borda_scores,
)

from qballot.core.election import Method

OPTIONS = 4


def profile_of(election: Election) -> Profile:
    """An election of full orders as pref_voting has it: options, the first choice first."""
    orders = [sorted(range(election.options), key=marks.__getitem__) for marks in election.marks]
    return Profile(orders, election.numbers)


def profile_with_ties_of(election: Election) -> ProfileWithTies:
    """Any election as pref_voting has it, options without a rank below all others."""
    rankings = [{option: mark for option, mark in enumerate(marks) if mark} for marks in election.marks]
    profile = ProfileWithTies(rankings, election.numbers, candidates=list(range(election.options)))
    profile.use_extended_strict_preference()
    return profile


@given(elections(full_orders(OPTIONS), OPTIONS))
def test_borda__full_orders__winners_and_totals_are_pref_votings(election: Election) -> None:
    profile, outcome = profile_of(election), count(Method.BORDA, election)
    assert leaders(outcome) == borda(profile)
    assert dict(enumerate(outcome.totals)) == profile.borda_scores()


@given(elections(full_orders(OPTIONS), OPTIONS))
def test_dowdall__full_orders__winners_are_pref_votings(election: Election) -> None:
    """By its rule for any points, as its own Dowdall adds floating-point numbers and so misses ties."""
    theirs = scoring_rule(profile_of(election), score=lambda _, rank: Fraction(1, int(rank)))
    assert leaders(count(Method.BORDA, election, {"points": "dowdall"})) == theirs


@given(elections(short_orders(OPTIONS), OPTIONS))
def test_borda__short_orders_without_points__count_the_options_below(election: Election) -> None:
    profile, outcome = profile_with_ties_of(election), count(Method.BORDA, election)
    assert dict(enumerate(outcome.totals)) == domination_borda_scores(profile)
    assert leaders(outcome) == borda_for_profile_with_ties(profile, borda_scores=domination_borda_scores)


@given(elections(weak_orders(OPTIONS), OPTIONS))
def test_borda__any_ranks_averaged__are_the_symmetric_score(election: Election) -> None:
    """That score is the options below less those above, which is twice the mean of places less n - 1 for a ballot."""
    outcome = count(Method.BORDA, election, {"unranked": "averaged", "equal_ranks": "averaged"})
    theirs = symmetric_borda_scores(profile_with_ties_of(election))
    ballots = sum(election.numbers)
    assert {option: 2 * total - ballots * (OPTIONS - 1) for option, total in enumerate(outcome.totals)} == theirs
    assert leaders(outcome) == best([theirs[option] for option in range(OPTIONS)])
