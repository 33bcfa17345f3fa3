"""The questions that people ask of an index, each answered from one snapshot of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexer.results.count import Counts, View, load_view
from indexer.results.definitions import Heading, Headings, find_definition
from indexer.results.verdict import Phase, State, Verdict, compute_phase, judge
from indexer.storage.model import Ballot, Block, Listing
from indexer.storage.repository import Repository
from qballot.core.address import checksum_address
from qballot.core.election import Definition
from qballot.core.types import Address, VoterIndex

MAX_PAGE_BYTES = 1024 * 1024
"""Bytes of ballots in one page of them."""

OUTCOME = "outcome"
TIE_FOR_ELIMINATION = "tie_for_elimination"
"""Kind of the entry that every complete count's log ends with, and no other's."""


@dataclass(frozen=True, slots=True)
class ElectionAnswer:
    """An election as the index had it at the view's block.

    definition: None for an invalid one's. contests: their counts, None where no count was asked for.
    """

    view: View
    definition: Definition | None
    phase: Phase
    contests: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class ListedElection:
    """An election in a list. heading: None for an invalid one's."""

    listing: Listing
    heading: Heading | None
    phase: Phase


@dataclass(frozen=True, slots=True)
class ElectionsPage:
    """Some elections, the newest first. next: what to ask for to go on, None at the end. block: the last indexed."""

    block: Block | None
    elections: list[ListedElection]
    next: int | None


@dataclass(frozen=True, slots=True)
class BallotsPage:
    """Some ballots in the order of the chain. next: what to ask for to go on; None at the end."""

    view: View
    ballots: list[Ballot]
    next: int | None


class Results:
    """Answers about one index. Safe to share between threads; keeps what it has counted."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._counts = Counts(repository)
        self._headings = Headings()

    def find_election(self, box: Address) -> ElectionAnswer | None:
        """Find an election with its definition, phase and turnout; None when the index does not have it.

        Counts nothing.
        """
        with self._repository.snapshot() as snapshot:
            view = load_view(snapshot, box)
        return None if view is None else _answer(view)

    def find_counted(self, box: Address) -> ElectionAnswer | None:
        """Find an election with its count; None when the index does not have it.

        While the newest records are counted for somebody else, this is as of the count before them, its block
        included. Raises NotCountedError while there is none.
        """
        found = self._counts.load_tally(box)
        if found is None:
            return None
        view, tally = found
        return _answer(view, None if tally is None else tally.contests)

    def find_elections(self, *, limit: int, before: int | None = None) -> ElectionsPage:
        """Find up to `limit` elections, the newest first, those before the number that the last page named."""
        with self._repository.snapshot() as snapshot:
            cursor = snapshot.load_cursor()
            listings = snapshot.load_elections(limit=limit + 1, before=before)
            shown = listings[:limit]
            definitions = snapshot.load_definitions(self._headings.find_missing(shown))
        if cursor is None or cursor.block is None:
            return ElectionsPage(None, [], None)
        headings = self._headings.find_headings(shown, definitions)
        now = cursor.block.timestamp
        elections = [
            ListedElection(listing, heading, compute_phase(listing, now))
            for listing, heading in zip(shown, headings, strict=True)
        ]
        return ElectionsPage(cursor.block, elections, shown[-1].number if len(listings) > limit else None)

    def find_ballots(
        self, box: Address, *, limit: int, after: int | None = None, voter: VoterIndex | None = None
    ) -> BallotsPage | None:
        """Find some of an election's ballots, those after a position; None when there is no such election.

        They are up to `limit`, and fewer where those have more than MAX_PAGE_BYTES, but for a single one.
        """
        ballots: list[Ballot] = []
        size = 0
        with self._repository.snapshot() as snapshot:
            view = load_view(snapshot, box)
            if view is None:
                return None
            for ballot in snapshot.stream_ballots(view.election, limit=limit + 1, after=after, voter=voter):
                size += len(ballot.record.ballot)
                if len(ballots) == limit or (ballots and size > MAX_PAGE_BYTES):
                    return BallotsPage(view, ballots, ballots[-1].position)
                ballots.append(ballot)
        return BallotsPage(view, ballots, None)

    def find_result(self, box: Address) -> dict[str, Any] | None:
        """Make an election's result document; None when the index does not have the election. As `find_counted`."""
        answer = self.find_counted(box)
        return None if answer is None else make_document(answer)


def result_document(repository: Repository, box: Address) -> dict[str, Any] | None:
    """Make an election's result document once; `Results` keeps what it counted for the next question."""
    return Results(repository).find_result(box)


def make_document(answer: ElectionAnswer) -> dict[str, Any]:
    """Make the result document: plain JSON values, with large numbers as text and bytes as 0x-hex."""
    election = answer.view.election
    verdict = judge(election, answer.view.block)
    return {
        "election": checksum_address(election.box),
        "title": None if answer.definition is None else answer.definition.title,
        "chain_id": answer.view.cursor.chain_id,
        "factory": checksum_address(answer.view.cursor.factory),
        "definition_hash": f"0x{election.arguments.definition_hash.hex()}",
        "state": verdict.state.value,
        "state_text": verdict.state_text,
        "level": verdict.level.value,
        "level_text": verdict.level_text,
        "alarm": verdict.alarm,
        "block": block_json(verdict.block),
        "head": f"0x{election.head.hex()}",
        "turnout": turnout_json(answer),
        "records": election.records,
        "contests": _contests(answer, verdict),
    }


def turnout_json(answer: ElectionAnswer) -> dict[str, Any] | None:
    """Say who has voted: how many, of how many, with what weight; None for an election that is never counted."""
    election = answer.view.election
    if election.invalid_reason is not None:
        return None
    voters = election.arguments.voters
    return {"voters_cast": election.voters_cast, "voters": voters, "weight_cast": str(election.weight_cast)}


def block_json(block: Block) -> dict[str, Any]:
    """Name a block."""
    return {"number": block.number, "hash": f"0x{block.hash.hex()}", "timestamp": block.timestamp}


def _answer(view: View, contests: list[dict[str, Any]] | None = None) -> ElectionAnswer:
    election = view.election
    definition = None if election.invalid_reason is not None else find_definition(election.definition)
    return ElectionAnswer(view, definition, compute_phase(election, view.block.timestamp), contests)


def _contests(answer: ElectionAnswer, verdict: Verdict) -> list[dict[str, Any]]:
    if answer.contests is None or verdict.state not in (State.PARTIAL, State.COMPLETE):
        return []
    show = _show_leading if verdict.state is State.PARTIAL else _show_winners
    return [show(contest) for contest in answer.contests]


def _show_winners(contest: Mapping[str, Any]) -> dict[str, Any]:
    return {**contest, "leading": []}


def _show_leading(contest: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a count into that of an election that goes on: whoever would win leads, and nobody has won or tied."""
    # Options that tie for elimination are the lowest: who leads then stands in the log.
    stop = next((entry for entry in contest["log"] if entry["kind"] == TIE_FOR_ELIMINATION), None)
    leading = stop["leading"] if stop else [*contest["winners"], *contest["tied"]]
    steps = [entry for entry in contest["log"] if entry["kind"] != OUTCOME]
    last = {"kind": "leading", "text": "Voting goes on: this is who leads, and nobody has won.", "leading": leading}
    undecided: dict[str, Any] = {"winners": [], "tied": [], "tied_for": None, "open_seats": 0, "waits_for_lot": False}
    unjudged: dict[str, Any] = {"verdict": None, "requirements": []}
    return {**contest, **undecided, **unjudged, "leading": leading, "log": [*steps, last]}
