"""What voters say to methods of scores, grades and given votes, what they are told, and the words of these counts."""

from __future__ import annotations

import pytest

from qballot.core.ballot import Group, decode_marks, encode_ballot
from qballot.core.ballot_words import describe_ballot
from qballot.core.choices import Choice, read_choices, write_choices
from qballot.core.election import Contest, Definition, Method, Option
from qballot.core.tally import METHODS, count_election, render_log_csv, render_text
from qballot.errors import InputError

pytestmark = pytest.mark.unit

OPTIONS = (Option("ada", "Ada"), Option("ben", "Ben"), Option("cleo", "Cleo"))


def _definition(method: Method, seats: int = 1, **keys: int | str) -> Definition:
    limits = {limit.name: limit.default(len(OPTIONS), seats) for limit in METHODS[method].limits}
    limits |= {key: value for key, value in keys.items() if isinstance(value, int)}
    variants = {key: value for key, value in keys.items() if isinstance(value, str)}
    contest = Contest("chair", "Chair", "", method, OPTIONS, seats, limits=limits, variants=variants)
    return Definition("Board", "", "", "en", (contest,))


def _texts(definition: Definition, *ballots: tuple[list[int], int]) -> list[str]:
    groups = {encode_ballot(marks): Group(number, number) for marks, number in ballots}
    return [entry.text for entry in count_election(definition, groups).contests[0].outcome.log]


@pytest.mark.parametrize("said", ["ada=Excellent,ben=very good", "ada=5,ben=4", "ada=EXCELLENT,ben=4"])
def test_read_choices__grades__go_by_name_and_by_number(said: str) -> None:
    definition = _definition(Method.MAJORITY_JUDGMENT)
    ballot = read_choices(definition, [Choice("grade", said)])
    assert decode_marks(ballot) == (5, 4, -128)
    assert describe_ballot(definition, ballot).text == "Chair: Ada Excellent, Ben Very Good (no answer: Cleo)"
    assert write_choices(definition, ballot) == [Choice("grade", "ada=5,ben=4")]


def test_read_choices__grade_of_another_scale__is_refused_with_those_there_are() -> None:
    definition = _definition(Method.MAJORITY_JUDGMENT, grades=4)
    with pytest.raises(InputError, match="expected Poor, Fair, Good, Excellent, or a whole number"):
        read_choices(definition, [Choice("grade", "ada=splendid")])
    ballot = read_choices(definition, [Choice("grade", "ada=4")])
    assert "[spoiled, will not be counted: it has a mark" in describe_ballot(definition, ballot).text


def test_read_choices__given_votes__that_are_too_many_say_so() -> None:
    definition = _definition(Method.CUMULATIVE, votes=3)
    ballot = read_choices(definition, [Choice("give", "ada=3,ben=1")])
    assert decode_marks(ballot) == (3, 1, 0)
    assert describe_ballot(definition, ballot).text == (
        "Chair: Ada 3, Ben 1 [spoiled, will not be counted: it gives more votes than the contest allows (votes 3)]"
    )


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        (_definition(Method.CUMULATIVE, votes=4), "Spread up to 4 votes"),
        (_definition(Method.CUMULATIVE), "Give your vote to one option"),
        (_definition(Method.QUADRATIC), "You have 100 credits; spending more spoils this contest."),
        (_definition(Method.QUADRATIC, against="allowed"), "Votes against, as negative numbers, cost the same."),
        (_definition(Method.MAJORITY_JUDGMENT, grades=3), "2 Good, 1 Acceptable, 0 Reject."),
        (_definition(Method.MAJORITY_JUDGMENT, no_answer="no-opinion"), "says nothing about an option"),
        (_definition(Method.STAR), "counts as 0"),
        (_definition(Method.SCORE), "adds nothing to an option"),
        (_definition(Method.SCORE, by="mean"), "counts as 0"),
        (_definition(Method.SCORE, by="mean", no_answer="no-opinion"), "is left out of an option's mean"),
    ],
)
def test_explain_marks__method_and_variant__tells_what_bytes_mean(definition: Definition, text: str) -> None:
    (contest,) = definition.contests
    assert text in METHODS[contest.method].explain_marks(contest)


def test_log__score_by_mean__tells_sums_and_means() -> None:
    definition = _definition(Method.SCORE, by="mean", no_answer="no-opinion", min_score=-1)
    assert _texts(definition, ([5, -128, -128], 2), ([0, 4, -128], 1)) == [
        "Votes that scored an option: Ada 3 (mean 10/3), Ben 1 (mean 4), Cleo 0. "
        "No answer is left out of the mean, and an option that nobody scores has -1.",
        "Points: Ada 10, Ben 4, Cleo 0; 3 votes are counted.",
        "Means: Ben 4, Ada 10/3, Cleo -1.",
        "Ben wins with a mean of 4.",
    ]


def test_log__star__tells_each_step() -> None:
    assert _texts(_definition(Method.STAR), ([5, 3, 1], 1), ([1, 4, 3], 1), ([2, 1, 4], 1)) == [
        "Points: Ada 8, Ben 8, Cleo 8.",
        "Ada, Ben and Cleo tie for 2 places in the runoff, each losing as many match-ups among them. "
        "Top scores: Ada 1, Ben 0, Cleo 0. Ada advances.",
        "Ben and Cleo tie for 1 place in the runoff. Match-ups lost among them: Ben 0, Cleo 1. Ben advances.",
        "Runoff: Ada 2, Ben 1; no preference 0. Ada wins.",
        "Ada wins.",
    ]


def test_log__bloc_star_that_stops__says_what_is_open() -> None:
    definition = _definition(Method.STAR, seats=2)
    ballots: list[tuple[list[int], int]] = [([5, 4, 0], 1), ([4, 5, 0], 1), ([0, 0, 1], 3)]
    assert _texts(definition, *ballots)[-1] == "Ada and Ben tie in the runoff: the seats left are not filled."
    groups = {encode_ballot(marks): Group(number, number) for marks, number in ballots}
    assert "No winner: undecided, since Ada and Ben tie for the next seat\n" in render_text(
        count_election(definition, groups)
    )


def test_log__majority_judgment__names_grades_and_gauges() -> None:
    definition = _definition(Method.MAJORITY_JUDGMENT, grades=4)
    assert _texts(definition, ([3, 2, -128], 2), ([1, 2, 0], 1)) == [
        "Votes by grade: Ada Excellent 2, Good 0, Fair 1, Poor 0; Ben Excellent 0, Good 3, Fair 0, Poor 0; "
        "Cleo Excellent 0, Good 0, Fair 0, Poor 1, no answer 2. No answer is the lowest grade.",
        "Majority gauges: Ada Excellent-, 0 above and 1 below of 3; Ben Good-, 0 above and 0 below of 3; "
        "Cleo Poor-, 0 above and 0 below of 3.",
        "Gauges: Ada 8/3, Ben 2, Cleo 0.",
        "Ada wins with the majority gauge Excellent- (1/3 below).",
    ]


def test_log__given_votes__tells_how_many_gave_how_many() -> None:
    definition = _definition(Method.QUADRATIC)
    assert _texts(definition, ([6, 8, 0], 2), ([7, 1, 0], 1)) == [
        "Ballots x votes given: Ada 1 x 7, 2 x 6; Ben 2 x 8, 1 x 1; Cleo none.",
        "Votes: Ada 19, Ben 17, Cleo 0.",
        "Ada wins with 19 votes.",
    ]
    groups = {encode_ballot([6, 8, 0]): Group(2, 2)}
    assert "chair,1,given,given/ada/1/votes,6" in render_log_csv(count_election(definition, groups))
