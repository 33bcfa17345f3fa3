"""A definition for ballots that came without one: the options of the file, and a method that can count them."""

from __future__ import annotations

import unicodedata

from qballot.core.definition import parse_definition_document
from qballot.core.definition.draft import (
    ContestDraft,
    DefinitionDraft,
    OptionDraft,
    build_document,
    format_document,
)
from qballot.core.definition.slug import propose_id
from qballot.core.election import Definition, Method
from qballot.core.tally import METHODS
from qballot.core.tally.grades import GRADES, NAMES
from qballot.core.tally.score import MAX_SCORE, MIN_SCORE
from qballot.formats.profile import Kind, Profile, find_equal_ranks

DEFAULT_TITLE = "Election"
DEFAULT_SCALE = (0, 5)


def propose_method(profile: Profile) -> Method:
    """Choose a method that counts what the ballots say, where nobody did.

    Scores go to `score`. Ranks go to `irv`, for several seats to `stv`; where some are equal to `schulze`, or to
    `approval` if no ballot has more than one rank.
    """
    if profile.kind is Kind.SCORES:
        return Method.SCORE
    if next(find_equal_ranks(profile), None) is not None:
        return Method.APPROVAL if all(len(ballots.ranks) < 2 for ballots in profile.ballots) else Method.SCHULZE
    return Method.STV if (profile.seats or 1) > 1 else Method.IRV


def write_definition(profile: Profile, method: Method) -> tuple[Definition, str]:
    """Write the definition of an election with one contest, whose options are the profile's.

    Returns it read and as a document for people to edit. Raises DefinitionError for what no definition may hold, such
    as a title that is too long.
    """
    title = _normalize(profile.title) or DEFAULT_TITLE
    contest = ContestDraft(propose_id(title, (), "contest"), method, title)
    taken: set[str] = set()
    for alternative in profile.alternatives:
        option = propose_id(alternative.name or alternative.title, taken, "option")
        taken.add(option)
        contest.options.append(OptionDraft(option, _normalize(alternative.title)))
    if profile.seats is not None and profile.seats > 1:
        contest.limits["seats"] = profile.seats
    contest.limits |= _set_scale(profile, method)
    draft = DefinitionDraft(title, unicodedata.normalize("NFC", profile.description), contests=[contest])
    document = format_document(build_document(draft))
    definition, _ = parse_definition_document(document)
    return definition, document


def _set_scale(profile: Profile, method: Method) -> dict[str, int]:
    """Set the bounds of scores: those of the file, else 0 to 5, further where a score lies beyond."""
    scores = [score for ballots in profile.ballots for _, score in ballots.scores]
    least, greatest = profile.scale or DEFAULT_SCALE
    least, greatest = min([least, *scores]), max([greatest, *scores])
    names = {limit.name for limit in METHODS[method].limits}
    if MAX_SCORE.name in names:
        return {MIN_SCORE.name: least, MAX_SCORE.name: greatest}
    if GRADES.name in names and greatest + 1 in NAMES:
        return {GRADES.name: greatest + 1}
    return {}


def _normalize(text: str) -> str:
    """Write a text in Unicode's normal form NFC, which definitions ask for, with one space at each gap."""
    return " ".join(unicodedata.normalize("NFC", text).split())
