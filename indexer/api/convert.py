"""From answers of the services to the API's schemas."""

from __future__ import annotations

import msgspec

from indexer.api.schema_parts import BlockBody
from indexer.api.schemas import (
    BallotBody,
    BallotList,
    ElectionBody,
    ElectionList,
    ElectionSummary,
    SourceBody,
)
from indexer.results.service import BallotsPage, ElectionAnswer, ElectionsPage, ListedElection, block_json, turnout_json
from indexer.storage.model import Ballot, Block, Source
from qballot.core.address import checksum_address


def show_elections(page: ElectionsPage) -> ElectionList:
    """Show a page of elections."""
    block = None if page.block is None else show_block(page.block)
    return ElectionList(block=block, elections=[show_listed(listed) for listed in page.elections], next=page.next)


def show_listed(listed: ListedElection) -> ElectionSummary:
    """Show an election as in a list."""
    listing = listed.listing
    return ElectionSummary(
        election=checksum_address(listing.box),
        title=None if listed.heading is None else listed.heading.title,
        phase=listed.phase,
        opens_at=listing.opens_at,
        closes_at=listing.closes_at,
        voters=listing.voters,
        records=listing.records,
    )


def show_election(answer: ElectionAnswer) -> ElectionBody:
    """Show an election with its rules."""
    election, arguments = answer.view.election, answer.view.election.arguments
    return ElectionBody.model_validate(
        {
            "election": checksum_address(election.box),
            "title": None if answer.definition is None else answer.definition.title,
            "phase": answer.phase,
            "opens_at": arguments.opens_at,
            "closes_at": arguments.closes_at,
            "voters": arguments.voters,
            "records": election.records,
            "chain_id": answer.view.cursor.chain_id,
            "factory": checksum_address(answer.view.cursor.factory),
            "organizer": checksum_address(arguments.organizer),
            "salt": _hex(election.salt),
            "definition": None if answer.definition is None else msgspec.json.decode(election.definition),
            "definition_bytes": _hex(election.definition),
            "definition_hash": _hex(arguments.definition_hash),
            "invalid_reason": election.invalid_reason if election.unknown_version is None else None,
            "unknown_version": election.unknown_version,
            "sheet_bits": arguments.sheet_bits,
            "sheet_roots": [_hex(root) for root in arguments.sheet_roots],
            "max_ballot_bytes": arguments.max_ballot_bytes,
            "text_ballots": arguments.text_ballots,
            "created": show_source(election.source),
            "head": _hex(election.head),
            "batches": election.batches,
            "turnout": turnout_json(answer),
            "block": show_block(answer.view.block),
        }
    )


def show_ballots(page: BallotsPage) -> BallotList:
    """Show a page of ballots."""
    return BallotList(
        election=checksum_address(page.view.election.box),
        block=show_block(page.view.block),
        ballots=[show_ballot(ballot) for ballot in page.ballots],
        next=page.next,
    )


def show_ballot(ballot: Ballot) -> BallotBody:
    """Show one ballot."""
    record = ballot.record
    return BallotBody(
        position=ballot.position,
        batch=ballot.batch.sequence,
        voter=record.voter,
        cast_at=record.cast_at_unix,
        direct=record.is_direct,
        weight=str(record.weight),
        ballot=_hex(record.ballot),
        source=show_source(ballot.batch.source),
    )


def show_block(block: Block) -> BlockBody:
    """Show a block."""
    return BlockBody.model_validate(block_json(block))


def show_source(source: Source) -> SourceBody:
    """Show where something was read from."""
    return SourceBody(
        block_number=source.block_number,
        block_hash=_hex(source.block_hash),
        log_index=source.log_index,
        transaction_hash=_hex(source.transaction_hash),
    )


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
