r"""ABIF, the aggregated ballot information format: ranks, scores, approvals, single votes.

    {"title": "Board"}          # what is known of the election
    =ada:[Ada Lovelace]         # an option: its token, its title; without any such rows tokens are titles
    27: ada > ben = [Cem K.]    # 27 ballots
    5 * ada/5, ben/0            # 5 ballots with scores
    3:                          # 3 blank ballots

Source: the grammar and the test files of the ABIF repository (electorama/abif, version 0.31). A ballot may have order
and scores at once (`ada/5>ben/3`): the scores are taken, and must not contradict the order, unless one of the two is
asked for. `\{"seats": 2\}` is not in the grammar's examples; other readers pass over keys that they do not know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from qballot.core.definition.slug import propose_id
from qballot.core.problems import quote
from qballot.errors import BallotFileError
from qballot.formats.abif_items import Options, is_bare, list_words, quote_token, read_metadata
from qballot.formats.lines import list_lines, read_count, read_score, refuse_gaps, refuse_unclear_titles
from qballot.formats.profile import Alternative, Ballots, Kind, Profile, Ranks

_BETWEEN = (">", "=", ",")
_RATED = "ranks here, scores in row {row}: expected one or the other throughout; --take ranks reads the order alone"


@dataclass(frozen=True, slots=True)
class _Item:
    """An option on a ballot, the sign before it (empty before the first), and its score if it has one."""

    option: int
    sign: str
    score: int | None


def read_abif(text: str, scale: int = 1, take: Kind | None = None) -> Profile:
    """Read a file of ABIF. scale: what every count is multiplied by. take: what to read where a file has both.

    Raises BallotFileError with the row of the first thing that does not fit.
    """
    options = Options()
    metadata: dict[str, tuple[int, str]] = {}
    votes: list[tuple[int, str]] = []
    for row, line in list_lines(text):
        if line.startswith("{"):
            key, value = read_metadata(row, line)
            if key in metadata:
                raise BallotFileError(row, f"{quote(key)} stands in row {metadata[key][0]} already")
            metadata[key] = (row, value)
        elif line.startswith("="):
            options.add(row, _read_declaration(row, line))
            options.declared = options.declared or row
        elif line and not line.startswith("#"):
            votes.append((row, line))
    ballots = [_read_ballots(row, line, options, scale, take) for row, line in votes]
    kind = _find_kind(ballots)
    return Profile(
        alternatives=tuple(options.alternatives),
        kind=kind,
        ballots=tuple(ballots),
        title=" ".join(metadata.get("title", (0, ""))[1].split()),
        description=metadata.get("description", (0, ""))[1],
        seats=_read_seats(*metadata["seats"]) if "seats" in metadata else None,
        scale=_read_scale(metadata) if kind is Kind.SCORES else None,
    )


def write_abif(profile: Profile) -> str:
    """Write a profile as ABIF, one row for equal ballots.

    Raises BallotFileError at the first ballot with a skipped rank, which ABIF has not; InputError for options without
    a title of their own.
    """
    refuse_gaps(profile, "abif")
    refuse_unclear_titles(profile, "abif")
    tokens = _name_tokens(profile)
    lines = [json.dumps({key: value}, ensure_ascii=False) for key, value in _list_metadata(profile)]
    for token, alternative in zip(tokens, profile.alternatives, strict=True):
        lines.append(f"={token}:{quote_token(alternative.title)}")
    for ballots in profile.ballots:
        ranks = ">".join("=".join(tokens[option] for option in rank) for rank in ballots.ranks)
        scores = ",".join(f"{tokens[option]}/{score}" for option, score in ballots.scores)
        lines.append(f"{ballots.count}:{ranks}{scores}")
    return "\n".join(lines) + "\n"


def _read_declaration(row: int, line: str) -> Alternative:
    """Read `=token:[title]`, or `=[title]` of an option without a token of its own."""
    words = list(list_words(row, line[1:]))
    if len(words) == 1 and not words[0].sign:
        return Alternative(words[0].text, words[0].text if words[0].bare else "")
    if len(words) != 3 or [word.sign for word in words] != [False, True, False] or words[1].text != ":":
        raise BallotFileError(row, f"found {quote(line)}, expected an option as in =ada:[Ada Lovelace]")
    return Alternative(words[2].text, words[0].text)


def _read_ballots(row: int, line: str, options: Options, scale: int, take: Kind | None) -> Ballots:
    head, rest = _cut_count(row, line)
    count = read_count(row, head, scale)
    items = list(_list_items(row, rest, options))
    if len({item.option for item in items}) < len(items):
        raise BallotFileError(row, "an option stands on this ballot twice, expected once at most")
    rated = any(item.score is not None for item in items)
    if take is Kind.SCORES and items and not rated:
        raise BallotFileError(row, "found no scores to take, expected them as in ada/5,ben/3")
    if not rated or take is Kind.RANKS:
        return Ballots(row, count, ranks=_rank(row, items))
    if take is None:
        _check_agreement(row, items, options)
    scores = sorted((item.option, item.score) for item in items if item.score is not None)
    return Ballots(row, count, scores=tuple(scores))


def _cut_count(row: int, line: str) -> tuple[str, str]:
    """Cut a row at the sign after its count, which is `:` or `*`."""
    places = [place for place in (line.find(":"), line.find("*")) if place >= 0]
    if not places or not line[: min(places)].strip():
        raise BallotFileError(row, f"found {quote(line)}, expected a count before the ballot, as in 27: ada > ben")
    place = min(places)
    return line[:place].strip(), line[place + 1 :]


def _list_items(row: int, text: str, options: Options) -> Iterator[_Item]:
    words = list(list_words(row, text))
    at, sign = 0, ""
    while at < len(words):
        if at or sign:
            sign = words[at].text
            if not words[at].sign or sign not in _BETWEEN:
                raise BallotFileError(row, f"found {quote(sign)} after an option, expected >, = or , before the next")
            at += 1
        if at == len(words) or words[at].sign:
            found = quote(words[at].text) if at < len(words) else "the end"
            raise BallotFileError(row, f"found {found} where an option was expected")
        word = words[at]
        at += 1
        score = None
        if at < len(words) and words[at].sign and words[at].text == "/":
            found_score = words[at + 1].text if at + 1 < len(words) else ""
            score = read_score(row, word.text, found_score)
            at += 2
        yield _Item(options.find(row, word), sign, score)


def _rank(row: int, items: list[_Item]) -> Ranks:
    ranks: list[list[int]] = []
    for item in items:
        if item.sign == ",":
            raise BallotFileError(row, "found a comma between options without scores, expected > or = between them")
        if item.sign == "=":
            ranks[-1].append(item.option)
        else:
            ranks.append([item.option])
    return tuple(tuple(sorted(rank)) for rank in ranks)


def _check_agreement(row: int, items: list[_Item], options: Options) -> None:
    """Refuse scores that contradict the order in which they stand; a comma orders nothing."""
    for left, right in pairwise(items):
        if right.sign == ",":
            continue
        names = [quote(options.alternatives[item.option].title) for item in (left, right)]
        if left.score is None or right.score is None:
            unscored = names[left.score is not None]
            raise BallotFileError(row, f"{unscored} has no score and others have; {_ways()}")
        agree = left.score > right.score if right.sign == ">" else left.score == right.score
        if not agree:
            found = f"{names[0]} {right.sign} {names[1]} with the scores {left.score} and {right.score}"
            raise BallotFileError(row, f"found {found}, which contradict each other; {_ways()}")


def _ways() -> str:
    return "--take ranks reads the order alone, --take scores the scores"


def _find_kind(ballots: list[Ballots]) -> Kind:
    """Find what the ballots have, which must be the same of all that are not blank."""
    first = {
        Kind.RANKS: next((each.row for each in ballots if each.ranks), 0),
        Kind.SCORES: next((each.row for each in ballots if each.scores), 0),
    }
    if all(first.values()):
        raise BallotFileError(first[Kind.RANKS], _RATED.format(row=first[Kind.SCORES]))
    return Kind.SCORES if first[Kind.SCORES] else Kind.RANKS


def _read_seats(row: int, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 127:
        raise BallotFileError(row, f"found {quote(text)} seats, expected a whole number from 1 to 127")
    return int(text)


def _read_scale(metadata: dict[str, tuple[int, str]]) -> tuple[int, int] | None:
    """Read the bounds of scores, where a file gives both of them or the greatest, and the least is 0 then."""
    if "max_rating" not in metadata:
        return None
    greatest = read_score(metadata["max_rating"][0], "max_rating", metadata["max_rating"][1])
    row, least = metadata.get("min_rating", (metadata["max_rating"][0], "0"))
    return read_score(row, "min_rating", least), greatest


def _list_metadata(profile: Profile) -> Iterator[tuple[str, str | int]]:
    if profile.title:
        yield "title", profile.title
    if profile.description:
        yield "description", profile.description
    if profile.seats is not None:
        yield "seats", profile.seats
    if profile.scale is not None:
        yield "min_rating", profile.scale[0]
        yield "max_rating", profile.scale[1]


def _name_tokens(profile: Profile) -> list[str]:
    """Give every option a token that needs no quotes: its own name where it is one, else one made of its title."""
    names = [alternative.name for alternative in profile.alternatives]
    tokens: list[str] = []
    for alternative in profile.alternatives:
        own = alternative.name if is_bare(alternative.name) else ""
        taken = {*names, *tokens}
        tokens.append(own or propose_id(alternative.title, taken, "option"))
    return tokens
