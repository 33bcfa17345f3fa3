"""BLT: OpaVote's features one by one, round trips, and every refusal with its row."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profile_samples import ranked_profiles, ranks_by_row, said, titles_of

from qballot.errors import BallotFileError, InputError
from qballot.formats.blt import read_blt, write_blt
from qballot.formats.profile import Alternative, Ballots, Kind, Profile, drop_withdrawn

pytestmark = pytest.mark.unit

CLUB = """\
4 2            # four options, two seats
-2             # Ben has withdrawn
1 4 1 3 2 0    # every one
6 4 3 0        # six, or one of weight 6

1 0            # blank
1 2 - 3 0      # no second choice
1 2=3 1 0      # two equal
(paper 17) 1 3 0
1 1 - 0
0              # the end
"Dora"         # 1
"Ben # 2"      # 2
Cem
"Ada"
"Club of the year"
"""


def test_read_blt__every_feature__is_understood() -> None:
    profile = read_blt("\ufeff" + CLUB.replace("\n", "\r\n"))
    assert profile == Profile(
        alternatives=tuple(map(Alternative, ("Dora", "Ben # 2", "Cem", "Ada"))),
        kind=Kind.RANKS,
        ballots=(
            Ballots(3, 1, ((3,), (0,), (2,), (1,))),
            Ballots(4, 6, ((3,), (2,))),
            Ballots(6, 1),
            Ballots(7, 1, ((1,), (), (2,))),
            Ballots(8, 1, ((1, 2), (0,))),
            Ballots(9, 1, ((2,),)),
            Ballots(10, 1, ((0,),)),
        ),
        title="Club of the year",
        seats=2,
        withdrawn=frozenset({1}),
    )
    again = read_blt(write_blt(profile))
    assert [replace(each, row=0) for each in again.ballots] == [replace(each, row=0) for each in profile.ballots]
    assert replace(again, ballots=()) == replace(profile, ballots=())


def test_drop_withdrawn__leaves_the_rest_in_order() -> None:
    profile = drop_withdrawn(read_blt(CLUB))
    assert titles_of(profile) == ["Dora", "Cem", "Ada"]
    assert ranks_by_row(profile)[0] == (1, ((2,), (0,), (1,)))
    # The rank of whom has withdrawn is closed up; a rank that was skipped is still one.
    assert ranks_by_row(profile)[3:5] == [(1, ((), (1,))), (1, ((1,), (0,)))]


def test_read_blt__without_title_or_with_more_texts__is_read() -> None:
    assert read_blt('1 1\n0\n"A"\n').title == ""
    assert read_blt('1 1\n0\n"A"\n"T"\n"source"\n"comment"\n').title == "T"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'row 1: found "", expected the numbers of options and seats'),
        ("Ada\n", 'row 1: found "Ada", expected the numbers'),
        ("3 4\n", "row 1: found 4 seats for 3 options, expected from 1 to 3"),
        ("2 0\n", "row 1: found 0 seats"),
        ("128 1\n", "row 1: found 128 options, expected at most 127"),
        ("2 1\n-3\n", "row 2: found option 3, expected from 1 to 2"),
        ("2 1\n1 1 2\n", 'row 2: found "1 1 2", expected a weight, options by number, and 0 at the end'),
        ("2 1\n1 1 0 2 0\n", "row 2: found option 0"),
        ("2 1\n1 3 0\n", "row 2: found option 3, expected from 1 to 2"),
        ("2 1\n1 1 1 0\n", "row 2: option 1 is ranked twice"),
        ("2 1\n1 1=1 0\n", "row 2: option 1 is ranked twice"),
        ("2 1\n1 1= 2 0\n", 'row 2: found "1=", expected an option'),
        ("2 1\n1 A 0\n", 'row 2: found "A", expected an option'),
        ("2 1\nx 1 0\n", 'row 2: found the count "x"'),
        ("2 1\n0 1 0\n", 'row 2: found the count "0"'),
        ("2 1\n0.25 1 0\n", "row 2: .* multiply the counts by 4 with --scale"),
        ("2 1\n1 1 0\n", "row 2: the file ends here, expected a row 0"),
        ('2 1\n1 1 0\n-1\n0\n"A"\n"B"\n', 'row 3: found "-1", expected a weight'),
        ("2 1\n1 1 0\n0\n", "row 3: the file ends after 0 names, expected 2"),
        ('2 1\n1 1 0\n0\n"A"\n', "row 4: the file ends after 1 names"),
        ('2 1\n0\n"A" "B"\n', "row 3: .* one text in straight double quotes"),
        ("2 1\n0\n1 2 0\n", 'row 3: found "1 2 0" among the names'),
        ('1 1\n0\n"A"\n"T"\n1 1 0\n', "row 5: .* after the title, expected the end"),
        ("1 1\n1 " + "- " * 1_001 + "1 0\n", "row 2: found 1002 ranks, expected at most 1000"),
    ],
)
def test_read_blt__malformed__names_row_and_fault(text: str, message: str) -> None:
    with pytest.raises(BallotFileError, match=message):
        read_blt(text)


def test_read_blt__parts_of_votes__are_multiplied_when_asked() -> None:
    assert ranks_by_row(read_blt('1 1\n0.25 1 0\n3 0\n0\n"A"\n', scale=4)) == [(1, ((0,),)), (12, ())]


def test_write_blt__scores__are_refused() -> None:
    profile = Profile((Alternative("A"),), Kind.SCORES, (Ballots(1, 1, scores=((0, 5),)),))
    with pytest.raises(BallotFileError, match="row 1: this ballot has scores, and blt has only ranks"):
        write_blt(profile)


def test_write_blt__double_quote__is_refused() -> None:
    with pytest.raises(InputError, match="blt has no way to write a double quote"):
        write_blt(Profile((Alternative('A "a" A'),), Kind.RANKS, ()))


@given(st.data())
def test_blt__everything_but_scores__survives_a_round_trip(data: st.DataObject) -> None:
    profile = data.draw(ranked_profiles(gaps=True))
    options = len(profile.alternatives)
    profile = replace(
        profile,
        seats=data.draw(st.integers(1, options)),
        withdrawn=frozenset(data.draw(st.sets(st.integers(0, options - 1)))),
    )
    again = read_blt(write_blt(profile))
    assert said(again) == said(profile)
    assert replace(again, ballots=()) == replace(profile, ballots=())
