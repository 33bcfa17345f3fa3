"""What a voter says becomes the bytes that are cast, and those bytes become words again."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.ballot import MAX_MARK, MIN_MARK, NO_ANSWER, encode_ballot
from qballot.core.ballot_words import SPOILED, describe_ballot
from qballot.core.choices import Choice, list_verbs, read_choices, write_choices
from qballot.core.election import Contest, Definition, Method, Option
from qballot.core.tally import METHODS, SpoilReason, Use, judge_marks
from qballot.core.tally.words import Form
from qballot.errors import InputError

pytestmark = pytest.mark.unit


def _contest(method: Method, options: int, **limits: int) -> Contest:
    named = tuple(Option(f"o{number}", f"Option {number}") for number in range(options))
    filled = {limit.name: limit.default(options) for limit in METHODS[method].limits}
    return Contest(f"c-{method}", f"By {method}", "", method, named, limits={**filled, **limits})


def _definition(*contests: Contest) -> Definition:
    return Definition("T", "", "", "en", contests)


TOWN = _definition(
    Contest(
        "street",
        "Market Street",
        "",
        Method.PLURALITY,
        (Option("car-free", "Car-free, for good"), Option("open", "Open to cars")),
    ),
    Contest(
        "chair",
        "Chair",
        "",
        Method.IRV,
        (Option("ada", "Ada"), Option("ben", "Ben"), Option("cem", "Cem")),
        limits={"max_ranks": 2},
    ),
    Contest(
        "money",
        "Where to spend",
        "",
        Method.SCORE,
        (Option("park", "Park"), Option("library", "Library"), Option("open", "Open-air pool")),
        limits={"min_score": -3, "max_score": 3},
    ),
    Contest(
        "days",
        "Market days",
        "",
        Method.APPROVAL,
        (Option("mon", "Monday"), Option("fri", "Friday"), Option("ada", "Ada's day")),
        limits={"max_choices": 2},
    ),
)
NO = NO_ANSWER


def _say(*words: str, blank: tuple[str, ...] = (), definition: Definition = TOWN) -> bytes:
    return read_choices(definition, [Choice(*text.split(" ", 1)) for text in words], blank)


@pytest.mark.parametrize(
    ("words", "marks"),
    [
        (["choose street/car-free"], [1, 0, 0, 0, 0, NO, NO, NO, 0, 0, 0]),
        (["choose car-free"], [1, 0, 0, 0, 0, NO, NO, NO, 0, 0, 0]),
        (["choose Car-free, for good"], [1, 0, 0, 0, 0, NO, NO, NO, 0, 0, 0]),
        (["choose open"], [0, 1, 0, 0, 0, NO, NO, NO, 0, 0, 0]),
        (["score open=-3"], [0, 0, 0, 0, 0, NO, NO, -3, 0, 0, 0]),
        (["rank chair/ben,chair/ada"], [0, 0, 2, 1, 0, NO, NO, NO, 0, 0, 0]),
        (['choose "Car-free, for good"'], [1, 0, 0, 0, 0, NO, NO, NO, 0, 0, 0]),
        (["rank Ben", "rank Chair/ada"], [0, 0, 2, 1, 0, NO, NO, NO, 0, 0, 0]),
        (["rank ada=3,ben=1"], [0, 0, 3, 1, 0, NO, NO, NO, 0, 0, 0]),
        (["rank ada"], [0, 0, 1, 0, 0, NO, NO, NO, 0, 0, 0]),
        (["approve ada, mon"], [0, 0, 0, 0, 0, NO, NO, NO, 1, 0, 1]),
        (['score "Open-air pool=2",  park = +3 , Library=0'], [0, 0, 0, 0, 0, 3, 0, 2, 0, 0, 0]),
        (["choose open", "rank cem", "score park=1", "approve fri"], [0, 1, 0, 0, 1, 1, NO, NO, 0, 1, 0]),
    ],
)
def test_read_choices__what_a_voter_says__is_these_marks(words: list[str], marks: list[int]) -> None:
    assert _say(*words) == encode_ballot(marks)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing is chosen: say --choose street/car-free and --rank chair/ada and --score money/park=1"),
        (["choose car-fre"], 'there is no option "car-fre"; did you mean "car-free"?'),
        (["choose car-fre"], "The options are street/car-free, street/open"),
        (["choose street/shut"], 'there is no option "street/shut"'),
        (["choose chair/ada"], 'the contest "Chair" is counted by irv: say --rank chair/ada'),
        (["choose park"], "say --score money/park=1"),
        (["rank ada,ada"], '"ada" is named twice'),
        (["rank ada", "rank chair/ada"], '"chair/ada" is named twice'),
        (["rank ada=1,ben"], "chair has ranks by number and by order"),
        (["rank ada=first"], '"ada" has "first", expected a whole number from -127 to 127'),
        (["rank ada=128"], "expected a whole number from -127 to 127"),
        (["score park=-128"], "expected a whole number from -127 to 127"),
        (["score park=1.5"], "expected a whole number"),
        (["score park"], '"park" has no number, expected one as in park=1'),
        (["choose open=1"], '"open" has the number 1, expected the name alone'),
        (["rank ada,,ben"], "expected a name between commas"),
        (["rank "], "expected a name between commas"),
        (['rank "ada'], "expected names separated by commas"),
        (["rank " + "ada," * 30_000], "expected fewer"),
        (["grade ada=1"], "could mean chair/ada or days/ada"),
    ],
)
def test_read_choices__what_does_not_fit__is_named(words: list[str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        _say(*words)
    assert said in str(caught.value)


def test_read_choices__blank_contests__are_said_or_left_out() -> None:
    nothing = encode_ballot([0] * 5 + [NO] * 3 + [0] * 3)
    assert _say(blank=("street",)) == nothing
    assert _say("choose open", blank=("Chair", "money")) == encode_ballot([0, 1, 0, 0, 0, NO, NO, NO, 0, 0, 0])
    with pytest.raises(InputError, match="street is left blank by --blank and has a choice too"):
        _say("choose open", blank=("street",))
    with pytest.raises(InputError, match='there is no contest "chiar"; did you mean "chair"'):
        _say(blank=("chiar",))


def test_read_choices__title_that_is_anothers_id__only_ids_decide() -> None:
    options = (Option("a", "b"), Option("b", "a"))
    definition = _definition(Contest("c", "C", "", Method.PLURALITY, options))
    with pytest.raises(InputError, match="could mean c/a or c/b: write contest/option by their ids"):
        _say("choose a", definition=definition)
    assert _say("choose c/b", definition=definition) == b"\x00\x01"
    assert write_choices(definition, b"\x00\x01") == [Choice("choose", "c/b")]


def test_write_choices__single_contest__goes_by_the_option_alone() -> None:
    definition = _definition(_contest(Method.IRV, 3))
    assert write_choices(definition, bytes([2, 0, 1])) == [Choice("rank", "o2,o0")]
    assert write_choices(definition, bytes([2, 0, 5])) == [Choice("rank", "o0=2,o2=5")]
    assert write_choices(definition, bytes(3)) == []


@pytest.mark.parametrize("method", list(Method))
def test_write_choices__every_valid_ballot_of_every_method__is_reachable(method: Method) -> None:
    limits = (
        {"min_score": -1, "max_score": 1} if "min_score" in {limit.name for limit in METHODS[method].limits} else {}
    )
    contest = _contest(method, 3, **limits)
    definition = _definition(contest)
    valid = 0
    for marks in itertools.product((NO, *range(-2, 5)), repeat=3):
        if judge_marks(contest, marks) is Use.COUNTED:
            valid += 1
            ballot = encode_ballot(marks)
            assert read_choices(definition, write_choices(definition, ballot)) == ballot
    assert valid >= 3


_marks = st.integers(MIN_MARK + 1, MAX_MARK)


@st.composite
def _ballots(draw: st.DrawFn) -> bytes:
    """Any ballot that words make: valid, blank or spoiled."""
    marks: list[int] = []
    for contest in TOWN.contests:
        rules = METHODS[contest.method]
        one = st.just(1) if rules.words.form is Form.MARK else _marks
        marks += [draw(st.just(rules.blank_mark) | one) for _ in contest.options]
    return encode_ballot(marks)


@given(_ballots())
def test_choices__words_to_bytes_to_words__come_back(ballot: bytes) -> None:
    words = write_choices(TOWN, ballot)
    if words:
        assert read_choices(TOWN, words) == ballot
        assert write_choices(TOWN, read_choices(TOWN, reversed(words))) == words


@given(st.binary(max_size=14) | st.binary(min_size=11, max_size=11))
def test_describe_ballot__any_bytes__are_described_and_judged(ballot: bytes) -> None:
    words = describe_ballot(TOWN, ballot)
    assert len(words.lines) == len(TOWN.contests)
    assert [contest.contest for contest in words.contests] == list(TOWN.contests)
    if len(ballot) != TOWN.ballot_length:
        assert {contest.verdict for contest in words.contests} == {SpoilReason.WRONG_LENGTH}
    assert all(contest.to_json()["use"] in {"counted", "blank", "spoiled"} for contest in words.contests)


@given(st.text(max_size=40), st.sampled_from([words.verb for words in list_verbs()]))
def test_read_choices__any_text__is_read_or_refused(text: str, verb: str) -> None:
    try:
        ballot = read_choices(TOWN, [Choice(verb, text)])
    except InputError:
        return
    assert len(ballot) == TOWN.ballot_length


def test_describe_ballot__a_whole_ballot__reads_as_a_person_would_say_it() -> None:
    ballot = _say("choose car-free", "rank ben,ada", "score park=3,open=-1")
    words = describe_ballot(TOWN, ballot)
    assert words.text == (
        "Market Street: Car-free, for good; Chair: 1. Ben, 2. Ada; "
        "Where to spend: Park 3, Open-air pool -1 (no answer: Library); Market days: blank, says nothing"
    )
    assert words.blank == ["Market days"]
    words.refuse_spoiled()


def test_describe_ballot__spoiled_contests__are_named_with_their_reason() -> None:
    ballot = _say("choose car-free,open", "rank ada=1,ben=1", "score park=9", "approve mon,fri,days/ada")
    words = describe_ballot(TOWN, ballot)
    assert [contest.verdict for contest in words.contests] == [
        SpoilReason.TOO_MANY_CHOICES,
        SpoilReason.EQUAL_RANKS,
        SpoilReason.OUT_OF_RANGE,
        SpoilReason.TOO_MANY_CHOICES,
    ]
    with pytest.raises(InputError) as caught:
        words.refuse_spoiled()
    for said in (
        "Market Street: it has more options than the contest allows",
        "Chair: it has two options with the same rank",
        "Where to spend: it has a mark that the contest does not allow (min_score -3, max_score 3)",
        "Market days: it has more options than the contest allows (max_choices 2)",
        "add --spoil",
    ):
        assert said in str(caught.value)
    assert "[spoiled, will not be counted: it has two options" in words.lines[1]
    odd = describe_ballot(TOWN, encode_ballot([7, 0, 0, 0, 0, NO, NO, NO, 0, 0, 0]))
    assert odd.contests[0].text == "Car-free, for good (mark 7)"


def test_describe_ballot__every_spoil_reason__has_words() -> None:
    assert set(SPOILED) == set(SpoilReason)


def test_list_verbs__every_method__has_one_and_equal_verbs_agree() -> None:
    verbs = {words.verb: words for words in list_verbs()}
    for rules in METHODS.values():
        assert verbs[rules.words.verb] == rules.words
    assert all(dataclasses.asdict(words) for words in verbs.values())
