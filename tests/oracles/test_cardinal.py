"""Scores, STAR, majority judgment and cumulative voting beside pref_voting and starvote."""

from __future__ import annotations

from collections import Counter
from itertools import product

import starvote
from elections import Election, count, elections, leaders
from hypothesis import assume, given
from hypothesis import strategies as st
from pref_voting.grade_methods import cumulative_voting, majority_judgement, score_voting, star
from pref_voting.grade_profiles import GradeProfile

from qballot.core.election import Contest, Method, Option
from qballot.core.tally.methods import METHODS
from qballot.core.tally.outcome import Outcome
from qballot.core.tally.rules import count_ballots
from qballot.core.tally.ties import Ties

OPTIONS = 4
SCORES = range(6)
MAX_SEATS = 3


def scores(*allowed: int) -> st.SearchStrategy[Election]:
    """Elections in which every option is scored with one of a few scores."""
    return elections(st.tuples(*[st.sampled_from(allowed)] * OPTIONS), OPTIONS)


def spread_votes(votes: int) -> st.SearchStrategy[Election]:
    """Elections in which every ballot gives all of its votes."""
    marks = [marks for marks in product(range(votes + 1), repeat=OPTIONS) if sum(marks) == votes]
    return elections(st.sampled_from(marks), OPTIONS)


ELECTIONS = scores(*SCORES) | scores(0, 0, 1, 5) | scores(2, 3)


def profile_of(election: Election, grades: range) -> GradeProfile:
    """The election as pref_voting has it; no answer is no grade."""
    maps = [{option: mark for option, mark in enumerate(marks) if mark != -128} for marks in election.marks]
    return GradeProfile(maps, list(grades), gcounts=election.numbers, candidates=list(range(election.options)))


def count_seats(election: Election, seats: int) -> Outcome:
    """Count an election by bloc STAR; a tie is reported as a tie."""
    options = tuple(Option(f"o{place}", f"O{place}") for place in range(election.options))
    limits = {"min_score": 0, "max_score": 5}
    contest = Contest("c", "C", "", Method.STAR, options, seats, limits=limits)
    return count_ballots(METHODS[Method.STAR], contest, election.ballots, Ties(contest))


@given(scores(-128, -2, 0, 3))
def test_score__negative_scores_and_gaps__sums_and_winners_are_pref_votings(election: Election) -> None:
    """Where every option is scored by somebody, as pref_voting leaves the others out of the count."""
    profile = profile_of(election, range(-2, 4))
    assume(all(profile.has_grade(option) for option in range(OPTIONS)))
    assume(all(set(marks) != {-128} for marks in election.marks))
    outcome = count(Method.SCORE, election, limits={"min_score": -2, "max_score": 3})
    assert leaders(outcome) == score_voting(profile, evaluation_method="sum")
    assert [int(profile.sum(option)) for option in range(OPTIONS)] == list(outcome.totals)


@given(scores(-128, 0, 1, 2, 4))
def test_score__means_of_those_who_score__winners_are_pref_votings(election: Election) -> None:
    """Where every option is scored by somebody; means of at most 21 ballots differ by more than rounding does."""
    profile = profile_of(election, range(5))
    assume(all(profile.has_grade(option) for option in range(OPTIONS)))
    assume(all(set(marks) != {-128} for marks in election.marks))
    outcome = count(Method.SCORE, election, {"by": "mean", "no_answer": "no-opinion"}, {"max_score": 4})
    means = [round(float(profile.avg(option)), 9) for option in range(OPTIONS)]
    assert means == [round(float(total), 9) for total in outcome.totals]
    assert leaders(outcome) == [option for option in range(OPTIONS) if means[option] == max(means)]


@given(ELECTIONS)
def test_majority_judgment__any_election__winners_are_pref_votings(election: Election) -> None:
    outcome = count(Method.MAJORITY_JUDGMENT, election)
    assert leaders(outcome) == majority_judgement(profile_of(election, SCORES))


@given(spread_votes(3))
def test_cumulative__all_votes_given__winners_are_pref_votings(election: Election) -> None:
    theirs = cumulative_voting(profile_of(election, range(4)), max_total_grades=3)
    assert leaders(count(Method.CUMULATIVE, election, limits={"votes": 3})) == theirs


@given(ELECTIONS)
def test_star__any_election__winners_are_among_pref_votings(election: Election) -> None:
    """pref_voting breaks no tie and names all who may win; we break those that the protocol breaks."""
    theirs = star(profile_of(election, SCORES))
    ours = leaders(count(Method.STAR, election))
    assert set(ours) <= set(theirs)
    assert ours == theirs or len(theirs) > 1


@given(ELECTIONS, st.integers(1, MAX_SEATS))
def test_star__one_seat_and_several__winners_are_starvotes(election: Election, seats: int) -> None:
    """Where no three options have equal points.

    Of three tied starvote counts ballots that prefer one to another, and the protocol match-ups. At a tie that it does
    not break starvote gives up, where we go on if the tie does not matter.
    """
    outcome = count_seats(election, seats)
    assume(max(Counter(outcome.totals).values()) < 3)
    ballots = [
        {f"o{option}": mark for option, mark in enumerate(marks)}
        for marks, number in election.ballots
        for _ in range(number)
    ]
    try:
        if seats == 1:
            theirs = starvote.star_voting(ballots, tiebreaker=None, verbosity=0)
        else:
            theirs = starvote.bloc_star_voting(ballots, seats=seats, tiebreaker=None, verbosity=0)
    except starvote.UnbreakableTieError:
        assert outcome.tied or any(entry.kind == "tie_without_effect" for entry in outcome.log)
    else:
        assert not outcome.tied
        assert sorted(theirs) == [f"o{option}" for option in outcome.winners]
