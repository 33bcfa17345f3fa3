"""Conversions as a whole: to QBallot's two files and back, what is refused, what is noted."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profile_samples import join, ranked_profiles, ranks_of, said, scored_profiles

from qballot.core.ballot_csv import parse_ballot_csv
from qballot.core.definition import parse_definition_document
from qballot.core.election import Definition, Method
from qballot.errors import BallotFileError, DefinitionError, InputError
from qballot.formats.convert import Format, Request, convert, guess_format
from qballot.formats.new_definition import propose_method, write_definition
from qballot.formats.own import Spoiled, read_own, write_own
from qballot.formats.profile import Alternative, Ballots, Kind, Profile
from qballot.formats.rules import Overvote, Skipped

pytestmark = pytest.mark.unit

BOARD = '3 1\n2 1 2 0\n1 2=3 0\n1 0\n0\n"Ada"\n"Ben"\n"Cem"\n"Board"\n'


def _definition(method: str, options: str = "ada ben cem", **keys: object) -> Definition:
    names = [{"id": name, "title": name.capitalize()} for name in options.split()]
    contest = {"id": "chair", "title": "Chair", "method": method, "options": names, **keys}
    document = {"qballot": 1, "title": "Board", "contests": [contest]}
    return parse_definition_document(json.dumps(document))[0]


def _run(text: str, source: Format, target: Format, **keys: object) -> str:
    return convert(text, replace(Request(source, target), **keys)).text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.blt", None, Format.BLT),
        ("A.ABIF", None, Format.ABIF),
        ("a.b.toi", None, Format.TOI),
        ("a.csv", None, Format.CSV),
        ("a.csv", "ada,ben\n1,2\n", Format.CSV),
        ("a.csv", "id,rank1\n1,Ada\n", Format.CVR),
        ("a.csv", "", Format.CSV),
        ("blt", None, Format.BLT),
        ("a.txt", None, None),
    ],
)
def test_guess_format__ending_and_first_row__decide(name: str, text: str | None, expected: Format | None) -> None:
    assert guess_format(name, text) is expected


def test_convert__to_own_without_a_definition__makes_one_that_reads_the_ballots() -> None:
    conversion = convert(BOARD, Request(Format.BLT, Format.CSV))
    assert conversion.definition is not None
    definition, _ = parse_definition_document(conversion.definition)
    (contest,) = definition.contests
    assert (contest.method, contest.seats, contest.title) == (Method.SCHULZE, 1, "Board")
    assert [(option.id, option.title) for option in contest.options] == [("ada", "Ada"), ("ben", "Ben"), ("cem", "Cem")]
    assert conversion.text == join(["ada,ben,cem", "1,2,", "1,2,", ",1,1", ",,"])
    assert len(parse_ballot_csv(conversion.text, definition)) == 4
    assert conversion.notes == [
        "The definition says that schulze counts, which fits these ballots; choose another with --method."
    ]


def test_convert__weights__has_a_row_for_equal_ballots() -> None:
    text = _run(BOARD, Format.BLT, Format.CSV, weights=True)
    assert text == join(["weight,ada,ben,cem", "2,1,2,", "1,,1,1", "1,,,"])
    assert _run(text, Format.CSV, Format.BLT, definition=_definition("schulze")).startswith(
        "3 1\n2 1 2 0\n1 2=3 0\n1 0\n"
    )


@pytest.mark.parametrize(
    ("ballots", "kind", "seats", "method"),
    [
        ([Ballots(1, 1, ((0,), (1,)))], Kind.RANKS, None, Method.IRV),
        ([Ballots(1, 1, ((0,), (1,)))], Kind.RANKS, 2, Method.STV),
        ([Ballots(1, 1, ((0, 1),)), Ballots(1, 1, ((0,), (1,)))], Kind.RANKS, 2, Method.SCHULZE),
        ([Ballots(1, 1, ((0, 1),)), Ballots(1, 1, ((0,),)), Ballots(1, 1)], Kind.RANKS, 1, Method.APPROVAL),
        ([Ballots(1, 1, scores=((0, 1),))], Kind.SCORES, 1, Method.SCORE),
        ([], Kind.RANKS, None, Method.IRV),
    ],
)
def test_propose_method__what_ballots_say__decides(
    ballots: list[Ballots], kind: Kind, seats: int | None, method: Method
) -> None:
    profile = Profile((Alternative("A"), Alternative("B")), kind, tuple(ballots), seats=seats)
    assert propose_method(profile) is method


@pytest.mark.parametrize(
    ("scale", "scores", "limits"),
    [
        (None, [3, 5], {"min_score": 0, "max_score": 5}),
        (None, [-7, 9], {"min_score": -7, "max_score": 9}),
        ((-2, 2), [1, 1], {"min_score": -2, "max_score": 2}),
    ],
)
def test_write_definition__scores__have_the_scale_of_the_file(
    scale: tuple[int, int] | None, scores: list[int], limits: dict[str, int]
) -> None:
    ballots = (Ballots(1, 1, scores=tuple(enumerate(scores))),)
    profile = Profile((Alternative("A"), Alternative("B")), Kind.SCORES, ballots, "T", scale=scale)
    for method in (Method.SCORE, Method.STAR):
        assert write_definition(profile, method)[0].contests[0].limits == limits


def test_write_definition__grades__are_as_many_as_the_scale_has() -> None:
    profile = Profile((Alternative("A"),), Kind.SCORES, (Ballots(1, 1, scores=((0, 3),)),), scale=(0, 3))
    assert write_definition(profile, Method.MAJORITY_JUDGMENT)[0].contests[0].limits == {"grades": 4}


def test_write_definition__titles_no_definition_may_hold__are_refused_by_path() -> None:
    profile = Profile((Alternative("A" * 201), Alternative("e\u0301"), Alternative("B")), Kind.RANKS, ())
    with pytest.raises(DefinitionError, match=r"contests\[0\]\.options\[0\]\.title: .* has 201 characters"):
        write_definition(profile, Method.IRV)
    composed, _ = write_definition(replace(profile, alternatives=profile.alternatives[1:]), Method.IRV)
    assert composed.contests[0].options[0].title == "\u00e9"


@pytest.mark.parametrize(
    ("text", "method", "message"),
    [
        ("1:ada>ben\n2:ada=ben\n", "irv", r"row 2: irv would spoil this ballot \(equal ranks\)"),
        ("1:ada\n2:ada=ben\n", "plurality", r"row 2: plurality would spoil this ballot \(too many choices\)"),
        ("1:ada\n2:ada>ben\n", "approval", "row 2: this ballot ranks options, and approval only knows marks"),
        ("1:ada/3\n", "irv", "row 1: this ballot has scores, and irv counts none"),
        ("1:ada>ben\n", "star", "row 1: this ballot has ranks, and star counts numbers"),
        ("1:ada/6\n", "star", r"row 1: star would spoil this ballot \(out of range\)"),
        ("1:ada/2\n", "cumulative", r"row 1: cumulative would spoil this ballot \(too many votes\)"),
        ("1:dan\n", "irv", 'the file\'s option "dan" is not in the definition'),
        ("1:ada>Ada\n", "irv", 'the file\'s option "Ada" is another name of one that it has already'),
    ],
)
def test_convert__what_a_definition_cannot_take__is_refused(text: str, method: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _run(text, Format.ABIF, Format.CSV, definition=_definition(method))


def test_convert__definition__gives_order_and_ids() -> None:
    text = _run("3:Cem>ada\n", Format.ABIF, Format.CSV, definition=_definition("irv"), weights=True)
    assert text == join(["weight,ada,ben,cem", "3,2,,1"])


def test_convert__skipped_rank_beyond_the_options__is_refused_unless_closed_up() -> None:
    text = '2 1\n1 1 - 2 0\n0\n"ada"\n"ben"\n'
    with pytest.raises(BallotFileError, match="row 2: found 3 ranks with skipped ones, expected at most 2"):
        _run(text, Format.BLT, Format.CSV)
    assert _run(text, Format.BLT, Format.CSV, skipped=Skipped.IGNORE) == "ada,ben\n1,2\n"
    # A third option makes room for the rank that is skipped, which then stays.
    assert _run(text.replace("2 1\n", "3 1\n") + '"cem"\n', Format.BLT, Format.CSV) == "ada,ben,cem\n1,3,\n"


def test_convert__withdrawn_options__are_kept_by_blt_and_left_out_elsewhere() -> None:
    text = BOARD.replace("3 1\n", "3 1\n-2\n")
    assert _run(text, Format.BLT, Format.BLT).splitlines()[1] == "-2"
    conversion = convert(text, Request(Format.BLT, Format.ABIF))
    assert conversion.notes == ["Withdrawn, and left out of the options and the ballots: Ben."]
    assert conversion.text.splitlines()[-3:] == ["2:ada", "1:cem", "1:"]


def test_convert__overvotes_of_blt__go_by_the_rule() -> None:
    for overvote, line in ((Overvote.KEEP, "1 2=3 0"), (Overvote.SKIP, "2 0"), (Overvote.EXHAUST, "2 0")):
        assert line in _run(BOARD, Format.BLT, Format.BLT, overvote=overvote).splitlines()


def test_convert__blank_ballots__are_dropped_when_asked() -> None:
    with pytest.raises(BallotFileError, match="row 4: this ballot is blank, and toi has no blank ones"):
        _run(BOARD, Format.BLT, Format.TOI)
    conversion = convert(BOARD, Request(Format.BLT, Format.TOI, keep_blank=False, file_name="board.toi"))
    assert "# NUMBER VOTERS: 3\n" in conversion.text
    assert conversion.profile.total == 3


def test_convert__spoiled_ballots__are_refused_blank_or_dropped() -> None:
    definition, text = _definition("irv"), "voter,ada,ben,cem\nv1,1,2,\nv2,1,1,\nv3,,,1\nv1,2,1,\n"
    with pytest.raises(BallotFileError, match=r'row 3: this ballot is spoiled in "chair" \(equal ranks\)'):
        _run(text, Format.CSV, Format.ABIF, definition=definition)
    for spoiled, lines in ((Spoiled.BLANK, ["1:", "1:cem", "1:ben>ada"]), (Spoiled.DROP, ["1:cem", "1:ben>ada"])):
        written = _run(text, Format.CSV, Format.ABIF, definition=definition, spoiled=spoiled)
        assert [line for line in written.splitlines() if line[0].isdigit()] == lines


def test_convert__one_of_several_contests__is_chosen() -> None:
    options = [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}]
    contests = [
        {"id": name, "title": name.upper(), "method": method, "options": options}
        for name, method in (("park", "score"), ("pool", "approval"))
    ]
    definition, _ = parse_definition_document(json.dumps({"qballot": 1, "title": "T", "contests": contests}))
    text = "park/yes,park/no,pool/yes,pool/no\n5,,1,1\n"
    with pytest.raises(InputError, match="the definition has 2 contests: choose one of park, pool with --contest"):
        _run(text, Format.CSV, Format.ABIF, definition=definition)
    with pytest.raises(InputError, match=r'found no contest "pol", .* did you mean "pool"'):
        _run(text, Format.CSV, Format.ABIF, definition=definition, contest="pol")
    assert _run(text, Format.CSV, Format.ABIF, definition=definition, contest="park").endswith("\n1:yes/5\n")
    assert _run(text, Format.CSV, Format.ABIF, definition=definition, contest="POOL").endswith("\n1:yes=no\n")
    with pytest.raises(InputError, match="need a definition of one contest"):
        _run("1:yes\n", Format.ABIF, Format.CSV, definition=definition)


def test_convert__what_is_lost__is_noted() -> None:
    text = BOARD.replace("3 1\n", "3 2\n").replace("1 2=3 0\n", "")
    assert convert(text, Request(Format.BLT, Format.CVR)).notes == [
        "cvr does not say that there are 2 seats.",
        "cvr does not say the title.",
    ]
    assert convert(text, Request(Format.BLT, Format.CSV, definition=_definition("irv"))).notes == [
        "The file has 2 seats, and the definition 1, which holds."
    ]
    assert convert(text, Request(Format.BLT, Format.CSV, seats=1, title="Other")).definition.count("Other") == 2  # type: ignore[union-attr]


def test_convert__csv_without_a_definition__is_refused() -> None:
    with pytest.raises(InputError, match="name it with --definition"):
        _run("ada,ben\n1,2\n", Format.CSV, Format.BLT)


@pytest.mark.parametrize("target", [Format.ABIF, Format.TOI, Format.CVR])
@pytest.mark.parametrize(("second", "found"), [("Ada", "two options are called"), ("", "an option has no title")])
def test_convert__options_that_share_a_title__are_refused_where_titles_tell_them(
    target: Format, second: str, found: str
) -> None:
    text = f'2 1\n1 1 2 0\n0\n"Ada"\n"{second}"\n"T"\n'
    assert _run(text, Format.BLT, Format.BLT) == text
    with pytest.raises(InputError, match=f"{found}.*, and {target} tells options by their titles"):
        _run(text, Format.BLT, target)


def test_convert__scale__multiplies_our_own_weights_too() -> None:
    definition = _definition("irv")
    text = _run("weight,ada,ben,cem\n3,1,,\n", Format.CSV, Format.BLT, definition=definition, scale=4)
    assert text.splitlines()[1] == "12 1 0"
    with pytest.raises(BallotFileError, match=r"row 2: found the count 3 times .* expected below"):
        _run("weight,ada,ben,cem\n3,1,,\n", Format.CSV, Format.BLT, definition=definition, scale=2**95)


MARKING = {Method.PLURALITY: 1, Method.BLOCK_PLURALITY: 2, Method.APPROVAL: 3}


@pytest.mark.parametrize("method", [Method.IRV, Method.STV, Method.BORDA, Method.SCHULZE, Method.MINIMAX, *MARKING])
@given(st.data())
def test_own__ranks_and_marks__survive_a_round_trip(method: Method, data: st.DataObject) -> None:
    definition = _definition(method, "ada ben cem dan", **({"seats": 2} if method is Method.BLOCK_PLURALITY else {}))
    if method in MARKING:
        marks = st.sets(st.integers(0, 3), max_size=MARKING[method]).map(
            lambda some: (tuple(sorted(some)),) if some else ()
        )
    else:
        marks = ranks_of(4, ties=method in (Method.SCHULZE, Method.MINIMAX), complete=False, gaps=False)
    lines = data.draw(st.lists(st.tuples(marks, st.integers(1, 5)), min_size=1, max_size=6))
    alternatives = tuple(Alternative(option.title, option.id) for option in definition.contests[0].options)
    ballots = tuple(Ballots(1, count, ranks) for ranks, count in lines)
    profile = Profile(alternatives, Kind.RANKS, ballots, "Board", seats=definition.contests[0].seats)
    for weights in (True, False):
        again = read_own(write_own(profile, definition.contests[0], weights=weights), definition, 0)
        assert said(again) == said(profile)
        assert replace(again, ballots=()) == replace(profile, ballots=())


@given(scored_profiles(-5, 5))
def test_own__scores__survive_a_round_trip(profile: Profile) -> None:
    definition, _ = write_definition(profile, Method.SCORE)
    again = read_own(write_own(profile, definition.contests[0], weights=True), definition, 0)
    assert (said(again), again.scale, again.title) == (said(profile), profile.scale, profile.title)


@given(ranked_profiles(ties=False, blank=False, fewest=2))
def test_convert__through_every_format__ranks_stay_the_same(profile: Profile) -> None:
    definition, _ = write_definition(profile, Method.IRV)
    text = write_own(profile, definition.contests[0], weights=True)
    first = Request(Format.CSV, Format.ABIF, definition=definition)
    chain = [Format.ABIF, Format.BLT, Format.SOI, Format.TOI, Format.CVR, Format.BLT]
    text = convert(text, first).text
    for source, target in pairwise(chain):
        text = convert(text, Request(source, target, weights=True, file_name="x")).text
    last = convert(text, Request(Format.BLT, Format.CSV, definition=definition, weights=True))
    assert said(read_own(last.text, definition, 0)) == said(profile)
