"""One method's ballots read as another's, where a rule for it is plain; where none is, why not.

    from                     to                      rule
    ranks                    other ranks             as they are
    scores                   other scores            as they are, on the same scale
    scores, grades, votes    ranks                   a higher number is a better rank, equal ones are equal; the lowest
                                                     of the scale, and no opinion, are not ranked
    scores                   grades                  each score is a grade, where the scale has as many as there can be
    grades                   scores                  each grade is a score, 0 the lowest
    ranks, scores, …         plurality               a vote for the first choice; several first choices spoil it

All else says less than the other method asks: ranks do not say how good an option is, nor where approval ends; a mark
does not say who comes second; votes that are dealt out of a budget would be dealt out otherwise under another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isqrt

from qballot.core.ballot import NO_ANSWER, Marks
from qballot.core.election import Contest, Method
from qballot.core.tally.given_votes import GIVE
from qballot.core.tally.grades import GRADES, NAMES
from qballot.core.tally.methods import METHODS
from qballot.core.tally.points import AVERAGED, EQUAL_RANKS
from qballot.core.tally.quadratic import AGAINST, ALLOWED, CREDITS
from qballot.core.tally.rules import SpoilReason
from qballot.core.tally.score import BY, MAX_SCORE, MIN_SCORE, NO_OPINION, SUM, UNSCORED
from qballot.core.tally.words import APPROVE, CHOOSE, RANK, SCORE

AS_THEY_ARE = "as they are"
FIRST_CHOICE = "the first choice has the vote"
BY_NUMBER = "a higher number is a better rank; the lowest is not ranked"
AS_GRADES = "each score is a grade"
AS_SCORES = "each grade is a score, 0 the lowest"

Rewrite = Callable[[Contest, Marks], Marks]


@dataclass(frozen=True, slots=True)
class Reading:
    """How one contest's ballots are read by another method.

    contest: the same question under the other method. words: the rule, as a clause. rewrite: makes marks of the other
    method of valid marks of the contest; None where they are taken as they are, for the other method to judge.
    """

    contest: Contest
    words: str
    rewrite: Rewrite | None = None


def find_reading(contest: Contest, method: Method) -> Reading | str:
    """Find how a contest's ballots are read by a method, or say as a clause why they are not."""
    said, asked = METHODS[contest.method].words, METHODS[method].words
    obstacle = _find_obstacle(contest, method)
    if method is contest.method:
        return Reading(contest, AS_THEY_ARE)
    if obstacle:
        return obstacle
    if method is Method.PLURALITY:
        return Reading(_change(contest, method, {}), FIRST_CHOICE, _mark_first)
    if said == asked:
        return Reading(_change(contest, method, {}), AS_THEY_ARE)
    if asked == RANK:
        return Reading(_change(contest, method, {}), BY_NUMBER, _rank_by_number)
    return _read_numbers(contest, method)


def allows_equal_ranks(contest: Contest) -> bool:
    """Whether a ballot of the contest can say that two options are equally good."""
    rules, others = METHODS[contest.method], len(contest.options) - 2
    return rules.words != RANK or rules.find_fault(contest, (1, 1) + (0,) * others) is not SpoilReason.EQUAL_RANKS


def _find_obstacle(contest: Contest, method: Method) -> str | None:
    """Say as a clause why no ballot of the contest can be read by another method, where that is so."""
    rules = METHODS[method]
    said, asked = METHODS[contest.method].words, rules.words
    is_ranked = said == RANK
    obstacles = {
        f"{method} elects {rules.max_seats}, and {contest.seats} win here": contest.seats > rules.max_seats,
        f"{method} needs {rules.min_options} options": len(contest.options) < rules.min_options,
        "a mark does not say how a voter ranks or rates options": said in (CHOOSE, APPROVE),
        f"{'ranks' if is_ranked else 'numbers'} do not say which options a voter would mark": (
            asked in (CHOOSE, APPROVE) and method is not Method.PLURALITY
        ),
        "ranks do not say how much better one option is than the next": is_ranked and asked not in (RANK, CHOOSE),
        "votes are dealt out of a budget, which is not that of other methods": (
            asked == GIVE or (said == GIVE and asked not in (RANK, CHOOSE))
        ),
    }
    return next((words for words, holds in obstacles.items() if holds), None)


def _read_numbers(contest: Contest, method: Method) -> Reading | str:
    """Find how scores are read as grades, and grades as scores."""
    if METHODS[method].words == SCORE:
        scale = {MIN_SCORE.name: 0, MAX_SCORE.name: contest.limits[GRADES.name] - 1}
        return Reading(_change(contest, method, scale), AS_SCORES, lambda _, marks: marks)
    grades = contest.limits[MAX_SCORE.name] - contest.limits[MIN_SCORE.name] + 1
    if grades not in NAMES:
        return f"there are {min(NAMES)} to {max(NAMES)} grades, and {grades} scores here"
    return Reading(_change(contest, method, {GRADES.name: grades}), AS_GRADES, _grade)


def _change(contest: Contest, method: Method, limits: Mapping[str, int]) -> Contest:
    """Ask the same question under another method, with the limits and variants that both have, else with the defaults.

    What the contest requires is left out. Equal ranks are averaged where the method can, if the ballots may have them.
    """
    rules, size = METHODS[method], (len(contest.options), contest.seats)
    own = {**contest.limits, **limits}
    new_limits = {
        limit.name: own[limit.name]
        if limit.name in own and limit.lowest(*size) <= own[limit.name] <= limit.highest(*size)
        else limit.default(*size)
        for limit in rules.limits
    }
    wished = dict(contest.variants)
    if allows_equal_ranks(contest):
        wished[EQUAL_RANKS.name] = AVERAGED
    variants = {
        variant.name: wished[variant.name] if wished.get(variant.name) in variant.words else variant.default
        for variant in rules.variants
    }
    if rules.find_variants_fault(variants):
        variants = {variant.name: variant.default for variant in rules.variants}
    return Contest(
        id=contest.id,
        title=contest.title,
        description=contest.description,
        method=method,
        options=contest.options,
        seats=contest.seats,
        tie=contest.tie,
        limits=new_limits,
        variants=variants,
    )


def _is_no_opinion(contest: Contest) -> bool:
    """Whether no answer is no opinion; a sum of scores has it as 0 all the same."""
    return UNSCORED.of(contest) == NO_OPINION and contest.variants.get(BY.name) != SUM


def _find_lowest(contest: Contest) -> int:
    """Find the lowest number that a ballot can say of an option."""
    if MIN_SCORE.name in contest.limits:
        least = contest.limits[MIN_SCORE.name]
        return least if _is_no_opinion(contest) else min(least, 0)
    return -isqrt(contest.limits[CREDITS.name]) if AGAINST.of(contest) == ALLOWED else 0


def _value(contest: Contest, marks: Marks) -> list[int]:
    """Say what a ballot's numbers are worth to its method; no opinion is put with the lowest."""
    unsaid = _find_lowest(contest) if _is_no_opinion(contest) else 0
    return [unsaid if mark == NO_ANSWER else mark for mark in marks]


def _rank_by_number(contest: Contest, marks: Marks) -> Marks:
    values = _value(contest, marks)
    order = sorted({value for value in values if value > _find_lowest(contest)}, reverse=True)
    ranks = {value: rank for rank, value in enumerate(order, start=1)}
    return tuple(ranks.get(value, 0) for value in values)


def _mark_first(contest: Contest, marks: Marks) -> Marks:
    ranks = marks if METHODS[contest.method].words == RANK else _rank_by_number(contest, marks)
    first = min((rank for rank in ranks if rank), default=0)
    return tuple(int(rank == first and rank > 0) for rank in ranks)


def _grade(contest: Contest, marks: Marks) -> Marks:
    """Make each score a grade; no answer is the grade of what it counts as, or stays no opinion."""
    least = contest.limits[MIN_SCORE.name]
    if _is_no_opinion(contest):
        return tuple(mark if mark == NO_ANSWER else mark - least for mark in marks)
    return tuple(max(least, value) - least for value in _value(contest, marks))
