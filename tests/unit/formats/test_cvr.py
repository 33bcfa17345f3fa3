"""Cast vote records: the words that cities use, the rules for overvotes and skips, and every refusal with its row."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from profile_samples import join, ranked_profiles, ranks_by_row, said, titles_of

from qballot.errors import BallotFileError, InputError
from qballot.formats.cvr import looks_like_cvr, read_cvr, write_cvr
from qballot.formats.profile import Alternative, Ballots, Kind, Profile
from qballot.formats.rules import Overvote, RankRules, Skipped, apply_rules, settle_ranks

pytestmark = pytest.mark.unit

CITY = join(
    [
        "ballotID,precinct,rank1,rank2,rank3,rank4",
        '1,4001,"Terry Seamens",Roger Schlegel,skipped,skipped',
        "2,4001,overvote,Roger Schlegel,writein,undervote",
        "3,4002,,skipped,Terry  Seamens,UWI",
        "4,4002,Write-in,skipped,Roger Schlegel,skipped",
        "5,4003,Roger Schlegel,Roger Schlegel,overvote,Terry Seamens",
        "6,4003,skipped,,undervote,blank",
    ]
)
TERRY, ROGER, WRITE_IN = (0,), (1,), (2,)


def test_read_cvr__default_rules__overvotes_end_the_ballot_and_skips_close_up() -> None:
    profile = read_cvr("\ufeff" + CITY.replace("\n", "\r\n"))
    assert titles_of(profile) == ["Terry Seamens", "Roger Schlegel", "Write-in"]
    assert ranks_by_row(profile) == [
        (1, (TERRY, ROGER)),
        (1, ()),
        (1, (TERRY, WRITE_IN)),
        (1, (WRITE_IN, ROGER)),
        (1, (ROGER,)),
        (1, ()),
    ]
    assert [ballots.row for ballots in profile.ballots] == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("overvote", "skipped", "ranks"),
    [
        (Overvote.SKIP, Skipped.IGNORE, [(ROGER, WRITE_IN), (TERRY, WRITE_IN), (WRITE_IN, ROGER), (ROGER, TERRY)]),
        (Overvote.SKIP, Skipped.EXHAUST, [(ROGER, WRITE_IN), (), (WRITE_IN,), (ROGER, TERRY)]),
        (Overvote.SKIP, Skipped.EXHAUST_AFTER_TWO, [(ROGER, WRITE_IN), (), (WRITE_IN, ROGER), (ROGER, TERRY)]),
        (
            Overvote.SKIP,
            Skipped.KEEP,
            [(ROGER, WRITE_IN), ((), (), TERRY, WRITE_IN), (WRITE_IN, (), ROGER), (ROGER, TERRY)],
        ),
        (Overvote.EXHAUST, Skipped.EXHAUST, [(), (), (WRITE_IN,), (ROGER,)]),
    ],
)
def test_read_cvr__chosen_rules__decide(
    overvote: Overvote, skipped: Skipped, ranks: list[tuple[tuple[int, ...], ...]]
) -> None:
    assert [each.ranks for each in read_cvr(CITY, RankRules(overvote, skipped)).ballots[1:5]] == ranks


@pytest.mark.parametrize("between", [[None], [(1, 2)]])
def test_settle_ranks__overvote_between_skips__parts_them(between: list[tuple[int, ...] | None]) -> None:
    rules = RankRules(Overvote.SKIP, Skipped.EXHAUST_AFTER_TWO)
    assert settle_ranks(1, [(0,), (), *between, (), (3,)], rules) == ((0,), (3,))
    assert settle_ranks(1, [(0,), (), (), (3,)], rules) == ((0,),)


def test_apply_rules__equal_ranks__are_kept_or_not_as_chosen() -> None:
    profile = Profile((Alternative("A"),) * 4, Kind.RANKS, (Ballots(1, 1, ((0,), (1, 2), (), (3,))),))
    assert apply_rules(profile, RankRules()) == profile
    results = {
        (overvote, skipped): apply_rules(profile, RankRules(overvote, skipped)).ballots[0].ranks
        for overvote in Overvote
        for skipped in (Skipped.KEEP, Skipped.IGNORE)
    }
    assert results == {
        (Overvote.KEEP, Skipped.KEEP): ((0,), (1, 2), (), (3,)),
        (Overvote.KEEP, Skipped.IGNORE): ((0,), (1, 2), (3,)),
        (Overvote.EXHAUST, Skipped.KEEP): ((0,),),
        (Overvote.EXHAUST, Skipped.IGNORE): ((0,),),
        (Overvote.SKIP, Skipped.KEEP): ((0,), (), (3,)),
        (Overvote.SKIP, Skipped.IGNORE): ((0,), (3,)),
    }


@pytest.mark.parametrize(
    "header", ["rank1,rank2,weight", "Rank 1,RANK_2,Count", "choice_1,Choice-2,weight", "1st choice,2nd Choice,weight"]
)
def test_read_cvr__other_names_of_columns__are_known(header: str) -> None:
    assert looks_like_cvr(header)
    assert ranks_by_row(read_cvr(f"{header}\nA,B,27\nB,,0.5\n", scale=2)) == [(54, ((0,), (1,))), (1, ((1,),))]


@pytest.mark.parametrize("header", ["", "voter,Ada,Ben", "rank", "ranking1", "rank2", '"'])
def test_looks_like_cvr__other_files__do_not(header: str) -> None:
    assert not looks_like_cvr(header)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "row 1: found columns of the ranks none; expected rank1"),
        ("id,rank2,rank3\n1,A,B\n", "row 1: found columns of the ranks 2, 3; expected rank1"),
        ("rank1,rank3\nA,B\n", "row 1: found columns of the ranks 1, 3"),
        ("rank1,choice 1\nA,B\n", 'row 1: found a second column for rank 1, "choice 1"'),
        ("rank1,weight,count\nA,1,1\n", 'row 1: found "count", a second column of counts'),
        ("rank1,rank2\n", "row 1: no ballots after the first row"),
        ("rank1,rank2\nA,B\nA\n", "row 3: found 1 cells, expected 2 as in the first row"),
        ("rank1,rank2\nA,B\n\nB,A\n", "row 3: the line is empty"),
        ("rank1,weight\nA,many\n", 'row 2: found the count "many"'),
        ('rank1,rank2\n"A,B\n', "row 2: not CSV"),
        (",".join(f"rank{n}" for n in range(1, 129)), "row 1: .* at most 127"),
        (join(["rank1", *(f"O{n}" for n in range(128))]), "row 129: found 128 options, expected at most 127"),
        (f"rank1\nA\n{'x' * 100_001}\n", "row 3: has 100001 characters"),
    ],
)
def test_read_cvr__malformed__names_row_and_fault(text: str, message: str) -> None:
    with pytest.raises(BallotFileError, match=message):
        read_cvr(text)


def test_read_cvr__known_options__no_others_are_taken() -> None:
    known = ("Roger Schlegel", "Terry Seamens", "Write-in")
    assert titles_of(read_cvr(CITY, known=known)) == list(known)
    with pytest.raises(BallotFileError, match=r'row 4: found no option "Terry Seamen" .* did you mean "Terry Seamens"'):
        read_cvr(CITY.replace("Terry  Seamens", "Terry Seamen"), known=known)


def test_read_cvr__overvote_that_is_kept__is_refused() -> None:
    with pytest.raises(BallotFileError, match="row 3: rank 1 is an overvote that names no options"):
        read_cvr(CITY, RankRules(Overvote.KEEP))


def _profile(*ballots: Ballots, title: str = "A") -> Profile:
    return Profile((Alternative(title), Alternative("B")), Kind.RANKS, ballots)


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (_profile(Ballots(4, 1, ((0, 1),))), "row 4: this ballot ranks options equal"),
        (replace(_profile(Ballots(4, 1, scores=((0, 1),))), kind=Kind.SCORES), "row 4: this ballot has scores"),
        (_profile(title="Overvote"), 'an option is called "Overvote"'),
        (_profile(title="UWI"), 'an option is called "UWI"'),
        (_profile(Ballots(4, 2_000_000), Ballots(5, 1)), "row 5: from here on more than 2000000 ballots"),
    ],
)
def test_write_cvr__what_it_cannot_say__is_refused(profile: Profile, message: str) -> None:
    with pytest.raises(InputError, match=message):
        write_cvr(profile, weights=False)


def test_write_cvr__without_weights__has_a_row_for_every_ballot() -> None:
    profile = _profile(Ballots(1, 2, ((0,), (), (1,))), Ballots(2, 1))
    assert write_cvr(profile, weights=False) == join(
        ["rank1,rank2,rank3", "A,skipped,B", "A,skipped,B", "skipped,skipped,skipped"]
    )


@given(ranked_profiles(ties=False, gaps=True))
def test_cvr__ranks_and_gaps__survive_a_round_trip(profile: Profile) -> None:
    again = read_cvr(write_cvr(profile, weights=True), RankRules())
    assert said(again) == said(profile)
