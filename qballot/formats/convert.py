"""From one form of a file of ballots to another: read, apply the rules that were chosen, write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from qballot.core.election import Contest, Definition, Method
from qballot.errors import InputError
from qballot.formats.abif import read_abif, write_abif
from qballot.formats.blt import read_blt, write_blt
from qballot.formats.cvr import CVR_RULES, looks_like_cvr, read_cvr, write_cvr
from qballot.formats.lines import multiply_counts
from qballot.formats.new_definition import propose_method, write_definition
from qballot.formats.own import Spoiled, find_contest, read_own, write_own
from qballot.formats.preflib import DataType, read_preflib, write_preflib
from qballot.formats.profile import Kind, Profile, drop_withdrawn, merge_equal
from qballot.formats.rules import Overvote, RankRules, Skipped, apply_rules


class Format(StrEnum):
    """A form in which ballots are read and written."""

    CSV = "csv"
    """QBallot's own CSV of ballots, which goes with a definition."""

    ABIF = "abif"
    BLT = "blt"
    SOC = "soc"
    SOI = "soi"
    TOC = "toc"
    TOI = "toi"
    CVR = "cvr"

    @property
    def has_title(self) -> bool:
        """Whether it names the election."""
        return self is not Format.CVR

    @property
    def has_seats(self) -> bool:
        """Whether it says how many options win."""
        return self in (Format.CSV, Format.ABIF, Format.BLT)


RULES = {Format.CVR: CVR_RULES, Format.CSV: RankRules(skipped=Skipped.IGNORE)}
"""The rules where none are chosen. Elsewhere all is kept; in our own CSV ranks only order, so that gaps say nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a conversion is asked for.

    source, target: the forms. definition: of the CSV of ballots, where one is at hand. contest: which of its contests
    is meant; empty where it has one. method: of the definition that is made where there is none.
    title, seats: say otherwise than the file. overvote, skipped: None for the form's own rule (`RULES`). scale: what
    counts are multiplied by. take: what to read where a ballot has ranks and scores. keep_blank: whether blank ballots
    stay. weights: a row for equal ballots, with their number. file_name: of the file that is written, which PrefLib's
    header repeats.
    """

    source: Format
    target: Format
    definition: Definition | None = None
    contest: str = ""
    method: Method | None = None
    title: str = ""
    seats: int | None = None
    overvote: Overvote | None = None
    skipped: Skipped | None = None
    scale: int = 1
    take: Kind | None = None
    keep_blank: bool = True
    spoiled: Spoiled = Spoiled.REFUSE
    weights: bool = False
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A file that was converted.

    text: the new file. definition: the document that goes with it, where one was made. notes: what the new form does
    not say, and what was decided, in sentences.
    """

    text: str
    profile: Profile
    definition: str | None = None
    notes: list[str] = field(default_factory=list)


def guess_format(name: str, text: str | None = None) -> Format | None:
    """Guess a form by a file's name, and a CSV that is read by its first row; None for an ending that is not known."""
    ending = name.rpartition(".")[2].lower()
    if ending == Format.CSV and text is not None and looks_like_cvr(text):
        return Format.CVR
    return Format(ending) if ending in list(Format) else None


def convert(text: str, request: Request) -> Conversion:
    """Convert a file of ballots.

    Raises BallotFileError with the row of what cannot be read, or what the other form cannot say; InputError or
    DefinitionError for what is not about a row.
    """
    profile = _read(text, request)
    profile = replace(profile, title=request.title or profile.title, seats=request.seats or profile.seats)
    profile = apply_rules(profile, RankRules(*_choose_rules(request)))
    if not request.keep_blank:
        profile = replace(profile, ballots=tuple(ballots for ballots in profile.ballots if not ballots.blank))
    notes = list(_note_losses(profile, request))
    if request.target is not Format.BLT:
        profile = drop_withdrawn(profile)
    if request.target is Format.CSV:
        return _convert_to_own(profile, request, notes)
    profile = merge_equal(profile)
    return Conversion(_write(profile, request), profile, notes=notes)


def _read(text: str, request: Request) -> Profile:
    source, definition = request.source, request.definition
    if source is Format.CSV:
        if definition is None:
            raise InputError("a CSV of ballots goes with its definition: name it with --definition")
        position = find_contest(definition, request.contest)
        return multiply_counts(read_own(text, definition, position, request.spoiled), request.scale)
    if source is Format.ABIF:
        return read_abif(text, request.scale, request.take)
    if source is Format.BLT:
        return read_blt(text, request.scale)
    if source is Format.CVR:
        known = [option.title for option in _only_contest(request).options] if definition else ()
        return read_cvr(text, RankRules(*_choose_rules(request)), request.scale, known)
    return read_preflib(text, DataType(source), request.scale)


def _choose_rules(request: Request) -> tuple[Overvote, Skipped]:
    own = RULES.get(request.source, RankRules())
    return request.overvote or own.overvote, request.skipped or own.skipped


def _write(profile: Profile, request: Request) -> str:
    if request.target is Format.ABIF:
        return write_abif(profile)
    if request.target is Format.BLT:
        return write_blt(profile)
    if request.target is Format.CVR:
        return write_cvr(profile, weights=request.weights)
    return write_preflib(profile, DataType(request.target), request.file_name)


def _convert_to_own(profile: Profile, request: Request, notes: list[str]) -> Conversion:
    if request.definition is not None:
        contest = _only_contest(request)
        if request.seats is None and profile.seats not in (None, contest.seats):
            notes.append(f"The file has {profile.seats} seats, and the definition {contest.seats}, which holds.")
        return Conversion(write_own(profile, contest, weights=request.weights), profile, notes=notes)
    method = request.method or propose_method(profile)
    definition, document = write_definition(profile, method)
    if request.method is None:
        notes.append(
            f"The definition says that {method} counts, which fits these ballots; choose another with --method."
        )
    return Conversion(write_own(profile, definition.contests[0], weights=request.weights), profile, document, notes)


def _only_contest(request: Request) -> Contest:
    if request.definition is None or len(request.definition.contests) != 1:
        raise InputError("ballots of one contest need a definition of one contest: make one with --definition-out")
    return request.definition.contests[0]


def _note_losses(profile: Profile, request: Request) -> Iterator[str]:
    """Say what of the file but its votes the new form leaves out."""
    target = request.target
    if profile.withdrawn and target is not Format.BLT:
        names = ", ".join(profile.alternatives[option].title for option in sorted(profile.withdrawn))
        yield f"Withdrawn, and left out of the options and the ballots: {names}."
    if (profile.seats or 1) > 1 and not target.has_seats:
        yield f"{target} does not say that there are {profile.seats} seats."
    if profile.title and not target.has_title:
        yield f"{target} does not say the title."
