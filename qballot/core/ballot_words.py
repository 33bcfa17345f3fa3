"""A ballot's bytes in plain words, with the count's own judgement of them: what a voter is shown before signing.

Market Street: Car-free for good; Chair: 1. Ngozi Okafor, 2. Jonas Brandt
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qballot.core.ballot import NO_ANSWER, Marks, split_ballot
from qballot.core.canonical import JsonTree
from qballot.core.election import Contest, Definition
from qballot.core.tally.count import judge_marks
from qballot.core.tally.methods import METHODS
from qballot.core.tally.rules import SpoilReason, Use
from qballot.core.tally.words import Form
from qballot.errors import InputError

BLANK = "blank, says nothing"

SPOILED: Mapping[SpoilReason, str] = {
    SpoilReason.WRONG_LENGTH: "the ballot has more or fewer bytes than the election's",
    SpoilReason.OUT_OF_RANGE: "it has a mark that the contest does not allow",
    SpoilReason.TOO_MANY_CHOICES: "it has more options than the contest allows",
    SpoilReason.EQUAL_RANKS: "it has two options with the same rank",
    SpoilReason.TOO_FEW_RANKS: "it ranks fewer options than the contest asks for",
    SpoilReason.TOO_MANY_VOTES: "it gives more votes than the contest allows",
}
"""Why a contest is not counted, as a clause."""

_LIMITED = (
    SpoilReason.OUT_OF_RANGE,
    SpoilReason.TOO_MANY_CHOICES,
    SpoilReason.TOO_FEW_RANKS,
    SpoilReason.TOO_MANY_VOTES,
)


@dataclass(frozen=True, slots=True)
class ContestWords:
    """One contest of a ballot. text: what it says, without the contest's name. verdict: what the count does with it."""

    contest: Contest
    text: str
    verdict: Use | SpoilReason

    @property
    def is_spoiled(self) -> bool:
        """Whether this contest of the ballot will not be counted."""
        return isinstance(self.verdict, SpoilReason)

    @property
    def label(self) -> str:
        """The contest's title as it stands before what is said of it: with a colon, unless it is a question."""
        title = self.contest.title
        return title if title.endswith(("?", "!", ":")) else f"{title}:"

    @property
    def line(self) -> str:
        """The contest with what the ballot says in it, and why that is not counted where it is not."""
        note = f" [spoiled, will not be counted: {_explain(self)}]" if self.is_spoiled else ""
        return f"{self.label} {self.text}{note}"

    def to_json(self) -> dict[str, JsonTree]:
        """Write the contest as one JSON object."""
        use = "spoiled" if self.is_spoiled else str(self.verdict)
        reason = str(self.verdict) if self.is_spoiled else None
        return {"contest": self.contest.id, "text": self.text, "use": use, "reason": reason}


@dataclass(frozen=True, slots=True)
class BallotWords:
    """A whole ballot, contest by contest in the definition's order."""

    contests: tuple[ContestWords, ...]

    @property
    def lines(self) -> list[str]:
        """A line for each contest."""
        return [contest.line for contest in self.contests]

    @property
    def text(self) -> str:
        """All of it on one line."""
        return "; ".join(self.lines)

    @property
    def blank(self) -> list[str]:
        """Titles of the contests that the ballot leaves blank."""
        return [contest.contest.title for contest in self.contests if contest.verdict is Use.BLANK]

    def refuse_spoiled(self) -> None:
        """Raise InputError, naming every contest that would not be counted, if there is one."""
        faults = [f"{contest.label} {_explain(contest)}" for contest in self.contests if contest.is_spoiled]
        if faults:
            listed = "; ".join(faults)
            raise InputError(f"this ballot would be spoiled: {listed}. Change it, or add --spoil if you mean it")


def describe_ballot(definition: Definition, ballot: bytes) -> BallotWords:
    """Put any bytes in words. Never raises: what no words fit is shown as numbers, and judged."""
    parts = split_ballot(definition, ballot)
    if parts is None:
        text = f"{len(ballot)} bytes, expected {definition.ballot_length}"
        misfit = (ContestWords(contest, text, SpoilReason.WRONG_LENGTH) for contest in definition.contests)
        return BallotWords(tuple(misfit))
    return BallotWords(
        tuple(
            ContestWords(contest, _describe_marks(contest, marks), judge_marks(contest, marks))
            for contest, marks in zip(definition.contests, parts, strict=True)
        )
    )


def _describe_marks(contest: Contest, marks: Marks) -> str:
    rules = METHODS[contest.method]
    said = [(option, mark) for option, mark in zip(contest.options, marks, strict=True) if mark != rules.blank_mark]
    if not said:
        return BLANK
    if rules.words.form is Form.ORDER:
        # Stable: equal ranks stay in the definition's order.
        return ", ".join(f"{rank}. {option.title}" for option, rank in sorted(said, key=lambda item: item[1]))
    if rules.words.form is Form.NUMBER:
        silent = [option.title for option, mark in zip(contest.options, marks, strict=True) if mark == NO_ANSWER]
        note = f" (no answer: {', '.join(silent)})" if silent and rules.blank_mark == NO_ANSWER else ""
        names = rules.name_marks(contest)
        return ", ".join(f"{option.title} {names.get(mark, mark)}" for option, mark in said) + note
    return ", ".join(option.title if mark == 1 else f"{option.title} (mark {mark})" for option, mark in said)


def _explain(words: ContestWords) -> str:
    """Say why a contest is spoiled, with the contest's limits where they may be what was broken."""
    if not isinstance(words.verdict, SpoilReason):
        return ""
    limits = ", ".join(f"{name} {value}" for name, value in words.contest.limits.items())
    return SPOILED[words.verdict] + (f" ({limits})" if limits and words.verdict in _LIMITED else "")
