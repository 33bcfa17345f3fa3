"""The questions that people ask of an index, each answered from one snapshot of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexer.results.count import Counts, Tally, View, load_view
from indexer.results.definitions import find_definition
from indexer.results.verdict import Phase, State, Verdict, compute_phase, judge
from indexer.storage.model import Ballot, Block
from indexer.storage.repository import Repository
from qballot.core.address import checksum_address
from qballot.core.election import Definition
from qballot.core.types import Address, VoterIndex

OUTCOME = "outcome"
"""Kind of the entry that every complete count's log ends with, and no other's."""


@dataclass(frozen=True, slots=True)
class ElectionAnswer:
    """An election as the index has it. definition: None for an invalid one's. tally: None when it was not asked for."""

    view: View
    definition: Definition | None
    phase: Phase
    tally: Tally | None = None


@dataclass(frozen=True, slots=True)
class ElectionsPage:
    """Some elections, the newest first. next: what to ask for to go on, None at the end. block: the last indexed."""

    block: Block | None
    elections: list[ElectionAnswer]
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

    def find_election(self, box: Address) -> ElectionAnswer | None:
        """Find an election with its definition, phase and turnout; None when the index does not have it."""
        found = self._counts.load(box)
        return None if found is None else _answer(*found)

    def find_elections(self, *, limit: int, before: int | None = None) -> ElectionsPage:
        """Find up to `limit` elections, the newest first, those before the number that the last page named."""
        with self._repository.snapshot() as snapshot:
            cursor = snapshot.load_cursor()
            elections = snapshot.load_elections(limit=limit + 1, before=before)
        if cursor is None or cursor.block is None:
            return ElectionsPage(None, [], None)
        answers = [_answer(View(cursor, cursor.block, election), None) for election in elections[:limit]]
        more = len(elections) > limit
        return ElectionsPage(cursor.block, answers, elections[limit - 1].number if more else None)

    def find_ballots(
        self, box: Address, *, limit: int, after: int | None = None, voter: VoterIndex | None = None
    ) -> BallotsPage | None:
        """Find up to `limit` of an election's ballots, those after a position; None when there is no such election."""
        with self._repository.snapshot() as snapshot:
            view = load_view(snapshot, box)
            if view is None:
                return None
            ballots = list(snapshot.load_ballots(view.election, limit=limit + 1, after=after, voter=voter))
        more = len(ballots) > limit
        return BallotsPage(view, ballots[:limit], ballots[limit - 1].position if more else None)

    def find_result(self, box: Address) -> dict[str, Any] | None:
        """Make an election's result document; None when the index does not have the election."""
        answer = self.find_election(box)
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
        "block": block_json(verdict.block),
        "head": f"0x{election.head.hex()}",
        "turnout": turnout_json(answer),
        "records": election.records,
        "contests": _contests(answer, verdict),
    }


def turnout_json(answer: ElectionAnswer) -> dict[str, Any] | None:
    """Say who has voted: how many, of how many, with what weight; None for an election that is never counted."""
    if answer.tally is None:
        return None
    voters = answer.view.election.arguments.voters
    return {"voters_cast": answer.tally.voters, "voters": voters, "weight_cast": str(answer.tally.weight)}


def block_json(block: Block) -> dict[str, Any]:
    """Name a block."""
    return {"number": block.number, "hash": f"0x{block.hash.hex()}", "timestamp": block.timestamp}


def _answer(view: View, tally: Tally | None) -> ElectionAnswer:
    election = view.election
    definition = None if election.invalid_reason is not None else find_definition(election.definition)
    return ElectionAnswer(view, definition, compute_phase(election, view.block.timestamp), tally)


def _contests(answer: ElectionAnswer, verdict: Verdict) -> list[dict[str, Any]]:
    if answer.tally is None or verdict.state not in (State.PARTIAL, State.COMPLETE):
        return []
    show = _show_leading if verdict.state is State.PARTIAL else _show_winners
    return [show(contest) for contest in answer.tally.contests]


def _show_winners(contest: Mapping[str, Any]) -> dict[str, Any]:
    return {**contest, "leading": []}


def _show_leading(contest: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a count into that of an election that goes on: whoever would win leads, and nobody has won or tied."""
    leading = [*contest["winners"], *contest["tied"]]
    steps = [entry for entry in contest["log"] if entry["kind"] != OUTCOME]
    last = {"kind": "leading", "text": "Voting goes on: this is who leads, and nobody has won.", "leading": leading}
    return {**contest, "winners": [], "tied": [], "leading": leading, "log": [*steps, last]}
