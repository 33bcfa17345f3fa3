"""The result as text, and the words of the logs that sum up totals."""

from __future__ import annotations

from fractions import Fraction

import pytest

from qballot.core.ballot import Group, encode_ballot
from qballot.core.election import Contest, Definition, Method, Option
from qballot.core.tally import count_election, render_text
from qballot.core.tally.outcome import format_total, list_in_words

pytestmark = pytest.mark.unit

OPTIONS = (Option("a", "Ada"), Option("b", "Benedikt"))


def _definition(method: Method, **limits: int) -> Definition:
    return Definition("Board", "", "", "en", (Contest("chair", "Chair", "", method, OPTIONS, limits=limits),))


def _texts(definition: Definition, groups: dict[bytes, Group]) -> list[str]:
    return [entry.text for entry in count_election(definition, groups).contests[0].outcome.log]


def test_render_text__plurality__is_plain_and_complete() -> None:
    groups = {
        encode_ballot([1, 0]): Group(2, 2),
        encode_ballot([0, 1]): Group(4, 4),
        encode_ballot([0, 0]): Group(1, 1),
        encode_ballot([1, 1]): Group(2, 2),
        b"": Group(1, 1),
    }
    assert render_text(count_election(_definition(Method.PLURALITY), groups)) == (
        "Board\n"
        "=====\n"
        "\n"
        "Chair (plurality, 1 seat)\n"
        "-------------------------\n"
        "Winner: Benedikt\n"
        "\n"
        f"  Benedikt  4  {'█' * 30}\n"
        f"  Ada       2  {'█' * 15}\n"
        "\n"
        "10 ballots: 6 counted, 1 blank, 3 spoiled (1 wrong length and 2 too many choices).\n"
        "\n"
        "Count:\n"
        "  Votes: Benedikt 4, Ada 2.\n"
        "  Benedikt wins with 4 votes.\n"
    )


def test_render_text__weighted_scores__shows_weights_and_light_bars() -> None:
    definition = _definition(Method.SCORE, min_score=-5, max_score=5)
    groups = {encode_ballot([-1, 4]): Group(1, 3), encode_ballot([-128, 1]): Group(1, 1)}
    text = render_text(count_election(definition, groups))
    assert f"  Benedikt  13  {'█' * 30}\n  Ada       -3  {'░' * 6}\n" in text
    assert "2 ballots: 2 counted, 0 blank, 0 spoiled. They weigh 4 votes, those counted 4.\n" in text


def test_render_text__tie_and_nothing__are_said() -> None:
    tie = count_election(_definition(Method.PLURALITY), {b"\x01\x00": Group(1, 1), b"\x00\x01": Group(1, 1)})
    assert "No winner: a tie between Ada and Benedikt\n" in render_text(tie)
    nothing = render_text(count_election(_definition(Method.PLURALITY), {}))
    assert "No winner\n" in nothing
    assert "No ballot was counted: no winner.\n" in nothing


def test_render_text__tie_for_elimination__is_not_called_a_tie_for_the_seat() -> None:
    options = (*OPTIONS, Option("c", "Cleo"))
    contest = Contest("chair", "Chair", "", Method.IRV, options, limits={"max_ranks": 3})
    groups = {b"\1\0\0": Group(4, 4), b"\0\1\0": Group(3, 3), b"\0\2\1": Group(3, 3)}
    text = render_text(count_election(Definition("Board", "", "", "en", (contest,)), groups))
    assert "No winner: undecided, since Benedikt and Cleo tie for elimination\n" in text


def test_log__score__tells_answers_and_exact_means() -> None:
    definition = _definition(Method.SCORE, min_score=0, max_score=5)
    groups = {encode_ballot([5, -128]): Group(2, 2), encode_ballot([0, -128]): Group(1, 1)}
    assert _texts(definition, groups) == [
        "Votes that scored an option: Ada 3 (mean 10/3), Benedikt 0. No answer adds nothing.",
        "Points: Ada 10, Benedikt 0.",
        "Ada wins with 10 points.",
    ]


def test_log__one_vote__is_singular() -> None:
    assert _texts(_definition(Method.PLURALITY), {b"\x01\x00": Group(1, 1)})[-1] == "Ada wins with 1 vote."
    assert _texts(_definition(Method.APPROVAL, max_choices=2), {b"\x01\x01": Group(1, 1)})[-1] == (
        "Ada and Benedikt tie with 1 approval each: no winner."
    )


@pytest.mark.parametrize(
    ("words", "text"), [([], ""), (["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")]
)
def test_list_in_words__any_number__reads_as_english(words: list[str], text: str) -> None:
    assert list_in_words(words) == text


@pytest.mark.parametrize(("total", "text"), [(2**96, str(2**96)), (Fraction(7, 3), "7/3"), (Fraction(-4, 2), "-2")])
def test_format_total__exact_numbers__in_lowest_terms(total: int | Fraction, text: str) -> None:
    assert format_total(total) == text
