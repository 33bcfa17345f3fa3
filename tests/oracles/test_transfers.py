"""Instant runoffs and single transferable votes beside pref_voting, pyrankvote and VoteKit.

The other libraries break every tie somehow, by numbers of candidates, by later choices or at random. So elections are
compared in which our count meets no tie whose order could matter, and a tie that cannot matter is one for theirs too.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import pyrankvote
from elections import Election, elections, full_orders, leaders, short_orders
from hypothesis import assume, given
from hypothesis import strategies as st
from pref_voting.iterative_methods import instant_runoff_for_truncated_linear_orders, instant_runoff_put
from pref_voting.profiles import Profile
from pref_voting.profiles_with_ties import ProfileWithTies
from pref_voting.proportional_methods import stv_scottish
from votekit import Ballot, PreferenceProfile
from votekit.elections import IRV, STV

from qballot.core.election import Contest, Method, Option
from qballot.core.tally.methods import METHODS
from qballot.core.tally.outcome import Outcome
from qballot.core.tally.rules import count_ballots
from qballot.core.tally.ties import Ties

OPTIONS = 4
MANY = 5
SCOTTISH = "scottish"
EXACT = "weighted-inclusive-gregory"


def count(election: Election, method: Method, seats: int = 1, **variants: str) -> Outcome:
    """Count; a tie whose order may matter ends the count."""
    options = tuple(Option(f"o{place}", f"O{place}") for place in range(election.options))
    limits = {"max_ranks": election.options}
    contest = Contest("c", "C", "", method, options, seats, limits=limits, variants=variants)
    return count_ballots(METHODS[method], contest, election.ballots, Ties(contest))


def order_of(marks: tuple[int, ...]) -> list[int]:
    return sorted((option for option, rank in enumerate(marks) if rank), key=marks.__getitem__)


def with_ties_of(election: Election) -> ProfileWithTies:
    rankings = [{option: mark for option, mark in enumerate(marks) if mark} for marks in election.marks]
    return ProfileWithTies(rankings, election.numbers, candidates=list(range(election.options)))


def votekit_of(election: Election) -> PreferenceProfile:
    ballots = [
        Ballot(ranking=tuple(frozenset([f"o{option}"]) for option in order_of(marks)), weight=Fraction(number))
        for marks, number in election.ballots
    ]
    names = tuple(f"o{option}" for option in range(election.options))
    return PreferenceProfile(ballots=tuple(ballots), candidates=names).condense_ballots()


def elected(found: Iterable[Iterable[Any]]) -> list[int]:
    return sorted(int(name[1:]) for tied in found for name in tied)


def has_tie(outcome: Outcome) -> bool:
    return bool(outcome.tied) or any(entry.kind == "tie_without_effect" for entry in outcome.log)


@given(elections(full_orders(OPTIONS), OPTIONS))
def test_irv__full_orders_with_any_ties__winner_wins_in_each_order_of_pref_votings(election: Election) -> None:
    """It follows every order of tied options. Where we stop at a tie, all who may win there are left open by us too."""
    orders = [order_of(marks) for marks in election.marks]
    theirs = sorted(instant_runoff_put(Profile(orders, election.numbers)))
    outcome = count(election, Method.IRV)
    if outcome.winners:
        assert list(outcome.winners) == theirs
    elif outcome.tied_for is not None and outcome.tied_for.value == "seat":
        assert leaders(outcome) == theirs


@given(elections(short_orders(OPTIONS), OPTIONS))
def test_irv__short_orders__winner_is_pref_votings_pyrankvotes_and_votekits(election: Election) -> None:
    """Where we find a winner without a tie on the way.

    pref_voting eliminates tied options together, whatever follows. VoteKit asks for more than half of all ballots, as
    for a quota, so that an exhausted ballot can keep its count from its end: it goes on until one option is left, and
    is compared where we find more than half of all.
    """
    outcome = count(election, Method.IRV)
    assume(not has_tie(outcome) and all(len(set(votes)) == len(votes) for votes in _votes_of_rounds(outcome)))
    (winner,) = outcome.winners
    assert instant_runoff_for_truncated_linear_orders(with_ties_of(election)) == [winner]
    options = [pyrankvote.Candidate(f"o{option}") for option in range(OPTIONS)]
    ballots = [
        pyrankvote.Ballot([options[option] for option in order_of(marks)])
        for marks, number in election.ballots
        for _ in range(number)
    ]
    assert [found.name for found in pyrankvote.instant_runoff_voting(options, ballots).get_winners()] == [f"o{winner}"]
    if 2 * int(outcome.totals[winner]) > sum(election.numbers):
        assert elected(IRV(votekit_of(election)).get_elected()) == [winner]


def _votes_of_rounds(outcome: Outcome) -> list[list[str]]:
    rounds = [entry.to_json()["votes"] for entry in outcome.log if entry.kind == "round"]
    return [list(votes.values()) for votes in rounds if isinstance(votes, dict)]


@given(elections(short_orders(MANY), MANY), st.integers(1, 3))
def test_stv__scottish_rules__elect_whom_pref_voting_elects(election: Election, seats: int) -> None:
    """Where we meet no tie, as it breaks ties by earlier stages and then at random."""
    outcome = count(election, Method.STV, seats, rules=SCOTTISH)
    assume(not has_tie(outcome))
    assert stv_scottish(with_ties_of(election), num_seats=seats) == list(outcome.winners)


@given(elections(short_orders(MANY), MANY), st.integers(1, 3))
def test_stv__exact_values__elect_whom_votekit_elects(election: Election, seats: int) -> None:
    """Where we meet no tie, and no two options have a surplus at once.

    VoteKit passes all surpluses of a stage on together, and we the greatest first, after which another option may have
    been elected whose ballots would else have received some.
    """
    outcome = count(election, Method.STV, seats, rules=EXACT, quota="droop")
    assume(not has_tie(outcome) and _waiting(outcome) < 2)
    assert elected(STV(votekit_of(election), m=seats).get_elected()) == list(outcome.winners)


def _waiting(outcome: Outcome) -> int:
    """Count the most options that were elected above the quota at one stage."""
    quota = Fraction(str(next(entry.data["quota"] for entry in outcome.log if entry.kind == "quota")))
    most, votes = 0, dict[str, str]()
    for entry in outcome.log:
        data: Any = entry.to_json()
        if entry.kind == "stage":
            votes = data["votes"]
        elif entry.kind == "elected":
            most = max(most, sum(Fraction(votes[option]) > quota for option in data["options"]))
    return most
