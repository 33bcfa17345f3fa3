"""The questions that people ask of an index, each answered from one snapshot of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from indexer.results.count import Counts, Tally, View, load_view
from indexer.results.definitions import Heading, Headings
from indexer.results.phase import Phase, State, compute_phase
from indexer.results.verdict import Verdict
from indexer.results.words import describe_unknown_header
from indexer.storage.model import Ballot, Block, Listing
from indexer.storage.proof_model import Naming, UnknownHeader
from indexer.storage.repository import Repository
from qballot.core.address import checksum_address
from qballot.core.election import Definition
from qballot.core.types import Address, VoterIndex
from qballot.endpoint_list import NEEDED_OPERATORS

MAX_PAGE_BYTES = 1024 * 1024
"""Bytes of ballots in one page of them."""


@dataclass(frozen=True, slots=True)
class ElectionAnswer:
    """An election as the index had it at the view's block. tally: None where no count was asked for, or made."""

    view: View
    tally: Tally | None = None

    @property
    def definition(self) -> Definition | None:
        """What was voted on; None for an invalid election's."""
        return self.view.definition

    @property
    def phase(self) -> Phase:
        """Where the election stood at the last indexed block."""
        return compute_phase(self.view.election, self.view.block.timestamp)


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
    """Answers about one index. Safe to share between threads; keeps what it has counted.

    needed: how many different operators must name a block's hash for what is proved at it to be witnessed.
    """

    def __init__(self, repository: Repository, *, needed: int = NEEDED_OPERATORS) -> None:
        self._repository = repository
        self._needed = needed
        self._counts = Counts(repository, needed=needed)
        self._headings = Headings()

    def find_election(self, box: Address) -> ElectionAnswer | None:
        """Find an election with its definition, phase and turnout; None when the index does not have it.

        Counts nothing.
        """
        with self._repository.snapshot() as snapshot:
            view = load_view(snapshot, box, self._needed)
        return None if view is None else ElectionAnswer(view)

    def find_counted(self, box: Address) -> ElectionAnswer | None:
        """Find an election with its count; None when the index does not have it.

        While the newest records are counted for somebody else, this is as of the count before them, its block
        included. Raises NotCountedError while there is none.
        """
        found = self._counts.load_tally(box)
        return None if found is None else ElectionAnswer(*found)

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
            view = load_view(snapshot, box, self._needed)
            if view is None:
                return None
            for ballot in snapshot.stream_ballots(view.election, limit=limit + 1, after=after, voter=voter):
                size += len(ballot.record.ballot)
                if len(ballots) == limit or (ballots and size > MAX_PAGE_BYTES):
                    return BallotsPage(view, ballots, ballots[-1].position)
                ballots.append(ballot)
        return BallotsPage(view, ballots, None)

    def find_verification(self, box: Address) -> dict[str, Any] | None:
        """Say how far an election's result is verified, and by whose word; None when the index does not have it.

        Counts nothing, so that it may be ahead of a result that is still counted.
        """
        answer = self.find_election(box)
        return None if answer is None else make_verification(answer)

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
    verdict = answer.view.verdict
    return {
        "election": checksum_address(election.box),
        "title": None if answer.definition is None else answer.definition.title,
        "chain_id": answer.view.cursor.chain_id,
        "factory": checksum_address(answer.view.cursor.factory),
        "definition_hash": f"0x{election.arguments.definition_hash.hex()}",
        "state": None if verdict.state is None else verdict.state.value,
        "state_text": verdict.state_text,
        **level_json(verdict),
        "unknown_header": unknown_header_json(answer.view.proofs.unknown_header),
        "block": block_json(verdict.block),
        "head": f"0x{election.head.hex()}",
        "turnout": turnout_json(answer),
        "records": election.records,
        "contests": _contests(answer, verdict),
    }


def make_verification(answer: ElectionAnswer) -> dict[str, Any]:
    """Make the document of how far a result is verified: plain JSON values."""
    election, verdict = answer.view.election, answer.view.verdict
    mark = None if verdict.proven is None else verdict.proven.mark
    return {
        "election": checksum_address(election.box),
        "chain_id": answer.view.cursor.chain_id,
        "state": None if verdict.state is None else verdict.state.value,
        "state_text": verdict.state_text,
        **level_json(verdict),
        "unknown_header": unknown_header_json(answer.view.proofs.unknown_header),
        "needed": answer.view.proofs.needed,
        "block": block_json(verdict.block),
        "head": f"0x{election.head.hex()}",
        "proof": None
        if mark is None
        else {"block": block_json(mark.block), "operator": mark.operator, "has_lot": mark.has_lot},
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


def level_json(verdict: Verdict) -> dict[str, Any]:
    """Say how far a result is verified, by whose word, and what contradicts it."""
    proven, alarm = verdict.proven, verdict.alarm
    return {
        "level": verdict.level.value,
        "level_text": verdict.level_text,
        "next_level_text": verdict.next_level_text,
        "named_by": [] if proven is None else [naming_json(naming) for naming in proven.namings],
        "alarm": None if alarm is None else alarm.text,
        "alarm_kind": None if alarm is None else alarm.kind.value,
        "repaired": list(verdict.repaired),
    }


def unknown_header_json(unknown: UnknownHeader | None) -> dict[str, Any] | None:
    """Say since which block headers have an unknown form; None while all are known."""
    if unknown is None:
        return None
    text = describe_unknown_header(unknown)
    return {
        "fields": list(unknown.fields),
        "block": block_json(unknown.block),
        "text": text[0].upper() + text[1:],
    }


def naming_json(naming: Naming) -> dict[str, Any]:
    """Say what an operator says of the block of a proof."""
    return {
        "operator": naming.operator,
        "hash": f"0x{naming.named_hash.hex()}",
        "agrees": naming.agrees,
        "final": naming.is_final,
    }


def _contests(answer: ElectionAnswer, verdict: Verdict) -> list[dict[str, Any]]:
    if answer.tally is None or verdict.state not in (State.PARTIAL, State.COMPLETE):
        return []
    return answer.tally.partial if verdict.state is State.PARTIAL else answer.tally.complete
