"""PrefLib's four types of orders: the specification's example, round trips, and every refusal with its row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profile_samples import join, ranked_profiles, ranks_by_row, said, titles_of

from qballot.errors import BallotFileError
from qballot.formats.preflib import DataType, read_preflib, write_preflib
from qballot.formats.profile import Alternative, Ballots, Kind, Profile

pytestmark = pytest.mark.unit

HEADER = """\
# FILE NAME: 00099-00000001.toc
# TITLE: Leader of the project
# DESCRIPTION: Obtained from the soi: who was not ranked is last
# DATA TYPE: toc
# MODIFICATION TYPE: imbued
# RELATES TO: 00099-00000001.soi
# RELATED FILES:
# PUBLICATION DATE: 2013-08-17
# MODIFICATION DATE: 2022-09-16
# NUMBER ALTERNATIVES: 4
# NUMBER VOTERS: 143
# NUMBER UNIQUE ORDERS: 4
# ALTERNATIVE NAME 1: Ada
# ALTERNATIVE NAME 2: Ben: the second
# ALTERNATIVE NAME 3: Cem
# ALTERNATIVE NAME 4: None Of The Above
"""
LEADER = HEADER + "100: 3,1,2,4\n30: 1, 2, {3, 4}\n9: 3,{1,2,4}\n4: {1,2,3,4}\n"


def _file(data_type: str, *orders: str, number: int = 3) -> str:
    names = [f"# ALTERNATIVE NAME {place}: O{place}" for place in range(1, number + 1)]
    return join([f"# DATA TYPE: {data_type}", f"# NUMBER ALTERNATIVES: {number}", *names, *orders])


def test_read_preflib__orders_with_ties__are_read() -> None:
    profile = read_preflib("\ufeff" + LEADER.replace("\n", "\r\n"), DataType.TOC)
    assert titles_of(profile) == ["Ada", "Ben: the second", "Cem", "None Of The Above"]
    assert (profile.title, profile.description[:8]) == ("Leader of the project", "Obtained")
    assert ranks_by_row(profile) == [
        (100, ((2,), (0,), (1,), (3,))),
        (30, ((0,), (1,), (2, 3))),
        (9, ((2,), (0, 1, 3))),
        (4, ((0, 1, 2, 3),)),
    ]


def test_write_preflib__every_key__stands_in_the_header() -> None:
    written = write_preflib(read_preflib(LEADER), DataType.TOI, "leader.toi")
    keys = [line.split(":")[0] for line in HEADER.splitlines()]
    assert [line.split(":")[0] for line in written.splitlines() if line.startswith("#")] == keys
    assert "# FILE NAME: leader.toi\n" in written
    assert written.endswith("100: 3,1,2,4\n30: 1,2,{3,4}\n9: 3,{1,2,4}\n4: {1,2,3,4}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "row 1: the header ends here without # DATA TYPE"),
        ("4\n1,Ada\n", 'row 1: found "4", expected the header, .* files from before 2022 have none'),
        ("# DATA TYPE\n", "row 1: .* expected a key and a value"),
        (LEADER.replace("DATA TYPE: toc", "DATA TYPE: cat"), 'row 4: found the data type "cat", expected soc, soi'),
        (LEADER.replace("# DATA TYPE: toc\n", ""), "row 15: the header ends here without # DATA TYPE"),
        (LEADER.replace("# NUMBER ALTERNATIVES: 4\n", ""), "row 15: .* without # NUMBER ALTERNATIVES"),
        (LEADER.replace("VES: 4", "VES: four"), 'row 10: NUMBER ALTERNATIVES: found "four"'),
        (LEADER.replace("VES: 4", "VES: 5"), "row 16: the header ends here without # ALTERNATIVE NAME 5"),
        (LEADER.replace("VES: 4", "VES: 128"), "row 10: found 128 options, expected at most 127"),
        (LEADER.replace("VES: 4", "VES: 3"), "row 16: found ALTERNATIVE NAME 4, expected names from 1 to 3"),
        (LEADER.replace("NAME 4: None", "NAME 1: None"), "row 16: ALTERNATIVE NAME 1 stands in row 13 already"),
        (LEADER.replace("3: Cem", "3: Ada"), 'row 15: found the name "Ada" of row 13 again'),
        (
            LEADER.replace("ERS: 143", "ERS: 142"),
            'row 11: NUMBER VOTERS: found "142", and the orders below come to 143',
        ),
        (LEADER.replace("4: {1,2,3,4}\n", ""), 'row 12: NUMBER UNIQUE ORDERS: found "4", .* come to 3'),
        (LEADER + "# TITLE: again\n", "row 21: found a row of the header after an order"),
        (LEADER.replace("30: ", "30; "), 'row 18: found "30; 1, 2, {3, 4}", expected a count and an order'),
        (LEADER.replace("30: ", ": "), 'row 18: found the count ""'),
        (LEADER.replace("30: 1, 2", "30: 1, 1"), "row 18: option 1 stands in the order twice"),
        (LEADER.replace("30: 1, 2", "30: 1, 5"), 'row 18: found option "5", expected from 1 to 4'),
        (LEADER.replace("30: 1, 2", "30: 1, B"), 'row 18: found " B, {3, 4}" in the order'),
        (LEADER.replace("{3, 4}", "{3, 4"), "row 18: found .* in the order"),
        (LEADER.replace("{3, 4}", "{3, , 4}"), 'row 18: found option ""'),
        (LEADER.replace("{3, 4}", "{}"), 'row 18: found option ""'),
        (LEADER.replace("{3, 4}", "{3, {4}}"), "row 18: found .* in the order"),
        (LEADER.replace("{3, 4}", "3, 4,"), 'row 18: found "" in the order'),
        (LEADER.replace("2, {3, 4}", "2"), "row 18: this order ranks 2 of 4 options, and toc has only complete ones"),
        (_file("soi", "3:"), 'row 6: found "" in the order'),
        (_file("soi", "3: 1,{2,3}"), "row 6: options 2 and 3 are equal, and soi has no ties"),
        (_file("soc", "3: 1,2"), "row 6: this order ranks 2 of 3 options, and soc has only complete ones"),
    ],
)
def test_read_preflib__malformed__names_row_and_fault(text: str, message: str) -> None:
    with pytest.raises(BallotFileError, match=message):
        read_preflib(text)


def test_read_preflib__other_type_than_its_name_says__is_refused() -> None:
    with pytest.raises(BallotFileError, match="row 4: found the data type toc, expected soi: read it with --from toc"):
        read_preflib(LEADER, DataType.SOI)


@pytest.mark.parametrize(
    ("data_type", "ballots", "message"),
    [
        (DataType.SOC, Ballots(9, 1, ((0, 1),)), "row 9: options 1 and 2 are equal, and soc has no ties"),
        (DataType.SOI, Ballots(9, 1, ((0, 1),)), "row 9: options 1 and 2 are equal, and soi has no ties"),
        (DataType.SOC, Ballots(9, 1, ((0,),)), "row 9: this order ranks 1 of 2 options"),
        (DataType.TOC, Ballots(9, 1, ((0,),)), "row 9: this order ranks 1 of 2 options"),
        (DataType.TOI, Ballots(9, 1), "row 9: this ballot is blank, .* --blank drop"),
        (DataType.TOI, Ballots(9, 1, ((), (0,))), "row 9: this ballot skips rank 1"),
    ],
)
def test_write_preflib__what_it_cannot_say__is_refused_with_its_row(
    data_type: DataType, ballots: Ballots, message: str
) -> None:
    profile = Profile((Alternative("A"), Alternative("B")), Kind.RANKS, (ballots,))
    with pytest.raises(BallotFileError, match=message):
        write_preflib(profile, data_type, "x")


@pytest.mark.parametrize("data_type", list(DataType))
@given(st.data())
def test_preflib__orders__survive_a_round_trip(data_type: DataType, data: st.DataObject) -> None:
    profile = data.draw(ranked_profiles(ties=data_type.has_ties, complete=data_type.is_complete, blank=False))
    again = read_preflib(write_preflib(profile, data_type, "x.soi"), data_type)
    assert (said(again), titles_of(again), again.title) == (said(profile), titles_of(profile), profile.title)
