"""Score: a voter gives each option a number, possibly negative, and the option with the greatest sum or mean wins.

    1. `by` says what an option's total is
           sum     the sum of its scores, each times the weight of its ballot
           mean    the mean of its scores, each as often as its ballot weighs
    2. `no_answer` says what no answer (-128) about an option is; it makes a difference to means alone
           zero         a score of 0: the mean is over all ballots that are counted
           no-opinion   nothing: the mean is over the ballots that score the option, so that who is known to few can
                        win on their word alone; an option that none scores has `min_score`
    3. The greatest totals win, also where all are negative.

A score of 0 is an answer: a ballot of zeros is counted, not blank. Zero is added for no answer even where the scale
does not hold it.

Sources: W. D. Smith, "Range voting" (2000), and C. Hillinger, "The case for utilitarian voting", Homo Oeconomicus 22
(2005), 295-321, both with negative scores, by the sum; W. D. Smith, "Range voting" (PlanetMath), by the mean of those
who score an option.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from qballot.core.ballot import NO_ANSWER, Marks
from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.greatest import elect_greatest
from qballot.core.tally.outcome import LogEntry, Outcome, Total, format_total, show_total, totals_by_id
from qballot.core.tally.rules import MAX_SEATS, Limit, MethodRules, SpoilReason, Variant, constant
from qballot.core.tally.ties import Ties
from qballot.core.tally.words import SCORE

LOWEST_SCORE = -127
HIGHEST_SCORE = 127

MIN_SCORE = Limit(
    name="min_score",
    meaning="the lowest score that a voter may give",
    lowest=constant(LOWEST_SCORE),
    highest=constant(HIGHEST_SCORE - 1),
    default=constant(0),
)
MAX_SCORE = Limit(
    name="max_score",
    meaning="the highest score that a voter may give",
    lowest=constant(LOWEST_SCORE + 1),
    highest=constant(HIGHEST_SCORE),
    default=constant(5),
)

SUM = "sum"
MEAN = "mean"
BY = Variant(
    name="by",
    meaning="what is made of an option's scores",
    words={SUM: "their sum", MEAN: "their mean"},
    default=SUM,
)

ZERO = "zero"
NO_OPINION = "no-opinion"
UNSCORED = Variant(
    name="no_answer",
    meaning="what a ballot that does not score an option says of it",
    words={
        ZERO: "a score of 0",
        NO_OPINION: "nothing, so that the option's mean is over those alone who score it",
    },
    default=ZERO,
)


def find_fault(contest: Contest, marks: Marks) -> SpoilReason | None:
    """Spoil scores outside the contest's `min_score` … `max_score`."""
    lowest, highest = contest.limits[MIN_SCORE.name], contest.limits[MAX_SCORE.name]
    if any(mark != NO_ANSWER and not lowest <= mark <= highest for mark in marks):
        return SpoilReason.OUT_OF_RANGE
    return None


def find_limits_fault(limits: Mapping[str, int]) -> tuple[str, str] | None:
    """Refuse a scale with fewer than two scores."""
    lowest, highest = limits[MIN_SCORE.name], limits[MAX_SCORE.name]
    if lowest < highest:
        return None
    return MAX_SCORE.name, f"is {highest}, expected more than min_score, which is {lowest}"


class _ScoreSums:
    """Points of each option, the weight of the ballots that scored it, and that of all ballots."""

    def __init__(self, contest: Contest) -> None:
        self._contest = contest
        self._points = [0] * len(contest.options)
        self._answers = [0] * len(contest.options)
        self._weight = 0

    def add(self, marks: Marks, weight: int) -> None:
        self._weight += weight
        for option, mark in enumerate(marks):
            if mark != NO_ANSWER:
                self._points[option] += mark * weight
                self._answers[option] += weight

    def count(self, ties: Ties) -> Outcome:
        contest, points = self._contest, self._points
        log = [_log_answers(contest, points, self._answers)]
        if BY.of(contest) == SUM:
            return elect_greatest(contest, points, "points", ties, log)
        log.append(_log_points(contest, points, self._weight))
        return elect_greatest(
            contest, self._means(), "means", ties, log, say=lambda mean: f"a mean of {show_total(mean)}"
        )

    def _means(self) -> list[Total]:
        ignores = UNSCORED.of(self._contest) == NO_OPINION
        of_none = self._contest.limits[MIN_SCORE.name] if ignores else 0
        means = []
        for points, answers in zip(self._points, self._answers, strict=True):
            divisor = answers if ignores else self._weight
            means.append(_shorten(Fraction(points, divisor)) if divisor else of_none)
        return means


def _shorten(number: Fraction) -> Total:
    return number.numerator if number.denominator == 1 else number


def _log_answers(contest: Contest, points: list[int], answers: list[int]) -> LogEntry:
    """Tell how many votes scored each option and their mean, also where it does not decide, as readers ask for it."""
    lines = []
    for option, points_of, answers_of in zip(contest.options, points, answers, strict=True):
        mean = f" (mean {format_total(Fraction(points_of, answers_of))})" if answers_of else ""
        lines.append(f"{option.title} {answers_of}{mean}")
    return LogEntry(
        "answers",
        f"Votes that scored an option: {', '.join(lines)}. {_explain_no_answer(contest)}",
        {"answers": totals_by_id(contest, dict(enumerate(answers)))},
    )


def _explain_no_answer(contest: Contest) -> str:
    """Say what no answer does, in a sentence."""
    if BY.of(contest) == SUM:
        return "No answer adds nothing."
    if UNSCORED.of(contest) == ZERO:
        return "No answer counts as 0."
    lowest = contest.limits[MIN_SCORE.name]
    return f"No answer is left out of the mean, and an option that nobody scores has {lowest}."


def _log_points(contest: Contest, points: list[int], weight: int) -> LogEntry:
    """Tell the sums that the means are made of, and the weight of all ballots."""
    sums = ", ".join(f"{option.title} {total}" for option, total in zip(contest.options, points, strict=True))
    data: dict[str, JsonTree] = {
        "points": totals_by_id(contest, dict(enumerate(points))),
        "counted": format_total(weight),
    }
    return LogEntry("points", f"Points: {sums}; {weight} votes are counted.", data)


def explain_marks(contest: Contest) -> str:
    """Tell the scale."""
    lowest, highest = contest.limits[MIN_SCORE.name], contest.limits[MAX_SCORE.name]
    if BY.of(contest) == SUM:
        no_answer = "adds nothing to an option"
    else:
        no_answer = "counts as 0" if UNSCORED.of(contest) == ZERO else "is left out of an option's mean"
    return (
        f"Score each option from {lowest} to {highest}; the higher, the better. "
        f"No answer ({NO_ANSWER} in the ballot's bytes) {no_answer}."
    )


RULES = MethodRules(
    min_options=1,
    max_seats=MAX_SEATS,
    limits=(MIN_SCORE, MAX_SCORE),
    variants=(BY, UNSCORED),
    words=SCORE,
    explain_marks=explain_marks,
    counting="The option with the greatest sum of scores wins, or, if the contest says so, with the greatest mean.",
    blank_mark=NO_ANSWER,
    find_fault=find_fault,
    open=_ScoreSums,
    totals_are_votes=False,
    find_limits_fault=find_limits_fault,
)
