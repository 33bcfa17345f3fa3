"""Which criteria each method by ranks meets, shown on any small election; and one election for each that it fails.

Sources: D. R. Woodall, "Properties of preferential election rules", Voting matters 3 (1994), 8-15; M. Schulze (2011);
T. N. Tideman (1987). The elections were found by search.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ranked_ballots import LETTERS, any_orders, ballots_of, count, data_of, full_orders, winners

from qballot.core.election import Method

pytestmark = pytest.mark.unit

CONDORCET = [Method.COPELAND, Method.SCHULZE, Method.RANKED_PAIRS, Method.MINIMAX]
IN_SMITH_SET = [Method.COPELAND, Method.SCHULZE, Method.RANKED_PAIRS]
CLONE_PROOF = [Method.SCHULZE, Method.RANKED_PAIRS]
Ballots = list[tuple[str, int]]


def _is_settled(ballots: Ballots, options: int) -> bool:
    """Whether ranked pairs leaves nothing open."""
    return all(entry.kind != "open_pairs" for entry in count(Method.RANKED_PAIRS, ballots, options).log)


@pytest.mark.parametrize("method", CONDORCET)
@given(ballots=ballots_of(any_orders(4)))
def test_condorcet__option_that_beats_all__wins(method: Method, ballots: Ballots) -> None:
    outcome = count(method, ballots, 4)
    winner = data_of(outcome, "condorcet")["condorcet_winner"]
    if winner is not None:
        assert outcome.winners == (int(winner[1:]),)


@pytest.mark.parametrize("method", IN_SMITH_SET)
@given(ballots=ballots_of(any_orders(5)))
def test_smith__whoever_wins_or_ties__is_in_the_smith_set(method: Method, ballots: Ballots) -> None:
    outcome = count(method, ballots, 5)
    smith = data_of(outcome, "condorcet")["smith_set"]
    assert {f"o{option}" for option in (*outcome.winners, *outcome.tied)} <= {*smith}


@pytest.mark.parametrize("method", [Method.BORDA, *CONDORCET])
@given(ballots=ballots_of(full_orders(4)), ballot=st.integers(0, 6), variant=st.booleans())
def test_monotonicity__winner_raised__still_wins(method: Method, ballots: Ballots, ballot: int, variant: bool) -> None:
    keys = {"points": "dowdall"} if variant and method is Method.BORDA else {}
    winner = winners(method, ballots, 4, **keys)
    below = [place for place, (order, _) in enumerate(ballots) if not order.startswith(winner)]
    if len(winner) != 1 or not below:
        return
    raised = below[ballot % len(below)]
    order, weight = ballots[raised]
    letters = order.split(">")
    rank = letters.index(winner)
    letters[rank - 1], letters[rank] = letters[rank], letters[rank - 1]
    ballots[raised] = (">".join(letters), weight)
    assert winner in winners(method, ballots, 4, **keys)


@pytest.mark.parametrize("method", CLONE_PROOF)
@settings(suppress_health_check=[HealthCheck.filter_too_much])  # settled ballots are a part of all
@given(
    ballots=ballots_of(any_orders(3)),
    cloned=st.sampled_from("ABC"),
    sides=st.lists(st.sampled_from(["{0}>D", "D>{0}", "{0}=D"]), min_size=7, max_size=7),
)
def test_clones__one_more_beside_an_option__changes_nothing_for_the_others(
    method: Method, ballots: Ballots, cloned: str, sides: list[str]
) -> None:
    # A clone is above and below the same options as its twin; a level that both share with another is no clone's.
    assume(all(len(level) == 1 for order, _ in ballots for level in order.split(">") if cloned in level))
    more = [
        (order.replace(cloned, side.format(cloned)), weight)
        for (order, weight), side in zip(ballots, sides, strict=False)
    ]
    if method is Method.RANKED_PAIRS:
        # Equal defeats can make a difference: Zavist and Tideman (1989).
        assume(_is_settled(ballots, 3) and _is_settled(more, 4))
    before, after = winners(method, ballots, 3), winners(method, more, 4)
    assert {*after} - {cloned, "D"} == {*before} - {cloned}
    assert bool({cloned, "D"} & {*after}) == (cloned in before)


@given(ballots=ballots_of(full_orders(4)))
def test_reversal__schulze_winner__does_not_win_turned_round(ballots: Ballots) -> None:
    winner = winners(Method.SCHULZE, ballots, 4)
    if len(winner) == 1:
        assert winners(Method.SCHULZE, [(order[::-1], weight) for order, weight in ballots], 4) != winner


@pytest.mark.parametrize("points", ["standard", "dowdall"])
@given(one=ballots_of(any_orders(3)), other=ballots_of(any_orders(3)))
def test_consistency__borda_winner_of_two_halves__wins_the_whole(points: str, one: Ballots, other: Ballots) -> None:
    keys = {"points": points, "unranked": "averaged", "equal_ranks": "averaged"}
    both = {*winners(Method.BORDA, one, 3, **keys)} & {*winners(Method.BORDA, other, 3, **keys)}
    if both:
        assert {*winners(Method.BORDA, [*one, *other], 3, **keys)} == both


@given(ballots=ballots_of(full_orders(4)))
def test_borda__full_orders__never_elect_who_loses_every_pair(ballots: Ballots) -> None:
    votes = data_of(count(Method.COPELAND, ballots, 4), "pairwise")["votes"]
    for option in range(4):
        mine = votes[f"o{option}"]
        if all(int(votes[other][f"o{option}"]) > int(number) for other, number in mine.items()):
            assert LETTERS[option] not in winners(Method.BORDA, ballots, 4)


@pytest.mark.parametrize(
    ("method", "before", "winner", "after", "other"),
    [
        (Method.BORDA, [("A>B", 3), ("B>A", 2)], "A", [("A>B>C", 3), ("B>C>A", 2)], "B"),
        (Method.COPELAND, [("C>B>A", 1), ("B>A>C", 1)], "B", [("D>C>E>B>A", 1), ("B>A>D>E>C", 1)], "D"),
        (
            Method.MINIMAX,
            [("C>A>B", 5), ("B>C>A", 2), ("B>A>C", 3), ("A>C>B", 3)],
            "C",
            [("E>D>C>A>B", 5), ("B>D>C>E>A", 2), ("B>A>C>E>D", 3), ("A>D>C>E>B", 3)],
            "A",
        ),
    ],
)
def test_clones__methods_without_independence__elect_another(
    method: Method, before: Ballots, winner: str, after: Ballots, other: str
) -> None:
    options = {letter for order, _ in after for letter in order if letter in LETTERS}
    assert winners(method, before, len({*before[0][0]} - {">"})) == winner
    assert winners(method, after, len(options)) == other


def test_condorcet__borda_and_dowdall__may_pass_over_the_option_that_beats_all() -> None:
    ballots = [("A>B>C", 3), ("B>C>A", 2)]
    assert winners(Method.SCHULZE, ballots, 3) == "A"
    assert winners(Method.BORDA, ballots, 3) == "B"
    ballots = [("A>B>C", 3), ("C>B>A", 3), ("B>A>C", 1)]
    assert winners(Method.SCHULZE, ballots, 3) == "B"
    assert winners(Method.BORDA, ballots, 3, points="dowdall") == "A"


def test_smith__minimax__may_elect_who_loses_every_pair() -> None:
    ballots = [("A>B>C>D", 1), ("A>B>D>C", 1), ("B>C>A>D", 3), ("C>D>A>B", 1), ("D>A>B>C", 1), ("D>C>A>B", 2)]
    outcome = count(Method.MINIMAX, ballots, 4)
    assert outcome.winners == (3,)
    assert data_of(outcome, "condorcet")["smith_set"] == ["o0", "o1", "o2"]


@pytest.mark.parametrize(
    ("method", "before", "winner", "after", "other"),
    [
        (Method.BORDA, [("C", 4), ("B", 5)], "B", [("C", 4), ("B>C", 5)], "C"),
        (Method.SCHULZE, [("B", 3), ("C>B>A", 4), ("A", 5)], "B", [("B>C", 3), ("C>B>A", 4), ("A", 5)], "C"),
        (Method.RANKED_PAIRS, [("B", 5), ("C>A", 4), ("A", 2)], "A", [("B", 5), ("C>A", 4), ("A>C", 2)], "C"),
        (Method.MINIMAX, [("A>B", 4), ("C", 5), ("B", 3)], "B", [("A>B", 4), ("C", 5), ("B>A", 3)], "A"),
    ],
)
def test_later_no_harm__one_more_rank__can_cost_the_first_choice_the_seat(
    method: Method, before: Ballots, winner: str, after: Ballots, other: str
) -> None:
    assert (winners(method, before, 3), winners(method, after, 3)) == (winner, other)


@pytest.mark.parametrize(
    ("method", "ballots", "winner", "more", "other"),
    [
        (
            Method.COPELAND,
            [("D>A>B>C", 3), ("A>C>B>D", 5), ("D>A>C>B", 11), ("B>A>C>D", 7), ("A>B>C>D", 1)],
            "D",
            ("B>C>D>A", 5),
            "A",
        ),
        (
            Method.SCHULZE,
            [("A>D>B>C", 9), ("C>D>B>A", 3), ("C>B>A>D", 1), ("A>C>D>B", 5), ("B>C>A>D", 11)],
            "A",
            ("C>A>B>D", 4),
            "B",
        ),
        (
            Method.RANKED_PAIRS,
            [("B>A>D>C", 6), ("D>B>C>A", 10), ("A>D>C>B", 3), ("C>A>D>B", 12)],
            "C",
            ("C>B>D>A", 6),
            "D",
        ),
        (Method.MINIMAX, [("B>D>A>C", 3), ("C>D>A>B", 11), ("A>B>C>D", 10)], "C", ("B>C>A>D", 2), "A"),
    ],
)
def test_participation__condorcet_methods__may_turn_against_those_who_come(
    method: Method, ballots: Ballots, winner: str, more: tuple[str, int], other: str
) -> None:
    """H. Moulin, "Condorcet's principle implies the no show paradox" (1988): no method for many options has both."""
    assert more[0].index(winner) < more[0].index(other)
    assert (winners(method, ballots, 4), winners(method, [*ballots, more], 4)) == (winner, other)
