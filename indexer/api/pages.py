"""Pages for people, rendered here so that they need no script: what the API says, in words and bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from http import HTTPStatus
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from indexer.results.phase import describe_time
from indexer.results.service import ElectionAnswer, ElectionsPage, make_document
from qballot.core.address import checksum_address
from qballot.core.election import Contest

PHASES = {
    "upcoming": "Not open yet",
    "open": "Voting is open",
    "closed": "Closed",
    "cancelled": "Cancelled",
    "invalid": "Invalid",
    "unknown": "Unknown version",
}

NAMELESS = {"unknown": "Election of an unknown version"}
"""What an election is called whose definition is not shown, by its phase; others are called invalid."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One option in a contest's chart. percent: of the greatest total, 0 … 100.

    mark: winner, leading, tied or none. label: the same in words.
    """

    title: str
    total: str
    percent: int
    negative: bool
    mark: str
    label: str


class Pages:
    """The templates, loaded once. Everything that is put into them is escaped."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("indexer.api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.filters["time"] = describe_time
        self._templates.filters["address"] = checksum_address
        self._templates.globals["phases"] = PHASES
        self._templates.globals["nameless"] = NAMELESS

    def render_home(self, page: ElectionsPage) -> str:
        """Render the list of elections."""
        return self._templates.get_template("home.html").render(page=page)

    def render_election(self, answer: ElectionAnswer) -> str:
        """Render one election with its result."""
        document = make_document(answer)
        contests = () if answer.definition is None else answer.definition.contests
        counted = {contest["id"]: contest for contest in document["contests"]}
        shown = [
            (contest, counted[contest.id], draw_bars(contest, counted[contest.id])) for contest in contests if counted
        ]
        return self._templates.get_template("election.html").render(
            answer=answer,
            result=document,
            contests=shown,
            is_proven=answer.view.verdict.proven is not None,
        )

    def render_error(self, status: int, detail: str) -> str:
        """Render the page for what went wrong. status: of HTTP."""
        return self._templates.get_template("error.html").render(title=HTTPStatus(status).phrase, detail=detail)

    def render_not_found(self) -> str:
        """Render the page for an address without an election."""
        return self._templates.get_template("not_found.html").render()


def draw_bars(contest: Contest, count: Mapping[str, Any]) -> list[Bar]:
    """Make a contest's chart: the greatest total first, equal ones in the definition's order."""
    totals = {option.id: Fraction(count["totals"][option.id]) for option in contest.options}
    greatest = max((abs(total) for total in totals.values()), default=Fraction(0)) or Fraction(1)
    return [
        Bar(
            title=option.title,
            total=count["totals"][option.id],
            percent=int(abs(totals[option.id]) * 100 / greatest),
            negative=totals[option.id] < 0,
            mark=(mark := _find_mark(option.id, count)),
            label="tied for elimination" if mark == "tied" and count["tied_for"] == "elimination" else mark,
        )
        for option in sorted(contest.options, key=lambda option: -totals[option.id])
    ]


def _find_mark(option: str, count: Mapping[str, Any]) -> str:
    for key, mark in (("winners", "winner"), ("tied", "tied"), ("leading", "leading")):
        if option in count[key]:
            return mark
    return ""
