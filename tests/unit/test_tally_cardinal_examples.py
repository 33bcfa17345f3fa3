"""What methods of scores and grades do not keep: one small election for each well-known failing."""

from __future__ import annotations

import pytest

from qballot.core.election import Contest, Method, Option
from qballot.core.tally import METHODS
from qballot.core.tally.rules import WeightedMarks, count_ballots
from qballot.core.tally.ties import Ties

pytestmark = pytest.mark.unit


def _elect(method: Method, ballots: WeightedMarks) -> str:
    """Count three options, A, B and C, and return the one that wins."""
    rules = METHODS[method]
    options = tuple(Option(name.lower(), name) for name in "ABC")
    limits = {limit.name: limit.default(len(options)) for limit in rules.limits}
    contest = Contest("c", "C", "", method, options, limits=limits)
    (winner,) = count_ballots(rules, contest, ballots, Ties(contest)).winners
    return options[winner].title


@pytest.mark.parametrize(
    ("method", "ballots", "beats_all", "winner"),
    [
        (Method.SCORE, [((0, 3, 2), 1), ((0, 1, 0), 1), ((0, 0, 3), 1)], "B", "C"),
        (Method.MAJORITY_JUDGMENT, [((0, 3, 2), 1), ((0, 1, 0), 1), ((0, 0, 3), 1)], "B", "C"),
        (Method.STAR, [((4, 2, 3), 2), ((4, 4, 2), 1), ((0, 5, 5), 1)], "A", "C"),
    ],
)
def test_scores__option_that_beats_every_other__may_lose(
    method: Method, ballots: WeightedMarks, beats_all: str, winner: str
) -> None:
    best = "ABC".index(beats_all)
    for other in {0, 1, 2} - {best}:
        above = sum(weight for marks, weight in ballots if marks[best] > marks[other])
        assert above > sum(weight for marks, weight in ballots if marks[best] < marks[other])
    assert _elect(method, ballots) == winner


def test_star__favourite_put_below_another__may_help() -> None:
    """The first voter gets the worst option until they leave their favourite, B, and score A above it."""
    others = [((3, 2, 2), 2), ((1, 3, 5), 2)]
    for honest in ((1, 5, 0), (5, 5, 0), (4, 5, 0)):
        assert _elect(Method.STAR, [(honest, 1), *others]) == "C"
    assert _elect(Method.STAR, [((5, 0, 0), 1), *others]) == "A"


@pytest.mark.parametrize(
    ("method", "others", "voters", "without", "with_them"),
    [
        (Method.STAR, [((2, 0, 1), 4), ((1, 5, 5), 2)], ((1, 3, 0), 2), "A", "C"),
        (Method.MAJORITY_JUDGMENT, [((0, 1, 0), 1), ((1, 1, 2), 1)], ((5, 5, 3), 1), "B", "C"),
    ],
)
def test_star_and_judgment__voters_may_do_better_by_staying_at_home(
    method: Method, others: WeightedMarks, voters: tuple[tuple[int, ...], int], without: str, with_them: str
) -> None:
    assert _elect(method, others) == without
    assert _elect(method, [*others, voters]) == with_them
    marks, _ = voters
    assert marks["ABC".index(without)] > marks["ABC".index(with_them)]


def test_majority_judgment__winner_of_both_halves__may_lose_the_whole() -> None:
    one, other = [((3, 0, 2), 1), ((4, 5, 0), 3)], [((0, 3, 2), 1), ((4, 3, 3), 1)]
    assert _elect(Method.MAJORITY_JUDGMENT, one) == _elect(Method.MAJORITY_JUDGMENT, other) == "B"
    assert _elect(Method.MAJORITY_JUDGMENT, [*one, *other]) == "A"


def test_star__scoring_another_option_higher__may_harm_the_first() -> None:
    """Two voters who give B a point as well bring it to the runoff, where it wins against their favourite, A."""
    others = [((0, 2, 4), 2), ((2, 3, 0), 1)]
    assert _elect(Method.STAR, [((5, 0, 0), 2), *others]) == "A"
    assert _elect(Method.STAR, [((5, 1, 0), 2), *others]) == "B"
