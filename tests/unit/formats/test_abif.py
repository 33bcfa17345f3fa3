"""ABIF: what the grammar has, round trips, and every refusal with its row."""

from __future__ import annotations

import pytest
from hypothesis import given
from profile_samples import ranked_profiles, ranks_by_row, said, scored_profiles, titles_of

from qballot.errors import BallotFileError
from qballot.formats.abif import read_abif, write_abif
from qballot.formats.profile import Alternative, Ballots, Kind, Profile

pytestmark = pytest.mark.unit

DECLARED = """\
# The board, counted twice
{"title": "Board"}
{description: "Two lines\\nof text"}   # a remark
{ "seats" : 2 }
{unknown: null}
=AL:[Ada Lovelace (née B.)]
= "BM": "Ben [M]"
=CK : [Cem K.]   # the third

27: AL > BM = CK
 5:CK>[Ada Lovelace (née B.)]
3*BM
2 * "CK"=AL
4:            # blank
"""


def test_read_abif__declared_options__has_ranks_titles_and_what_is_known() -> None:
    profile = read_abif("\ufeff" + DECLARED.replace("\n", "\r\n"))
    assert profile == Profile(
        alternatives=(
            Alternative("Ada Lovelace (née B.)", "AL"),
            Alternative("Ben [M]", "BM"),
            Alternative("Cem K.", "CK"),
        ),
        kind=Kind.RANKS,
        ballots=(
            Ballots(10, 27, ((0,), (1, 2))),
            Ballots(11, 5, ((2,), (0,))),
            Ballots(12, 3, ((1,),)),
            Ballots(13, 2, ((0, 2),)),
            Ballots(14, 4),
        ),
        title="Board",
        description="Two lines\nof text",
        seats=2,
    )
    assert read_abif(write_abif(profile)).ballots == tuple(
        Ballots(row, each.count, each.ranks) for row, each in enumerate(profile.ballots, start=7)
    )


def test_read_abif__no_declarations__tokens_are_titles_in_their_order() -> None:
    profile = read_abif('12:Allie>Billy=Ça-va_2\n7:["Nash" Nash]>"A \\"b\\""\n1:["Nash" Nash]>Allie')
    assert titles_of(profile) == ["Allie", "Billy", "Ça-va_2", '"Nash" Nash', 'A "b"']
    assert ranks_by_row(profile) == [(12, ((0,), (1, 2))), (7, ((3,), (4,))), (1, ((3,), (0,)))]


def test_read_abif__brackets__declare_titles_alone() -> None:
    profile = read_abif("=[Ada Lovelace]\n=ben\n2:ben>[Ada Lovelace]\n")
    assert [(each.title, each.name) for each in profile.alternatives] == [("Ada Lovelace", ""), ("ben", "ben")]
    assert ranks_by_row(profile) == [(2, ((1,), (0,)))]


def test_read_abif__quoted_titles_beside_declarations__are_options_of_their_own() -> None:
    profile = read_abif("=a:[Ada]\n27:a>[蘇業]\n26:[蘇業]=[Ada]\n")
    assert titles_of(profile) == ["Ada", "蘇業"]
    assert ranks_by_row(profile) == [(27, ((0,), (1,))), (26, ((0, 1),))]


def test_read_abif__scores__are_read_with_their_scale() -> None:
    profile = read_abif('{"min_rating": -5}\n{max_rating: 5}\n27: A/5, B/-2, C\n3:B/0\n1:\n')
    assert (profile.kind, profile.scale) == (Kind.SCORES, (-5, 5))
    assert [ballots.scores for ballots in profile.ballots] == [((0, 5), (1, -2)), ((1, 0),), ()]


def test_read_abif__order_and_scores__scores_hold_unless_asked_otherwise() -> None:
    text = "42:Memph/5>Nash/2=Chat/2>Knox/0\n"
    assert [each.scores for each in read_abif(text).ballots] == [((0, 5), (1, 2), (2, 2), (3, 0))]
    assert ranks_by_row(read_abif(text, take=Kind.RANKS)) == [(42, ((0,), (1, 2), (3,)))]
    contradicting = "210:Memph/5>Nash/0>Chat/0\n"
    with pytest.raises(
        BallotFileError, match=r'row 1: found "Nash" > "Chat" with the scores 0 and 0, which contradict'
    ):
        read_abif(contradicting)
    assert ranks_by_row(read_abif(contradicting, take=Kind.RANKS)) == [(210, ((0,), (1,), (2,)))]
    (ballots,) = read_abif(contradicting, take=Kind.SCORES).ballots
    assert ballots.scores == ((0, 5), (1, 0), (2, 0))


def test_read_abif__parts_of_votes__are_multiplied_when_asked() -> None:
    assert ranks_by_row(read_abif("1.5:A\n1/2:B\n2:A>B\n", scale=2)) == [(3, ((0,),)), (1, ((1,),)), (4, ((0,), (1,)))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1:A>B\nA>B\n", 'row 2: found "A>B", expected a count before the ballot'),
        (":A\n", "row 1: found .* expected a count before the ballot"),
        ("x:A\n", 'row 1: found the count "x", expected a whole number from 1'),
        ("0:A\n", 'row 1: found the count "0", expected from 1 to'),
        ("1/0:A\n", "row 1: found the count"),
        ("0.5:A\n", "row 1: .* no whole number of votes; multiply the counts by 2 with --scale"),
        (f"{2**96}:A\n", r"row 1: .* expected from 1 to 2\*\*96 - 1"),
        ("1:A\n1:A>A\n", "row 2: an option stands on this ballot twice"),
        ("1:A>\n", "row 1: found the end where an option was expected"),
        ("1:A>>B\n", 'row 1: found ">" where an option was expected'),
        ("1:A B\n", 'row 1: found "B" after an option'),
        ("1:A:B\n", 'row 1: found ":" after an option'),
        ("1:A,B\n", "row 1: found a comma between options without scores"),
        ("1:A/5>B\n", 'row 1: "B" has no score and others have'),
        ("1:A/5=B/4\n", "row 1: .* contradict each other"),
        ("1:A/\n", 'row 1: "A" has the score "", expected a whole number'),
        ("1:A/128\n", 'row 1: "A" has the score "128", expected a whole number from -127 to 127'),
        ("1:A/5\n2:A\n", "row 2: ranks here, scores in row 1"),
        ("1:A*2\n", r'row 1: found "\*" after an option'),
        ("1:A;B\n", 'row 1: found ";B", expected an option\'s token'),
        ("1:[A\n", r'row 1: found "\[A"'),
        ("1:[]\n", "row 1: found a token without a text"),
        ('1:"\\q"\n', "row 1: .* as JSON has it"),
        ("=ada:[Ada]\n1:Ada>bea\n", 'row 2: found no option "bea" among'),
        ("=a:[A]\n=a:[B]\n", 'row 2: found an option "a" a second time'),
        ("=a:[A]\n=b:[A]\n", 'row 2: found an option "A" a second time'),
        ("=a>[A]\n", "row 1: .* expected an option as in =ada"),
        ("=\n", "row 1: .* expected an option as in =ada"),
        ('{"title": "A"\n', "row 1: .* expected one key and value"),
        ('{"title": "A"}\n{"title": "B"}\n', 'row 2: "title" stands in row 1 already'),
        ('{"seats": many}\n', 'row 1: found "many" seats'),
        ('{"max_rating": 400}\n1:A/5\n', 'row 1: "max_rating" has the score "400"'),
        ("1:" + ">".join(f"O{n}" for n in range(128)), "row 1: found 128 options, expected at most 127"),
        ("1:A\n#" + "x" * 100_000, "row 2: has 100001 characters, expected at most 100000"),
    ],
)
def test_read_abif__malformed__names_row_and_fault(text: str, message: str) -> None:
    with pytest.raises(BallotFileError, match=message):
        read_abif(text)


def test_read_abif__take_scores_of_ranks__is_refused() -> None:
    with pytest.raises(BallotFileError, match="row 1: found no scores to take"):
        read_abif("1:A>B\n", take=Kind.SCORES)


def test_write_abif__skipped_rank__is_refused_with_its_row() -> None:
    profile = Profile((Alternative("A"), Alternative("B")), Kind.RANKS, (Ballots(7, 1, ((0,), (), (1,))),))
    with pytest.raises(BallotFileError, match="row 7: this ballot skips rank 2, and abif has no skipped ranks"):
        write_abif(profile)


@given(ranked_profiles())
def test_abif__ranks__survive_a_round_trip(profile: Profile) -> None:
    again = read_abif(write_abif(profile))
    assert (said(again), titles_of(again), again.title) == (said(profile), titles_of(profile), profile.title)


@given(scored_profiles())
def test_abif__scores__survive_a_round_trip(profile: Profile) -> None:
    again = read_abif(write_abif(profile))
    assert (said(again), titles_of(again), again.scale) == (said(profile), titles_of(profile), profile.scale)
