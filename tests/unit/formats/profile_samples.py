"""Profiles to write and read again, whatever the format; each strategy makes only what its format can say."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from hypothesis import strategies as st

from qballot.formats.profile import Alternative, Ballots, Kind, Profile, Ranks, close_end, merge_equal

NAMES = (
    "Ada Lovelace", "ben", "Cem-K", "Doña García Márquez", "蘇業", "0", "2=3", "A > B", "a, b", "[square] bracket",
    "]", "# 1", "{curly}", "1:2,{3}", "O'Neil / Roe", "50 % *", "back\\slash", "None; of: the above", "=ada", "🗳️",
    "é",
)  # fmt: skip
"""Titles with the signs of every format. None has a double quote, which BLT cannot write."""

TITLES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S"), exclude_characters='"'), max_size=9).map(
    lambda text: unicodedata.normalize("NFC", f"T{text}")
)
"""Any title that a definition may have, but for spaces and marks."""


@st.composite
def ranks_of(draw: st.DrawFn, options: int, *, ties: bool, complete: bool, gaps: bool) -> Ranks:
    order = draw(st.permutations(range(options)))
    ranked = order if complete else order[: draw(st.integers(0, options))]
    ranks: list[tuple[int, ...]] = []
    for option in ranked:
        if gaps and draw(st.booleans()):
            ranks.append(())
        if ties and ranks and ranks[-1] and draw(st.booleans()):
            ranks[-1] = tuple(sorted((*ranks[-1], option)))
        else:
            ranks.append((option,))
    return close_end(ranks)


@st.composite
def ranked_profiles(
    draw: st.DrawFn,
    *,
    ties: bool = True,
    complete: bool = False,
    gaps: bool = False,
    blank: bool = True,
    fewest: int = 1,
) -> Profile:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=fewest, max_size=6, unique=True))
    kinds = ranks_of(len(names), ties=ties, complete=complete, gaps=gaps).filter(lambda ranks: blank or bool(ranks))
    lines = draw(st.lists(st.tuples(kinds, st.integers(1, 2**96 // 1_000)), min_size=1, max_size=8))
    ballots = tuple(Ballots(1, count, ranks) for ranks, count in lines)
    return merge_equal(Profile(tuple(map(Alternative, names)), Kind.RANKS, ballots, draw(TITLES)))


@st.composite
def scored_profiles(draw: st.DrawFn, least: int = -127, greatest: int = 127) -> Profile:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    scores = st.dictionaries(st.integers(0, len(names) - 1), st.integers(least, greatest), min_size=1)
    lines = draw(st.lists(st.tuples(scores, st.integers(1, 2**96 // 1_000)), min_size=1, max_size=8))
    ballots = tuple(Ballots(1, count, scores=tuple(sorted(given.items()))) for given, count in lines)
    alternatives = tuple(map(Alternative, names))
    return merge_equal(Profile(alternatives, Kind.SCORES, ballots, draw(TITLES), scale=(least, greatest)))


def said(profile: Profile) -> dict[object, int]:
    """What the ballots of a profile say, with how many say it, by the options' titles."""
    titles = [alternative.title for alternative in profile.alternatives]
    merged = merge_equal(profile)
    return {
        (
            tuple(frozenset(titles[option] for option in rank) for rank in ballots.ranks),
            frozenset((titles[option], score) for option, score in ballots.scores),
        ): ballots.count
        for ballots in merged.ballots
    }


def titles_of(profile: Profile) -> list[str]:
    return [alternative.title for alternative in profile.alternatives]


def ranks_by_row(profile: Profile) -> list[tuple[int, Ranks]]:
    return [(ballots.count, ballots.ranks) for ballots in profile.ballots]


def join(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
