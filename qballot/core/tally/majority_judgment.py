"""Majority judgment: voters grade options in words, and the option with the best majority grade wins.

    1. An option's grades are put in order, each as often as its ballot weighs. `no_answer` says what no answer (-128)
       is: the lowest grade (`worst`), or no grade (`no-opinion`), so that the option's votes are those who grade it.
    2. The *majority grade* is the best grade that more than half of the option's votes give it at least.
    3. p is the share of its votes that are above the majority grade, q the share below. The *majority gauge* is the
       grade with + where p is more than q, with - otherwise.
    4. A better majority grade is better. With the same grade + is better than -; of two + the greater p, of two - the
       smaller q. Options for which all that is equal tie.

       grades of 10 votes     5 5 5 4 4 | 4 3 2 2 0     majority grade 4, p 3/10, q 4/10: 4-

A total is the majority grade plus p, or minus q: one exact number in the order of step 4, since both are at most 1/2
and q is less. An option without votes has 0.

Source: M. Balinski, R. Laraki, "A theory of measuring, electing, and ranking", Proceedings of the National Academy of
Sciences 104 (2007), 8720-8725, and "Majority Judgment" (MIT Press, 2010). Six grades: their experiment at Orsay, 2007.
Several seats go to the first in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from qballot.core.ballot import NO_ANSWER, Marks
from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.grades import GRADE, GRADES, name_grades
from qballot.core.tally.greatest import elect_greatest
from qballot.core.tally.outcome import LogEntry, Outcome, Total, format_total, show_total
from qballot.core.tally.rules import MAX_SEATS, MethodRules, SpoilReason, Variant
from qballot.core.tally.ties import Ties

WORST = "worst"
NO_OPINION = "no-opinion"
UNGRADED = Variant(
    name="no_answer",
    meaning="what a ballot that does not grade an option says of it",
    words={
        WORST: "the lowest grade",
        NO_OPINION: "nothing, so that the option is judged by those alone who grade it",
    },
    default=WORST,
)


@dataclass(frozen=True, slots=True)
class Gauge:
    """An option's majority gauge.

    grade: the majority grade. above, below: the votes above and below it. votes: all of the option's.
    """

    grade: int
    above: int
    below: int
    votes: int

    @property
    def sign(self) -> str:
        """`+` where more votes are above the majority grade than below, else `-`."""
        return "+" if self.above > self.below else "-"

    @property
    def share(self) -> Fraction:
        """The share of votes that decides among equal grades: that above with `+`, that below with `-`."""
        return Fraction(max(self.above, self.below), self.votes) if self.votes else Fraction(0)

    @property
    def total(self) -> Total:
        """The gauge as one number, the greater the better."""
        total = self.grade + self.share if self.sign == "+" else self.grade - self.share
        return total.numerator if total.denominator == 1 else total


def measure(weights: list[int]) -> Gauge:
    """Find the gauge of an option. weights: the votes for each grade, from the lowest."""
    votes = sum(weights)
    above = 0
    for grade in range(len(weights) - 1, -1, -1):
        if 2 * (above + weights[grade]) > votes:
            return Gauge(grade, above, votes - above - weights[grade], votes)
        above += weights[grade]
    return Gauge(0, 0, 0, 0)


def find_fault(contest: Contest, marks: Marks) -> SpoilReason | None:
    """Spoil what is no grade."""
    number = contest.limits[GRADES.name]
    if any(mark != NO_ANSWER and not 0 <= mark < number for mark in marks):
        return SpoilReason.OUT_OF_RANGE
    return None


class _GradeSums:
    """The weight behind each grade of each option; what is not answered stands last."""

    def __init__(self, contest: Contest) -> None:
        self._contest = contest
        self._grades = contest.limits[GRADES.name]
        self._weights = [[0] * (self._grades + 1) for _ in contest.options]

    def add(self, marks: Marks, weight: int) -> None:
        for mark, weights in zip(marks, self._weights, strict=True):
            weights[mark if mark >= 0 else -1] += weight

    def count(self, ties: Ties) -> Outcome:
        contest, names = self._contest, name_grades(self._contest)
        gauges = []
        for weights in self._weights:
            grades = weights[:-1]
            if UNGRADED.of(contest) == WORST:
                grades[0] += weights[-1]
            gauges.append(measure(grades))
        totals = [gauge.total for gauge in gauges]
        said = {gauge.total: f"the majority gauge {_say(gauge, names)}" for gauge in gauges}
        log = [_log_grades(contest, self._weights, names), _log_gauges(contest, gauges, names)]
        return elect_greatest(contest, totals, "gauges", ties, log, say=lambda total: said[total])


def _say(gauge: Gauge, names: tuple[str, ...]) -> str:
    side = "above" if gauge.sign == "+" else "below"
    return f"{names[gauge.grade]}{gauge.sign} ({show_total(gauge.share)} {side})"


def _log_grades(contest: Contest, weights: list[list[int]], names: tuple[str, ...]) -> LogEntry:
    """Tell how many votes gave each option each grade, the best grade first."""
    lines: list[str] = []
    data: dict[str, JsonTree] = {}
    for option, given in zip(contest.options, weights, strict=True):
        order = range(len(names) - 1, -1, -1)
        parts = [f"{names[grade]} {given[grade]}" for grade in order]
        lines.append(f"{option.title} {', '.join(parts)}{f', no answer {given[-1]}' if given[-1] else ''}")
        data[option.id] = {
            **{str(grade): format_total(given[grade]) for grade in order},
            "no_answer": format_total(given[-1]),
        }
    meaning = "No answer is the lowest grade." if UNGRADED.of(contest) == WORST else "No answer is left out."
    return LogEntry("grades", f"Votes by grade: {'; '.join(lines)}. {meaning}", {"grades": data})


def _log_gauges(contest: Contest, gauges: list[Gauge], names: tuple[str, ...]) -> LogEntry:
    """Tell each option's majority grade and the votes above and below it."""
    lines: list[str] = []
    data: dict[str, JsonTree] = {}
    for option, gauge in zip(contest.options, gauges, strict=True):
        lines.append(
            f"{option.title} {names[gauge.grade]}{gauge.sign}, "
            f"{gauge.above} above and {gauge.below} below of {gauge.votes}"
        )
        data[option.id] = {
            "grade": str(gauge.grade),
            "sign": gauge.sign,
            "above": format_total(gauge.above),
            "below": format_total(gauge.below),
            "votes": format_total(gauge.votes),
        }
    return LogEntry("gauges", f"Majority gauges: {'; '.join(lines)}.", {"gauges": data})


def explain_marks(contest: Contest) -> str:
    """Tell the grades."""
    names = name_grades(contest)
    listed = ", ".join(f"{grade} {names[grade]}" for grade in range(len(names) - 1, -1, -1))
    no_answer = "is the lowest grade" if UNGRADED.of(contest) == WORST else "says nothing about an option"
    return f"Grade each option: {listed}. No answer ({NO_ANSWER} in the ballot's bytes) {no_answer}."


RULES = MethodRules(
    min_options=1,
    max_seats=MAX_SEATS,
    limits=(GRADES,),
    variants=(UNGRADED,),
    words=GRADE,
    explain_marks=explain_marks,
    counting="Voters grade the options. The option with the best grade that more than half give it at least wins.",
    blank_mark=NO_ANSWER,
    find_fault=find_fault,
    open=_GradeSums,
    totals_are_votes=False,
    name_marks=lambda contest: dict(enumerate(name_grades(contest))),
)
