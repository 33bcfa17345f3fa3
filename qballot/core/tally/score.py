"""Score: a voter gives each option a number, possibly negative, and the option with the greatest sum wins.

No answer (-128) adds nothing to an option, so that it weighs the same as a score of 0; a score of 0 is an answer all
the same, and a ballot of zeros is counted, not blank. The sums decide, never the means: an option that few voters know
cannot win on their word alone. The greatest sum wins even where every sum is negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from qballot.core.ballot import NO_ANSWER, Marks
from qballot.core.election import Contest
from qballot.core.tally.outcome import LogEntry, Outcome, elect_greatest, format_total, totals_by_id
from qballot.core.tally.rules import Limit, MethodRules, SpoilReason, WeightedMarks, constant
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


def count(contest: Contest, ballots: WeightedMarks) -> Outcome:
    """Add up the scores times their ballots' weights. A tie for the greatest sum is reported."""
    points = [0] * len(contest.options)
    answers = [0] * len(contest.options)
    for marks, weight in ballots:
        for option, mark in enumerate(marks):
            if mark != NO_ANSWER:
                points[option] += mark * weight
                answers[option] += weight
    return elect_greatest(contest, points, "points", log=[_log_answers(contest, points, answers)])


def _log_answers(contest: Contest, points: list[int], answers: list[int]) -> LogEntry:
    """Tell how many votes scored each option and their mean, which does not decide but which readers ask for."""
    lines = []
    for option, points_of, answers_of in zip(contest.options, points, answers, strict=True):
        mean = f" (mean {format_total(Fraction(points_of, answers_of))})" if answers_of else ""
        lines.append(f"{option.title} {answers_of}{mean}")
    return LogEntry(
        "answers",
        f"Votes that scored an option: {', '.join(lines)}. No answer adds nothing.",
        {"answers": totals_by_id(contest, dict(enumerate(answers)))},
    )


def explain_marks(contest: Contest) -> str:
    """Tell the scale."""
    lowest, highest = contest.limits[MIN_SCORE.name], contest.limits[MAX_SCORE.name]
    return (
        f"Score each option from {lowest} to {highest}; the higher, the better. "
        f"No answer ({NO_ANSWER} in the ballot's bytes) adds nothing to an option."
    )


RULES = MethodRules(
    min_options=1,
    max_seats=1,
    limits=(MIN_SCORE, MAX_SCORE),
    words=SCORE,
    explain_marks=explain_marks,
    counting="The option with the greatest sum of scores wins.",
    blank_mark=NO_ANSWER,
    find_fault=find_fault,
    count=count,
    find_limits_fault=find_limits_fault,
)
